//! One request to a language model, one reply, no retries at any layer.
//!
//! [`Client::call`] sends one `POST /responses` and says which of four things came of it. A call
//! costs money and cannot be made idempotent, so the question that every line here serves is:
//! **may the model have worked, or certainly not?** Only [`Outcome::NotProcessed`] permits a
//! second call.
//!
//! | what happened | outcome |
//! |---|---|
//! | 200, completed, an object of the schema | [`Outcome::Reply`] |
//! | name resolution, TCP or TLS failed; any 429; a 503 with `slow_down` or `server_is_overloaded` | [`Outcome::NotProcessed`] |
//! | a redirect; any 4xx but 408 and 429; a refusal; an incomplete, failed or schema-breaking answer | [`Outcome::Final`] |
//! | 408; any other 5xx; a reset or time-out after the request went out; a truncated 200; a 200 that is not a response | [`Outcome::Ambiguous`] |
//!
//! [`Client::submit`] asks for the same in the background: the answer is an id, the response is
//! kept at the provider, and [`Client::retrieve`], [`Client::cancel`] and [`Client::delete`] work
//! on it. These may be repeated at will, since they ask for no work.
//!
//! **Invariants.** No layer retries: not `async-openai` (its retry layer is replaced for each call
//! by a service that sends once and then refuses), not `reqwest` (retries off, redirects off).
//! No prompt, reply or key reaches a log line, an error or a `Debug` output.
//!
//! With the feature `fake` there is a server, `openai::fake`, that speaks the same API and can be told to
//! misbehave in every way above.

mod classify;
mod client;
mod conform;
mod endpoint;
mod envelope;
#[cfg(feature = "fake")]
pub mod fake;
mod headers;
mod once;
mod outcome;
mod probe;
mod request;
mod settings;
mod stored;

pub use client::Client;
pub use headers::{RateLimits, Window};
pub use outcome::{
    Ambiguity, AmbiguityKind, Called, Failure, FailureKind, NotProcessed, NotProcessedReason,
    Outcome, Reply, Usage,
};
pub use probe::Probe;
pub use request::{REFERENCE_KEY, Request, Schema, StoredPrompt};
pub use settings::{Provider, Secret, Settings, SettingsError};
pub use stored::{Retrieved, Settled};
