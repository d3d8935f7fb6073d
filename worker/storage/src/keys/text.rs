//! The text of an API key: `pw_`, an id to look it up by, `_`, and 256 random bits.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::ambient::{Entropy, random};

/// What every key begins with, so that scanners of leaked secrets know it.
pub const KEY_PREFIX: &str = "pw_";

/// Letters of an id: no i, l, o and u, which people misread.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters of an id, 60 random bits.
const ID_LENGTH: usize = 12;

/// Characters of 32 bytes in base64url (RFC 4648, section 5) without padding.
const SECRET_LENGTH: usize = 43;

/// The public part of a key: names it in lists and logs, and opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

/// A text that is no key's id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a key's id: expected 12 of 0-9 and a-z without i, l, o and u")]
pub struct InvalidKeyId;

impl KeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let fits = text.len() == ID_LENGTH && text.bytes().all(|b| ALPHABET.contains(&b));
        fits.then(|| Self(text.to_owned())).ok_or(InvalidKeyId)
    }
}

impl TryFrom<String> for KeyId {
    type Error = InvalidKeyId;

    fn try_from(text: String) -> Result<Self, InvalidKeyId> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A whole key, as it is shown once. `Debug` masks it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// A new key.
    pub(super) fn new(entropy: &dyn Entropy) -> (KeyId, Self) {
        let bytes: [u8; ID_LENGTH] = random(entropy);
        let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        let id = KeyId(letters.iter().collect());
        let secret: [u8; 32] = random(entropy);
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let text = format!("{KEY_PREFIX}{id}_{secret}");
        (id, Self(text))
    }

    /// The text, for its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(***)")
    }
}

/// The id in a text that has the form of a key.
pub fn id_of(text: &str) -> Option<KeyId> {
    let (id, secret) = text.strip_prefix(KEY_PREFIX)?.split_at_checked(ID_LENGTH)?;
    let secret = secret.strip_prefix('_')?;
    let base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if secret.len() != SECRET_LENGTH || !secret.bytes().all(base64url) {
        return None;
    }
    id.parse().ok()
}

/// What is stored of a key: the SHA-256 of its text.
///
/// A fast hash is enough. Slow ones make guessing a person's password dear; a key has 256 random
/// bits, which nobody guesses at any price, and it is checked with every request.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Compares in a time that does not tell how much is equal.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(***)")
    }
}

/// A stored text that is no hash.
#[derive(Debug, thiserror::Error)]
#[error("not the hash of a key")]
pub struct InvalidHash;

impl TryFrom<String> for KeyHash {
    type Error = InvalidHash;

    fn try_from(text: String) -> Result<Self, InvalidHash> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidHash)?;
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}

impl From<KeyHash> for String {
    fn from(hash: KeyHash) -> Self {
        URL_SAFE_NO_PAD.encode(hash.0)
    }
}
