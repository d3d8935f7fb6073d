//! Colours, and how well one can be read on another.

use serde::Deserialize;
use serde::de::Deserializer;

/// A colour of the sRGB space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Rgb {
    pub(crate) const WHITE: Self = Self(255, 255, 255);

    /// The contrast ratio of two colours, from 1 to 21 (WCAG 2, "contrast ratio").
    pub(crate) fn contrast(self, other: Self) -> f32 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// WCAG 2, "relative luminance".
    fn luminance(self) -> f32 {
        let linear = |channel: u8| {
            let channel = f32::from(channel) / 255.0;
            if channel <= 0.040_45 {
                channel / 12.92
            } else {
                ((channel + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let hexadecimal = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        if !hexadecimal {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self(red, green, blue))
    }
}

impl<'de> Deserialize<'de> for Rgb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| fault(&text))
    }
}

/// A colour, or none for an empty text: TOML has no null to take an inherited colour away with.
pub(super) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Rgb>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    Rgb::parse(&text).map(Some).ok_or_else(|| fault(&text))
}

fn fault<E: serde::de::Error>(text: &str) -> E {
    let shown: String = text.chars().take(20).collect();
    E::custom(format_args!("`{shown}` is no colour such as \"#1b4f8a\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_six_digits() {
        assert_eq!(Rgb::parse("#1b4F8a"), Some(Rgb(0x1b, 0x4f, 0x8a)));
        for text in [
            "", "#", "1b4f8a", "#1b4f8", "#1b4f8a0", "#+b4f8a", "#1b4fąa",
        ] {
            assert_eq!(Rgb::parse(text), None, "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        let check = |a, b, expect: f32| {
            let ratio = Rgb::contrast(a, b);
            assert!((ratio - expect).abs() < 0.01, "{a:?} on {b:?}: {ratio}");
            assert!((Rgb::contrast(b, a) - expect).abs() < 0.01);
        };
        check(Rgb(0, 0, 0), Rgb::WHITE, 21.0);
        check(Rgb::WHITE, Rgb::WHITE, 1.0);
        check(Rgb(0x76, 0x76, 0x76), Rgb::WHITE, 4.54);
        check(Rgb(0xff, 0, 0), Rgb::WHITE, 4.0);
    }
}
