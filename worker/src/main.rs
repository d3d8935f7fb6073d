//! The `worker` program: jobs from the queue to PDFs.

use std::process::ExitCode;

fn main() -> ExitCode {
    worker::program()
}
