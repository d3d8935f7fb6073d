//! What several operations have: parameters, headers of answers, credentials.

use schemas::ProblemKind;
use serde_json::{Value, json};

use super::doc::{Doc, Parameter};

/// A job's id as examples have it.
pub(super) const JOB: &str = "019a9e4c-6f3b-7c21-9d4e-5b8a1f0c2d37";
/// A session's id as examples have it.
pub(super) const SESSION: &str = "7d0c9a52-3f1e-4b86-8a2d-c41e5f90b673";

/// The headers of answers: name, what it says, its schema.
pub(super) fn headers() -> Vec<(&'static str, &'static str, Value)> {
    let text = || json!({ "type": "string" });
    let count = || json!({ "type": "integer", "minimum": 0 });
    vec![
        (
            "Accept-Post",
            "The media type that the operation takes.",
            text(),
        ),
        (
            "Accept-Ranges",
            "`bytes`: parts can be asked for (RFC 9110, section 14.3).",
            text(),
        ),
        ("Allow", "The methods that the path takes.", text()),
        (
            "Content-Range",
            "Which bytes these are, and how many there are (RFC 9110, section 14.4).",
            text(),
        ),
        (
            "Content-Disposition",
            "The name to save the document under (RFC 6266), in ASCII and in full.",
            text(),
        ),
        (
            "ETag",
            "Stands for this very state (RFC 9110, section 8.8.3). Send it back in `If-None-Match` or \
             `If-Match`.",
            text(),
        ),
        (
            "Idempotency-Replayed",
            "`true`: the request was done before, and this is what it came to.",
            json!({ "type": "string", "enum": ["true"] }),
        ),
        (
            "Link",
            "The next page, with `rel=\"next\"` (RFC 8288).",
            text(),
        ),
        (
            "Location",
            "Where the thing is; relative to the server, or a signed URL that works for a while.",
            json!({ "type": "string", "format": "uri-reference" }),
        ),
        (
            "Preference-Applied",
            "The wait that was granted (RFC 7240, section 3).",
            text(),
        ),
        (
            "RateLimit-Limit",
            "Most requests at once (draft-ietf-httpapi-ratelimit-headers-06).",
            count(),
        ),
        (
            "RateLimit-Remaining",
            "Requests that are left now.",
            count(),
        ),
        (
            "RateLimit-Reset",
            "Seconds until all of them are there again.",
            count(),
        ),
        (
            "Retry-After",
            "Seconds to wait before the next request (RFC 9110, section 10.2.3).",
            count(),
        ),
        (
            "WWW-Authenticate",
            "The kinds of credentials that are taken (RFC 9110, section 11.6.1).",
            text(),
        ),
        (
            "WebHook-Allowed-Origin",
            "Who may deliver (CloudEvents, HTTP Web Hooks for Event Delivery, section 4.2).",
            text(),
        ),
        (
            "WebHook-Allowed-Rate",
            "How many a minute; `*` is any number.",
            text(),
        ),
        (
            "X-Request-Id",
            "The request's id: the caller's own, where it is printable and of at most 128 characters.",
            text(),
        ),
    ]
}

/// `{id}` of a job.
pub(super) fn job_id() -> Parameter {
    let schema = json!({ "type": "string", "format": "uuid", "example": JOB });
    Parameter::path(
        "id",
        "The job's id: a UUID of version 7, in lower case.",
        schema,
    )
}

/// `{id}` of a session.
pub(super) fn session_id() -> Parameter {
    let schema = json!({ "type": "string", "format": "uuid", "example": SESSION });
    Parameter::path(
        "id",
        "The session's id: a UUID of version 4, in lower case.",
        schema,
    )
}

/// A list that is given by pages.
pub(super) fn paged(doc: Doc) -> Doc {
    doc.with(Parameter::query(
        "limit",
        "Most entries on a page; 20 by default.",
        json!({ "type": "integer", "minimum": 1, "maximum": 100, "example": 20 }),
    ))
    .with(Parameter::query(
        "cursor",
        "`next_cursor` of the page before, unchanged.",
        json!({ "type": "string", "maxLength": 4096 }),
    ))
    .fails(&[ProblemKind::InvalidRequest])
}

/// `If-None-Match`.
pub(super) fn if_none_match() -> Parameter {
    Parameter::header(
        "If-None-Match",
        "Entity tags that the caller has, or `*`: where one of them is that of the answer, it is `304` \
         without content.",
        json!({ "type": "string", "example": "\"5f70bf18a086007016e948b04aed3b82\"" }),
    )
}

/// `If-Match`.
pub(super) fn if_match() -> Parameter {
    Parameter::header(
        "If-Match",
        "The entity tags of the versions that the change is meant for, or `*` for any: `412` where the \
         session has another one by now.",
        json!({ "type": "string", "example": "\"3\"" }),
    )
}

/// The name of a security scheme, and the scheme.
pub(super) fn security_schemes() -> [(&'static str, Value); 4] {
    let in_place = |place: &str, name: &str, description: &str| json!({ "type": "apiKey", "in": place, "name": name, "description": description });
    [
        (
            "apiKey",
            in_place("header", "X-API-Key", "An API key of this service."),
        ),
        (
            "bearer",
            json!({
                "type": "http",
                "scheme": "bearer",
                "description": "An API key of this service, or a JWT of the identity provider that the \
                    operator has configured. A JWT's claims name its tenant, its tier and its scopes.",
            }),
        ),
        (
            "functionsKey",
            in_place(
                "header",
                "x-functions-key",
                "An API key, as callers of Azure Functions send it.",
            ),
        ),
        (
            "functionsCode",
            in_place(
                "query",
                "code",
                "An API key, as callers of Azure Functions send it. Prefer a header: addresses are \
                 written down in more places.",
            ),
        ),
    ]
}
