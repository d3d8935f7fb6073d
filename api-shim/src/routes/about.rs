//! What a person reads who follows a link: the routes, and what a problem's `type` means.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::Json;
use axum::extract::{Path, rejection::PathRejection};
use axum::response::{IntoResponse as _, Response};
use http::header;
use schemas::ProblemKind;
use serde_json::json;

use crate::openapi;
use crate::problem::{Answer, Failure};
use crate::router::operations;

/// `GET /`: the operations, a line each.
pub(crate) async fn index() -> Response {
    static INDEX: LazyLock<String> = LazyLock::new(|| {
        let mut lines = String::from("Presswork: a CV in, a polished PDF out.\n\n");
        for operation in operations() {
            let (method, path) = (operation.method.as_str(), operation.path);
            let summary = openapi::summary(&operation);
            writeln!(lines, "{method:<7} {path:<50} {summary}")
                .expect("writing to a string does not fail");
        }
        lines.push_str("\nGET /docs says more of each.\n");
        lines
    });
    text(INDEX.clone())
}

/// `GET /problems`: every kind of problem.
pub(crate) async fn problems() -> Response {
    let kinds: Vec<_> = ProblemKind::ALL
        .iter()
        .map(|kind| {
            json!({
                "type": kind.uri(),
                "title": kind.title(),
                "status": kind.status(),
                "explanation": kind.explanation(),
            })
        })
        .collect();
    let cached = [(header::CACHE_CONTROL, "public, max-age=3600")];
    (cached, Json(json!({ "problems": kinds }))).into_response()
}

/// `GET /problems/{name}`: a problem's `type` leads here (RFC 9457, section 3.1.1).
pub(crate) async fn problem(name: Result<Path<String>, PathRejection>) -> Answer {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let uri = format!("/problems/{name}");
    let kind = ProblemKind::ALL
        .iter()
        .find(|kind| kind.uri() == uri)
        .ok_or_else(|| Failure::new(ProblemKind::NotFound, "There is no problem of this name."))?;
    let (title, status) = (kind.title(), kind.status());
    Ok(text(format!(
        "{title}\n\nHTTP status: {status}\nType: {uri}\n\n{}\n",
        kind.explanation()
    )))
}

fn text(body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, body).into_response()
}
