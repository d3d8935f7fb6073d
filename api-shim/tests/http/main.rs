//! The HTTP front through real HTTP, over a real embedded store in a temporary folder.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod answers;
mod bad_input;
mod batch;
mod browsers;
mod busy;
mod cancel;
mod conditional;
mod delete;
mod download;
mod events;
mod limits;
mod list;
mod log;
mod maintenance;
mod quota;
mod range;
mod read;
mod recovery;
mod result;
mod server;
mod stop;
mod submit;
