//! Signatures of webhooks (Standard Webhooks 1.0.0): who sent this, and just now?

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

/// More signatures than this in one header are not looked at: a sender that changes its key sends
/// two.
const MOST_SIGNATURES: usize = 8;

/// Keys come with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key that a sender and we share.
#[derive(Clone)]
pub struct WebhookKey(Vec<u8>);

impl WebhookKey {
    /// Reads `whsec_` and base64; `None` for anything else.
    pub fn read(secret: &str) -> Option<Self> {
        let key = BASE64.decode(secret.strip_prefix("whsec_")?).ok()?;
        (!key.is_empty()).then_some(Self(key))
    }

    /// Whether the body comes from the one who shares the key, within five minutes of `now`.
    /// Signatures are compared in constant time.
    pub(crate) fn signed(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
        let text = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let only = values.next().filter(|_| values.next().is_none());
            only.and_then(|value| value.to_str().ok())
        };
        let (Some(id), Some(sent), Some(signatures)) = (
            text("webhook-id"),
            text("webhook-timestamp"),
            text("webhook-signature"),
        ) else {
            return false;
        };
        let plain = !sent.is_empty() && sent.bytes().all(|b| b.is_ascii_digit());
        let Some(at) = sent.parse().ok().filter(|_| plain) else {
            return false;
        };
        let Ok(at) = Timestamp::from_second(at) else {
            return false;
        };
        if now.duration_since(at).unsigned_abs() > TOLERANCE {
            return false;
        }
        let signatures = signatures.split(' ').take(MOST_SIGNATURES);
        let mut signatures = signatures.filter_map(|signature| signature.strip_prefix("v1,"));
        signatures.any(|signature| {
            let Ok(signature) = BASE64.decode(signature) else {
                return false;
            };
            let mut mac =
                Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
            for part in [id.as_bytes(), b".", sent.as_bytes(), b".", body] {
                mac.update(part);
            }
            mac.verify_slice(&signature).is_ok()
        })
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const BODY: &str = r#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn check(what: &str, change: impl FnOnce(&mut HeaderMap, &mut String, &mut i64), fine: bool) {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", ID.parse().unwrap());
        headers.insert("webhook-timestamp", SENT.to_string().parse().unwrap());
        headers.insert("webhook-signature", SIGNATURE.parse().unwrap());
        let (mut body, mut now) = (BODY.to_owned(), SENT);
        change(&mut headers, &mut body, &mut now);
        let key = WebhookKey::read(SECRET).unwrap();
        let now = Timestamp::from_second(now).unwrap();
        assert_eq!(key.signed(&headers, body.as_bytes(), now), fine, "{what}");
    }

    #[test]
    fn only_what_the_sender_signed_just_now_is_taken() {
        let set = |name: &'static str, value: &'static str| {
            move |headers: &mut HeaderMap, _: &mut String, _: &mut i64| {
                headers.insert(name, value.parse().unwrap());
            }
        };
        check("as sent", |_, _, _| {}, true);
        check("five minutes late", |_, _, now| *now += 300, true);
        check("five minutes early", |_, _, now| *now -= 300, true);
        check("an old one", |_, _, now| *now += 301, false);
        check("one of the future", |_, _, now| *now -= 301, false);
        check("another body", |_, body, _| body.push(' '), false);
        check("another id", set("webhook-id", "msg_1"), false);
        check(
            "another time",
            set("webhook-timestamp", "1614265331"),
            false,
        );
        check(
            "a signed time",
            set("webhook-timestamp", "+1614265330"),
            false,
        );
        check("no time", set("webhook-timestamp", "soon"), false);
        check(
            "too long a time",
            set("webhook-timestamp", "99999999999999999999"),
            false,
        );
        check(
            "an asymmetric one",
            set("webhook-signature", "v1a,aaaa"),
            false,
        );
        check(
            "half a signature",
            set("webhook-signature", "v1,g0hM9SsE"),
            false,
        );
        check("none", set("webhook-signature", ""), false);
        check(
            "a second key",
            set(
                "webhook-signature",
                "v1,aaaa v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
            true,
        );
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            check(name, |headers, _, _| drop(headers.remove(name)), false);
            check(
                name,
                |headers, _, _| {
                    headers.append(name, "x".parse().unwrap());
                },
                false,
            );
        }
    }

    #[test]
    fn keys() {
        for wrong in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_%%%",
        ] {
            assert!(WebhookKey::read(wrong).is_none(), "{wrong}");
        }
        let shown = format!("{:?}", WebhookKey::read(SECRET).unwrap());
        assert_eq!(shown, "WebhookKey(***)");
    }
}
