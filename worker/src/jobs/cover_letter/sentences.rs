//! Where sentences end. In doubt two sentences stay one: what is dropped is then more, never less.

/// The sentences of a paragraph, without the white space between them.
pub(super) fn split(paragraph: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut begin = 0;
    for (at, c) in paragraph.char_indices() {
        let end = at + c.len_utf8();
        let ends = match c {
            '。' | '！' | '？' => true,
            '.' | '!' | '?' | '؟' | '…' => {
                let follows = &paragraph[end..];
                follows.starts_with(char::is_whitespace)
                    && begins_a_sentence(follows.trim_start())
                    && !(c == '.' && is_abbreviation(&paragraph[begin..at]))
            }
            _ => false,
        };
        if ends {
            sentences.push(paragraph[begin..end].trim().to_owned());
            begin = end;
        }
    }
    sentences.push(paragraph[begin..].trim().to_owned());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

/// A sentence does not begin in lower case; scripts without case can begin one anywhere.
fn begins_a_sentence(text: &str) -> bool {
    let first = text
        .trim_start_matches(['"', '“', '„', '«', '(', '¿', '¡'])
        .chars()
        .next();
    first.is_some_and(|c| !c.is_lowercase())
}

/// The full stop after a short word, a lone letter or a number may belong to it: `Dr.`, `z. B.`,
/// `3. Mai`.
fn is_abbreviation(before: &str) -> bool {
    let word = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default();
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    // A year ends a sentence far more often than it is an ordinal.
    let number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()) && word.len() < 4;
    let capital = word.starts_with(char::is_uppercase);
    number || letters == 1 || (letters <= 3 && capital) || word.contains('.')
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn sentences_end_where_a_reader_says_so() {
        let check = |text: &str, want: &[&str]| assert_eq!(split(text), want);
        check(
            "I led a team. It grew! Why?",
            &["I led a team.", "It grew!", "Why?"],
        );
        check(
            "Bei der Dr. Morrow GmbH seit 2019. Dort z. B. Planung.",
            &["Bei der Dr. Morrow GmbH seit 2019.", "Dort z. B. Planung."],
        );
        check("Am 3. Mai begann ich.", &["Am 3. Mai begann ich."]);
        check(
            "Version 2.5 shipped. and so on",
            &["Version 2.5 shipped. and so on"],
        );
        check(
            "応募いたします。よろしく。",
            &["応募いたします。", "よろしく。"],
        );
        check(
            "عملت هناك. ثم انتقلت؟ نعم",
            &["عملت هناك.", "ثم انتقلت؟", "نعم"],
        );
        check("", &[]);
    }
}
