//! What an assistant is given: the definitions of its tools, and how to use them.

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::header;
use schemas::session::tools::definitions;

/// `GET /api/tools.json`: function tools as the Responses API takes them.
pub(super) async fn tools() -> Response {
    static TOOLS: LazyLock<String> = LazyLock::new(|| definitions().to_string());
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, TOOLS.as_str()).into_response()
}

/// `GET /api/instructions.md`: instructions for an assistant that has these tools.
pub(super) async fn instructions() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/markdown; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("instructions.md")).into_response()
}
