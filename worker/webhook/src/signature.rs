//! Signatures of Standard Webhooks 1.0.0: who sent this, and just now?
//!
//! What is signed is `{id}.{seconds}.{body}`, the exact bytes of the body; the signature is
//! `v1,` and base64 of HMAC-SHA256. While a secret is rotated there are two, with a space between.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use jiff::Timestamp;
use sha2::Sha256;

/// A webhook that is older than this, or comes from as far in the future, may be a replay.
const TOLERANCE: Duration = Duration::from_mins(5);

/// More signatures than this in one header are not looked at: a sender that changes its secret
/// sends two.
const MOST_SIGNATURES: usize = 8;

/// Longer base64 is not decoded: the longest secret has 88 characters.
const LONGEST_BASE64: usize = 128;

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";

/// Secrets come with and without padding, and from other hands with bits set that no byte has.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The secret that a sender and a receiver share: 24 to 64 bytes, written `whsec_` and base64.
/// Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// Why a text is no [`Secret`]. None of them repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// It does not begin as secrets do.
    #[error("a signing secret begins with whsec_")]
    Prefix,
    /// What follows is not base64 (RFC 4648, section 4).
    #[error("what follows whsec_ must be base64")]
    Base64,
    /// Fewer than 24 or more than 64 bytes.
    #[error("a signing secret has 24 to 64 bytes, 32 to 88 characters of base64")]
    Length,
}

/// Why a request is not taken for its sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// `webhook-id`, `webhook-timestamp` or `webhook-signature` is missing, there twice, or not
    /// text.
    #[error("webhook-id, webhook-timestamp and webhook-signature must each be there once")]
    Headers,
    /// `webhook-timestamp` is no whole number of seconds since 1970.
    #[error("webhook-timestamp must be whole seconds since 1970")]
    Timestamp,
    /// Signed more than five minutes ago or ahead.
    #[error("signed more than five minutes from now")]
    Stale,
    /// No signature fits one of the secrets.
    #[error("no signature fits")]
    Signature,
}

impl Secret {
    /// Reads `whsec_` and base64, with or without padding.
    pub fn parse(text: &str) -> Result<Self, SecretFault> {
        let text = text.strip_prefix(PREFIX).ok_or(SecretFault::Prefix)?;
        if text.len() > LONGEST_BASE64 {
            return Err(SecretFault::Length);
        }
        let key = BASE64.decode(text).map_err(|_| SecretFault::Base64)?;
        if !(24..=64).contains(&key.len()) {
            return Err(SecretFault::Length);
        }
        Ok(Self(key))
    }

    /// A new one. The randomness must be cryptographic: it is the secret.
    pub fn generate(random: [u8; 32]) -> Self {
        Self(random.to_vec())
    }

    /// `whsec_` and base64, to be shown once to the one who owns it.
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }

    fn mac(&self, id: &str, seconds: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// The value of `webhook-signature`: one signature for each secret, in their order.
pub fn sign(id: &str, at: Timestamp, body: &[u8], secrets: &[Secret]) -> String {
    let seconds = at.as_second().to_string();
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| {
            let signature = secret.mac(id, &seconds, body).finalize().into_bytes();
            format!("{VERSION}{}", BASE64.encode(signature))
        })
        .collect();
    signatures.join(" ")
}

/// Whether the exact bytes of the body come from one who knows one of the secrets, within five
/// minutes of `now`. Signatures are compared in constant time.
///
/// A replay within the five minutes has the same `webhook-id`: the caller remembers ids.
pub fn verify(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[Secret],
    now: Timestamp,
) -> Result<(), Unverified> {
    let id = only(headers, "webhook-id")?;
    let seconds = only(headers, "webhook-timestamp")?;
    let signatures = only(headers, "webhook-signature")?;
    let plain = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
    let at = seconds.parse().ok().filter(|_| plain);
    let at = at.and_then(|at| Timestamp::from_second(at).ok());
    let at = at.ok_or(Unverified::Timestamp)?;
    if now.duration_since(at).unsigned_abs() > TOLERANCE {
        return Err(Unverified::Stale);
    }
    let fits = signatures
        .split(' ')
        .take(MOST_SIGNATURES)
        .filter_map(|signature| signature.strip_prefix(VERSION))
        .filter(|signature| signature.len() <= LONGEST_BASE64)
        .filter_map(|signature| BASE64.decode(signature).ok())
        .any(|signature| {
            let fits = |secret: &Secret| secret.mac(id, seconds, body).verify_slice(&signature);
            secrets.iter().any(|secret| fits(secret).is_ok())
        });
    if fits {
        Ok(())
    } else {
        Err(Unverified::Signature)
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Unverified> {
    let mut values = headers.get_all(name).iter();
    let only = values.next().filter(|_| values.next().is_none());
    only.and_then(|value| value.to_str().ok())
        .ok_or(Unverified::Headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the specification's reference libraries share.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const BODY: &str = r#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn the_published_example_is_signed_as_published() {
        let secret = Secret::parse(SECRET).unwrap();
        let late_in_the_second = Timestamp::from_millisecond(SENT * 1_000 + 999).unwrap();
        for at in [at(SENT), late_in_the_second] {
            let signed = sign(ID, at, BODY.as_bytes(), std::slice::from_ref(&secret));
            assert_eq!(signed, SIGNATURE);
        }
    }

    #[test]
    fn a_rotation_has_two_signatures_and_each_receiver_finds_his() {
        let secrets = [[1; 32], [2; 32]].map(Secret::generate);
        let signed = sign("msg_1", at(SENT), b"{}", &secrets);
        let parts: Vec<&str> = signed.split(' ').collect();
        assert_eq!(parts.len(), 2, "{signed}");
        assert_ne!(parts[0], parts[1]);
        assert!(parts.iter().all(|part| part.starts_with("v1,")), "{signed}");
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "msg_1".parse().unwrap());
        headers.insert("webhook-timestamp", SENT.into());
        headers.insert("webhook-signature", signed.parse().unwrap());
        for (held, fits) in [([1; 32], true), ([2; 32], true), ([3; 32], false)] {
            let held = [Secret::generate(held)];
            let verified = verify(&headers, b"{}", &held, at(SENT));
            assert_eq!(verified.is_ok(), fits, "{verified:?}");
        }
    }

    fn check(
        what: &str,
        change: impl FnOnce(&mut HeaderMap, &mut String, &mut i64),
        expect: Result<(), Unverified>,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", ID.parse().unwrap());
        headers.insert("webhook-timestamp", SENT.into());
        headers.insert("webhook-signature", SIGNATURE.parse().unwrap());
        let (mut body, mut now) = (BODY.to_owned(), SENT);
        change(&mut headers, &mut body, &mut now);
        let secrets = [Secret::generate([7; 32]), Secret::parse(SECRET).unwrap()];
        let verified = verify(&headers, body.as_bytes(), &secrets, at(now));
        assert_eq!(verified, expect, "{what}");
    }

    #[test]
    fn only_what_the_sender_signed_just_now_is_taken() {
        use Unverified::{Headers, Signature, Stale, Timestamp as Time};
        let set = |name: &'static str, value: &'static str| {
            move |headers: &mut HeaderMap, _: &mut String, _: &mut i64| {
                headers.insert(name, value.parse().unwrap());
            }
        };
        check("as sent", |_, _, _| {}, Ok(()));
        check("five minutes late", |_, _, now| *now += 300, Ok(()));
        check("five minutes early", |_, _, now| *now -= 300, Ok(()));
        check("an old one", |_, _, now| *now += 301, Err(Stale));
        check("one of the future", |_, _, now| *now -= 301, Err(Stale));
        check("another body", |_, body, _| body.push(' '), Err(Signature));
        check("another id", set("webhook-id", "msg_1"), Err(Signature));
        let time = |value| set("webhook-timestamp", value);
        check("another time", time("1614265331"), Err(Signature));
        check("a zero before it", time("01614265330"), Err(Signature));
        check("a sign before it", time("+1614265330"), Err(Time));
        check("a fraction", time("1614265330.0"), Err(Time));
        check("no time", time("soon"), Err(Time));
        check("an empty time", time(""), Err(Time));
        check("too long a time", time("99999999999999999999"), Err(Time));
        check("past the calendar", time("999999999999999"), Err(Time));
        let signature = |value| set("webhook-signature", value);
        check("an asymmetric one", signature("v1a,aaaa"), Err(Signature));
        check("half of one", signature("v1,g0hM9SsE"), Err(Signature));
        check("none", signature(""), Err(Signature));
        check("no version", signature(&SIGNATURE[3..]), Err(Signature));
        check(
            "one of another secret first",
            signature("v1,aaaa v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            Ok(()),
        );
        check(
            "behind more than are looked at",
            |headers, _, _| {
                let value = format!("{}{SIGNATURE}", "v1,aaaa ".repeat(8));
                headers.insert("webhook-signature", value.parse().unwrap());
            },
            Err(Signature),
        );
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            check(
                name,
                |headers, _, _| drop(headers.remove(name)),
                Err(Headers),
            );
            check(
                name,
                |headers, _, _| {
                    headers.append(name, "x".parse().unwrap());
                },
                Err(Headers),
            );
        }
    }

    #[test]
    fn secrets() {
        let of = |bytes: usize| format!("whsec_{}", BASE64.encode(vec![0xa5; bytes]));
        for (text, expect) in [
            (SECRET.to_owned(), Ok(())),
            (of(24), Ok(())),
            (of(25), Ok(())),
            (of(25).trim_end_matches('=').to_owned(), Ok(())),
            (of(64), Ok(())),
            (of(23), Err(SecretFault::Length)),
            (of(65), Err(SecretFault::Length)),
            (of(10_000), Err(SecretFault::Length)),
            ("whsec_".to_owned(), Err(SecretFault::Length)),
            (String::new(), Err(SecretFault::Prefix)),
            (SECRET[6..].to_owned(), Err(SecretFault::Prefix)),
            (format!(" {SECRET}"), Err(SecretFault::Prefix)),
            (SECRET.replace("whsec_", "whpk_"), Err(SecretFault::Prefix)),
            (format!("{SECRET}\n"), Err(SecretFault::Base64)),
            (SECRET.replace('r', "-"), Err(SecretFault::Base64)),
            ("whsec_%%%".to_owned(), Err(SecretFault::Base64)),
        ] {
            assert_eq!(Secret::parse(&text).map(drop), expect, "{text}");
        }
    }

    #[test]
    fn a_secret_is_shown_only_when_asked() {
        let secret = Secret::generate([9; 32]);
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        let text = secret.to_text();
        assert_eq!(Secret::parse(&text).unwrap().0, [9; 32]);
        assert_eq!(text.len(), 6 + 44, "padded, as all libraries read it");
    }
}
