//! Logging set-up and the shutdown signal.

mod logs;
mod shutdown;

pub use logs::{Guard, LogFormat, LogSettings, StartError, init};
pub use shutdown::Shutdown;
