//! Single values: contact details, dates, names, places, languages.

use schemas::cv::Language;

use crate::analysis::Analysed;
use crate::claims::is_meant;
use crate::evidence::Evidence;
use crate::lexicon::{Concept, LEXICON, Tongues};
use crate::prose::{Verdict, is_same_text};
use crate::text::{Kind, fold, is_ideograph};

/// The languages of a comparison.
#[derive(Clone, Copy)]
pub(crate) struct Tongue {
    pub(crate) from: Tongues,
    pub(crate) to: Tongues,
}

impl Tongue {
    pub(crate) fn same(self) -> bool {
        self.from == self.to
    }
}

/// An e-mail address: the same but for case.
pub(crate) fn email(source: &str, reply: &str) -> Option<Verdict> {
    let plain = |text: &str| text.trim().trim_start_matches("mailto:").to_lowercase();
    if plain(source) == plain(reply) {
        None
    } else {
        Some(Verdict::unsupported("another e-mail address"))
    }
}

/// A telephone number: the same figures; `00` is `+`, and the country may be left out.
pub(crate) fn phone(source: &str, reply: &str) -> Option<Verdict> {
    let digits = |text: &str| -> String {
        let text = text.replace("(0)", "");
        let plain = fold(&text);
        let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
        digits
            .strip_prefix("00")
            .map_or(digits.clone(), str::to_owned)
    };
    let (ours, theirs) = (digits(source), digits(reply));
    let national = |long: &str, short: &str| {
        let short = short.trim_start_matches('0');
        short.len() >= 6
            && long
                .strip_suffix(short)
                .is_some_and(|code| code.trim_end_matches('0').len() <= 3)
    };
    let international =
        source.trim_start().starts_with('+') || source.trim_start().starts_with("00");
    let (long, short) = if international {
        (&ours, &theirs)
    } else {
        (&theirs, &ours)
    };
    if ours == theirs || national(long, short) {
        None
    } else {
        Some(Verdict::unsupported("another telephone number"))
    }
}

/// A web address: the same but for scheme, `www.` and a slash at the end.
pub(crate) fn link_key(url: &str) -> String {
    let url = url.trim();
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    let url = url.strip_prefix("www.").unwrap_or(url);
    let url = url.trim_end_matches('/');
    match url.split_once('/') {
        Some((host, path)) => format!("{}/{path}", host.to_lowercase()),
        None => url.to_lowercase(),
    }
}

/// Forms of firms, which come and go.
const LEGAL: &[&str] = &[
    "ltd",
    "limited",
    "inc",
    "incorporated",
    "corp",
    "corporation",
    "co",
    "company",
    "llc",
    "llp",
    "plc",
    "lp",
    "gmbh",
    "ag",
    "kg",
    "ohg",
    "gbr",
    "ug",
    "mbh",
    "ggmbh",
    "se",
    "ev",
    "e.v",
    "e.k",
    "eg",
    "kgaa",
    "sa",
    "s.a",
    "sp",
    "spolka",
    "z",
    "zoo",
    "o.o",
    "o",
    "sa.",
    "spz",
    "sj",
    "s.c",
    "sc",
    "sarl",
    "sas",
    "eurl",
    "sl",
    "s.l",
    "slu",
    "srl",
    "s.r.l",
    "spa",
    "s.p.a",
    "lda",
    "ltda",
    "bv",
    "b.v",
    "nv",
    "n.v",
    "sro",
    "s.r.o",
    "as",
    "a.s",
    "ab",
    "oy",
    "aps",
    "tov",
    "tzov",
    "prat",
    "pat",
    "fop",
    "und",
    "and",
    "i",
    "et",
    "y",
    "e",
    "the",
    "oo",
    "s",
    "a",
    "r",
    "v",
    "k",
    "c",
    "l",
    "p",
    "b",
    "n",
];

/// The name of a person: the same words, in any order; no title may be added.
pub(crate) fn person(source: &str, reply: &str) -> Option<Verdict> {
    let ours = crate::text::tokens(source);
    let theirs = crate::text::tokens(reply);
    let known = |word: &str| {
        ours.iter()
            .any(|token| token.fold == word || near(&token.fold, word))
    };
    let alphabet = |text: &str| {
        text.chars()
            .find(|c| c.is_alphabetic())
            .map(|c| c as u32 >= 0x370)
    };
    let other_script = alphabet(source) != alphabet(reply);
    let fits = theirs.iter().all(|token| {
        known(&token.fold)
            || (token.fold.len() == 1 && ours.iter().any(|o| o.fold.starts_with(&token.fold)))
    });
    let same_length = theirs.len() == ours.len();
    if fits && !theirs.is_empty() || is_same_text(source, reply) {
        None
    } else if other_script
        && (same_length || ours.iter().any(|token| token.raw.chars().any(is_ideograph)))
    {
        Some(Verdict::Undecided("a name in another script".to_owned()))
    } else {
        Some(Verdict::unsupported("another name"))
    }
}

/// Transliterations differ by little.
fn near(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        text.replace("ae", "a")
            .replace("oe", "o")
            .replace("ue", "u")
    };
    plain(a) == plain(b)
}

/// Letters without vowels and doubles, in which transliterations agree.
fn skeleton(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        let c = match c {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'h' | 'j' | '\'' => continue,
            'w' => 'v',
            'c' | 'q' => 'k',
            'z' => 's',
            other => other,
        };
        if !out.ends_with(c) {
            out.push(c);
        }
    }
    out
}

/// Whether two words of names are one, allowing for endings and alphabets.
pub(crate) fn cognate(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    if common >= 4 && common * 3 >= a.len().min(b.len()) * 2 {
        return true;
    }
    let (x, y) = (skeleton(a), skeleton(b));
    if x.len() < 3 || y.len() < 3 {
        return false;
    }
    let common = x.bytes().zip(y.bytes()).take_while(|(a, b)| a == b).count();
    common >= 3 && common + 1 >= x.len().min(y.len())
}

/// The name of an organisation.
pub(crate) fn organisation(
    source: &Analysed<'_>,
    reply: &Analysed<'_>,
    tongue: Tongue,
) -> Option<Verdict> {
    if is_same_text(source.text, reply.text) {
        return None;
    }
    let evidence = Evidence::of([source]);
    let mut kept = 0;
    let mut lost = Vec::new();
    for at in 0..reply.tokens.len() {
        let token = &reply.tokens[at];
        if LEGAL.contains(&token.fold.as_str()) || LEXICON.is_stop(&token.fold, reply.tongues) {
            continue;
        }
        let here = |class: &str| {
            reply.hits.iter().any(|h| {
                (h.first..h.first + h.len).contains(&(at as u32))
                    && LEXICON.class(h.concept) == class
                    && evidence.concept(h.concept)
            })
        };
        let named = evidence.word(&token.fold) || here("city") || here("geo");
        let alike = || {
            source
                .tokens
                .iter()
                .any(|known| known.fold.len() > 3 && cognate(&known.fold, &token.fold))
        };
        if named || (!tongue.same() && (alike() || here("field"))) {
            kept += 1;
        } else if !here("org") {
            lost.push(token.raw);
        }
    }
    let kinds = reply.claims("org").any(|hit| evidence.concept(hit.concept));
    match lost.as_slice() {
        [] if kept > 0 || kinds || reply.tokens.is_empty() => None,
        [] => Some(Verdict::unsupported("another organisation")),
        [first, ..] if tongue.same() => Some(Verdict::Unsupported(format!(
            "\"{first}\" is not in the source"
        ))),
        [word] if kept > 0 && is_altered(source, reply, word) => Some(Verdict::Unsupported(
            format!("\"{word}\" is not in the source"),
        )),
        [first, ..] if (kept > 0 || kinds) && !known_firm(&lost) => Some(Verdict::Undecided(
            format!("\"{first}\" may be a translation"),
        )),
        [first, ..] => Some(Verdict::Unsupported(format!(
            "\"{first}\" is not in the source"
        ))),
    }
}

/// `Jardins Pelletier` for `Jardins Pélisson`: one name of many in the place of one that only starts
/// like it, and no translation.
fn is_altered(source: &Analysed<'_>, reply: &Analysed<'_>, word: &str) -> bool {
    if source.tokens.len() != reply.tokens.len() {
        return false;
    }
    let mut pairs = source.tokens.iter().zip(&reply.tokens);
    pairs.all(|(ours, theirs)| ours.fold == theirs.fold || theirs.raw == word)
        && source
            .tokens
            .iter()
            .zip(&reply.tokens)
            .any(|(ours, theirs)| {
                theirs.raw == word
                    && theirs.raw.starts_with(char::is_uppercase)
                    && ours.fold.get(..2) == theirs.fold.get(..2)
            })
}

fn known_firm(lost: &[&str]) -> bool {
    lost.iter().any(|word| LEXICON.is_known_name(&fold(word)))
}

/// A place. `home` is evidence for the country: it follows from the telephone number or the address.
pub(crate) fn place(
    source: &Analysed<'_>,
    reply: &Analysed<'_>,
    tongue: Tongue,
    home: &Evidence,
) -> Option<Verdict> {
    if is_same_text(source.text, reply.text) {
        return None;
    }
    let evidence = Evidence::of([source]);
    let far = |text: &Analysed<'_>| {
        text.tokens
            .iter()
            .any(|t| !t.raw.is_ascii() && t.raw.chars().any(|c| c as u32 >= 0x370))
    };
    for at in 0..reply.tokens.len() {
        let token = &reply.tokens[at];
        let concepts = || {
            reply.hits.iter().filter(|h| {
                (h.first..h.first + h.len).contains(&(at as u32))
                    && matches!(LEXICON.class(h.concept), "city" | "geo")
            })
        };
        if evidence.word(&token.fold)
            || LEXICON.is_stop(&token.fold, reply.tongues)
            || concepts().any(|h| evidence.concept(h.concept))
        {
            continue;
        }
        if concepts().any(|h| LEXICON.class(h.concept) == "geo" && home.concept(h.concept)) {
            continue;
        }
        let known = concepts().next().is_some();
        let similar = source
            .tokens
            .iter()
            .any(|s| s.kind == Kind::Word && s.fold.len() > 2 && cognate(&s.fold, &token.fold));
        if known || token.kind == Kind::Number || !similar || tongue.same() {
            if !known && !tongue.same() && (far(source) || far(reply)) && token.kind == Kind::Word {
                return Some(Verdict::Undecided(format!(
                    "\"{}\" may be a translation",
                    token.raw
                )));
            }
            return Some(Verdict::Unsupported(format!(
                "\"{}\" is not in the source",
                token.raw
            )));
        }
    }
    None
}

/// The lowest and the highest level that a text may mean: 1 is A1, 6 is C2, 7 is native.
pub(crate) fn level(text: &Analysed<'_>) -> Option<(u8, u8)> {
    for token in &text.tokens {
        if let [class @ b'a'..=b'c', step @ b'1'..=b'2'] = token.fold.as_bytes() {
            let rank = (class - b'a') * 2 + (step - b'0');
            return Some((rank, rank));
        }
    }
    let mut best: Option<((u8, u8), u32)> = None;
    for hit in text.claims("cef") {
        let range = match LEXICON.name(hit.concept) {
            "cef.7" => (7, 7),
            "cef.56" => (5, 6),
            "cef.34" => (3, 4),
            _ => (1, 2),
        };
        if best.is_none_or(|(_, len)| hit.len > len) {
            best = Some((range, hit.len));
        }
    }
    best.map(|(range, _)| range)
}

/// Whether a level says more than another, or something else.
pub(crate) fn levels(
    source: &Analysed<'_>,
    reply: &Analysed<'_>,
    tongue: Tongue,
) -> Option<Verdict> {
    if is_same_text(source.text, reply.text) {
        return None;
    }
    match (level(source), level(reply)) {
        (Some((low, high)), Some((least, most))) if least > high || most < low => {
            Some(Verdict::unsupported("another level than in the source"))
        }
        (Some(_), Some(_)) => None,
        (None, Some(_)) if source.tokens.is_empty() => {
            Some(Verdict::unsupported("the source names no level"))
        }
        _ if reply.tokens.is_empty() => None,
        _ if tongue.same() => {
            let evidence = Evidence::of([source]);
            let other = reply
                .tokens
                .iter()
                .find(|token| !evidence.related(&token.fold))?;
            Some(Verdict::Unsupported(format!(
                "\"{}\" is not in the source",
                other.raw
            )))
        }
        _ => Some(Verdict::Undecided("a level with no known match".to_owned())),
    }
}

/// The language that a text names.
pub(crate) fn language_of(text: &Analysed<'_>) -> Option<Concept> {
    let named = || {
        text.hits
            .iter()
            .filter(|hit| LEXICON.class(hit.concept) == "geo")
            .map(|hit| hit.concept)
    };
    // German Sign Language is no German.
    let sign = LEXICON.id("geo.sign");
    named()
        .find(|named| *named == sign)
        .or_else(|| named().next())
}

/// Name and level in one text.
pub(crate) fn language_text(language: &Language) -> String {
    match &language.level {
        Some(level) => format!("{} {level}", language.name),
        None => language.name.clone(),
    }
}

/// The hits of a class that the evidence lacks.
pub(crate) fn lacking<'r>(
    reply: &'r Analysed<'_>,
    class: &str,
    evidence: &Evidence,
) -> Option<&'r str> {
    let hit = reply.claims(class).find(|hit| {
        !evidence.concept(hit.concept) && is_meant(reply, hit.first, hit.len, hit.concept)
    })?;
    Some(reply.raw(hit.first as usize, (hit.first + hit.len) as usize))
}
