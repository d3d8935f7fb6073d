//! The files of `infra/` against the code, and the image without a container engine.
//!
//! - `text`: names in files of other languages.
//! - `names`: queues, tables, containers, variables, roles, arguments: both ways.
//! - `telemetry`: queries and dashboards name metrics and events that there are.
//! - `build`: what an image is built from.
//! - `image`: the programs in the root of the image.
//! - `rollout`: what moves traffic, with a stand-in for the Azure CLI.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod build;
mod image;
mod names;
mod rollout;
mod telemetry;
mod text;
