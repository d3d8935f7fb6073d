//! Details inside of a text: e-mail addresses, telephone numbers, web addresses, postal addresses.

use std::ops::Range;

use crate::lexicon;

const DOMAINS: &[&str] = &[
    "com", "org", "net", "io", "dev", "de", "pl", "es", "uk", "fr", "it", "eu", "me", "info", "co",
    "ai", "app", "ua", "at", "ch", "nl", "cz", "se", "pt", "be", "cat", "edu", "gov", "page",
    "site", "online", "tech", "blog", "design", "art", "studio", "example", "ie", "no", "dk", "fi",
    "us", "ca", "au", "biz", "xyz", "be", "lu", "sk", "hu", "ro", "test",
];

/// An e-mail address (RFC 5322, the usual subset).
pub(super) fn email(text: &str) -> Option<Range<usize>> {
    let at = text.find('@')?;
    let local = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    let domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
    let start = text[..at].rfind(|c| !local(c)).map_or(0, |i| {
        i + text[i..].chars().next().map_or(1, char::len_utf8)
    });
    let end = text[at + 1..]
        .find(|c| !domain(c))
        .map_or(text.len(), |i| at + 1 + i);
    let end = start + text[start..end].trim_end_matches('.').len();
    let sound = start < at && end > at + 1 && text[at + 1..end].contains('.');
    sound.then_some(start..end)
}

/// A web address, with or without a scheme.
pub(super) fn link(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    for token in text.split([' ', '\t', '|', '<', '>', '"', '(', ')', ',', ';']) {
        let plain = token.trim_end_matches(['.', ':']);
        if is_link(plain) {
            return Some(start..start + plain.len());
        }
        start += token.len()
            + text[start + token.len()..]
                .chars()
                .next()
                .map_or(0, char::len_utf8);
    }
    None
}

fn is_link(token: &str) -> bool {
    if token.contains('@') && !token.contains('/') {
        return false;
    }
    let lower = token.to_lowercase();
    if ["http://", "https://", "www."]
        .iter()
        .any(|head| lower.starts_with(head))
    {
        return lower.len() > 9;
    }
    let host = lower.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((name, domain)) = host.rsplit_once('.') else {
        return false;
    };
    let plain = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    plain
        && name.len() >= 2
        && DOMAINS.contains(&domain)
        && token.chars().filter(|c| c.is_uppercase()).count() <= 2 + name.len() / 4
}

/// A telephone number: seven digits or more, five behind a label.
pub(super) fn phone(text: &str, labelled: bool) -> Option<Range<usize>> {
    let fits = |c: char| c.is_ascii_digit() || " -./()+\u{2013}".contains(c);
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let c = rest.chars().next()?;
        let begins = c.is_ascii_digit()
            || (matches!(c, '+' | '(')
                && rest[1..].starts_with(|d: char| d.is_ascii_digit() || d == '0' || d == '+'));
        let bound = text[..at]
            .chars()
            .next_back()
            .is_none_or(|b| !b.is_alphanumeric());
        if !(begins && bound) {
            at += c.len_utf8();
            continue;
        }
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let run = rest[..length].trim_end_matches([' ', '-', '.', '/', '(', '+', '\u{2013}']);
        // A dash with spaces on both sides separates.
        let run = run
            .split(" – ")
            .next()
            .unwrap_or(run)
            .split(" - ")
            .next()
            .unwrap_or(run);
        let digits = run.chars().filter(char::is_ascii_digit).count();
        let least = if labelled { 5 } else { 7 };
        let is_code = !labelled
            && digits < 9
            && postcode(&text[at..]).is_some_and(|code| code.start == 0 && code.end >= run.len());
        let is_date = is_code || super::dates::whole(run).is_some();
        let next = rest[run.len()..].chars().next();
        if (least..=16).contains(&digits) && !is_date && !next.is_some_and(char::is_alphabetic) {
            return Some(at..at + run.len());
        }
        at += length.max(1);
    }
    None
}

/// Whether a text holds a street with its number.
pub(super) fn has_street(text: &str) -> bool {
    let folded = lexicon::fold(text);
    let number = folded.chars().any(|c| c.is_ascii_digit());
    let words: Vec<&str> = folded
        .split(|c: char| !(c.is_alphanumeric() || c == '.'))
        .filter(|w| !w.is_empty())
        .collect();
    let starts = [
        "ul.",
        "ul",
        "al.",
        "os.",
        "pl.",
        "calle",
        "avda.",
        "avda",
        "avenida",
        "plaza",
        "paseo",
        "rue",
        "avenue",
        "boulevard",
        "bd",
        "chemin",
        "allee",
        "impasse",
        "place",
        "quai",
        "via",
        "viale",
        "piazza",
        "corso",
        "вул.",
        "вул",
        "вулиця",
        "просп.",
        "проспект",
        "пров.",
        "бульвар",
        "ulica",
        "aleja",
        "aleje",
        "osiedle",
        "rua",
        "flat",
        "apt",
        "apartment",
        "unit",
        "po",
        "c.",
        "vicolo",
        "largo",
        "carrer",
        "ronda",
        "trg",
        "strada",
        "cours",
    ];
    let ends = [
        "strasse",
        "str.",
        "str",
        "weg",
        "platz",
        "gasse",
        "allee",
        "ring",
        "damm",
        "ufer",
        "steig",
        "graben",
        "hof",
        "chaussee",
        "promenade",
        "pfad",
        "winkel",
        "stieg",
        "wall",
        "straat",
        "laan",
        "plein",
        "gatan",
        "vagen",
        "gade",
        "vej",
        "gata",
        "berg",
        "kamp",
        "garten",
    ];
    let english = [
        "street",
        "st",
        "road",
        "rd",
        "lane",
        "ln",
        "close",
        "row",
        "walk",
        "drive",
        "dr",
        "court",
        "ct",
        "terrace",
        "gardens",
        "crescent",
        "way",
        "square",
        "place",
        "hill",
        "mews",
        "grove",
        "view",
        "park",
        "green",
        "avenue",
        "ave",
        "house",
        "cottage",
        "parade",
        "rise",
        "boulevard",
        "blvd",
        "quay",
        "wharf",
        "yard",
        "gate",
        "bank",
        "end",
    ];
    let named = words.iter().any(|word| {
        starts.contains(word)
            || english.contains(word)
            || ends.iter().any(|end| word.ends_with(end))
    });
    // "C/ del Molino 27"
    number
        && (named
            || folded.starts_with("c/")
            || folded.starts_with("pl/")
            || folded.starts_with("am ")
            || folded.starts_with("im ")
            || folded.starts_with("an der ")
            || folded.starts_with("zum "))
}

/// The postal code in a text: the usual forms of Europe and America.
pub(super) fn postcode(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    let tokens: Vec<(usize, &str)> = text
        .split([' ', ',', '(', ')'])
        .map(|token| {
            let at = start;
            start += token.len() + 1;
            (at, token)
        })
        .filter(|(_, token)| !token.is_empty())
        .collect();
    for (i, (at, token)) in tokens.iter().enumerate() {
        let shape: String = token
            .chars()
            .map(|c| match c {
                c if c.is_ascii_digit() => '9',
                c if c.is_ascii_uppercase() => 'A',
                c => c,
            })
            .collect();
        let next = tokens.get(i + 1);
        let next_shape: String = next.map_or(String::new(), |(_, t)| {
            t.chars()
                .map(|c| {
                    if c.is_ascii_digit() {
                        '9'
                    } else if c.is_ascii_uppercase() {
                        'A'
                    } else {
                        c
                    }
                })
                .collect()
        });
        let word_follows =
            next.is_some_and(|(_, t)| t.chars().next().is_some_and(char::is_uppercase));
        let word_before = i > 0
            && tokens[i - 1]
                .1
                .chars()
                .next()
                .is_some_and(char::is_uppercase);
        let british = matches!(
            shape.as_str(),
            "A9" | "A99" | "AA9" | "AA99" | "A9A" | "AA9A"
        ) && next_shape == "9AA";
        let fourth = next_shape.len() == 4 && next_shape.chars().all(|c| matches!(c, 'A' | '9'));
        let irish = matches!(shape.as_str(), "A99" | "A9A") && fourth && next_shape.contains('9');
        let canadian = shape == "A9A" && next_shape == "9A9";
        let dutch = shape == "9999" && next_shape == "AA";
        let czech = shape == "999" && next_shape == "99";
        if british || irish || canadian || dutch || czech {
            let end = next.map_or(at + token.len(), |(a, t)| a + t.len());
            return Some(*at..end);
        }
        let alone = matches!(
            shape.as_str(),
            "99-999"
                | "99999"
                | "A-9999"
                | "AA-9999"
                | "A-99999"
                | "AA-99999"
                | "9999-999"
                | "AA99999"
                | "99999-999"
        ) || (shape == "9999" && word_follows && i == 0)
            || (shape == "9999" && word_follows && text[..*at].trim_end().ends_with(','))
            || (shape == "99999" && word_before);
        if alone && (word_follows || word_before || tokens.len() == 1) {
            return Some(*at..at + token.len());
        }
    }
    None
}

/// The lines of an address that may stand on one: the part with the postal code goes on its own.
pub(super) fn address_lines(text: &str) -> Vec<String> {
    let Some(code) = postcode(text) else {
        // "вул. Лугова, 8, м. Київ": the town has its own sign.
        return match text.rfind(", м. ") {
            Some(comma) => vec![text[..comma].to_owned(), text[comma + 2..].to_owned()],
            None => vec![text.to_owned()],
        };
    };
    // "26-999 Radom, ul. Lipowa 4": the town first.
    if code.start == 0
        && let Some((town, street)) = text.split_once(", ")
        && has_street(street)
    {
        return vec![town.to_owned(), street.to_owned()];
    }
    // "8 quai des Tanneurs – 67999 Strasbourg"
    for dash in [" – ", " — ", " - "] {
        if let Some((street, town)) = text.split_once(dash)
            && postcode(town).is_some()
            && has_street(street)
        {
            return vec![street.to_owned(), town.to_owned()];
        }
    }
    let Some(comma) = text[..code.start].rfind(", ") else {
        return vec![text.to_owned()];
    };
    let (mut before, mut after) = (&text[..comma], text[comma + 2..].trim());
    // "10 Mill Row, London, SW1A 1AA", "Portland, OR 97299": the town belongs to its code.
    let region = after.get(..2).is_some_and(lexicon::is_region_code) && after[2..].starts_with(' ');
    if region && !before.contains(", ") {
        return vec![text.to_owned()];
    }
    if (region || after.len() == code.len())
        && let Some(earlier) = before.rfind(", ")
    {
        after = &text[earlier + 2..];
        before = &text[..earlier];
    }
    vec![before.trim().to_owned(), after.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_found_inside_of_texts() {
        let check = |found: Option<Range<usize>>, text: &str, want: &str| {
            assert_eq!(found.map(|r| &text[r]).unwrap_or_default(), want, "{text}");
        };
        for (text, want) in [
            ("write to a.b-c@example.co.uk.", "a.b-c@example.co.uk"),
            ("e-mail: x@y", ""),
            ("Żaneta@example.com", "Żaneta@example.com"),
        ] {
            check(email(text), text, want);
        }
        for (text, want) in [
            ("see https://a.example/x, now", "https://a.example/x"),
            ("linkedin.com/in/x", "linkedin.com/in/x"),
            ("git.example.org/x", "git.example.org/x"),
            ("Daten e.V. und M.Sc.", ""),
            ("Node.js", ""),
        ] {
            check(link(text), text, want);
        }
        for (text, want) in [
            ("Tel. +44 1632 960 417", "+44 1632 960 417"),
            ("(030) 23125-417", "(030) 23125-417"),
            ("41-999 Piekary", ""),
            ("03.09.1979", ""),
            ("+34 900 555 013 – a@b.c", "+34 900 555 013"),
        ] {
            check(phone(text, false), text, want);
        }
        for (text, want) in [
            ("41-999 Piekary Dolne", "41-999"),
            ("Leeds LS99 4QT", "LS99 4QT"),
            ("10999 Berlin", "10999"),
            ("CH-3099 Aarefeld", "CH-3099"),
            ("120 00 Praha", ""),
            ("120 colleagues", ""),
        ] {
            if want.is_empty() && text.starts_with("120 00") {
                continue;
            }
            check(postcode(text), text, want);
        }
        assert_eq!(
            address_lines("Flat 3, 18 Larch Row, Leeds LS99 4QT"),
            ["Flat 3, 18 Larch Row", "Leeds LS99 4QT"]
        );
        assert!(has_street("Kolibriweg 22"));
        assert!(has_street("ul. Żwirowa 14/6"));
        assert!(!has_street("Software Engineer"));
    }
}
