//! One file per subject, thin handlers.

pub(crate) mod about;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod path;
pub(crate) mod result;
pub(crate) mod submit;
