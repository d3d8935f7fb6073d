//! What an operation's description is made of.

use schemars::{Schema, SchemaGenerator};
use schemas::ProblemKind;
use serde_json::{Value, json};

/// A type's schema, made by a generator: `SchemaGenerator::subschema_for::<T>`.
type OfType = fn(&mut SchemaGenerator) -> Schema;

/// An operation in words and schemas. What follows from its method, its path and who may use it is
/// added by [`super::build`]: security, the answers to a credential that does not count, to a body that
/// cannot be read, and to a service that cannot do it now.
#[derive(Clone, Debug)]
pub(super) struct Doc {
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
    pub(super) problems: Vec<ProblemKind>,
}

/// A parameter in the path, the query or a header.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) place: &'static str,
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) description: &'static str,
    pub(super) schema: Value,
    pub(super) example: Value,
}

/// What a request carries.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) required: bool,
    pub(super) contents: Vec<Content>,
}

/// A media type, the form of what has it, and examples by name.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) media_type: &'static str,
    pub(super) form: Form,
    pub(super) examples: Vec<(&'static str, Value)>,
}

/// Where a schema comes from.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// A type of the `schemas` crate.
    Type(OfType),
    /// A schema as it stands.
    Schema(Value),
}

/// An answer that is no error.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) headers: Vec<&'static str>,
    pub(super) contents: Vec<Content>,
}

impl Doc {
    /// `description` may be of several paragraphs, with `code` in backticks.
    pub(super) fn new(summary: &'static str, description: &'static str) -> Self {
        Self {
            summary,
            description,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub(super) fn with(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// It takes a body in one of these forms.
    pub(super) fn takes(mut self, contents: Vec<Content>) -> Self {
        let required = true;
        self.body = Some(Body { required, contents });
        self
    }

    /// Its body may be left out.
    pub(super) fn takes_perhaps(mut self, contents: Vec<Content>) -> Self {
        let required = false;
        self.body = Some(Body { required, contents });
        self
    }

    pub(super) fn answers(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// Problems besides those that follow from the operation.
    pub(super) fn fails(mut self, problems: &[ProblemKind]) -> Self {
        self.problems.extend(problems);
        self
    }
}

impl Parameter {
    pub(super) fn path(name: &'static str, description: &'static str, schema: Value) -> Self {
        let (place, required) = ("path", true);
        Self::new(place, name, required, description, schema)
    }

    pub(super) fn query(name: &'static str, description: &'static str, schema: Value) -> Self {
        let (place, required) = ("query", false);
        Self::new(place, name, required, description, schema)
    }

    pub(super) fn header(name: &'static str, description: &'static str, schema: Value) -> Self {
        let (place, required) = ("header", false);
        Self::new(place, name, required, description, schema)
    }

    pub(super) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    fn new(
        place: &'static str,
        name: &'static str,
        required: bool,
        description: &'static str,
        mut schema: Value,
    ) -> Self {
        let example = schema
            .as_object_mut()
            .and_then(|schema| schema.remove("example"))
            .unwrap_or_default();
        Self {
            place,
            name,
            required,
            description,
            schema,
            example,
        }
    }
}

impl Content {
    /// JSON of a type.
    pub(super) fn json(of_type: OfType) -> Self {
        Self {
            media_type: "application/json",
            form: Form::Type(of_type),
            examples: Vec::new(),
        }
    }

    /// JSON of a form that has no type: its schema is read off an example. Members that `loose` names,
    /// at any depth, may be absent or null.
    pub(super) fn like(example: Value, loose: &[&str]) -> Self {
        Self {
            media_type: "application/json",
            form: Form::Schema(schema_like(&example, loose)),
            examples: vec![("example", example)],
        }
    }

    /// Bytes, or text in a form of its own.
    pub(super) fn of(media_type: &'static str, schema: Value) -> Self {
        Self {
            media_type,
            form: Form::Schema(schema),
            examples: Vec::new(),
        }
    }

    pub(super) fn example(mut self, name: &'static str, example: Value) -> Self {
        self.examples.push((name, example));
        self
    }
}

impl Answer {
    pub(super) fn new(status: u16, description: &'static str) -> Self {
        Self {
            status,
            description,
            headers: Vec::new(),
            contents: Vec::new(),
        }
    }

    pub(super) fn with(mut self, content: Content) -> Self {
        self.contents.push(content);
        self
    }

    /// Names out of [`super::shared::HEADERS`].
    pub(super) fn headers(mut self, names: &[&'static str]) -> Self {
        self.headers.extend(names);
        self
    }
}

/// The schema of JSON that looks like this.
fn schema_like(example: &Value, loose: &[&str]) -> Value {
    match example {
        // What is empty says nothing of its form.
        Value::Null => json!({}),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(number) if number.is_f64() => json!({ "type": "number" }),
        Value::Number(_) => json!({ "type": "integer" }),
        Value::String(_) => json!({ "type": "string" }),
        Value::Array(items) => match items.first() {
            None => json!({ "type": "array" }),
            Some(item) => json!({ "type": "array", "items": schema_like(item, loose) }),
        },
        Value::Object(members) => {
            let is_loose = |name: &String| loose.contains(&name.as_str());
            let properties: serde_json::Map<_, _> = members
                .iter()
                .map(|(name, member)| {
                    let mut schema = schema_like(member, loose);
                    if let (true, Some(kind)) = (is_loose(name), schema.get("type").cloned()) {
                        schema["type"] = json!([kind, "null"]);
                    }
                    (name.clone(), schema)
                })
                .collect();
            let required: Vec<_> = members.keys().filter(|name| !is_loose(name)).collect();
            json!({ "type": "object", "properties": properties, "required": required })
        }
    }
}
