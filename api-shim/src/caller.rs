//! Whose request it is. Handlers take a [`Caller`]; it is made in `identity` alone.

use axum::extract::FromRequestParts;
use http::request::Parts;
use schemas::{ProblemKind, Tenant};
pub use storage::keys::Scope;
use storage::keys::{KeyId, Tier};

use crate::app::App;
use crate::problem::Failure;

/// Who calls, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Comes from the caller's credential only, never from a path or a body.
    pub(crate) tenant: Tenant,
    /// What the credential allows.
    pub(crate) scopes: Vec<Scope>,
    /// The limits that the credential names.
    pub(crate) tier: Option<Tier>,
    /// By what they are known.
    pub(crate) who: Who,
}

/// By what a caller is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// By nothing.
    Anonymous,
    /// By an API key.
    Key(KeyId),
    /// By a signed token.
    Token,
}

impl Caller {
    /// A caller without a credential: everything, but all such callers are one tenant.
    pub(crate) fn anonymous() -> Self {
        Self {
            tenant: Tenant::anonymous(),
            scopes: Scope::ALL.to_vec(),
            tier: None,
            who: Who::Anonymous,
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a handler asks for the caller of an operation that is open to all");
            Failure::new(ProblemKind::Internal, "Something went wrong here.")
        })
    }
}
