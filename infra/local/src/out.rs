//! What commands print.
//!
//! The macros of the standard library panic where they cannot write. Those here go by the same names,
//! so that no command can pass them by: the first failure is kept, what is printed after it is
//! dropped, and [`finish`] tells of it at the end. A command that changes something thus does all of
//! it, though nobody reads what it says.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};
use std::sync::OnceLock;

/// Prints to standard output.
macro_rules! print {
    ($($text:tt)+) => { $crate::out::print(format_args!($($text)+)) };
}

/// Prints a line to standard output.
macro_rules! println {
    () => { $crate::out::print(format_args!("\n")) };
    ($($text:tt)+) => { $crate::out::print(format_args!("{}\n", format_args!($($text)+))) };
}

/// Prints a line to standard error. Nobody can be told where that fails.
macro_rules! eprintln {
    ($($text:tt)+) => { $crate::out::complain(format_args!($($text)+)) };
}

/// Why standard output takes nothing any more.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// Standard output takes nothing any more: what goes on for its sake alone may end.
pub(crate) fn has_failed() -> bool {
    FAILURE.get().is_some()
}

/// What a command ends with. That the reader has seen enough (`| head`) is no failure; that a disk
/// is full is one.
pub(crate) fn finish(ended: anyhow::Result<()>) -> anyhow::Result<()> {
    keep(io::stdout().flush());
    match FAILURE.get() {
        Some(failure) if failure.kind() != ErrorKind::BrokenPipe => {
            ended?;
            Err(anyhow::Error::new(failure).context("standard output cannot be written"))
        }
        _ => ended,
    }
}

/// Behind `print!` and `println!`.
pub(crate) fn print(text: Arguments<'_>) {
    if !has_failed() {
        keep(io::stdout().write_fmt(text));
    }
}

/// Writes a document to standard output.
pub(crate) fn bytes(document: &[u8]) {
    if !has_failed() {
        keep(io::stdout().write_all(document));
    }
}

/// Prints a line, beside standard output where that takes a document.
pub(crate) fn tell(takes_document: bool, line: &str) {
    if takes_document {
        complain(format_args!("{line}"));
    } else {
        print(format_args!("{line}\n"));
    }
}

/// Behind `eprintln!`.
pub(crate) fn complain(text: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn keep(written: io::Result<()>) {
    if let Err(failure) = written {
        // The first one is the cause of the others.
        let _ = FAILURE.set(failure);
    }
}
