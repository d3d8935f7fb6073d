//! A job's id out of a path.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use schemas::JobId;
use schemas::job::DocumentName;

use crate::app::App;
use crate::problem::Failure;

/// The `{id}` of a path. What cannot be an id is answered as an id that nobody has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobPath(pub(crate) JobId);

impl FromRequestParts<App> for JobPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        let id = path.ok().and_then(|Path(text)| text.parse::<JobId>().ok());
        let id = id.ok_or_else(Failure::no_such_job)?;
        tracing::Span::current().record("job_id", tracing::field::display(id));
        Ok(Self(id))
    }
}

/// The `{id}` and `{document}` of a path. A name that no document has is `None`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DocumentPath(pub(crate) JobId, pub(crate) Option<DocumentName>);

impl FromRequestParts<App> for DocumentPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, app).await;
        let Ok(Path((id, document))) = path else {
            return Err(Failure::no_such_job());
        };
        let id = id.parse::<JobId>().map_err(|_| Failure::no_such_job())?;
        tracing::Span::current().record("job_id", tracing::field::display(id));
        Ok(Self(id, DocumentName::from_name(&document)))
    }
}
