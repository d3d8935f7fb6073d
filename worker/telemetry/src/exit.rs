//! How a program ends.

use std::error::Error;
use std::process::ExitCode;

/// The exit code of a program's work: 0 done, 1 failed. A failure is told on standard error, one
/// line for what failed and one for each cause.
pub fn exit_code<E>(program: &str, result: Result<(), E>) -> ExitCode
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    let error = error.into();
    eprintln!("{program}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}
