//! Reading what the `/api` routes take: JSON whatever its media type says, or multipart/form-data.

use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{ApiError, Context};
use crate::app::App;
use crate::body::any_bytes;
use crate::caller::Caller;
use crate::json;
use crate::multipart;
use crate::task::computed;

/// Bodies over this are read away from the async threads.
const SMALL_BODY: usize = 64 * 1024;

/// Whose request it is, and the members of its body. An empty body has none.
///
/// In a form the file takes the place of `docx_base64` (of `source_docx_base64` where the form names
/// it so), and the part `options` holds further members as JSON.
pub(super) async fn take(
    app: App,
    caller: Caller,
    request: Request,
) -> Result<(Context, Map<String, Value>), ApiError> {
    let context = Context::new(app, caller, &request);
    let boundary = multipart::boundary(request.headers());
    let body = any_bytes(request, context.app.settings.body_limit).await?;
    let small = body.len() <= SMALL_BODY;
    let parse = move || match boundary {
        Some(boundary) => form(&body, &boundary),
        None if body.iter().all(u8::is_ascii_whitespace) => Ok(Map::new()),
        None => match json::value(&body)? {
            Value::Object(members) => Ok(members),
            _ => Err(ApiError::bad("the body must be a JSON object")),
        },
    };
    let members = if small {
        parse()?
    } else {
        computed(parse).await?
    };
    Ok((context, members))
}

fn form(body: &[u8], boundary: &str) -> Result<Map<String, Value>, ApiError> {
    let mut members = Map::new();
    for part in multipart::parts(body, boundary)? {
        if part.name == "options" {
            match json::value(part.data)? {
                Value::Object(options) => members.extend(options),
                _ => return Err(ApiError::bad("the part options must be a JSON object")),
            }
        } else if part.is_file {
            let name = if part.name == "source_docx_base64" {
                "source_docx_base64"
            } else {
                "docx_base64"
            };
            members.insert(name.to_owned(), json!(STANDARD.encode(part.data)));
        } else {
            let text = std::str::from_utf8(part.data)
                .map_err(|_| ApiError::bad(format!("the part {} is not UTF-8", part.name)))?;
            let value = match text.trim() {
                "true" => json!(true),
                "false" => json!(false),
                json if json.starts_with(['{', '[']) => json::value(json.as_bytes())?,
                _ => json!(text),
            };
            members.insert(part.name, value);
        }
    }
    Ok(members)
}

/// The members as the input of a tool.
pub(super) fn read<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, ApiError> {
    json::shape(Value::Object(members)).map_err(|failure| {
        let problem = failure.problem();
        ApiError::bad(problem.detail.trim_end_matches('.')).with("errors", json!(problem.errors))
    })
}
