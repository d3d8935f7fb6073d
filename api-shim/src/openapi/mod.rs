//! The OpenAPI document (3.1), made from the list of operations, the types of the `schemas` crate and
//! the descriptions in this folder; `/openapi.json` and `/docs` serve it.
//!
//! The list of operations, the types and their schemas exist already, so a document is a few hundred
//! lines over them. The known generators (utoipa, aide) would want the routes declared anew in their own
//! macros or routers, and would then be a second list that can differ from the first.
//!
//! To describe a new operation: an arm in `describe` of its group's file here, by its id. Then
//! `BLESS=1 cargo test -p api-shim --lib openapi` writes `schemas/openapi.json`.

mod about;
mod build;
mod contract;
mod doc;
mod examples;
mod jobs;
mod markup;
mod page;
mod schema;
mod sessions;
mod shared;
mod tenant;
mod webhooks;

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::header;
use serde_json::Value;

use crate::operation::{Group, Operation};
use crate::router::operations;
use doc::Doc;

/// The document as `/openapi.json` serves it and `schemas/openapi.json` keeps it.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let all = operations().into_iter();
        let described: Vec<_> = all
            .map(|operation| {
                let doc = describe(&operation).unwrap_or_else(|| Doc::new(operation.id, ""));
                (operation, doc)
            })
            .collect();
        build::document(&described)
    });
    &DOCUMENT
}

/// One line for each operation.
pub(crate) fn summary(operation: &Operation) -> &'static str {
    describe(operation).map_or(operation.id, |doc| doc.summary)
}

/// `GET /openapi.json`.
pub(crate) async fn openapi() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(text);
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, TEXT.as_str()).into_response()
}

/// `GET /docs`.
pub(crate) async fn docs() -> Response {
    static PAGE: LazyLock<page::Page> = LazyLock::new(|| page::Page::of(document()));
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::CONTENT_SECURITY_POLICY, PAGE.policy.as_str()),
    ];
    (headers, PAGE.html.as_str()).into_response()
}

/// As the file has it: by lines, so that a change shows where it is.
fn text() -> String {
    serde_json::to_string_pretty(document()).expect("JSON always serialises") + "\n"
}

fn describe(operation: &Operation) -> Option<Doc> {
    match operation.group {
        Group::About | Group::Hooks => about::describe(operation.id),
        Group::Jobs => jobs::describe(operation.id),
        Group::Sessions => sessions::describe(operation.id),
        Group::Contract => contract::describe(operation.id),
        Group::Webhooks => webhooks::describe(operation.id),
        Group::Tenant => tenant::describe(operation.id),
    }
}

#[cfg(test)]
mod tests;
