//! The HTTP front: checks a request, stores a job, enqueues it, answers status.
//!
//! - `routes`: one file per subject, thin handlers.
//! - `api`: the routes and tools of the older contract, over sessions and jobs.
//! - `observe`: what holds for every answer: request id, log line, problem bodies, headers.
//! - `caller`: whose request it is; the one place where identity comes in.
//! - `body`, `json`, `headers`: reading what callers send, within limits.
//! - `webhook`: signatures of webhooks that come in.
//! - `wait`: waiting for a job to change, one reader of its row however many wait.
//!
//! To add a route: a handler in `routes`, taking a `Caller`, and a line in `router.rs`. Errors are
//! `problem::Failure`; everything else about them happens in `observe`.

mod api;
mod app;
mod body;
mod caller;
mod headers;
mod json;
mod multipart;
mod observe;
mod problem;
mod router;
mod routes;
mod serve;
mod task;
mod view;
mod wait;
mod webhook;

pub use app::{App, Settings};
pub use caller::{Caller, Scope};
pub use router::router;
pub use serve::serve;
pub use webhook::WebhookKey;
