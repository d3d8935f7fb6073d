//! Whole-system tests: end to end, crashes, golden documents, load.
