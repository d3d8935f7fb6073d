//! One file per subject, thin handlers.

pub(crate) mod about;
pub(crate) mod batch;
pub(crate) mod eventgrid;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod hooks;
pub(crate) mod input;
pub(crate) mod jobs;
pub(crate) mod list;
pub(crate) mod path;
pub(crate) mod result;
pub(crate) mod sessions;
pub(crate) mod submit;
pub(crate) mod tenant;
pub(crate) mod webhooks;
