//! Signed tokens (JWT, RFC 7519): HS256 by our own secret, RS256 and ES256 by an issuer's keys.
//!
//! The algorithm chooses the only kind of key that may prove it, so that a public key is never
//! taken for a secret (RFC 8725, sections 2.1 and 3.1).

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};
use storage::Clock;

use super::Refusal;
use super::claims::{Rules, Signer};
use super::issuer::Issuer;
use crate::caller::{Caller, Who};

/// Checks tokens.
pub(super) struct Tokens {
    secret: Option<DecodingKey>,
    issuer: Option<Arc<Issuer>>,
    rules: Rules,
    clock: Arc<dyn Clock>,
}

impl Tokens {
    pub(super) fn new(auth: &config::Auth, clock: Arc<dyn Clock>) -> Self {
        let secret = auth.jwt_secret.as_ref();
        let url = auth.jwks_url.as_deref();
        Self {
            secret: secret.map(|secret| DecodingKey::from_secret(secret.expose().as_bytes())),
            issuer: url.map(|url| Arc::new(Issuer::new(url, auth, clock.clone()))),
            rules: Rules::new(auth),
            clock,
        }
    }

    /// Whose token it is, if it counts.
    pub(super) async fn check(&self, token: &str) -> Result<Caller, Refusal> {
        // `none` and everything else that is not known to the crate ends here.
        let header = decode_header(token).map_err(|_| Refusal::Invalid)?;
        // Nothing that a token declares critical is understood here (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return Err(Refusal::Invalid);
        }
        let (claims, signer) = match (header.alg, &self.secret, &self.issuer) {
            (Algorithm::HS256, Some(secret), _) => {
                let claims = signed(token, header.alg, secret);
                (claims, Signer::Ourselves)
            }
            (Algorithm::RS256 | Algorithm::ES256, _, Some(issuer)) => {
                let key = issuer.key(header.alg, header.kid.as_deref()).await?;
                (signed(token, header.alg, &key), Signer::Issuer)
            }
            _ => return Err(Refusal::Invalid),
        };
        let claims = claims.ok_or(Refusal::Invalid)?;
        let grant = self.rules.grant(&claims, self.clock.now(), signer);
        let grant = grant.ok_or(Refusal::Invalid)?;
        Ok(Caller {
            tenant: grant.tenant,
            scopes: grant.scopes,
            tier: grant.tier,
            who: Who::Token,
        })
    }
}

/// The claims of a token, if this key signed it. Its times are left to [`Rules`], whose clock is a
/// parameter.
fn signed(token: &str, algorithm: Algorithm, key: &DecodingKey) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let decoded = decode::<Map<String, Value>>(token, key, &validation);
    decoded.ok().map(|decoded| decoded.claims)
}
