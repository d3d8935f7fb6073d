//! Wire contracts: jobs, CVs, events, problems. No I/O, no clock, no randomness.
//!
//! Everything that crosses a process boundary has its type here, so that the shim, the workers,
//! the command line and the tests agree on one shape. JSON Schemas of these types are generated
//! into `schemas/json`.

pub mod cv;
pub mod event;
mod hex;
pub mod id;
pub mod job;
pub mod locale;
pub mod message;
pub mod money;
pub mod problem;
pub mod session;
pub mod webhook;

pub use hex::hex;
pub use id::{JobId, Tenant};
pub use money::Usd;
pub use problem::{FieldError, Problem, ProblemKind};
