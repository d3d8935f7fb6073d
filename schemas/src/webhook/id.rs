//! Ids of webhooks and of events.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text that is not an id of this kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an id of this kind")]
pub struct InvalidId;

/// A webhook's id: `wh_` and 128 random bits in hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct WebhookId(String);

impl WebhookId {
    /// Makes an id from random bits.
    pub fn new(random: [u8; 16]) -> Self {
        Self(format!("wh_{:032x}", u128::from_be_bytes(random)))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An event's id, and the header `webhook-id` of all its deliveries: `evt_`, the event's time in
/// milliseconds since 1970 as 12 hexadecimal digits, `_`, and what happened to what.
///
/// It follows from what happened alone, so whoever tells of the same thing twice gives it the same
/// id. It holds no dot, which parts what is signed (Standard Webhooks 1.0.0), and at most 160 bytes
/// of `a-z`, `0-9`, `-` and `_`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct EventId(String);

const LONGEST: usize = 160;

impl EventId {
    /// The id of something that happened at a time. `what` is made of `a-z`, `0-9`, `-` and `_`.
    pub fn new(at: Timestamp, what: &str) -> Self {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        Self(format!("evt_{millis:012x}_{what}"))
    }

    /// Milliseconds since 1970 that the id carries.
    pub fn unix_millis(&self) -> u64 {
        let digits = self.0.get(4..16).unwrap_or_default();
        u64::from_str_radix(digits, 16).unwrap_or(0)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebhookId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.strip_prefix("wh_").ok_or(InvalidId)?;
        let ok = digits.len() == 32 && digits.bytes().all(is_hex);
        ok.then(|| Self(text.to_owned())).ok_or(InvalidId)
    }
}

impl FromStr for EventId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let rest = text.strip_prefix("evt_").ok_or(InvalidId)?;
        let (time, what) = rest.split_once('_').ok_or(InvalidId)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        let ok = text.len() <= LONGEST
            && time.len() == 12
            && time.bytes().all(is_hex)
            && !what.is_empty()
            && what.bytes().all(plain);
        ok.then(|| Self(text.to_owned())).ok_or(InvalidId)
    }
}

fn is_hex(b: u8) -> bool {
    b.is_ascii_digit() || (b'a'..=b'f').contains(&b)
}

macro_rules! text_forms {
    ($($id:ident)*) => {$(
        impl TryFrom<String> for $id {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.0
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_forms!(WebhookId EventId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_spelling() {
        let id = WebhookId::new([0xab; 16]);
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        let event = EventId::new(
            Timestamp::from_millisecond(1_790_000_000_123).unwrap(),
            "0-x_done_3",
        );
        assert_eq!(event.unix_millis(), 1_790_000_000_123);
        assert_eq!(event.as_str().parse(), Ok(event.clone()));
        for wrong in [
            "",
            "wh_",
            "wh_x",
            "evt_",
            "wh_ABABABABABABABABABABABABABABABAB",
        ] {
            assert_eq!(wrong.parse::<WebhookId>(), Err(InvalidId), "{wrong}");
        }
        for wrong in [
            "evt_0123456789ab",
            "evt_0123456789ab_",
            "evt_0123456789AB_x",
            "evt_0123456789ab_x.y",
            "evt_0123456789ab_x~y",
            &format!("evt_0123456789ab_{}", "x".repeat(200)),
        ] {
            assert_eq!(wrong.parse::<EventId>(), Err(InvalidId), "{wrong}");
        }
    }
}
