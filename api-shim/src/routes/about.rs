//! What a person reads who follows a link: the routes, and what a problem's `type` means.

use axum::extract::{Path, rejection::PathRejection};
use axum::response::{IntoResponse as _, Response};
use http::header;
use schemas::ProblemKind;

use crate::problem::{Answer, Failure};

const INDEX: &str = "\
Presswork: a CV in, a polished PDF out.

POST /v1/jobs               submit a job: {\"kind\": \"cv\", \"input\": {\"cv\": {...}}}
GET  /v1/jobs               your jobs, newest first (limit, cursor)
GET  /v1/jobs/{id}          a job (Prefer: wait=30 waits for a change)
GET  /v1/jobs/{id}/result   its PDF
POST /v1/jobs/{id}/cancel   stop it
POST /v1/sessions           keep a CV for editing: {\"cv\": {...}} or {\"docx_base64\": \"...\"}
GET  /v1/sessions/{id}      the session; PATCH changes it, DELETE removes it
GET  /api/tools.json        the /api routes as function tools of an assistant
GET  /api/instructions.md   how an assistant should use them
GET  /problems/{name}       what an error means
GET  /healthz, /readyz      alive, ready
";

/// `GET /`: the routes.
pub(crate) async fn index() -> Response {
    text(INDEX.to_owned())
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
        explanation(*kind)
    )))
}

fn text(body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, body).into_response()
}

fn explanation(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::MalformedBody => {
            "The body is not JSON, or has fields or types that the operation does not take. \
             `errors` names the place. Nothing was stored. Mend the body and send it again."
        }
        ProblemKind::InvalidRequest => {
            "The request was read, and a header, a parameter or a field is out of bounds. \
             `errors` names each with its limit. Nothing was stored."
        }
        ProblemKind::InvalidCv => {
            "The CV lacks required fields, has keys of another system, values of the wrong type, \
             or texts far over their limits. `errors` names each fault with its path. Nothing was \
             stored."
        }
        ProblemKind::InvalidDocument => {
            "The uploaded document is of a form that is not read, is damaged or protected, or holds no \
             CV: `errors` says which. Nothing was stored."
        }
        ProblemKind::NotFound => {
            "There is no such thing, or it is not yours: both look the same. Jobs are also removed \
             some time after they have ended."
        }
        ProblemKind::MethodNotAllowed => {
            "The path exists and does not take this method. The Allow header lists those it takes."
        }
        ProblemKind::NotReady => {
            "The job has not ended, so there is no document yet. Come back after Retry-After, or \
             ask for the job with `Prefer: wait=30`."
        }
        ProblemKind::Conflict => {
            "The job is in a state in which this cannot be done: it is too late to cancel it, or \
             it was cancelled and has no document."
        }
        ProblemKind::PreconditionFailed => {
            "The thing was changed since you read it. Read it again, and repeat the change."
        }
        ProblemKind::TooLarge => "The body has more bytes than the server takes. Send less.",
        ProblemKind::UnsupportedMediaType => {
            "The body has a media type or content coding that the operation does not take. The \
             Accept-Post header says which it takes."
        }
        ProblemKind::IdempotencyKeyReused => {
            "The Idempotency-Key was used for a request with another body. Each new request needs \
             a new key; a repeat needs the very same body."
        }
        ProblemKind::Timeout => "The request's body arrived too slowly. Send it again, faster.",
        ProblemKind::Internal => {
            "Something is wrong on the server's side. Quote the request id to the operator, who \
             finds the reason in the log."
        }
        ProblemKind::Unavailable => {
            "The server cannot do it at the moment. Repeat it after Retry-After; with the same \
             Idempotency-Key no job is made twice."
        }
        ProblemKind::ModelFailed => {
            "The language model refused the request, or its reply could not be used. The call is \
             not repeated by itself. With `on_model_failure: render_unpolished` you get your own \
             text as a PDF instead."
        }
        ProblemKind::OutcomeUnknown => {
            "The call to the language model went out, and no clear answer came back: it may have \
             been paid for. The job is held, and not repeated without your consent. A late reply \
             is still taken."
        }
        ProblemKind::Poison => {
            "The job failed on each of several tries and was set aside for the operator."
        }
        ProblemKind::Expired => {
            "The job waited too long before anybody began it, and was given up. No model was \
             called. Submit it again."
        }
        ProblemKind::RenderFailed => {
            "The document could not be set. The job's `error` says why, as far as it is known."
        }
    }
}
