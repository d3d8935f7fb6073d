//! Places: what looks like one, and places that stand in one piece with an organisation or a title.

use super::entries::trim;
use super::roles::{Part, Parts, commas};
use crate::lexicon::{self, Kind};

const DASHES: &[&str] = &[" – ", " — ", " - ", " / "];

/// Above 1 for a place that is known, about 0.3 for what could be one.
pub(super) fn place_score(text: &str) -> f32 {
    // "Graz, Austria" is a place; "Brown and Sons, Graz" only holds one.
    let town = text.split([',', '(']).next().unwrap_or_default().trim();
    // "м. Львів", "с. Криворівня"
    let signs = ["м. ", "с. ", "смт "];
    if signs
        .iter()
        .any(|sign| text.strip_prefix(sign).is_some_and(starts_upper))
    {
        return 1.5;
    }
    let short = town.split(' ').count() <= 2
        && lexicon::organisation_score(town) == 0.0
        && lexicon::job_score(town) < 1.0;
    if is_town_with_region(text) {
        return 1.5;
    }
    if lexicon::is_known_place(text) && (short || lexicon::is_known_place(town)) {
        let sure = town.len() == text.len() || !town.contains(' ') || lexicon::is_known_place(town);
        return if sure { 1.5 } else { 0.4 };
    }
    let words: Vec<&str> = text.split([' ', ',']).filter(|w| !w.is_empty()).collect();
    // "Santa Cruz de Tenerife", "Newcastle upon Tyne"
    let names = words
        .iter()
        .filter(|word| word.starts_with(|c: char| c.is_uppercase() || c == '('));
    let looks = names.count() <= 3
        && words.len() <= 5
        && text.chars().count() <= 32
        && words.iter().all(|word| {
            let first = word.trim_start_matches('(').chars().next();
            first.is_some_and(char::is_uppercase)
                || matches!(
                    *word,
                    "am" | "an"
                        | "der"
                        | "de"
                        | "del"
                        | "la"
                        | "upon"
                        | "sur"
                        | "nad"
                        | "bei"
                        | "in"
                        | "le"
                        | "di"
                        | "on"
                )
        })
        && !text
            .chars()
            .any(|c| c.is_ascii_digit() || "&„“\"+".contains(c));
    if !looks {
        return -1.0;
    }
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    match words.len() {
        1 if capitals > 2 => -0.3,
        1 => 0.3,
        2 => 0.2,
        _ => 0.05,
    }
}

/// A text without the place at one of its ends, and the place.
type Cut = fn(&str) -> Option<(String, String)>;

/// A place behind or before the organisation or the title: taken off where the section's entries
/// agree on it, or the place is known.
pub(super) fn strip(kind: Kind, all: &mut [Parts]) {
    // Schools have no field for it: there it stays with the name.
    if kind != Kind::Work {
        return;
    }
    for of_title in [false, true] {
        for cut in [trailing as Cut, leading as Cut] {
            strip_end(all, of_title, cut);
        }
    }
}

fn strip_end(all: &mut [Parts], of_title: bool, cut: Cut) {
    let part = |parts: &Parts| -> Option<Part> {
        let part = if of_title {
            &parts.title
        } else {
            &parts.organisation
        };
        part.clone().filter(|_| parts.place.is_none())
    };
    let found: Vec<Option<(String, String)>> =
        all.iter().map(|parts| cut(&part(parts)?.text)).collect();
    let open = all.iter().filter(|parts| part(parts).is_some()).count();
    let agreed = found.iter().flatten().count();
    let consistent = agreed >= 2 && agreed * 10 >= open * 6;
    let is_known = |place: &str| lexicon::is_known_place(place) || is_town_with_region(place);
    let some_known = found.iter().flatten().any(|(_, place)| is_known(place));
    for (parts, found) in all.iter_mut().zip(found) {
        let (Some(Part { text, line }), Some((rest, place))) = (part(parts), found) else {
            continue;
        };
        // "Acme GmbH in Leeds"; "Research in Biology" is a name.
        let within = text == format!("{rest} in {place}");
        let form = rest
            .rsplit(' ')
            .next()
            .is_some_and(lexicon::is_company_form);
        let known = is_known(&place) || (within && form);
        let taken = if text.ends_with(&rest) {
            // Before the name only where one of them at least is sure.
            known || consistent && some_known
        } else if of_title {
            known || consistent && !text.ends_with(')')
        } else {
            known || consistent || open == 1 && !within
        };
        if !taken {
            continue;
        }
        let part = if of_title {
            &mut parts.title
        } else {
            &mut parts.organisation
        };
        *part = Some(Part { text: rest, line });
        parts.place = Some(Part { text: place, line });
    }
}

fn trailing(text: &str) -> Option<(String, String)> {
    separate_place(text).or_else(|| bracketed_place(text))
}

/// "Leeds, Acme" or "Leeds – Acme" as its two parts.
fn leading(text: &str) -> Option<(String, String)> {
    let dashes = DASHES
        .iter()
        .filter_map(|dash| text.find(dash).map(|at| (at, dash.len())));
    let comma = commas(text).first().map(|at| (*at, 1));
    let cut = comma.into_iter().chain(dashes).min()?;
    let (mut place, mut rest) = (trim(&text[..cut.0]), trim(&text[cut.0 + cut.1..]));
    // "Graz, Austria, Acme"
    if let Some(at) = commas(&rest).first().copied()
        && lexicon::is_known_place(&rest[..at])
        && place_score(&rest[..at]) > 1.0
    {
        place = format!("{place}, {}", trim(&rest[..at]));
        rest = trim(&rest[at + 1..]);
    }
    let sound = place_score(&place) > 0.0
        && lexicon::job_score(&place) < 0.3
        && lexicon::organisation_score(&place) == 0.0
        && starts_upper(&rest);
    sound.then_some((rest, place))
}

/// "Portland, OR"
fn is_town_with_region(text: &str) -> bool {
    text.rsplit_once(", ").is_some_and(|(town, region)| {
        lexicon::is_region_code(region)
            && !town.contains(',')
            && town.split(' ').count() <= 3
            && starts_upper(town)
            && lexicon::organisation_score(town) == 0.0
    })
}

fn starts_upper(text: &str) -> bool {
    text.chars().next().is_some_and(char::is_uppercase)
}

/// "Acme (Leeds)" as its two parts.
fn bracketed_place(text: &str) -> Option<(String, String)> {
    let (rest, place) = text.strip_suffix(')')?.rsplit_once(" (")?;
    let sound = place_score(place) > 0.0
        && lexicon::job_score(place) < 1.0
        && lexicon::organisation_score(place) == 0.0;
    sound.then(|| (trim(rest), place.to_owned()))
}

/// "Acme, Leeds" or "Acme – Leeds" as its two parts.
fn separate_place(text: &str) -> Option<(String, String)> {
    let within = text.rfind(" in ");
    let cut = commas(text)
        .last()
        .map(|at| (*at, 1))
        .into_iter()
        .chain(within.map(|at| (at, 4)))
        .chain(
            DASHES
                .iter()
                .filter_map(|dash| text.rfind(dash).map(|at| (at, dash.len()))),
        )
        .max()?;
    let (mut rest, mut place) = (trim(&text[..cut.0]), trim(&text[cut.0 + cut.1..]));
    // "Acme, Graz, Austria", "Acme, Portland, OR"
    if (lexicon::is_known_place(&place) || lexicon::is_region_code(&place))
        && let Some(at) = commas(&rest).last().copied()
        && place_score(&trim(&rest[at + 1..])) > 0.0
        && lexicon::organisation_score(&rest[at + 1..]) == 0.0
        && lexicon::school_score(&rest[at + 1..]) == 0.0
    {
        place = format!("{}, {place}", trim(&rest[at + 1..]));
        rest = trim(&rest[..at]);
    }
    let sound = place_score(&place) > 0.0
        && !lexicon::is_region_code(&place)
        && (lexicon::is_known_place(&place)
            || lexicon::job_score(&place) < 1.0 && lexicon::organisation_score(&place) == 0.0)
        && !rest.is_empty();
    sound.then_some((rest, place))
}
