//! Whose request it is. Every handler of `/v1` takes a [`Caller`]; identity comes in here alone.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use schemas::Tenant;

use crate::app::App;

/// Who calls, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Comes from the caller's credential only, never from a path or a body.
    pub tenant: Tenant,
    /// What the credential allows.
    pub scopes: Vec<Scope>,
}

/// What a credential may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Read jobs and their documents.
    JobsRead,
    /// Submit and cancel jobs.
    JobsWrite,
}

impl Caller {
    /// A caller without a credential: everything, but all such callers are one tenant.
    fn anonymous() -> Self {
        Self {
            tenant: Tenant::anonymous(),
            scopes: vec![Scope::JobsRead, Scope::JobsWrite],
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(_parts: &mut Parts, _app: &App) -> Result<Self, Infallible> {
        let caller = Self::anonymous();
        tracing::Span::current().record("tenant", caller.tenant.as_str());
        Ok(caller)
    }
}
