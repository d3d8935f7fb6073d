//! Where a query or listing goes on: the service's own words, written so that they can stand in a
//! URL, and read back with suspicion, since a client may have had them in hand.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::port::{Continuation, Result, StorageError};

/// Longer than any that the services give.
const LONGEST: usize = 16 << 10;
/// Parts the words; no header can hold it.
const BETWEEN: char = '\n';

/// The continuation of these words.
pub(super) fn write(mark: &str, words: &[&str]) -> Continuation {
    let words = words.join(&BETWEEN.to_string());
    Continuation(format!("{mark}{}", URL_SAFE_NO_PAD.encode(words)))
}

/// The words of a continuation that begins with `mark`: at least one, at most `most`, none empty.
pub(super) fn read(mark: &str, from: &Continuation, most: usize) -> Result<Vec<String>> {
    let text = from
        .0
        .strip_prefix(mark)
        .filter(|text| text.len() <= LONGEST);
    text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(|words| words.split(BETWEEN).map(str::to_owned).collect::<Vec<_>>())
        .filter(|words| words.len() <= most)
        .filter(|words| {
            words
                .iter()
                .all(|w| !w.is_empty() && !w.contains(char::is_control))
        })
        .ok_or_else(|| StorageError::Invalid("not a continuation of this query".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for words in [&["a"][..], &["1!8!cDE-", "1!12!\u{e9}'%"], &["x\u{1f600}"]] {
            let from = write("t1.", words);
            assert!(
                from.0.is_ascii() && !from.0.contains(['/', '+', '=', '&']),
                "{from:?}"
            );
            assert_eq!(read("t1.", &from, 2).unwrap(), words);
            assert!(read("b1.", &from, 2).is_err());
        }
        assert!(read("t1.", &write("t1.", &["a", "b", "c"]), 2).is_err());
        assert!(read("t1.", &write("t1.", &["a", ""]), 2).is_err());
        assert!(read("t1.", &write("t1.", &["a\tb"]), 2).is_err());
        assert!(
            read(
                "t1.",
                &Continuation(format!("t1.{}", "A".repeat(LONGEST + 1))),
                2
            )
            .is_err()
        );
    }
}
