//! Money: US dollars, exact to a millionth.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An amount of US dollars in whole millionths, so that sums are exact. In JSON it is a decimal
/// string with six places, such as `"0.004215"`.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = r"^[0-9]+\.[0-9]{6}$"))]
pub struct Usd(u64);

/// A text that is not an amount.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an amount of US dollars: expected a decimal such as 0.25, with at most six places")]
pub struct InvalidUsd;

impl Usd {
    /// An amount from millionths of a dollar.
    pub fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Millionths of a dollar.
    pub fn micros(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        f.pad(&text)
    }
}

impl From<Usd> for String {
    fn from(amount: Usd) -> Self {
        amount.to_string()
    }
}

impl TryFrom<String> for Usd {
    type Error = InvalidUsd;

    fn try_from(text: String) -> Result<Self, InvalidUsd> {
        text.parse()
    }
}

impl FromStr for Usd {
    type Err = InvalidUsd;

    fn from_str(text: &str) -> Result<Self, InvalidUsd> {
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || places.len() > 6 || !digits(whole) || !digits(places) {
            return Err(InvalidUsd);
        }
        let whole: u64 = whole.parse().map_err(|_| InvalidUsd)?;
        let places: u64 = format!("{places:0<6}").parse().map_err(|_| InvalidUsd)?;
        whole
            .checked_mul(1_000_000)
            .and_then(|micros| micros.checked_add(places))
            .map(Self)
            .ok_or(InvalidUsd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_and_written_in_one_form() {
        let check = |text: &str, micros: Option<u64>| {
            assert_eq!(text.parse().ok(), micros.map(Usd), "{text:?}");
        };
        check("0", Some(0));
        check("0.25", Some(250_000));
        check("12", Some(12_000_000));
        check("1.000001", Some(1_000_001));
        check("18446744073709.551615", Some(u64::MAX));
        for bad in [
            "",
            ".",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "0.1234567",
            "1.2.3",
            " 1",
            "1 ",
            "$1",
            "18446744073709.551616",
            "99999999999999999999",
        ] {
            check(bad, None);
        }
        assert_eq!(Usd(4_215).to_string(), "0.004215");
        assert_eq!(
            serde_json::to_string(&Usd(12_000_000)).unwrap(),
            "\"12.000000\""
        );
    }
}
