//! From operations and their descriptions to the document.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use schemas::{Problem, ProblemKind};
use serde_json::{Map, Value, json};

use super::doc::{Answer, Body, Content, Doc, Form, Parameter};
use super::schema::Schemas;
use super::shared::{headers, security_schemes};
use crate::operation::{Access, Group, Operation};
use crate::problem::MEDIA_TYPE;

/// The text at the head of the document.
const INTRODUCTION: &str = include_str!("introduction.md");

/// The whole document.
pub(super) fn document(operations: &[(Operation, Doc)]) -> Value {
    let mut builder = Builder {
        schemas: Schemas::new(),
        failures: Map::new(),
    };
    let mut paths = Map::new();
    for (operation, doc) in operations {
        let described = builder.operation(operation, doc);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = described;
    }
    let tags: Vec<_> = Group::ALL
        .iter()
        .filter(|group| operations.iter().any(|(op, _)| op.group == **group))
        .map(|group| json!({ "name": tag(*group), "description": about(*group) }))
        .collect();
    let headers: Map<_, _> = headers()
        .into_iter()
        .map(|(name, description, schema)| {
            let header = json!({ "description": description, "schema": schema });
            (name.to_owned(), header)
        })
        .collect();
    let schemes: Map<_, _> = security_schemes()
        .into_iter()
        .map(|(name, scheme)| (name.to_owned(), scheme))
        .collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Presswork",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A CV in, a polished PDF out.",
            "description": INTRODUCTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The server that this document comes from." }],
        "tags": tags,
        "paths": paths,
        "components": {
            "headers": headers,
            "responses": builder.failures,
            "securitySchemes": schemes,
        },
    });
    let shapes = builder.schemas.place(&mut document);
    document["components"]["schemas"] = Value::Object(shapes);
    document.sort_all_objects();
    document
}

struct Builder {
    schemas: Schemas,
    /// Answers that are problems, by name.
    failures: Map<String, Value>,
}

impl Builder {
    fn operation(&mut self, operation: &Operation, doc: &Doc) -> Value {
        let mut described = json!({
            "operationId": operation.id,
            "tags": [tag(operation.group)],
            "summary": doc.summary,
            "description": doc.description,
            "responses": self.responses(operation, doc),
            "security": security(operation.access),
        });
        if !doc.parameters.is_empty() {
            described["parameters"] = doc.parameters.iter().map(parameter).collect();
        }
        if let Some(body) = &doc.body {
            let contents = body.contents.iter();
            let contents: Map<_, _> = contents
                .map(|content| {
                    let schema = self.schemas.request(&content.form);
                    (content.media_type.to_owned(), media(content, &schema))
                })
                .collect();
            described["requestBody"] = json!({ "required": body.required, "content": contents });
        }
        described
    }

    fn responses(&mut self, operation: &Operation, doc: &Doc) -> Value {
        let mut responses: BTreeMap<String, Value> = BTreeMap::new();
        let mut failures: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
        for kind in problems(operation, doc) {
            failures.entry(kind.status()).or_default().push(kind);
        }
        for (status, kinds) in failures {
            let own = doc.answers.iter().any(|answer| answer.status == status);
            let response = if own {
                self.failure(&kinds)
            } else {
                self.shared_failure(&kinds)
            };
            responses.insert(status.to_string(), response);
        }
        for answer in &doc.answers {
            let mut response = self.answer(answer);
            // An error that is told in two forms: that of the older contract, and a problem.
            if let Some(failure) = responses.remove(&answer.status.to_string()) {
                response["content"][MEDIA_TYPE] = failure["content"][MEDIA_TYPE].clone();
                let mut headers = failure["headers"].clone();
                if let (Some(all), Some(own)) =
                    (headers.as_object_mut(), response["headers"].as_object())
                {
                    all.extend(own.clone());
                }
                response["headers"] = headers;
            }
            responses.insert(answer.status.to_string(), response);
        }
        json!(responses)
    }

    fn answer(&mut self, answer: &Answer) -> Value {
        let mut response = json!({
            "description": answer.description,
            "headers": header_refs(answer.headers.iter().copied()),
        });
        let contents = answer.contents.iter();
        let contents: Map<_, _> = contents
            .map(|content| {
                let schema = self.schemas.answer(&content.form);
                (content.media_type.to_owned(), media(content, &schema))
            })
            .collect();
        if !contents.is_empty() {
            response["content"] = Value::Object(contents);
        }
        response
    }

    /// A reference: the same failures come from many operations.
    fn shared_failure(&mut self, kinds: &[ProblemKind]) -> Value {
        let names: Vec<_> = kinds.iter().map(|kind| name(*kind)).collect();
        let name = names.join("-or-");
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        if !self.failures.contains_key(&name) {
            let failure = self.failure(kinds);
            self.failures.insert(name, failure);
        }
        reference
    }

    fn failure(&mut self, kinds: &[ProblemKind]) -> Value {
        let form = Form::Type(SchemaGenerator::subschema_for::<Problem>);
        let problem = self.schemas.answer(&form);
        let uris: Vec<_> = kinds.iter().map(|kind| kind.uri()).collect();
        let lines: Vec<_> = kinds
            .iter()
            .map(|kind| format!("- `{}`: {}", kind.uri(), kind.explanation()))
            .collect();
        let examples: Map<_, _> = kinds
            .iter()
            .map(|kind| {
                let mut problem = Problem::new(*kind, kind.explanation());
                problem.request_id = Some("5f3c1a7be29d4c06a8f1d0b7c2e49365".to_owned());
                (name(*kind).to_owned(), json!({ "value": problem }))
            })
            .collect();
        let schema = json!({
            "allOf": [problem, { "properties": { "type": { "enum": uris } } }],
        });
        let titles: Vec<_> = kinds.iter().map(|kind| kind.title()).collect();
        json!({
            "description": format!("{}.\n\n{}", titles.join("; "), lines.join("\n")),
            "headers": header_refs(kinds.iter().flat_map(|kind| headers_of(*kind)).copied()),
            "content": { MEDIA_TYPE: { "schema": schema, "examples": examples } },
        })
    }
}

/// All problems that an operation may answer with, each once, in the order of their list.
fn problems(operation: &Operation, doc: &Doc) -> Vec<ProblemKind> {
    use ProblemKind::{
        Forbidden, Internal, MalformedBody, NotFound, Timeout, TooLarge, TooManyRequests,
        Unauthorized, Unavailable, UnsupportedMediaType,
    };
    let mut all = doc.problems.clone();
    all.extend([Internal, Unavailable]);
    if let Access::Needs(_) = operation.access {
        all.extend([Unauthorized, Forbidden, TooManyRequests]);
    }
    if operation.path.contains('{') {
        all.push(NotFound);
    }
    if doc.body.is_some() {
        all.extend([MalformedBody, TooLarge, Timeout]);
    }
    // The older contract never looked at media types, and what has no body has none.
    let looks = |body: &Body| body.required && body.contents[0].media_type == "application/json";
    if operation.group != Group::Contract && doc.body.as_ref().is_some_and(looks) {
        all.push(UnsupportedMediaType);
    }
    let order = ProblemKind::ALL.iter().copied();
    order.filter(|kind| all.contains(kind)).collect()
}

/// The headers that come with a problem.
fn headers_of(kind: ProblemKind) -> &'static [&'static str] {
    use ProblemKind::{
        NotReady, PreconditionFailed, RangeNotSatisfiable, TooManyRequests, Unauthorized,
        Unavailable, UnsupportedMediaType,
    };
    match kind {
        Unauthorized => &["WWW-Authenticate"],
        TooManyRequests => &[
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
            "Retry-After",
        ],
        Unavailable | NotReady => &["Retry-After"],
        RangeNotSatisfiable => &["Content-Range"],
        UnsupportedMediaType => &["Accept-Post"],
        PreconditionFailed => &["ETag"],
        _ => &[],
    }
}

fn header_refs<'a>(names: impl Iterator<Item = &'a str>) -> Value {
    let all = names.chain(["X-Request-Id"]);
    let reference = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    let refs: Map<_, _> = all.map(|name| (name.to_owned(), reference(name))).collect();
    Value::Object(refs)
}

/// The last part of a problem's URI.
fn name(kind: ProblemKind) -> &'static str {
    kind.uri().trim_start_matches("/problems/")
}

fn media(content: &Content, schema: &Value) -> Value {
    let mut media = json!({ "schema": schema });
    if !content.examples.is_empty() {
        let examples: Map<_, _> = content
            .examples
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!({ "value": value })))
            .collect();
        media["examples"] = Value::Object(examples);
    }
    media
}

fn parameter(parameter: &Parameter) -> Value {
    let mut described = json!({
        "in": parameter.place,
        "name": parameter.name,
        "required": parameter.required,
        "description": parameter.description,
        "schema": parameter.schema,
    });
    if !parameter.example.is_null() {
        described["example"] = parameter.example.clone();
    }
    described
}

/// Any one of the schemes, with the scope as its role (OpenAPI 3.1, security requirement object).
fn security(access: Access) -> Value {
    match access {
        Access::Open | Access::Signed => json!([]),
        Access::Needs(scope) => security_schemes()
            .iter()
            .map(|(name, _)| json!({ *name: [scope.as_str()] }))
            .collect(),
    }
}

/// A group's name in the document.
pub(super) fn tag(group: Group) -> &'static str {
    match group {
        Group::Jobs => "Jobs",
        Group::Sessions => "Sessions",
        Group::Webhooks => "Webhooks",
        Group::Tenant => "Tenant",
        Group::Contract => "Older contract",
        Group::Hooks => "Incoming hooks",
        Group::About => "About",
    }
}

fn about(group: Group) -> &'static str {
    match group {
        Group::Jobs => "Submit a CV, follow the job, fetch the documents.",
        Group::Sessions => "Keep a CV on the server and edit it over several requests.",
        Group::Webhooks => "Be told when jobs end, and see what was told.",
        Group::Tenant => "What concerns all data of a tenant.",
        Group::Contract => {
            "The routes of the former service, for its web front end and its assistants. Bodies are read \
             as JSON whatever their media type says, or as a form. Errors have a member `error`."
        }
        Group::Hooks => "What other services call. Each request is signed by its sender.",
        Group::About => "Probes, and descriptions of the service.",
    }
}
