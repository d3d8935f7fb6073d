//! Roles of the pieces of an entry's head: which is the title, which the organisation, which the
//! place. Words decide first; then what the other entries of the section do.

use std::collections::BTreeMap;

use super::entries::{Atom, Raw, trim};
use crate::lexicon::{self, Kind};

/// An entry whose parts have roles.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    pub(super) title: Option<Part>,
    pub(super) organisation: Option<Part>,
    pub(super) place: Option<Part>,
    /// Pieces without a role.
    pub(super) rest: Vec<Part>,
    /// The organisation is that of the entry before.
    pub(super) inherited: bool,
    pub(super) confidence: f32,
}

/// A value and the line that it stands on.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Title,
    Organisation,
    Place,
}

/// The most commas at which a head is cut.
const MOST_CUTS: usize = 8;

type Spot = ((usize, usize), bool, bool);
type Votes = BTreeMap<(Spot, Role), f32>;

/// How much a missing title or organisation speaks against an assignment.
const MISSING: f32 = 0.7;

/// Gives roles to the heads of a section's entries.
pub(super) fn assign(kind: Kind, entries: &[Raw]) -> Vec<Parts> {
    let atoms: Vec<Vec<Atom>> = entries.iter().map(|raw| widen(kind, &raw.atoms)).collect();
    // Text decides first; what all entries decided together decides again.
    let mut votes = Votes::new();
    for atoms in &atoms {
        let (chosen, _) = best(kind, atoms, &Votes::new());
        for (role, index) in chosen.iter() {
            *votes.entry((spot(&atoms[index]), role)).or_default() += 1.0;
        }
    }
    let mut all: Vec<Parts> = Vec::new();
    for atoms in &atoms {
        let (chosen, score) = best(kind, atoms, &votes);
        all.push(parts(atoms, &chosen, score));
    }
    strip_places(kind, &mut all);
    for i in 1..all.len() {
        if kind == Kind::Work && all[i].organisation.is_none() && all[i].title.is_some() {
            let (before, from) = all.split_at_mut(i);
            from[0].organisation.clone_from(&before[i - 1].organisation);
            from[0].inherited = from[0].organisation.is_some();
            if from[0].inherited && from[0].place.is_none() {
                from[0].place.clone_from(&before[i - 1].place);
            }
        }
    }
    all
}

#[derive(Clone, Copy, Default)]
struct Chosen {
    title: Option<usize>,
    organisation: Option<usize>,
    place: Option<usize>,
}

impl Chosen {
    fn iter(&self) -> impl Iterator<Item = (Role, usize)> {
        let title = self.title.map(|i| (Role::Title, i));
        let organisation = self.organisation.map(|i| (Role::Organisation, i));
        let place = self.place.map(|i| (Role::Place, i));
        [title, organisation, place].into_iter().flatten()
    }
}

fn spot(atom: &Atom) -> Spot {
    (atom.place, atom.look.bold, atom.look.italic)
}

/// A head of one piece that holds more than one thing is cut further: at dashes and "at", else at
/// commas, in the way that makes most sense.
fn widen(kind: Kind, atoms: &[Atom]) -> Vec<Atom> {
    let is_place = |atom: &Atom| {
        let score = place_score(&atom.text);
        atom.beside_dates || score > 1.0 || (atom.after_dates && score > 0.0)
    };
    let places = atoms.iter().filter(|atom| is_place(atom)).count();
    if atoms.is_empty() || atoms.len() > 1 + places {
        return atoms.to_vec();
    }
    let index = atoms.iter().position(|atom| !is_place(atom)).unwrap_or(0);
    let whole = &atoms[index];
    let mut options: Vec<Vec<String>> = vec![vec![whole.text.clone()]];
    for joint in [
        " – ",
        " — ",
        " - ",
        " @ ",
        " at ",
        " bei ",
        " chez ",
        " presso ",
        " w firmie ",
        " en la empresa ",
        " у ",
        " в ",
        ": ",
    ] {
        if let Some((a, b)) = whole.text.split_once(joint)
            && !b.is_empty()
        {
            options.push(vec![a.to_owned(), b.to_owned()]);
            if let Some((b, c)) = b.split_once(joint) {
                options.push(vec![a.to_owned(), b.to_owned(), c.to_owned()]);
            }
            for comma in commas(b).into_iter().take(MOST_CUTS) {
                options.push(vec![
                    a.to_owned(),
                    b[..comma].to_owned(),
                    b[comma + 1..].to_owned(),
                ]);
            }
        }
    }
    let mut cuts = commas(&whole.text);
    // Each pair of them is tried.
    cuts.truncate(MOST_CUTS);
    for (i, first) in cuts.iter().enumerate() {
        let (a, rest) = (&whole.text[..*first], &whole.text[first + 1..]);
        options.push(vec![a.to_owned(), rest.to_owned()]);
        for second in &cuts[i + 1..] {
            let b = &whole.text[first + 1..*second];
            options.push(vec![
                a.to_owned(),
                b.to_owned(),
                whole.text[second + 1..].to_owned(),
            ]);
        }
    }
    options.truncate(40);
    let made = |pieces: &[String]| -> Vec<Atom> {
        let mut all: Vec<Atom> = atoms[..index].to_vec();
        for (i, piece) in pieces.iter().enumerate() {
            let mut atom = whole.clone();
            atom.text = trim(piece);
            atom.place.1 = whole.place.1 + i;
            all.push(atom);
        }
        all.extend_from_slice(&atoms[index + 1..]);
        all
    };
    let none = Votes::new();
    let mut winner = (f32::MIN, atoms.to_vec());
    // With other pieces about, a comma is more likely a part of the text.
    let hurdle = if atoms.len() > 1 { 0.5 } else { 0.01 };
    for option in &options {
        if option.iter().any(|piece| trim(piece).is_empty()) {
            continue;
        }
        let atoms = made(option);
        let score = best(kind, &atoms, &none).1;
        if score > winner.0 + hurdle {
            winner = (score, atoms);
        }
    }
    winner.1
}

/// Commas outside of brackets and quotes.
fn commas(text: &str) -> Vec<usize> {
    let mut depth = 0;
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '„' | '“' | '«' => depth += 1,
            ')' | ']' | '”' | '»' => depth -= 1,
            ',' if depth <= 0 => {
                let next = text[at + 1..].chars().next();
                let piece = text[at + 1..].split(',').next().unwrap_or_default();
                if next == Some(' ')
                    && (lexicon::is_region_code(piece.trim()) || !lexicon::is_company_form(piece))
                {
                    found.push(at);
                }
            }
            _ => {}
        }
    }
    found
}

/// The best assignment and its score.
fn best(kind: Kind, atoms: &[Atom], votes: &Votes) -> (Chosen, f32) {
    let count = atoms.len().min(7);
    let scores: Vec<[f32; 3]> = atoms[..count]
        .iter()
        .map(|atom| role_scores(kind, atom, atoms))
        .collect();
    let agreed = |index: usize, role: Role| -> f32 {
        let spot = spot(&atoms[index]);
        let votes_for = |role| votes.get(&(spot, role)).copied().unwrap_or(0.0);
        let all: f32 = [Role::Title, Role::Organisation, Role::Place]
            .into_iter()
            .map(votes_for)
            .sum();
        if all > 0.0 {
            1.3 * votes_for(role) / all
        } else {
            0.0
        }
    };
    let options = || (0..count).map(Some).chain([None]);
    let mut winner = (Chosen::default(), f32::MIN);
    for title in options() {
        for organisation in options() {
            if title.is_some() && title == organisation {
                continue;
            }
            for place in options() {
                if place.is_some() && (place == title || place == organisation) {
                    continue;
                }
                let chosen = Chosen {
                    title,
                    organisation,
                    place,
                };
                let mut score = 0.0;
                for (role, index) in chosen.iter() {
                    score += scores[index][role as usize] + agreed(index, role);
                }
                score -= MISSING
                    * f32::from(u8::from(title.is_none()) * 2 + u8::from(organisation.is_none()));
                for index in 0..count {
                    if !chosen.iter().any(|(_, used)| used == index) {
                        // What is left over should stand late.
                        score -= 0.5 - 0.08 * index as f32;
                    }
                }
                if let (Some(t), Some(o)) = (title, organisation) {
                    score += if t < o { 0.12 } else { 0.0 };
                }
                // Where it was comes after who it was.
                if let (Some(o), Some(p)) = (organisation, place) {
                    score += if o < p { 0.15 } else { 0.0 };
                }
                if score > winner.1 {
                    winner = (chosen, score);
                }
            }
        }
    }
    winner
}

/// How well a piece fits as title, organisation and place.
fn role_scores(kind: Kind, atom: &Atom, all: &[Atom]) -> [f32; 3] {
    let text = atom.text.as_str();
    let count = text.chars().count();
    let job = lexicon::job_score(text);
    let organisation = lexicon::organisation_score(text);
    let place = place_score(text);
    let long = if count > 90 { 1.0 } else { 0.0 };
    let (title, organisation) = if kind == Kind::Education {
        let degree = lexicon::degree_score(text);
        let school = lexicon::school_score(text);
        let grade = if is_remark(text) { 1.2 } else { 0.0 };
        (
            degree * 1.1 + job * 0.2 - school * 0.9 - organisation * 0.2 - grade,
            school + organisation * 0.5 - degree * 0.8 - grade,
        )
    } else {
        let school = lexicon::school_score(text) * 0.5;
        (
            job - organisation.max(school) * 0.5,
            organisation.max(school) - job * 1.1,
        )
    };
    let bold = f32::from(u8::from(atom.look.bold)) * 0.08;
    let digits = text.chars().filter(char::is_ascii_digit).count() > 4;
    let odd = if digits { 0.4 } else { 0.0 };
    let beside = if atom.beside_dates && all.len() > 1 {
        1.0
    } else {
        0.0
    };
    // The subject of a degree is no part of the school's name.
    let head = text.split(", ").next().unwrap_or_default();
    let foreign_head = head.len() < text.len()
        && lexicon::organisation_score(head).max(lexicon::school_score(head)) == 0.0
        && organisation > 0.0;
    let organisation = organisation - if foreign_head { 0.2 } else { 0.0 };
    [
        title + bold - long - odd - beside - if place > 1.0 { 0.5 } else { 0.0 },
        organisation
            - long
            - odd
            - beside * 0.8
            - if place > 1.0 && organisation < 1.0 {
                0.8
            } else {
                0.0
            },
        place
            + beside
            + if atom.after_dates && all.len() > 1 && place > 0.0 {
                0.3
            } else {
                0.0
            }
            - (job + organisation) * 0.6,
    ]
}

/// Grades, theses and the like, which are no title.
fn is_remark(text: &str) -> bool {
    let folded = lexicon::fold(text);
    let words = [
        "note",
        "grade",
        "gpa",
        "abschlussnote",
        "thesis",
        "dissertation",
        "masterarbeit",
        "bachelorarbeit",
        "diplomarbeit",
        "praca",
        "ocena",
        "nota",
        "mention",
        "voto",
        "tesi",
        "tesis",
        "thema",
        "schwerpunkt",
        "schwerpunkte",
        "focus",
        "modules",
        "relevant",
        "distinction",
        "gesamtnote",
        "оцінка",
        "тема",
        "abschluss:",
        "subjects",
        "average",
        "memoire",
        "final",
        "honours:",
        "average:",
        "votazione",
        "promedio",
        "specialization:",
        "erasmus",
    ];
    let first = lexicon::words(&folded).next().unwrap_or_default();
    words.contains(&first)
}

/// Above 1 for a place that is known, about 0.3 for what could be one.
pub(super) fn place_score(text: &str) -> f32 {
    // "Graz, Austria" is a place; "Brown and Sons, Graz" only holds one.
    let town = text.split([',', '(']).next().unwrap_or_default().trim();
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
    let looks = words.len() <= 3
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

fn parts(atoms: &[Atom], chosen: &Chosen, score: f32) -> Parts {
    let part = |index: usize| Part {
        text: atoms[index].text.clone(),
        line: atoms[index].line,
    };
    let used: Vec<usize> = chosen.iter().map(|(_, index)| index).collect();
    Parts {
        title: chosen.title.map(part),
        organisation: chosen.organisation.map(part),
        place: chosen.place.map(part),
        rest: (0..atoms.len())
            .filter(|i| !used.contains(i))
            .map(part)
            .collect(),
        inherited: false,
        confidence: (0.55 + score * 0.08).clamp(0.4, 0.92),
    }
}

/// A place after the organisation's or the title's last comma: taken off where the section's
/// entries agree on it, or the place is known.
pub(super) fn strip_places(kind: Kind, all: &mut [Parts]) {
    // Schools have no field for it: there it stays with the name.
    if kind != Kind::Work {
        return;
    }
    for of_title in [false, true] {
        let pick = |parts: &Parts| -> Option<(String, String)> {
            if parts.place.is_some() {
                return None;
            }
            let part = if of_title {
                parts.title.as_ref()
            } else {
                parts.organisation.as_ref()
            };
            trailing_place(&part?.text)
        };
        let open = all.iter().filter(|parts| parts.place.is_none()).count();
        let agreed = all.iter().filter(|parts| pick(parts).is_some()).count();
        let consistent = agreed >= 2 && agreed * 10 >= open * 6;
        for parts in all.iter_mut() {
            let Some((rest, place)) = pick(parts) else {
                continue;
            };
            let known = lexicon::is_known_place(&place) || is_town_with_region(&place);
            if !(consistent || known || (!of_title && open == 1)) {
                continue;
            }
            let bracketed = bracketed_place(
                &if of_title {
                    &parts.title
                } else {
                    &parts.organisation
                }
                .as_ref()
                .map_or_else(String::new, |part| part.text.clone()),
            )
            .is_some();
            if !known && (of_title && (!consistent || bracketed)) {
                continue;
            }
            let part = if of_title {
                parts.title.as_mut()
            } else {
                parts.organisation.as_mut()
            };
            let Some(part) = part else { continue };
            part.text = rest;
            parts.place = Some(Part {
                text: place,
                line: part.line,
            });
        }
    }
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
fn trailing_place(text: &str) -> Option<(String, String)> {
    separate_place(text).or_else(|| bracketed_place(text))
}

fn separate_place(text: &str) -> Option<(String, String)> {
    let cut = commas(text)
        .last()
        .map(|at| (*at, 1))
        .into_iter()
        .chain(
            [" – ", " — ", " - "]
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
