//! Logging set-up and the shutdown signal.

mod exit;
mod logs;
mod shutdown;

pub use exit::exit_code;
pub use logs::{Guard, StartError, init, start};
pub use shutdown::Shutdown;
