//! The presswork command: everything in one process, and the command line.
