//! Logging set-up and the shutdown signal.
