//! What a job is to be made from: the request as JSON or as a form, and the CV that it names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::cv::{self, Cv, CvError, Normalised};
use schemas::job::{Input, JobRequest, Language};
use schemas::session::SessionId;
use schemas::{FieldError, ProblemKind, Tenant};
use serde_json::{Map, Value, json};

use crate::api::document::{Refusal, data_uri, uri};
use crate::app::App;
use crate::json;
use crate::multipart;
use crate::problem::Failure;

/// The request of a body: JSON, or with a `boundary` a form.
///
/// A form has a file (a DOCX, or JSON: a CV or a JSON Resume) and the parts `kind` (text, by default
/// `cv`), `not_before`, `callback_url` (text), `options` and `metadata` (JSON); in place of a file it may name a `session_id`.
pub(crate) fn request(body: &[u8], boundary: Option<&str>) -> Result<JobRequest, Failure> {
    let Some(boundary) = boundary else {
        return json::parse(body, &["options"]);
    };
    let mut members = Map::new();
    for part in multipart::parts(body, boundary)? {
        let text = || {
            std::str::from_utf8(part.data).map_err(|_| {
                let message = format!("The part {} is not UTF-8.", part.name);
                Failure::field(
                    ProblemKind::MalformedBody,
                    &part.name,
                    "invalid_value",
                    &message,
                )
            })
        };
        let (name, value) = match part.name.as_str() {
            "kind" => ("kind", json!(text()?.trim())),
            "session_id" => ("input", json!({ "session_id": text()?.trim() })),
            "callback_url" => ("callback_url", json!(text()?.trim())),
            "not_before" => ("not_before", json!(text()?.trim())),
            name @ ("options" | "metadata") if !part.is_file => (name, json::value(part.data)?),
            _ if part.is_file => ("input", file(part.data)?),
            name => {
                let message = format!(
                    "The part {} is not known; expected a file, kind, options, metadata, not_before, \
                     callback_url or session_id.",
                    name.chars().take(60).collect::<String>()
                );
                return Err(Failure::field(
                    ProblemKind::MalformedBody,
                    "",
                    "unknown_field",
                    &message,
                ));
            }
        };
        members.insert(name.to_owned(), value);
    }
    members.entry("kind").or_insert(json!("cv"));
    json::shape(Value::Object(members))
}

/// A file says itself what it is.
fn file(data: &[u8]) -> Result<Value, Failure> {
    let start = data
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(data)
        .trim_ascii_start();
    if !start.starts_with(b"{") {
        return Ok(json!({ "docx_base64": STANDARD.encode(data) }));
    }
    let value = json::value(data)?;
    let form = if convert::json_resume::is_json_resume(&value) {
        "json_resume"
    } else {
        "cv"
    };
    Ok(json!({ form: value }))
}

/// A CV that a job can be made of, and what else its source says.
pub(crate) struct Source {
    pub(crate) normalised: Normalised,
    /// The session that it comes from.
    pub(crate) session: Option<SessionId>,
    /// The session's language, where the request names none.
    pub(crate) language: Option<Language>,
    /// The session's posting, where the request has none.
    pub(crate) job_posting: Option<String>,
}

impl Source {
    fn of(normalised: Normalised) -> Self {
        Self {
            normalised,
            session: None,
            language: None,
            job_posting: None,
        }
    }
}

/// The CV that an input names, checked.
pub(crate) async fn resolve(app: &App, tenant: &Tenant, input: Input) -> Result<Source, Failure> {
    let accept = |value: &Value, path: &str| {
        cv::accept(value, &app.settings.cv).map_err(|e| invalid_cv(&e, path))
    };
    match input {
        Input::Cv(value) => accept(&value, "input.cv").map(Source::of),
        Input::JsonResume(value) => {
            let read = convert::json_resume::read(&value).map_err(|e| not_a_resume(&e))?;
            let mut accepted = accept(&as_value(&read.cv), "input.json_resume")?;
            accepted.warnings.extend(read.warnings);
            Ok(Source::of(accepted))
        }
        Input::DocxBase64(docx) => {
            let read = app.documents.read(docx).await.map_err(refused)?;
            let mut cv = read.cv;
            cv.photo_url = read.photo.as_ref().map(data_uri);
            accept(&as_value(&cv), "input.docx_base64").map(Source::of)
        }
        Input::SessionId(id) => {
            let gone = || Failure::new(ProblemKind::NotFound, "You have no session with this id.");
            let id: SessionId = id.parse().map_err(|_| gone())?;
            let opened = app.sessions.read(tenant, id).await?.ok_or_else(gone)?;
            let mut cv = opened.session.effective();
            if let Some(photo) = &opened.session.photo {
                let file = app.sessions.photo(photo).await?;
                cv.photo_url = file.map(|file| uri(&photo.content_type, &file));
            }
            Ok(Source {
                session: Some(id),
                language: opened
                    .session
                    .language
                    .as_deref()
                    .and_then(Language::from_tag),
                job_posting: opened.session.job_posting_text,
                ..Source::of(accept(&as_value(&cv), "input.session_id")?)
            })
        }
    }
}

fn as_value(cv: &Cv) -> Value {
    serde_json::to_value(cv).unwrap_or_default()
}

/// The faults of a CV, with paths from the body's root.
fn invalid_cv(error: &CvError, root: &str) -> Failure {
    let faults = error.problems().into_iter().map(|fault| FieldError {
        path: match fault.path.as_str() {
            "" => root.to_owned(),
            path => format!("{root}.{path}"),
        },
        ..fault
    });
    let detail = format!("No job was made: {error}. Each fault is in `errors`.");
    Failure::new(ProblemKind::InvalidCv, detail).with_errors(faults.collect())
}

fn not_a_resume(error: &convert::json_resume::Error) -> Failure {
    use convert::json_resume::Error;
    let root = "input.json_resume";
    match error {
        Error::Cv(error) => invalid_cv(error, root),
        Error::NotAResume => Failure::field(
            ProblemKind::InvalidCv,
            root,
            "not_a_resume",
            &format!("No job was made: {error}."),
        ),
        Error::WrongTypes(faults) => {
            let faults = faults.iter().map(|fault| FieldError {
                path: format!("{root}.{}", fault.path),
                ..fault.clone()
            });
            Failure::new(ProblemKind::InvalidCv, format!("No job was made: {error}."))
                .with_errors(faults.collect())
        }
    }
}

/// A document that is not read, as a problem.
pub(crate) fn refused(refusal: Refusal) -> Failure {
    let refusal = match refusal {
        Refusal::Busy(failure) => return failure,
        refusal => refusal,
    };
    let (status, code, message) = refusal.told();
    let kind = match status {
        413 => ProblemKind::TooLarge,
        _ => ProblemKind::InvalidDocument,
    };
    Failure::field(kind, "input.docx_base64", code, &format!("{message}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_the_same_as_json() {
        let part = |head: &str, data: &str| {
            format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{data}\r\n")
        };
        let check = |parts: &[String], want: Value| {
            let body = format!("{}--b--\r\n", parts.concat());
            let got = request(body.as_bytes(), Some("b")).unwrap();
            let got = serde_json::to_value(got).unwrap();
            assert_eq!(
                (&got["kind"], &got["input"]),
                (&want["kind"], &want["input"])
            );
        };
        let file = |data: &str| part("name=\"file\"; filename=\"a\"", data);
        check(
            &[file("PK")],
            json!({"kind": "cv", "input": {"docx_base64": "UEs="}}),
        );
        check(
            &[
                part("name=kind", "cover_letter"),
                file("{\"full_name\": \"A\"}"),
                part("name=options", "{\"pages\": 1}"),
            ],
            json!({"kind": "cover_letter", "input": {"cv": {"full_name": "A"}}}),
        );
        check(
            &[file("{\"basics\": {}}")],
            json!({"kind": "cv", "input": {"json_resume": {"basics": {}}}}),
        );
        check(
            &[part("name=session_id", "x")],
            json!({"kind": "cv", "input": {"session_id": "x"}}),
        );
        for wrong in [
            vec![],
            vec![part("name=shoe", "7")],
            vec![file("PK"), part("name=options", "[")],
        ] {
            let body = format!("{}--b--\r\n", wrong.concat());
            assert!(request(body.as_bytes(), Some("b")).is_err(), "{wrong:?}");
        }
    }
}
