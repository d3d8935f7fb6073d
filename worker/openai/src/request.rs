//! What is sent: instructions or a stored prompt, an input, and the schema of the answer.

use std::collections::HashMap;
use std::fmt;

use async_openai::types::responses::{
    CreateResponse, InputParam, Prompt, ResponseFormatJsonSchema, ResponsePromptVariables,
    ResponseTextParam, TextResponseFormatConfiguration,
};
use serde_json::{Map, Value};

/// The metadata key that carries [`Request::reference`].
pub const REFERENCE_KEY: &str = "reference";

/// One question to the model.
#[derive(Clone)]
pub struct Request {
    /// What the model is to do. Not sent when there is a stored prompt.
    pub instructions: String,
    /// What the model is to work on: data, never instructions.
    pub input: String,
    /// The shape of the answer.
    pub schema: Schema,
    /// A prompt that is kept at the provider and takes the place of the instructions.
    pub stored_prompt: Option<StoredPrompt>,
    /// One opaque reference to tenant and job, at most 512 characters. It goes to the response's
    /// metadata, so that a stray response can be matched to its job.
    pub reference: String,
    /// Limit for the tokens written, reasoning included.
    pub max_output_tokens: Option<u32>,
}

/// The shape of the answer, enforced by the provider (strict structured output).
#[derive(Clone)]
pub struct Schema {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// A JSON Schema within the strict subset: every object lists all of its properties as
    /// required and sets `additionalProperties` to false; the root is an object; `oneOf` and
    /// `allOf` are not allowed.
    pub json: Value,
}

/// A prompt that is kept at the provider.
#[derive(Clone)]
pub struct StoredPrompt {
    /// Its id, such as `pmpt_...`.
    pub id: String,
    /// Its version; the provider's current one if not given.
    pub version: Option<String>,
    /// Values for its placeholders.
    pub variables: Map<String, Value>,
}

impl Request {
    /// The body of `POST /responses`; in the background the answer is an id to ask again by.
    pub(crate) fn body(&self, model: &str, background: bool) -> CreateResponse {
        let format = ResponseFormatJsonSchema {
            name: self.schema.name.clone(),
            schema: self.schema.json.clone(),
            strict: Some(true),
            description: None,
        };
        CreateResponse {
            model: (!model.is_empty()).then(|| model.to_owned()),
            instructions: match self.stored_prompt {
                Some(_) => None,
                None => Some(self.instructions.clone()),
            },
            prompt: self.stored_prompt.as_ref().map(StoredPrompt::body),
            input: InputParam::Text(self.input.clone()),
            text: Some(ResponseTextParam {
                format: TextResponseFormatConfiguration::JsonSchema(format),
                verbosity: None,
            }),
            metadata: Some(HashMap::from([(
                REFERENCE_KEY.to_owned(),
                self.reference.clone(),
            )])),
            max_output_tokens: self.max_output_tokens,
            background: background.then_some(true),
            // A plain call gets its whole answer at once. A copy at the provider would hold the
            // caller's CV for weeks, and nothing here would ever fetch or delete it. In the
            // background the copy is what the answer is fetched from.
            store: Some(background),
            ..CreateResponse::default()
        }
    }
}

impl StoredPrompt {
    fn body(&self) -> Prompt {
        Prompt {
            id: self.id.clone(),
            version: self.version.clone(),
            variables: (!self.variables.is_empty())
                .then(|| ResponsePromptVariables::Custom(Value::Object(self.variables.clone()))),
        }
    }
}

impl fmt::Debug for Request {
    /// Leaves instructions, input and variables out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("reference", &self.reference)
            .field("schema", &self.schema.name)
            .field(
                "stored_prompt",
                &self.stored_prompt.as_ref().map(|prompt| &prompt.id),
            )
            .field("input_bytes", &self.input.len())
            .finish_non_exhaustive()
    }
}
