//! The document is whole, right in itself, and that of the file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;
use crate::operation::Access;

/// Every operation in the document: path, method, description.
fn described() -> Vec<(String, String, Value)> {
    let paths = document()["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    all
}

/// Every value under a key, at any depth.
fn under<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == key {
                    found.push(member);
                }
                under(member, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| under(item, key, found)),
        _ => {}
    }
}

#[test]
fn every_operation_is_described() {
    for operation in operations() {
        let file = match operation.group {
            Group::About | Group::Hooks => "about.rs",
            Group::Jobs => "jobs.rs",
            Group::Sessions => "sessions.rs",
            Group::Contract => "contract.rs",
            Group::Webhooks => "webhooks.rs",
            Group::Tenant => "tenant.rs",
        };
        let Some(doc) = describe(&operation) else {
            panic!(
                "{} {} has no description: add an arm {:?} to `describe` in \
                 api-shim/src/openapi/{file}, then run BLESS=1 cargo test -p api-shim --lib openapi",
                operation.method, operation.path, operation.id
            );
        };
        let id = operation.id;
        assert!(
            doc.summary.len() > 3 && !doc.summary.ends_with('.'),
            "{id}: summary"
        );
        assert!(doc.description.len() > 15, "{id}: say what it does");
        assert!(!doc.answers.is_empty(), "{id}: say what it answers");
        let in_path: BTreeSet<_> = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let named: BTreeSet<_> = doc
            .parameters
            .iter()
            .filter(|p| p.place == "path")
            .map(|p| p.name)
            .collect();
        assert_eq!(named, in_path, "{id}: parameters of the path");
        let exampled = |contents: &[doc::Content]| {
            contents
                .iter()
                .filter(|content| content.media_type == "application/json")
                .all(|content| !content.examples.is_empty())
        };
        let body = doc.body.as_ref();
        assert!(
            body.is_none_or(|body| exampled(&body.contents)),
            "{id}: an example of the body"
        );
    }
}

#[test]
fn ids_and_paths_are_unique_and_all_there() {
    let all = operations();
    let ids: BTreeSet<_> = all.iter().map(|operation| operation.id).collect();
    assert_eq!(ids.len(), all.len(), "two operations have one id");
    let there: BTreeSet<_> = described()
        .into_iter()
        .map(|(path, method, _)| (path, method.to_uppercase()))
        .collect();
    let wanted: BTreeSet<_> = all
        .iter()
        .map(|operation| (operation.path.to_owned(), operation.method.to_string()))
        .collect();
    assert_eq!(there, wanted);
}

#[test]
fn every_answer_to_a_bad_credential_and_a_bad_day_is_there() {
    for operation in operations() {
        let method = operation.method.as_str().to_lowercase();
        let described = &document()["paths"][operation.path][method];
        let has = |status: &str| described["responses"].get(status).is_some();
        let id = operation.id;
        assert!(has("500") && has("503"), "{id}");
        let needs = matches!(operation.access, Access::Needs(_));
        for status in ["401", "403", "429"] {
            assert!(has(status) || !needs, "{id}: {status}");
        }
        assert_eq!(
            described["security"].as_array().unwrap().is_empty(),
            !needs,
            "{id}"
        );
    }
}

#[test]
fn references_lead_somewhere_and_all_parts_are_used() {
    let mut targets = Vec::new();
    under(document(), "$ref", &mut targets);
    let targets: BTreeSet<_> = targets.iter().map(|t| t.as_str().unwrap()).collect();
    for target in &targets {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document().pointer(pointer).is_some(), "{target}");
    }
    for kind in ["schemas", "responses", "headers"] {
        for name in document()["components"][kind].as_object().unwrap().keys() {
            let target = format!("#/components/{kind}/{name}");
            assert!(
                targets.contains(target.as_str()),
                "{target} is used nowhere"
            );
        }
    }
}

#[test]
fn schemas_are_schemas_and_examples_are_examples_of_them() {
    let mut schemas = Vec::new();
    under(document(), "schema", &mut schemas);
    schemas.extend(
        document()["components"]["schemas"]
            .as_object()
            .unwrap()
            .values(),
    );
    for schema in schemas {
        assert!(jsonschema::meta::is_valid(schema), "{schema}");
    }
    let check = |about: &str, media: &Value| {
        let mut root = media["schema"].clone();
        if root.as_object().is_none_or(serde_json::Map::is_empty) {
            return;
        }
        root["components"] = document()["components"].clone();
        let validator = jsonschema::validator_for(&root).unwrap();
        for (name, example) in media["examples"].as_object().into_iter().flatten() {
            let faults: Vec<_> = validator
                .iter_errors(&example["value"])
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{about}, example {name}: {faults:?}");
        }
    };
    for (path, method, operation) in described() {
        let about = format!("{method} {path}");
        let mut contents = Vec::new();
        under(&operation, "content", &mut contents);
        for content in contents {
            for media in content.as_object().unwrap().values() {
                check(&about, media);
            }
        }
    }
    for (name, response) in document()["components"]["responses"].as_object().unwrap() {
        check(name, &response["content"]["application/problem+json"]);
    }
}

#[test]
fn the_file_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/openapi.json");
    let fresh = text();
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, &fresh).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == fresh,
        "schemas/openapi.json is stale: run BLESS=1 cargo test -p api-shim --lib openapi and commit it"
    );
}
