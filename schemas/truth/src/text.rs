//! Texts as tokens, folded so that alphabets, accents and case do not matter.

use deunicode::deunicode_char;

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters, perhaps with figures among them.
    Word,
    /// Figures with their separators.
    Number,
    /// `%`, a currency sign, `&`.
    Sign,
    /// An address of the web or of mail.
    Link,
}

/// One token.
#[derive(Clone, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) raw: &'a str,
    /// Lower case ASCII; ideographs as they are.
    pub(crate) fold: String,
    pub(crate) kind: Kind,
    /// The first of a sentence, where a capital says nothing.
    pub(crate) opens: bool,
    /// No space before it.
    pub(crate) glued: bool,
    /// A slash before it, as in `1/3`.
    pub(crate) slashed: bool,
    pub(crate) clause: u32,
    pub(crate) sentence: u32,
}

/// Lower case ASCII, transliterated; ideographs stay.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
        } else if is_ideograph(c) {
            folded.push(c);
        } else if let Some(ascii) = deunicode_char(c) {
            let kept = ascii.bytes().filter(|b| !b.is_ascii_whitespace());
            folded.extend(kept.map(|b| char::from(b.to_ascii_lowercase())));
        }
    }
    folded
}

/// Scripts without spaces between words: each character is a token.
pub(crate) fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Short words whose full stop ends no sentence.
const ABBREVIATIONS: &[&str] = &[
    "approx", "bzgl", "bzw", "ca", "dipl", "dr", "etc", "evtl", "exkl", "godz", "inc", "ing",
    "inkl", "insb", "mag", "max", "mgr", "min", "mio", "mld", "mln", "mrd", "mrs", "nr", "np",
    "prof", "sp", "st", "str", "tsd", "tys", "tzw", "ul", "usw", "vs", "zgl", "jr", "sr", "okt",
    "dez", "nov", "sept", "jan", "feb", "apr", "aug",
];

/// Splits a text. Linear in its length.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token<'_>> = Vec::with_capacity(text.len() / 6 + 1);
    let (mut clause, mut sentence, mut opens, mut end) = (0_u32, 0_u32, true, usize::MAX);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let (kind, len) = if is_ideograph(c) {
            (Kind::Word, c.len_utf8())
        } else if c.is_alphabetic() {
            word(&text[at..])
        } else if c.is_numeric() {
            number(&text[at..])
        } else {
            match c {
                '%' | '€' | '$' | '£' | '¥' | '₴' | '&' | '‰' => (Kind::Sign, c.len_utf8()),
                _ => {
                    let next = text[at + c.len_utf8()..].chars().next();
                    let spaced = next.is_none_or(char::is_whitespace);
                    match c {
                        ',' | ';' | '(' | ')' | '–' | '—' | '•' | '|' | '[' | ']' | '·' | '、'
                        | '，' | '；' => {
                            clause += 1;
                        }
                        ':' if spaced => {
                            clause += 1;
                            opens = true;
                        }
                        '：' | '"' | '“' | '„' | '«' => opens = true,
                        '-' if spaced && at > 0 && text[..at].ends_with(char::is_whitespace) => {
                            clause += 1;
                        }
                        '!' | '?' | '。' => {
                            clause += 1;
                            sentence += 1;
                            opens = true;
                        }
                        '.' if spaced && found.last().is_none_or(ends_sentence) => {
                            clause += 1;
                            sentence += 1;
                            opens = true;
                        }
                        _ => {}
                    }
                    at += c.len_utf8();
                    continue;
                }
            }
        };
        let raw = &text[at..at + len];
        found.push(Token {
            raw,
            fold: fold(raw),
            kind,
            opens,
            glued: end == at || glue(text, at),
            slashed: text[..at].ends_with('/'),
            clause,
            sentence,
        });
        opens = false;
        at += len;
        end = at;
    }
    found
}

fn glue(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    before.is_some_and(|c| matches!(c, '-' | '/' | '\u{2011}' | '\u{2010}'))
        && !text[..at]
            .trim_end_matches(['-', '/', '\u{2011}', '\u{2010}'])
            .ends_with(char::is_whitespace)
}

fn ends_sentence(token: &Token<'_>) -> bool {
    token.kind != Kind::Word
        || (token.fold.len() > 2 && !ABBREVIATIONS.contains(&token.fold.as_str()))
}

/// Characters of a web address that are looked at.
const LONGEST_LINK: usize = 500;

/// The kind and length of what starts with a letter.
fn word(text: &str) -> (Kind, usize) {
    let end = letters(text);
    // Only what goes on after the letters, or has a full stop among them, may be an address.
    let goes_on = text[end..].starts_with([':', '@', '/', '-', '_', '.', '~', '%', '+']);
    (goes_on || text[..end].contains('.'))
        .then(|| link(text))
        .flatten()
        .unwrap_or((Kind::Word, end))
}

/// An address of the web or of mail.
fn link(text: &str) -> Option<(Kind, usize)> {
    // The bound keeps one endless run of letters and marks linear.
    let run = text
        .char_indices()
        .take(LONGEST_LINK)
        .find(|(_, c)| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"'))
        .map_or_else(|| text.floor_char_boundary(LONGEST_LINK), |(at, _)| at);
    let run = &text[..run];
    let domain = || {
        let head = run
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches('.');
        run.len() > head.len() && head.contains('.') && !head.ends_with('.')
    };
    if run.contains("://")
        || run.starts_with("www.")
        || (run.contains('@') && run.contains('.'))
        || domain()
    {
        return Some((
            Kind::Link,
            run.trim_end_matches(['.', ':', '!', '?']).len().max(1),
        ));
    }
    None
}

/// The length of a word.
fn letters(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let inside = match c {
            _ if is_ideograph(c) => false,
            '\'' | '’' if is_elided(&text[..at]) => false,
            '\'' | '’' | '.' | '´' | 'ʼ' => {
                next.is_some_and(|n| n.is_alphabetic() && !is_ideograph(n))
            }
            '+' | '#' => true,
            _ => c.is_alphanumeric() || unicode_mark(c),
        };
        if !inside {
            return at;
        }
    }
    text.len()
}

/// `l'équipe`, `all'azienda`: an article or a preposition that has lost its vowel.
fn is_elided(head: &str) -> bool {
    const ELIDED: &[&str] = &[
        "l", "d", "j", "qu", "c", "all", "dell", "nell", "sull", "dall", "un", "quest", "jusqu",
        "lorsqu", "puisqu", "s", "t", "m", "n",
    ];
    let plain = head.to_ascii_lowercase();
    ELIDED.contains(&plain.as_str())
}

fn unicode_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{5b0}'..='\u{5c7}' | '\u{64b}'..='\u{652}')
}

/// Endings that make a figure with letters a number with a unit, and no name such as `3D`.
const UNITS: &[&str] = &[
    "k", "m", "mio", "mln", "bn", "mrd", "kg", "g", "t", "km", "h", "min", "x", "st", "nd", "rd",
    "th", "gb", "tb", "mb", "kw", "kwh", "kwp", "mw", "kv", "v", "l", "ha", "eur", "usd", "gbp",
    "pln", "er", "s", "ms", "tys", "tsd", "yrs", "years", "hrs", "pct", "m2", "sqm", "qm", "fold",
    "fach", "ste", "te", "mg", "ml", "cm", "mm", "w", "hz", "khz", "mhz", "ghz", "hp", "bar", "pp",
    "chf", "uah", "czk", "sek", "zl", "rpm", "ft",
];

/// The kind and length of what starts with a figure.
fn number(text: &str) -> (Kind, usize) {
    let mut end = 0;
    let mut digits = 0;
    for (at, c) in text.char_indices() {
        if c.is_numeric() {
            digits += 1;
            end = at + c.len_utf8();
            continue;
        }
        let after = &text[at + c.len_utf8()..];
        let group = after.bytes().take_while(u8::is_ascii_digit).count();
        let joins = match c {
            '.' | ',' | '٫' | '٬' => after.chars().next().is_some_and(char::is_numeric),
            '\'' | '’' => group == 3,
            ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => group == 3 && digits <= 3 && at > 0,
            _ => false,
        };
        if !joins {
            break;
        }
        digits = 0;
    }
    let letters = text[end..]
        .chars()
        .take_while(|c| c.is_alphanumeric() && !is_ideograph(*c))
        .map(char::len_utf8)
        .sum::<usize>();
    if letters > 0 {
        let tail = fold(&text[end..end + letters]);
        let cyrillic = !text[end..].starts_with(|c: char| c.is_ascii());
        if !cyrillic && !UNITS.contains(&tail.as_str()) {
            return (Kind::Word, end + letters);
        }
    }
    (Kind::Number, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let tokens = tokens(text);
        let parts: Vec<_> = tokens.iter().map(|t| t.fold.as_str()).collect();
        parts.join("|")
    }

    #[test]
    fn texts_are_split_into_words_and_numbers() {
        let table = [
            ("Zbiórka 1 500 książek", "zbiorka|1 500|ksiazek"),
            ("C++, C# and Node.js", "c++|c#|and|node.js"),
            ("an 18-bed unit", "an|18|bed|unit"),
            (
                "€42 million (42.000.000 €)",
                "eur|42|million|42.000.000|eur",
            ),
            ("3D-CAD, 10k users, K8s", "3d|cad|10|k|users|k8s"),
            (
                "see www.a.example/b, or a@b.example.",
                "see|www.a.example/b|or|a@b.example",
            ),
            ("S/4HANA", "s|4hana"),
            ("管理5人", "管|理|5|人"),
            ("Київ", "kiyiv"),
            ("chef d'équipe, all'azienda", "chef|d|equipe|all|azienda"),
            ("п'ять, O'Brien", "p'iat'|o'brien"),
        ];
        for (text, want) in table {
            assert_eq!(shown(text), want, "{text}");
        }
    }

    #[test]
    fn sentences_and_clauses_are_told_apart() {
        let tokens = tokens("Umsatz 3 Mio. Euro; ohne Team. Neu");
        let clauses: Vec<_> = tokens
            .iter()
            .map(|t| (t.clause, t.sentence, t.opens))
            .collect();
        assert_eq!(clauses[3], (0, 0, false));
        assert_eq!(clauses[4], (1, 0, false));
        assert_eq!(clauses[6], (2, 1, true));
    }
}
