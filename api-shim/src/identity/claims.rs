//! What the claims of a signed token grant.

use std::time::Duration;

use jiff::Timestamp;
use schemas::Tenant;
use serde_json::{Map, Value};
use storage::keys::Tier;

use crate::caller::Scope;

/// Claims that name scopes: OAuth 2.0 (RFC 8693, section 4.2), Entra ID for people, Entra ID for
/// programs.
const SCOPE_CLAIMS: [&str; 4] = ["scope", "scp", "roles", "scopes"];

/// Longest name of a tenant in bytes.
const LONGEST_TENANT: usize = 256;

/// What a token must say.
pub(super) struct Rules {
    issuer: Option<String>,
    audience: Option<String>,
    tenant_claim: String,
    tier_claim: String,
    leeway: Duration,
}

/// Who signed a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    /// Whoever has our secret, for us alone.
    Ourselves,
    /// An issuer that signs for others too.
    Issuer,
}

/// What a token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) tenant: Tenant,
    pub(super) scopes: Vec<Scope>,
    /// `None` where it names none.
    pub(super) tier: Option<Tier>,
}

type Claims = Map<String, Value>;

impl Rules {
    pub(super) fn new(auth: &config::Auth) -> Self {
        Self {
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
            tenant_claim: auth.tenant_claim.clone(),
            tier_claim: auth.tier_claim.clone(),
            leeway: auth.leeway,
        }
    }

    /// What the claims of a token with a good signature grant; `None` where one of them is wrong.
    pub(super) fn grant(&self, claims: &Claims, now: Timestamp, signer: Signer) -> Option<Grant> {
        let holds = self.is_in_time(claims, now) && self.is_for_us(claims);
        if !holds {
            return None;
        }
        let tier = match claims.get(&self.tier_claim) {
            None | Some(Value::Null) => None,
            // A tier that we do not know is the least.
            Some(tier) => Some(
                tier.as_str()
                    .and_then(|t| t.parse().ok())
                    .unwrap_or(Tier::Free),
            ),
        };
        Some(Grant {
            tenant: tenant(claims.get(&self.tenant_claim)?.as_str()?)?,
            scopes: scopes(claims, signer),
            tier,
        })
    }

    /// RFC 7519, sections 4.1.4 and 4.1.5. A token without an end never counts.
    fn is_in_time(&self, claims: &Claims, now: Timestamp) -> bool {
        let now = now.as_millisecond() as f64 / 1_000.0;
        let leeway = self.leeway.as_secs_f64();
        let begun = match claims.get("nbf") {
            None => true,
            Some(nbf) => nbf.as_f64().is_some_and(|nbf| nbf <= now + leeway),
        };
        let exp = claims.get("exp").and_then(Value::as_f64);
        begun && exp.is_some_and(|exp| now < exp + leeway)
    }

    /// RFC 7519, sections 4.1.1 and 4.1.3.
    fn is_for_us(&self, claims: &Claims) -> bool {
        let issuer = claims.get("iss").and_then(Value::as_str);
        let by_issuer = self.issuer.is_none() || self.issuer.as_deref() == issuer;
        let to_us = match (&self.audience, claims.get("aud")) {
            (None, None) => true,
            // Meant for somebody, and we have no name to be meant by.
            (None, Some(_)) | (Some(_), None) => false,
            (Some(us), Some(Value::String(aud))) => us == aud,
            (Some(us), Some(Value::Array(all))) => all.iter().any(|aud| aud == us.as_str()),
            (Some(_), Some(_)) => false,
        };
        by_issuer && to_us
    }
}

/// The tenant of a claim. No two claims share a tenant, and none is the tenant of callers without
/// a credential.
fn tenant(claim: &str) -> Option<Tenant> {
    let is_plain = !claim.is_empty() && claim.len() <= LONGEST_TENANT;
    if !is_plain || claim == Tenant::anonymous().as_str() {
        return None;
    }
    let is_hash = |hex: &str| hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    Some(if claim.strip_prefix("t-").is_some_and(is_hash) {
        // It would be taken for the hash of another claim.
        Tenant::from_claim(&format!("={claim}"))
    } else {
        Tenant::from_claim(claim)
    })
}

/// The scopes that a token names; those that we do not know grant nothing.
fn scopes(claims: &Claims, signer: Signer) -> Vec<Scope> {
    let named: Vec<&Value> = SCOPE_CLAIMS
        .iter()
        .filter_map(|name| claims.get(*name))
        .collect();
    if named.is_empty() && signer == Signer::Ourselves {
        return Scope::EVERYDAY.to_vec();
    }
    let words = named.into_iter().flat_map(|value| match value {
        Value::String(text) => text.split(' ').collect(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    });
    let mut scopes: Vec<Scope> = words.filter_map(|word| word.parse().ok()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn rules(issuer: Option<&str>, audience: Option<&str>) -> Rules {
        let mut auth = config::Config::default().auth;
        auth.issuer = issuer.map(str::to_owned);
        auth.audience = audience.map(str::to_owned);
        Rules::new(&auth)
    }

    fn grant(rules: &Rules, change: &Value, signer: Signer) -> Option<Grant> {
        let mut claims = json!({"exp": NOW + 300, "tenant": "acme"});
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let now = Timestamp::from_second(NOW).unwrap();
        rules.grant(claims.as_object().unwrap(), now, signer)
    }

    #[test]
    fn times_issuers_and_audiences_are_held() {
        let check = |issuer: Option<&str>, audience: Option<&str>, change: Value, expect: bool| {
            let rules = rules(issuer, audience);
            let got = grant(&rules, &change, Signer::Ourselves);
            assert_eq!(got.is_some(), expect, "{issuer:?} {audience:?} {change}");
        };
        let plain = |change, expect| check(None, None, change, expect);
        plain(json!({}), true);
        plain(json!({"exp": NOW - 59}), true);
        plain(json!({"exp": NOW - 60}), false);
        plain(json!({"exp": NOW as f64 + 0.5}), true);
        plain(json!({"exp": null}), false);
        plain(json!({"exp": "1790000300"}), false);
        plain(json!({"exp": -1}), false);
        plain(json!({"nbf": NOW + 60}), true);
        plain(json!({"nbf": NOW + 61}), false);
        plain(json!({"nbf": "soon"}), false);
        plain(json!({"tenant": ""}), false);
        plain(json!({"tenant": 7}), false);
        plain(json!({"tenant": "anonymous"}), false);
        plain(json!({"tenant": "a".repeat(257)}), false);
        plain(json!({"aud": "others"}), false);
        plain(json!({"aud": null}), false);
        let ours = |change, expect| check(Some("i"), Some("us"), change, expect);
        ours(json!({"iss": "i", "aud": "us"}), true);
        ours(json!({"iss": "i", "aud": ["others", "us"]}), true);
        ours(json!({"iss": "i", "aud": ["others"]}), false);
        ours(json!({"iss": "i", "aud": {"us": 1}}), false);
        ours(json!({"iss": "i"}), false);
        ours(json!({"iss": "j", "aud": "us"}), false);
        ours(json!({"iss": ["i"], "aud": "us"}), false);
        ours(json!({"aud": "us"}), false);
    }

    #[test]
    fn scopes_and_tiers_come_from_the_claims() {
        let check = |change: Value, signer: Signer, scopes: &[Scope], tier: Option<Tier>| {
            let got = grant(&rules(None, None), &change, signer).unwrap();
            assert_eq!(
                (got.scopes.as_slice(), got.tier),
                (scopes, tier),
                "{change}"
            );
        };
        let (own, other) = (Signer::Ourselves, Signer::Issuer);
        check(json!({}), own, &Scope::EVERYDAY, None);
        check(json!({}), other, &[], None);
        check(json!({"scope": ""}), own, &[], None);
        check(
            json!({"scope": "jobs:read admin x"}),
            other,
            &[Scope::JobsRead, Scope::Admin],
            None,
        );
        check(
            json!({"scp": "jobs:read", "roles": ["admin"]}),
            other,
            &[Scope::JobsRead, Scope::Admin],
            None,
        );
        check(
            json!({"roles": [7, "jobs:read", "jobs:read"]}),
            other,
            &[Scope::JobsRead],
            None,
        );
        check(json!({"scope": 7}), own, &[], None);
        check(json!({"tier": "pro"}), other, &[], Some(Tier::Pro));
        check(json!({"tier": "gold"}), other, &[], Some(Tier::Free));
        check(json!({"tier": 9}), other, &[], Some(Tier::Free));
    }

    #[test]
    fn no_two_claims_share_a_tenant() {
        let tenant = |claim: &str| tenant(claim).unwrap();
        assert_eq!(tenant("acme").as_str(), "acme");
        let hashed = tenant("Acme & Sons");
        assert_ne!(tenant(hashed.as_str()), hashed);
        assert_ne!(tenant("Acme & Sons "), hashed);
    }
}
