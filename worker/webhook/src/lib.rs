//! One webhook, signed and sent to a stranger's URL, safely. Pure of storage: who is told of what,
//! and when again, is for the caller to keep.
//!
//! - [`sign`], [`verify`], [`Secret`]: Standard Webhooks 1.0.0.
//! - [`check_url`], [`Policy`]: which URLs and addresses may be reached at all.
//! - [`Client`]: one delivery, bounded in time and memory, with a typed [`Outcome`].
//! - [`schedule`]: when to try again.
//!
//! The URLs come from tenants, so each request is one that a stranger makes from inside our
//! network (server-side request forgery). The URL is checked when it is given and again before
//! each delivery; the addresses behind its name are checked inside the resolver of the very
//! connection, so that a name which changes its mind between a check and the connection gains
//! nothing. Redirects are failures, and no proxy is taken from the environment.

mod address;
mod client;
mod guard;
mod resolver;
pub mod schedule;
mod signature;

pub use address::AddressKind;
pub use client::{Attempt, Client, ClientError, Outcome, Request};
pub use guard::{HostFault, Policy, UrlFault, check_address, check_url};
pub use reqwest::{Certificate, Url};
pub use resolver::{Looking, Lookup, SystemLookup};
pub use signature::{Secret, SecretFault, Unverified, sign, verify};
