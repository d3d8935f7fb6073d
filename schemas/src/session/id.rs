//! A session's id.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A session's id: a UUIDv4 (RFC 9562, section 5.4). Whoever knows it can read the session where
/// callers have no credential, so it is all chance: 122 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "Uuid")]
pub struct SessionId(Uuid);

/// A text that is not a session id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a session id: expected a UUID of version 4 in lower case")]
pub struct InvalidSessionId;

impl SessionId {
    /// Makes an id from random bits.
    pub fn new(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid())
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    /// Only the canonical form is taken: one session, one spelling.
    fn from_str(text: &str) -> Result<Self, InvalidSessionId> {
        let id = Uuid::try_parse(text).map_err(|_| InvalidSessionId)?;
        let canonical = id.get_version_num() == 4 && id.as_hyphenated().to_string() == text;
        canonical.then_some(Self(id)).ok_or(InvalidSessionId)
    }
}

impl TryFrom<String> for SessionId {
    type Error = InvalidSessionId;

    fn try_from(text: String) -> Result<Self, InvalidSessionId> {
        text.parse()
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = SessionId::new([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in [
            id.to_string().to_uppercase(),
            id.to_string().replace('-', ""),
            "../x".to_owned(),
            String::new(),
        ] {
            assert_eq!(wrong.parse::<SessionId>(), Err(InvalidSessionId), "{wrong}");
        }
    }
}
