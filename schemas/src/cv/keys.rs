//! The keys of a CV: the canonical tree, and the keys of other systems that are refused by name.

use serde_json::{Map, Value, json};

/// What stands at a place of the tree.
pub(super) enum Shape {
    /// A text.
    Text,
    /// A list.
    List(&'static Shape),
    /// An object.
    Object(&'static [Field]),
}

/// A member of an object.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) shape: Shape,
}

const fn required(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        required: true,
        shape,
    }
}

const fn optional(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        required: false,
        shape,
    }
}

const TEXTS: Shape = Shape::List(&Shape::Text);

/// The whole CV.
pub(super) const CV: &[Field] = &[
    required("full_name", Shape::Text),
    required("email", Shape::Text),
    required("phone", Shape::Text),
    optional("address_lines", TEXTS),
    optional("photo_url", Shape::Text),
    optional("birth_date", Shape::Text),
    optional("nationality", Shape::Text),
    optional("profile", Shape::Text),
    required("work_experience", Shape::List(&Shape::Object(WORK))),
    required("education", Shape::List(&Shape::Object(EDUCATION))),
    optional("further_experience", Shape::List(&Shape::Object(FURTHER))),
    optional("languages", Shape::List(&Shape::Object(LANGUAGE))),
    optional("it_ai_skills", TEXTS),
    optional("certifications", TEXTS),
    optional("trainings", TEXTS),
    optional("publications", TEXTS),
    optional("interests", Shape::Text),
    optional("references", TEXTS),
    optional("data_privacy", Shape::Text),
    optional("language", Shape::Text),
    optional("links", Shape::List(&Shape::Object(LINK))),
];

pub(super) const WORK: &[Field] = &[
    required("date_range", Shape::Text),
    required("employer", Shape::Text),
    optional("location", Shape::Text),
    required("title", Shape::Text),
    optional("bullets", TEXTS),
];

pub(super) const EDUCATION: &[Field] = &[
    required("date_range", Shape::Text),
    required("institution", Shape::Text),
    required("title", Shape::Text),
    optional("details", TEXTS),
];

pub(super) const FURTHER: &[Field] = &[
    optional("date_range", Shape::Text),
    optional("organization", Shape::Text),
    required("title", Shape::Text),
    optional("bullets", TEXTS),
];

pub(super) const LANGUAGE: &[Field] = &[
    required("language", Shape::Text),
    optional("level", Shape::Text),
];

pub(super) const LINK: &[Field] = &[optional("label", Shape::Text), required("url", Shape::Text)];

/// Keys of other systems, each with the place where its content belongs.
pub(super) const WRONG: &[(&str, &str)] = &[
    (
        "personal_info",
        "put full_name, email, phone and address_lines at the top level",
    ),
    ("employment_history", "rename it to work_experience"),
    (
        "personal",
        "put full_name, email, phone and address_lines at the top level",
    ),
    ("cv_source", "leave it out, and send the content of the CV"),
    ("experience", "rename it to work_experience"),
    (
        "contact",
        "put email, phone and address_lines at the top level",
    ),
    ("profiles", "put the addresses into links"),
    ("metadata", "leave it out"),
    ("employment", "rename it to work_experience"),
    (
        "headline",
        "put it into profile, or into the title of a job",
    ),
];

/// The names of the required members.
pub(super) fn required_names(fields: &[Field]) -> Vec<&'static str> {
    fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect()
}

/// The known key that `key` is a spelling of: `fullName`, `Full-Name`, `FULL_NAME`.
pub(super) fn spelling_of(key: &str, fields: &[Field]) -> Option<&'static str> {
    let squash = |name: &str| -> String {
        name.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .take(64)
            .collect()
    };
    let key = squash(key);
    fields
        .iter()
        .map(|field| field.name)
        .find(|name| squash(name) == key)
}

/// The tree for a reader: each field with what it holds.
pub(super) fn canonical_schema() -> Value {
    fn shown(shape: &Shape, required: bool) -> Value {
        match shape {
            Shape::Text if required => json!("text, required"),
            Shape::Text => json!("text"),
            Shape::List(item) => json!([shown(item, false)]),
            Shape::Object(fields) => members(fields),
        }
    }
    fn members(fields: &[Field]) -> Value {
        fields
            .iter()
            .map(|field| (field.name.to_owned(), shown(&field.shape, field.required)))
            .collect::<Map<_, _>>()
            .into()
    }
    members(CV)
}

/// The smallest CV that is accepted, with one bullet and one skill to show their form.
pub(super) fn example() -> Value {
    json!({
        "full_name": "Ada Example",
        "email": "ada@example.com",
        "phone": "+44 1632 960100",
        "work_experience": [{
            "date_range": "01/2020 – Present",
            "employer": "Example Ltd",
            "title": "Analyst",
            "bullets": ["Wrote the monthly report."],
        }],
        "education": [{
            "date_range": "2016 – 2019",
            "institution": "Example College",
            "title": "BSc Statistics",
            "details": [],
        }],
        "it_ai_skills": ["Spreadsheets"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cv::{CheckOptions, Cv, accept};

    #[test]
    fn the_tree_is_that_of_the_types() {
        fn compare(fields: &[Field], schema: &Value, root: &Value) {
            let properties = schema["properties"].as_object().unwrap();
            let mut ours: Vec<_> = fields.iter().map(|field| field.name).collect();
            ours.sort_unstable();
            let mut theirs: Vec<_> = properties.keys().map(String::as_str).collect();
            theirs.sort_unstable();
            assert_eq!(ours, theirs);
            let mut theirs: Vec<_> = schema["required"].as_array().unwrap().iter().collect();
            let mut ours: Vec<_> = required_names(fields)
                .into_iter()
                .map(Value::from)
                .collect();
            ours.sort_by_key(ToString::to_string);
            theirs.sort_by_key(ToString::to_string);
            assert_eq!(ours.iter().collect::<Vec<_>>(), theirs);
            for field in fields {
                let property = &properties[field.name];
                match &field.shape {
                    Shape::Text => assert!(property["type"].to_string().contains("string")),
                    Shape::List(Shape::Text) => assert_eq!(property["items"]["type"], "string"),
                    Shape::List(Shape::Object(inner)) => {
                        let name = property["items"]["$ref"].as_str().unwrap();
                        let schema = root.pointer(name.trim_start_matches('#')).unwrap();
                        let schema = schema["anyOf"].get(1).unwrap_or(schema);
                        compare(inner, schema, root);
                    }
                    Shape::List(Shape::List(_)) | Shape::Object(_) => panic!("{}", field.name),
                }
            }
        }
        let schema = schemars::schema_for!(Cv).to_value();
        compare(CV, &schema, &schema);
    }

    #[test]
    fn the_example_is_accepted_without_a_warning() {
        let normalised = accept(&example(), &CheckOptions::default()).unwrap();
        assert_eq!(normalised.warnings, vec![]);
    }

    #[test]
    fn other_spellings_are_recognised() {
        assert_eq!(spelling_of("fullName", CV), Some("full_name"));
        assert_eq!(spelling_of("Work-Experience", CV), Some("work_experience"));
        assert_eq!(spelling_of("shoe_size", CV), None);
        assert_eq!(spelling_of("", CV), None);
    }
}
