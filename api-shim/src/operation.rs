//! Operations of the HTTP API: a method and a path, who may use it, and which switch it hangs on.
//!
//! The router is made from the list of them, and so is everything else that must know all routes:
//! identity, scopes, limits, switches and the OpenAPI document. What is not an operation is no route.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;

use crate::app::App;
use crate::caller::Scope;

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its name, unique and stable: the `operationId` of OpenAPI.
    pub id: &'static str,
    /// The method. `GET` answers `HEAD` too.
    pub method: Method,
    /// The path, with parameters in braces, as in OpenAPI.
    pub path: &'static str,
    /// Which operations are switched off together.
    pub group: Group,
    /// Who may use it.
    pub access: Access,
}

/// Operations that are switched off together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Probes and descriptions: always on.
    About,
    /// `/v1/jobs`.
    Jobs,
    /// `/v1/sessions`.
    Sessions,
    /// `/v1/webhooks` and `/v1/events`.
    Webhooks,
    /// What other services call: `/v1/hooks`.
    Hooks,
    /// What concerns a tenant as a whole: `/v1/tenant`.
    Tenant,
    /// The `/api` routes of the older contract.
    Contract,
}

impl Group {
    /// All groups, in the order in which they are described.
    pub const ALL: [Self; 7] = [
        Self::Jobs,
        Self::Sessions,
        Self::Webhooks,
        Self::Tenant,
        Self::Contract,
        Self::Hooks,
        Self::About,
    ];
}

impl Group {
    /// The name by which a group is switched off; see `config::ROUTE_GROUPS`.
    pub fn name(self) -> &'static str {
        match self {
            Self::About => "about",
            Self::Jobs => "jobs",
            Self::Sessions => "sessions",
            Self::Webhooks => "webhooks",
            Self::Hooks => "hooks",
            Self::Tenant => "tenant",
            Self::Contract => "contract",
        }
    }
}

/// Who may use an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody: it tells nothing of anybody.
    Open,
    /// Whoever signs the request; the handler checks that.
    Signed,
    /// A caller whose credential has this scope.
    Needs(Scope),
}

impl Operation {
    /// An operation.
    pub const fn new(
        method: Method,
        path: &'static str,
        id: &'static str,
        group: Group,
        access: Access,
    ) -> Self {
        Self {
            id,
            method,
            path,
            group,
            access,
        }
    }
}

/// An operation and what answers it.
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) handler: MethodRouter<App>,
}

impl Route {
    pub(crate) fn new<H, T>(operation: Operation, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(operation.method.clone())
            .expect("operations have standard methods only");
        Self {
            operation,
            handler: on(filter, handler),
        }
    }
}
