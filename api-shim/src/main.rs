//! The `api-shim` program: the HTTP front by itself, for a deployment with separate workers.

use std::process::ExitCode;

fn main() -> ExitCode {
    api_shim::program()
}
