//! Where a query or listing goes on: the last key, written so that it can stand in a URL.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::port::{Continuation, Result, StorageError};

/// Starts every continuation of this adapter.
const MARK: &str = "k1.";

/// Goes on after this key.
pub(super) fn after(key: &str) -> Continuation {
    Continuation(format!("{MARK}{}", URL_SAFE_NO_PAD.encode(key)))
}

/// The key to go on after. `allowed` tells which keys the query itself may give: a client may
/// send what it likes.
pub(super) fn key(from: &Continuation, allowed: impl Fn(&str) -> bool) -> Result<String> {
    from.0
        .strip_prefix(MARK)
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|key| allowed(key))
        .ok_or_else(|| StorageError::Invalid("not a continuation of this query".to_owned()))
}
