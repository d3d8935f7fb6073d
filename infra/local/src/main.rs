//! The `presswork` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    local::main()
}
