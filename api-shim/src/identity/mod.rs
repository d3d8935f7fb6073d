//! Who calls: from a request's credential to a [`Caller`].
//!
//! - `credential`: where a credential may stand in a request.
//! - `keys`: API keys, kept for a few seconds.
//! - `token`, `claims`, `issuer`: signed tokens (JWT).
//!
//! Every credential that does not count gets the same answer, whatever is wrong with it.

mod claims;
mod credential;
mod issuer;
mod keys;
mod token;

use std::fmt;
use std::sync::Arc;

use axum::extract::Request;
use config::{Anonymous, Config};
use http::HeaderMap;
use http::header::{self, HeaderValue};
use schemas::ProblemKind;
use storage::keys::{KEY_PREFIX, KeyStore};
use storage::{Clock, Entropy, Table};

use crate::caller::{Caller, Scope};
use crate::operation::Group;
use crate::problem::Failure;
use credential::Presented;
use keys::Keys;
use token::Tokens;

/// Longest credential in bytes; tokens of large organisations have some thousand.
const LONGEST: usize = 8 * 1024;

/// Headers that only a proxy adds.
const PASSED_ON: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "via"];

/// Who may call, and how much they may ask for.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Who is served without a credential.
    pub strangers: Strangers,
    /// How credentials are proved.
    pub auth: config::Auth,
    /// How much they may ask for.
    pub limits: config::Limits,
}

/// Who is served without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strangers {
    /// Nobody.
    None,
    /// Whoever calls from this machine: not through a proxy, and not by a name that a foreign web
    /// page could have given this address (DNS rebinding).
    Local,
    /// Everybody.
    All,
}

impl Admission {
    /// As configured.
    pub fn new(config: &Config) -> Self {
        let strangers = match config.auth.anonymous {
            Anonymous::On => Strangers::All,
            _ if config.serves_anonymous() => Strangers::Local,
            _ => Strangers::None,
        };
        Self {
            strangers,
            auth: config.auth.clone(),
            limits: config.limits.clone(),
        }
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self::new(&Config::default())
    }
}

/// Tells who calls.
pub(crate) struct Identity {
    strangers: Strangers,
    keys: Arc<Keys>,
    tokens: Tokens,
}

/// Why a credential gives no caller.
pub(crate) enum Refusal {
    /// It does not count.
    Invalid,
    /// Whether it counts cannot be found out now.
    Unknown(Failure),
}

impl Identity {
    pub(crate) fn new(
        settings: &Admission,
        table: Arc<dyn Table>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let store = KeyStore::new(table, clock.clone(), entropy);
        Self {
            strangers: settings.strangers,
            keys: Arc::new(Keys::new(store, clock.clone())),
            tokens: Tokens::new(&settings.auth, clock),
        }
    }

    /// Who sent a request. The credential is taken out of it, so that nothing further on can show
    /// it by mistake.
    pub(crate) async fn identify(
        &self,
        request: &mut Request,
        group: Group,
    ) -> Result<Caller, Failure> {
        match credential::take(request, group == Group::Contract) {
            Presented::Nothing => self.stranger(request.headers()),
            Presented::Several => Err(invalid()),
            Presented::One(text) => match self.proved(&text).await {
                Ok(caller) => Ok(caller),
                Err(Refusal::Invalid) => Err(invalid()),
                Err(Refusal::Unknown(failure)) => Err(failure),
            },
        }
    }

    async fn proved(&self, text: &str) -> Result<Caller, Refusal> {
        if text.len() > LONGEST {
            Err(Refusal::Invalid)
        } else if text.starts_with(KEY_PREFIX) {
            self.keys.check(text).await
        } else {
            self.tokens.check(text).await
        }
    }

    fn stranger(&self, headers: &HeaderMap) -> Result<Caller, Failure> {
        let why = match self.strangers {
            Strangers::All => return Ok(Caller::anonymous()),
            Strangers::None => {
                "Send an API key as X-API-Key, or a key or token as Authorization: Bearer."
            }
            Strangers::Local if PASSED_ON.iter().any(|name| headers.contains_key(*name)) => {
                "This request came through a proxy, and callers without a credential are served \
                 on this machine only. Send an API key, or let the operator set auth.anonymous."
            }
            Strangers::Local if !is_local(headers.get(header::HOST)) => {
                "Callers without a credential are served at localhost or an IP address only. Use \
                 one of these, send an API key, or let the operator set auth.anonymous."
            }
            Strangers::Local => return Ok(Caller::anonymous()),
        };
        Err(unauthorized(why, ""))
    }
}

/// Whether a `Host` is a name that no foreign page can have brought here.
fn is_local(host: Option<&HeaderValue>) -> bool {
    let Some(host) = host else {
        return true;
    };
    let host = host.to_str().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => return rest.contains(']'),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<std::net::Ipv4Addr>().is_ok()
}

/// The one answer to every credential that does not count (RFC 6750, section 3.1).
fn invalid() -> Failure {
    unauthorized(
        "The credential does not count: it is unknown, expired, revoked or not meant for this \
         service, or there are several.",
        ", error=\"invalid_token\"",
    )
}

fn unauthorized(detail: &str, error: &str) -> Failure {
    let challenge = format!("Bearer realm=\"presswork\"{error}");
    let challenge = HeaderValue::try_from(challenge).expect("it is printable ASCII");
    Failure::new(ProblemKind::Unauthorized, detail).with_header(header::WWW_AUTHENTICATE, challenge)
}

/// The answer to a credential that lacks a scope (RFC 6750, section 3.1).
pub(crate) fn lacks(scope: Scope) -> Failure {
    let challenge =
        format!("Bearer realm=\"presswork\", error=\"insufficient_scope\", scope=\"{scope}\"");
    let challenge = HeaderValue::try_from(challenge).expect("it is printable ASCII");
    Failure::forbidden(scope).with_header(header::WWW_AUTHENTICATE, challenge)
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("strangers", &self.strangers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_a_foreign_page_cannot_give_us() {
        let check = |host: &'static str, expect: bool| {
            assert_eq!(
                is_local(Some(&HeaderValue::from_static(host))),
                expect,
                "{host}"
            );
        };
        check("127.0.0.1:8080", true);
        check("localhost", true);
        check("LOCALHOST:8080", true);
        check("api.localhost:8080", true);
        check("[::1]:8080", true);
        check("presswork.example.org", false);
        check("127.0.0.1.example.org:8080", false);
        check("localhost.example.org", false);
        check("", false);
    }
}
