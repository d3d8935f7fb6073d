//! Roles of the pieces of an entry's head: which is the title, which the organisation, which the
//! place. Words decide first; then what the other entries of the section do.

use std::collections::BTreeMap;

use super::entries::{Atom, Raw, trim, without_joint};
use super::head_dates::LONG;
use super::labelled::Field;
use super::places::{self, place_score};
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
pub(super) enum Role {
    Title,
    Organisation,
    Place,
}

/// The most commas at which a head is cut.
const MOST_CUTS: usize = 8;

type Spot = ((usize, usize), bool, bool);

/// How much speaks for each role at each place of a head.
pub(super) type Votes = BTreeMap<(Spot, Role), f32>;

/// What a label says counts for more than all words.
const SAID: f32 = 6.0;

/// How much a missing title or organisation speaks against an assignment.
const MISSING: f32 = 0.7;

/// The heads of a section's entries, cut to pieces.
pub(super) struct Heads {
    kind: Kind,
    atoms: Vec<Vec<Atom>>,
    votes: Votes,
}

impl Heads {
    /// Cuts the heads and lets each entry vote for itself.
    pub(super) fn new(kind: Kind, entries: &[Raw]) -> Self {
        let atoms: Vec<Vec<Atom>> = entries.iter().map(|raw| widen(kind, &raw.atoms)).collect();
        let mut votes = Votes::new();
        for atoms in &atoms {
            let (chosen, _) = best(kind, atoms, &Votes::new());
            for (role, index) in chosen.iter() {
                let weight = role_scores(kind, &atoms[index], atoms)[role as usize];
                *votes.entry((spot(&atoms[index]), role)).or_default() += weight.clamp(0.1, 2.0);
            }
        }
        Self { kind, atoms, votes }
    }

    /// What the entries agree on, added to what others said.
    pub(super) fn tell(&self, votes: &mut Votes) {
        for (spot, vote) in &self.votes {
            *votes.entry(*spot).or_default() += vote;
        }
    }
}

/// Gives roles to the heads of a section's entries: the words of each decide first, then what all
/// decided together.
///
/// `prior` is what the jobs of the same document agreed on; it counts little beside the section's
/// own.
pub(super) fn assign(heads: &Heads, prior: &Votes) -> Vec<Parts> {
    let (kind, atoms) = (heads.kind, &heads.atoms);
    let mut votes = heads.votes.clone();
    for (spot, vote) in prior {
        *votes.entry(*spot).or_default() += vote.min(1.0) * 0.5;
    }
    let mut all: Vec<Parts> = Vec::new();
    for atoms in atoms {
        let (chosen, score) = best(kind, atoms, &votes);
        all.push(parts(atoms, &chosen, score));
    }
    places::strip(kind, &mut all);
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
        atom.beside_dates
            || score > 1.0
            || (atom.after_dates && score > 0.0)
            || atom.field == Some(Field::Place)
    };
    let places = atoms.iter().filter(|atom| is_place(atom)).count();
    let index = if atoms.is_empty() {
        None
    } else if atoms.len() > 1 + places {
        atoms.iter().position(|atom| holds_both(&atom.text))
    } else {
        atoms.iter().position(|atom| !is_place(atom)).or(Some(0))
    };
    let Some(index) = index else {
        return atoms.to_vec();
    };
    let whole = &atoms[index];
    if whole.field.is_some() || whole.text.len() > LONG {
        return atoms.to_vec();
    }
    let mut options: Vec<Vec<String>> = vec![vec![whole.text.clone()]];
    // "Grado en Arquitectura" is one thing, "Cocinera en Casa Paca" are two.
    let spanish = (kind != Kind::Education).then_some(" en ");
    for joint in spanish.into_iter().chain([
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
        " / ",
    ]) {
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
            if i > 0 {
                let joint = atom.text.len() - without_joint(&atom.text).len();
                atom.text.drain(..joint);
            }
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

/// "Acme Ltd, Welder": a job on one side of a separator and an organisation on the other.
fn holds_both(text: &str) -> bool {
    let cuts = commas(text).into_iter().map(|at| (at, at + 1));
    let dashes = [" – ", " — ", " - ", " / "];
    let dashes = dashes
        .iter()
        .filter_map(|dash| text.find(dash).map(|at| (at, at + dash.len())));
    let job =
        |text: &str| lexicon::job_score(text) >= 1.0 && lexicon::organisation_score(text) < 1.0;
    let house =
        |text: &str| lexicon::organisation_score(text) >= 2.0 && lexicon::job_score(text) < 1.0;
    text.len() <= LONG
        && cuts.chain(dashes).take(MOST_CUTS).any(|(end, start)| {
            let (a, b) = (&text[..end], &text[start..]);
            job(a) && house(b) || house(a) && job(b)
        })
}

/// Commas outside of brackets and quotes.
pub(super) fn commas(text: &str) -> Vec<usize> {
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
    match atom.field {
        Some(Field::Title) => return [SAID, -SAID, -SAID],
        Some(Field::Organisation) => return [-SAID, SAID, -SAID],
        Some(Field::Place) => return [-SAID, -SAID, SAID],
        Some(Field::Dates | Field::Text) | None => {}
    }
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
            - (job + organisation.max(0.0)) * 0.6,
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
