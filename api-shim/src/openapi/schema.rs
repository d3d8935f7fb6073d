//! The schemas of types, each once, as requests and answers have them.

use std::collections::BTreeSet;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::doc::Form;

/// Where schemas stand in the document.
const PLACE: &str = "#/components/schemas/";

/// Where references to types of answers lead until [`Schemas::place`] knows their names.
const ANSWERS: &str = "#/answers/";

/// What is added to a type's name where an answer has another form of it than a request: fields with
/// a default may be absent in a request, and are always there in an answer.
const SUFFIX: &str = "Answer";

/// Collects the types that operations name.
pub(super) struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = |place: &'static str| {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.meta_schema = None;
                settings.definitions_path = place[1..].trim_end_matches('/').into();
            })
        };
        Self {
            requests: settings(PLACE).into_generator(),
            answers: settings(ANSWERS).for_serialize().into_generator(),
        }
    }

    /// The schema of something that is sent to the server.
    pub(super) fn request(&mut self, form: &Form) -> Value {
        of(form, &mut self.requests)
    }

    /// The schema of something that the server sends.
    pub(super) fn answer(&mut self, form: &Form) -> Value {
        of(form, &mut self.answers)
    }

    /// All types by name, and `document` with its references to them.
    pub(super) fn place(mut self, document: &mut Value) -> Map<String, Value> {
        let mut all = self.requests.take_definitions(true);
        let mut answers = self.answers.take_definitions(true);
        // A type whose parts differ differs itself.
        let mut differ = BTreeSet::new();
        loop {
            let more: Vec<String> = answers
                .iter()
                .filter(|(name, schema)| {
                    !differ.contains(*name)
                        && all.get(*name).is_some_and(|known| {
                            let mut placed = (*schema).clone();
                            rename(&mut placed, &|name| final_name(name, &differ));
                            placed != *known
                        })
                })
                .map(|(name, _)| name.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            differ.extend(more);
        }
        rename(document, &|name| final_name(name, &differ));
        for (name, schema) in &mut answers {
            rename(schema, &|name| final_name(name, &differ));
            all.insert(final_name(name, &differ), schema.take());
        }
        all
    }
}

fn of(form: &Form, generator: &mut SchemaGenerator) -> Value {
    match form {
        Form::Type(of_type) => of_type(generator).to_value(),
        Form::Schema(schema) => schema.clone(),
    }
}

fn final_name(name: &str, differ: &BTreeSet<String>) -> String {
    let suffix = if differ.contains(name) { SUFFIX } else { "" };
    format!("{name}{suffix}")
}

/// Leads references to types of answers to their places.
fn rename(value: &mut Value, name_of: &impl Fn(&str) -> String) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(target) if key == "$ref" => {
                        if let Some(name) = target.strip_prefix(ANSWERS) {
                            *target = format!("{PLACE}{}", name_of(name));
                        }
                    }
                    member => rename(member, name_of),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, name_of)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Serialize;
    use serde_json::json;

    use super::*;

    #[derive(serde::Deserialize, Serialize, JsonSchema)]
    struct Same {
        count: u8,
    }

    #[derive(serde::Deserialize, Serialize, JsonSchema)]
    struct Inner {
        #[serde(default)]
        word: String,
    }

    #[derive(serde::Deserialize, Serialize, JsonSchema)]
    struct Outer {
        inner: Inner,
        same: Same,
    }

    #[test]
    fn a_type_has_one_schema_unless_requests_and_answers_differ() {
        let mut schemas = Schemas::new();
        let form = Form::Type(SchemaGenerator::subschema_for::<Outer>);
        let mut document = json!([schemas.request(&form), schemas.answer(&form)]);
        let all = schemas.place(&mut document);
        let names: Vec<_> = all.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["Inner", "InnerAnswer", "Outer", "OuterAnswer", "Same"]
        );
        assert_eq!(document[0]["$ref"], "#/components/schemas/Outer");
        assert_eq!(document[1]["$ref"], "#/components/schemas/OuterAnswer");
        let answer = &all["OuterAnswer"]["properties"];
        assert_eq!(answer["inner"]["$ref"], "#/components/schemas/InnerAnswer");
        assert_eq!(answer["same"]["$ref"], "#/components/schemas/Same");
    }
}
