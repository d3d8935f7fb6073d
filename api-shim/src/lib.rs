//! The HTTP front: checks a request, stores a job, enqueues it, answers status.
//!
//! - `routes`: one file per subject, thin handlers.
//! - `api`: the routes and tools of the older contract, over sessions and jobs.
//! - `observe`: what holds for every answer: request id, log line, problem bodies, headers.
//! - `operation`, `admit`: what all routes have in common; who may use which.
//! - `openapi`: the description of all operations, as a document and as a page.
//! - `guard`, `cors`: what every request must be, and what browsers may do with the answers.
//! - `serve`, `files`: connections and their limits.
//! - `caller`, `identity`: whose request it is; the one place where identity comes in.
//! - `limits`: how many requests and jobs a caller may have.
//! - `body`, `json`, `headers`: reading what callers send, within limits.
//! - `range`: parts of a document.
//! - `program`: the `api-shim` program.
//! - `wait`, `streams`: waiting for a job to change, one reader of its row however many wait.
//!
//! To add a route: a handler in `routes`, taking a `Caller`, and a line in `router.rs` that says which
//! scope it needs. Errors are
//! `problem::Failure`; everything else about them happens in `observe`.

mod admit;
mod api;
mod app;
mod body;
mod caller;
mod cors;
mod files;
mod guard;
mod headers;
mod identity;
mod json;
mod limits;
mod multipart;
mod observe;
mod openapi;
mod operation;
mod problem;
mod program;
mod range;
mod router;
mod routes;
mod serve;
mod streams;
mod task;
mod view;
mod wait;

pub use app::{App, Settings};
pub use caller::Scope;
pub use identity::{Admission, Strangers};
pub use observe::observed;
pub use openapi::document as openapi;
pub use operation::{Access, Group, Operation};
pub use program::program;
pub use router::{operations, router};
pub use serve::serve;
