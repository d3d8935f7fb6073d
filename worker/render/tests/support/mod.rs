//! What the tests, the example and the benchmark share: a CV as blocks, a photo, a reader of our PDFs.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails, fails what it helps"
)]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each user of this module takes its own part of it"
)]

pub mod cv;
pub mod papers;
pub mod portrait;
pub mod reader;
