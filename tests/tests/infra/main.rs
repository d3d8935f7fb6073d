//! The files of `infra/` against the code, and the image without a container engine.
//!
//! - `text`: names in files of other languages.
//! - `names`: queues, tables, containers, variables, roles, arguments: both ways.
//! - `telemetry`: queries and dashboards name metrics and events that there are.
//! - `alerts`: what they ask for is sent by a run in which it happens.
//! - `jobs`: the commands of scheduled jobs; the export of each night, read back.
//! - `scheduled`: the roles of those jobs are what they need.
//! - `build`: what an image is built from.
//! - `image`: the programs in the root of the image.
//! - `rollout`: what moves traffic, with a stand-in for the Azure CLI.
//! - `deploy`: the steps of the workflows, with stand-ins for what they call.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod alerts;
mod build;
mod deploy;
mod image;
mod jobs;
mod names;
mod rollout;
mod scheduled;
mod telemetry;
mod text;
