//! The public keys of an issuer of tokens (JWKS, RFC 7517): fetched, kept, fetched again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::redirect;
use serde::Deserialize;
use serde_json::Value;
use storage::Clock;

use super::Refusal;
use crate::problem::{Failure, chain};

/// Longest time of a fetch; a request may wait for it.
const FETCH_TIME: Duration = Duration::from_secs(5);

/// Largest set of keys in bytes.
const LARGEST: usize = 256 * 1024;

/// Most keys of a set.
const MOST_KEYS: usize = 100;

/// How long keys are used while no newer ones can be fetched. After that a key that the issuer has
/// taken back might still count.
const USED_AT_MOST: Duration = Duration::from_hours(24);

/// An issuer.
pub(super) struct Issuer {
    http: reqwest::Client,
    url: String,
    refresh: Duration,
    pause: Duration,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Held by the one fetch that is under way.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: Vec<PublicKey>,
    fetched_at: Option<Duration>,
    tried_at: Option<Duration>,
    /// Fetches that have ended, well or not.
    rounds: u64,
}

struct PublicKey {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the keys cannot be fetched")]
    Http(#[from] reqwest::Error),
    #[error("the answer is {0}")]
    Status(reqwest::StatusCode),
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
    #[error("the answer is no set of keys")]
    Unreadable(#[from] serde_json::Error),
    #[error("the answer has no key for RS256 or ES256")]
    NoKeys,
}

impl Issuer {
    pub(super) fn new(url: &str, auth: &config::Auth, clock: Arc<dyn Clock>) -> Self {
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .https_only(url.starts_with("https://"))
            .timeout(FETCH_TIME)
            .build()
            .expect("a client with these settings can be made");
        Self {
            http,
            url: url.to_owned(),
            refresh: auth.jwks_refresh,
            pause: auth.jwks_pause,
            clock,
            state: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// The key that proves a token of this header.
    ///
    /// A key that is not known is looked for once more, but not more often than configured: whoever
    /// makes up ids must not make us a burden on the issuer.
    pub(super) async fn key(
        self: &Arc<Self>,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<DecodingKey, Refusal> {
        let (found, age, rounds) = self.find(algorithm, id);
        match (found, age) {
            (Some(key), Some(age)) if age < self.refresh => return Ok(key),
            (Some(key), Some(age)) if age < USED_AT_MOST => {
                if self.may_fetch() {
                    let this = self.clone();
                    tokio::spawn(async move { this.fetch_after(rounds).await });
                }
                return Ok(key);
            }
            _ => self.fetch_after(rounds).await,
        }
        let (found, age, _) = self.find(algorithm, id);
        match (found, age) {
            (Some(key), Some(age)) if age < USED_AT_MOST => Ok(key),
            (_, Some(age)) if age < USED_AT_MOST => Err(Refusal::Invalid),
            _ => Err(Refusal::Unknown(Failure::unavailable(
                "The keys of the issuer of this token cannot be fetched now. Try again later.",
                self.pause,
            ))),
        }
    }

    /// The key, the age of all keys, and how many fetches have ended.
    fn find(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> (Option<DecodingKey>, Option<Duration>, u64) {
        let state = self.state();
        let now = self.clock.monotonic();
        let mut fitting = state.keys.iter().filter(|key| key.algorithm == algorithm);
        let found = match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)),
            // Without an id only where there is no choice.
            None => fitting.next().filter(|_| fitting.next().is_none()),
        };
        let age = state.fetched_at.map(|at| now.saturating_sub(at));
        (found.map(|key| key.key.clone()), age, state.rounds)
    }

    fn may_fetch(&self) -> bool {
        let now = self.clock.monotonic();
        let tried = self.state().tried_at;
        tried.is_none_or(|at| now.saturating_sub(at) >= self.pause)
    }

    /// Fetches the keys, unless a fetch has ended since `rounds` or the last one is too recent. Waits
    /// for the fetch that is under way.
    async fn fetch_after(&self, rounds: u64) {
        let _one_at_a_time = self.fetching.lock().await;
        if self.state().rounds != rounds || !self.may_fetch() {
            return;
        }
        let started = self.clock.monotonic();
        self.state().tried_at = Some(started);
        let fetched = self.fetch().await;
        let mut state = self.state();
        state.rounds += 1;
        match fetched {
            Ok(keys) => {
                state.keys = keys;
                state.fetched_at = Some(started);
            }
            Err(e) => tracing::error!(
                "the keys of the issuer of tokens (auth.jwks_url): {}",
                chain(&e)
            ),
        }
    }

    async fn fetch(&self) -> Result<Vec<PublicKey>, FetchError> {
        let mut response = self.http.get(&self.url).send().await?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        read(&body)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys of a set that we can use; others are passed over (RFC 7517, section 5).
fn read(body: &[u8]) -> Result<Vec<PublicKey>, FetchError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(body)?;
    let keys = set.keys.into_iter().take(MOST_KEYS).filter_map(usable);
    let keys: Vec<PublicKey> = keys.collect();
    if keys.is_empty() {
        return Err(FetchError::NoKeys);
    }
    Ok(keys)
}

fn usable(key: Value) -> Option<PublicKey> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    let algorithm = match &key.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        _ => return None,
    };
    let common = &key.common;
    let signs = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
    let verifies = match &common.key_operations {
        None => true,
        Some(operations) => operations.contains(&KeyOperations::Verify),
    };
    let named = match common.key_algorithm {
        None => true,
        Some(named) => named == KeyAlgorithm::from(algorithm),
    };
    if !(signs && verifies && named) {
        return None;
    }
    Some(PublicKey {
        id: common.key_id.clone(),
        algorithm,
        key: DecodingKey::from_jwk(&key).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_keys_that_may_prove_tokens_are_taken() {
        let check = |change: Value, expect: Option<Algorithm>| {
            let mut key = json!({"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"});
            for (name, value) in change.as_object().unwrap() {
                key[name] = value.clone();
            }
            let body = json!({ "keys": [key, {"kty": "new"}, 7] }).to_string();
            let got = read(body.as_bytes()).ok().map(|keys| keys[0].algorithm);
            assert_eq!(got, expect, "{change}");
        };
        check(json!({}), Some(Algorithm::RS256));
        check(
            json!({"use": "sig", "alg": "RS256"}),
            Some(Algorithm::RS256),
        );
        check(json!({"use": "enc"}), None);
        check(json!({"alg": "RS512"}), None);
        check(json!({"alg": "HS256"}), None);
        check(json!({"key_ops": ["sign"]}), None);
        check(json!({"key_ops": ["verify"]}), Some(Algorithm::RS256));
        check(json!({"kty": "oct", "k": "AQAB"}), None);
        let point = |crv: &str| json!({"kty": "EC", "crv": crv, "x": "AQAB", "y": "AQAB"});
        check(point("P-256"), Some(Algorithm::ES256));
        check(point("P-384"), None);
        for wrong in ["", "{}", "[]", "{\"keys\": 7}", "{\"keys\": []}"] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
