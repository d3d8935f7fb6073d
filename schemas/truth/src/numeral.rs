//! Numerals: figures with separators, number words, fractions.

use crate::lexicon::{LEXICON, Tongues, tongue};
use crate::number::SCALE;
use crate::text::Token;

/// A run of number words: `twenty-five`, `dwadzieścia pięć`.
pub(crate) fn words(
    tokens: &[Token<'_>],
    at: usize,
    tongues: Tongues,
) -> Option<(Vec<i128>, usize)> {
    let first = &tokens[at];
    let Some(value) = LEXICON.number_word(&first.fold, tongues) else {
        return compound(&first.fold, tongues)
            .map(|value| (vec![i128::from(value) * SCALE], at + 1));
    };
    let mut total = value;
    let mut last = value;
    let mut end = at + 1;
    while let Some(next) = tokens.get(end).filter(|next| next.clause == first.clause) {
        let Some(value) = LEXICON.number_word(&next.fold, tongues) else {
            break;
        };
        let adds =
            last >= 20 && last % 10 == 0 && value < 10 && value > 0 || last >= 100 && value < 100;
        if value == 100 && total < 10 {
            total *= 100;
        } else if adds {
            total += value;
        } else {
            break;
        }
        last = value;
        end += 1;
    }
    Some((vec![i128::from(total) * SCALE], end))
}

/// What follows a number within a word, by language.
const TAILS: &[(&str, &[&str])] = &[
    (
        "de",
        &[
            "kopfig", "jahrig", "monatig", "wochig", "tagig", "stundig", "stellig", "fach",
            "sterne", "erteam", "ergrupp", "ertrupp", "erbande",
        ],
    ),
    (
        "nl",
        &[
            "jarig", "koppig", "daags", "weeks", "maands", "voudig", "talig",
        ],
    ),
    (
        "pl",
        &[
            "osobow",
            "letni",
            "miesieczn",
            "dniow",
            "godzinn",
            "tygodniow",
            "gwiazdk",
            "tonow",
            "pokojow",
            "procentow",
        ],
    ),
    (
        "uk",
        &[
            "richn", "misyachn", "tizhnev", "denn", "osibn", "godinn", "osobov",
        ],
    ),
    (
        "cs",
        &["let", "clenn", "denn", "mesicn", "tydenn", "hodinov"],
    ),
];

/// `fünfköpfig`, `dwuosobowy`: a number within a word.
fn compound(word: &str, tongues: Tongues) -> Option<u32> {
    let own = |tag: &str| tongues & tongue(tag) & !1 != 0;
    TAILS
        .iter()
        .filter(|(tag, _)| own(tag))
        .find_map(|(_, tails)| {
            let cut = tails.iter().find_map(|tail| word.find(tail))?;
            let stem = word.get(..cut).filter(|stem| stem.len() >= 3)?;
            match stem {
                "dwu" | "dvo" => Some(2),
                "cztero" | "chotiro" => Some(4),
                _ => LEXICON.number_word(stem, tongues).or_else(|| {
                    // Polish `pięcio`, of the genitive `pięciu`.
                    let stem = stem.strip_suffix('o')?;
                    LEXICON.number_word(&format!("{stem}u"), tongues)
                }),
            }
        })
}

/// The readings of figures with separators.
pub(crate) fn figures(raw: &str, tongues: Tongues) -> Vec<i128> {
    let plain: String = raw
        .chars()
        .map(|c| match c {
            '0'..='9' | '.' | ',' => c,
            '٫' => '.',
            _ if c.is_numeric() => crate::text::fold(&c.to_string())
                .chars()
                .next()
                .unwrap_or(' '),
            _ => ' ',
        })
        .collect();
    if plain.len() > 24 || !plain.is_ascii() {
        return Vec::new();
    }
    let mut parts: Vec<&str> = plain.split([' ', '.', ',']).collect();
    parts.retain(|part| !part.is_empty());
    let whole = |parts: &[&str]| {
        parts
            .concat()
            .parse::<i128>()
            .ok()
            .and_then(|v| v.checked_mul(SCALE))
    };
    let grouped = |parts: &[&str]| {
        parts[0].len() <= 3
            && !parts[0].starts_with('0')
            && parts[1..].iter().all(|part| part.len() == 3)
    };
    let fraction = |parts: &[&str], tail: &str| {
        let digits: String = tail.chars().chain("0000".chars()).take(4).collect();
        Some(whole(parts)? + digits.parse::<i128>().ok()?)
    };
    let comma = plain.contains(',');
    let dot = plain.contains('.');
    let Some((tail, head)) = parts.split_last() else {
        return Vec::new();
    };
    if head.is_empty() {
        return whole(&parts).into_iter().collect();
    }
    let last_is_space = !comma && !dot;
    if last_is_space {
        return whole(&parts).into_iter().collect();
    }
    if comma && dot {
        return fraction(head, tail).into_iter().collect();
    }
    let decimal_comma =
        tongues & (tongue("en") | tongue("zh") | tongue("ja") | tongue("he")) & !1 == 0;
    if grouped(&parts) {
        let groups = whole(&parts);
        let points = (parts.len() == 2).then(|| fraction(head, tail)).flatten();
        let by_rule = (comma && !decimal_comma) || (dot && decimal_comma) || parts.len() > 2;
        return if by_rule {
            groups.into_iter().collect()
        } else {
            groups.into_iter().chain(points).collect()
        };
    }
    if parts.len() == 2 {
        return fraction(head, tail).into_iter().collect();
    }
    // A date or a version: each part for itself would be a number; together they are one name.
    whole(&parts).into_iter().collect()
}

/// Words for parts of a whole, by language: the word, the part, and whether it must follow a count
/// (`a third of`, but not the ordinal `third`).
const PARTS: &[(&str, &str, i128, bool)] = &[
    ("en", "third", 3, true),
    ("en", "thirds", 3, true),
    ("en", "quarter", 4, true),
    ("en", "quarters", 4, true),
    ("en", "fifth", 5, true),
    ("en", "fifths", 5, true),
    ("de", "halfte", 2, false),
    ("de", "drittel", 3, false),
    ("de", "dritteln", 3, false),
    ("de", "viertel", 4, false),
    ("de", "vierteln", 4, false),
    ("de", "funftel", 5, false),
    ("pl", "polowa", 2, false),
    ("pl", "polowe", 2, false),
    ("pl", "polowy", 2, false),
    ("pl", "trzecia", 3, true),
    ("pl", "trzeciej", 3, true),
    ("pl", "trzecie", 3, true),
    ("pl", "trzecich", 3, true),
    ("pl", "czwarta", 4, true),
    ("pl", "czwartej", 4, true),
    ("pl", "czwarte", 4, true),
    ("pl", "czwartych", 4, true),
    ("pl", "cwierc", 4, false),
    ("fr", "moitie", 2, false),
    ("es", "mitad", 2, false),
    ("it", "meta", 2, false),
    ("nl", "helft", 2, false),
    ("uk", "polovina", 2, false),
    ("uk", "polovinu", 2, false),
    ("uk", "polovini", 2, false),
    ("fr", "tiers", 3, true),
    ("fr", "quart", 4, true),
    ("fr", "quarts", 4, true),
    ("es", "tercio", 3, true),
    ("es", "tercios", 3, true),
    ("es", "cuarto", 4, true),
    ("es", "cuartos", 4, true),
    ("it", "terzo", 3, true),
    ("it", "terzi", 3, true),
    ("it", "quarto", 4, true),
    ("it", "quarti", 4, true),
    ("nl", "derde", 3, true),
    ("nl", "kwart", 4, true),
    ("uk", "tretina", 3, false),
    ("uk", "tretinu", 3, false),
    ("uk", "tretini", 3, false),
    ("uk", "chvert'", 4, false),
    ("uk", "chverti", 4, false),
    ("cs", "tretina", 3, false),
    ("cs", "tretinu", 3, false),
    ("cs", "tretiny", 3, false),
    ("cs", "ctvrtina", 4, false),
    ("cs", "ctvrtinu", 4, false),
    ("sv", "tredjedel", 3, false),
    ("sv", "tredjedelar", 3, false),
    ("sv", "fjardedel", 4, false),
];

/// Words for one that stand before a part.
const ONES: &[&str] = &[
    "a", "one", "ein", "einem", "eines", "jedna", "jednej", "un", "une", "una", "een", "odna",
    "odnu", "en",
];

/// `two thirds`, `ein Drittel`: a share in percent.
pub(crate) fn fraction(
    tokens: &[Token<'_>],
    at: usize,
    tongues: Tongues,
) -> Option<(Vec<i128>, usize)> {
    let part_at = |at: usize, counted: bool| {
        let token = tokens.get(at)?;
        let found = PARTS.iter().find(|(tag, word, _, bound)| {
            *word == token.fold && (counted || !bound) && tongue(tag) & !1 & tongues != 0
        })?;
        Some(found.2)
    };
    let share = |count: i128, part: i128| vec![count * 100 * SCALE / part];
    let first = &tokens[at];
    if let Some((count, part)) = slashed(tokens, at) {
        return Some((share(count, part), at + 2));
    }
    if let Some(part) = part_at(at, false) {
        return Some((share(1, part), at + 1));
    }
    let next = tokens
        .get(at + 1)
        .filter(|next| next.clause == first.clause)?;
    let english = tongues & tongue("en") & !1 != 0;
    if english && first.fold == "half" && next.fold == "of" {
        return Some((share(1, 2), at + 1));
    }
    let part = part_at(at + 1, true)?;
    let one = ONES.contains(&first.fold.as_str());
    let count = match LEXICON.number_word(&first.fold, tongues) {
        Some(count) => i128::from(count),
        None if one => 1,
        None => return None,
    };
    // `a quarter` is a span of time, too; `a third party` is none of three parts.
    let of = tokens.get(at + 2).is_some_and(|token| token.fold == "of");
    let by = at > 0 && tokens[at - 1].fold == "by";
    if (english && one && !of && !by) || count >= part || next.fold.is_empty() {
        return None;
    }
    Some((share(count, part), at + 2))
}

/// `1/3`, and no date or model.
fn slashed(tokens: &[Token<'_>], at: usize) -> Option<(i128, i128)> {
    let (count, part) = (tokens.get(at)?, tokens.get(at + 1)?);
    let third = tokens.get(at + 2).is_some_and(|next| next.slashed);
    let alone = !count.slashed && part.slashed && !third;
    let (count, part) = (
        count.raw.parse::<i128>().ok()?,
        part.raw.parse::<i128>().ok()?,
    );
    (alone && count >= 1 && count < part && part <= 10).then_some((count, part))
}
