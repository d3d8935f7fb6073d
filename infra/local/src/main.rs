//! The `presswork` command.

fn main() {}
