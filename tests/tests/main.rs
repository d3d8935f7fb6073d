//! The tests of the whole system, in one program: each program of its own would link all of it again.
//! `cargo nextest run -p e2e recovery::` runs one file's.
//!
//! Apart stand `architecture` and `infra`, which are about the files of the repository; `fuzz`, which is
//! run for longer and optimised too; and `matrix`, which needs the machine to itself.

mod budget;
mod commands;
mod commands_files;
mod contract;
mod crash;
mod demo;
mod events;
mod extract;
mod hostile_http;
mod identity;
mod jobs;
mod jobs_api;
mod ledger;
mod lost_answers;
mod openapi;
mod operations;
mod poison;
mod recovery;
mod render;
mod restore;
mod results;
mod retention;
mod smoke;
mod telemetry;
mod webhooks;
