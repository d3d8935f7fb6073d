//! Block model to PDF bytes: a pure function of its inputs.
