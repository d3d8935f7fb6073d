//! Identifiers: jobs and tenants.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A job's id: a UUIDv7 (RFC 9562, section 5.7), so that it carries its own time of creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "Uuid")]
pub struct JobId(Uuid);

/// A text that is not a job id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a job id: expected a UUID of version 7 in lower case")]
pub struct InvalidJobId;

impl JobId {
    /// Makes an id from a time and 80 random bits; times before 1970 count as 1970.
    pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Milliseconds since 1970 that the id carries.
    pub fn unix_millis(&self) -> u64 {
        let b = self.0.as_bytes();
        u64::from_be_bytes([0, 0, b[0], b[1], b[2], b[3], b[4], b[5]])
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for JobId {
    type Err = InvalidJobId;

    /// Only the canonical form is taken: one job, one spelling, so one URL and one cache entry.
    fn from_str(text: &str) -> Result<Self, InvalidJobId> {
        let id = Uuid::try_parse(text).map_err(|_| InvalidJobId)?;
        let canonical = id.get_version_num() == 7 && id.as_hyphenated().to_string() == text;
        canonical.then_some(Self(id)).ok_or(InvalidJobId)
    }
}

impl TryFrom<String> for JobId {
    type Error = InvalidJobId;

    fn try_from(text: String) -> Result<Self, InvalidJobId> {
        text.parse()
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.to_string()
    }
}

/// Who owns a job: matches `^[a-z0-9][a-z0-9-]{0,62}$`, which is safe in keys and paths.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Tenant(String);

/// A text that is not a tenant's name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a tenant: expected 1 to 63 of a-z, 0-9 and -, not starting with -")]
pub struct InvalidTenant;

impl Tenant {
    /// The tenant of callers without a credential.
    pub fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }

    /// A tenant for any claim: the claim itself where it has the right form, else `t-` and the
    /// first 160 bits of its SHA-256 in hexadecimal.
    pub fn from_claim(claim: &str) -> Self {
        Self::try_from(claim.to_owned()).unwrap_or_else(|_| {
            let digest = Sha256::digest(claim.as_bytes());
            Self(format!("t-{}", crate::hex(&digest[..20])))
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Tenant {
    type Error = InvalidTenant;

    fn try_from(text: String) -> Result<Self, InvalidTenant> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let ok = (1..=63).contains(&text.len())
            && text.bytes().all(|b| plain(b) || b == b'-')
            && !text.starts_with('-');
        if ok {
            Ok(Self(text))
        } else {
            Err(InvalidTenant)
        }
    }
}

impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_id_carries_its_time_and_has_one_spelling() {
        let at = Timestamp::from_millisecond(1_790_000_000_123).unwrap();
        let id = JobId::new(at, [7; 10]);
        assert_eq!(id.unix_millis(), 1_790_000_000_123);
        assert_eq!(id.to_string().parse::<JobId>(), Ok(id));
        for wrong in [
            id.to_string().to_uppercase(),
            id.to_string().replace('-', ""),
            "00000000-0000-4000-8000-000000000000".to_owned(),
            "j'~".to_owned(),
            String::new(),
        ] {
            assert_eq!(wrong.parse::<JobId>(), Err(InvalidJobId), "{wrong}");
        }
    }

    #[test]
    fn tenants_keep_a_good_name_and_hash_any_other() {
        let check = |claim: &str, same: bool| {
            let tenant = Tenant::from_claim(claim);
            assert_eq!(tenant.as_str() == claim, same, "{claim}");
            assert!(
                Tenant::try_from(tenant.as_str().to_owned()).is_ok(),
                "{claim}"
            );
        };
        check("acme", true);
        check("0-acme", true);
        check("-acme", false);
        check("Acme", false);
        check("a/b", false);
        check("o'neil", false);
        check("", false);
        check(&"a".repeat(63), true);
        check(&"a".repeat(64), false);
        assert_ne!(Tenant::from_claim("Acme"), Tenant::from_claim("ACME"));
    }
}
