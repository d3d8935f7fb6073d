//! What jobs, organisations, schools, degrees and places are called.
//!
//! A score is 0 where nothing speaks for it and about 1 for each word that does; only comparisons
//! of scores mean anything.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{fold, words};

const JOBS: &str = include_str!("words/jobs.txt");
const ORGANISATIONS: &str = include_str!("words/organisations.txt");
const SCHOOLS: &str = include_str!("words/schools.txt");
const DEGREES: &str = include_str!("words/degrees.txt");
const PLACES: &str = include_str!("words/places.txt");

const FORMS: &[&str] = &[
    "gmbh", "mbh", "ag", "kg", "kgaa", "ohg", "gbr", "ug", "se", "e.v", "ev", "eg", "ggmbh", "ltd",
    "limited", "plc", "llc", "llp", "inc", "corp", "co", "s.a", "sa", "s.l", "sl", "s.l.u", "slu",
    "sarl", "sas", "sasu", "eurl", "s.r.l", "srl", "s.p.a", "spa", "s.r.l.s", "z.o.o", "o.o",
    "zoo", "sp", "s.c", "sp.j", "sp.k", "s.j", "s.k", "s.r.o", "sro", "a.s", "oy", "ab", "as",
    "aps", "bv", "b.v", "nv", "n.v", "v.o.f", "тов", "ооо", "ат", "пат", "прат", "зат", "фоп",
    "тзов", "пп", "дп", "кп", "pty", "cic", "cio", "gesmbh", "coop", "s.c.a", "snc", "s.n.c",
    "scop", "lda", "ltda", "a.g", "cie", "u.a", "g.m.b.h",
];

/// Endings of words for people by what they do, in the languages that form them so.
const ENDINGS: &[&str] = &[
    "er", "or", "ist", "ant", "ent", "eur", "euse", "ienne", "ien", "ier", "iere", "ista", "ador",
    "adora", "ero", "era", "tore", "trice", "iere", "arz", "nik", "iec", "erin", "orin", "istin",
    "entin", "antin", "ник", "ист", "іст", "тор", "ер", "ець", "ар", "kini", "stka", "arka",
    "orka", "erka", "niczka",
];

/// Words, and stems of five letters and more that may begin a word or, from six on, end one.
struct Stems {
    whole: HashSet<String>,
    /// The most bytes of a stem.
    longest: usize,
}

impl Stems {
    fn load(text: &str) -> Self {
        let whole: HashSet<String> = text.split_whitespace().map(fold).collect();
        let longest = whole.iter().map(String::len).max().unwrap_or(0);
        Self { whole, longest }
    }

    fn has(&self, word: &str, compounds: bool) -> bool {
        if self.whole.contains(word) {
            return true;
        }
        let ends: Vec<usize> = word
            .char_indices()
            .map(|(at, _)| at)
            .chain([word.len()])
            .collect();
        let count = ends.len() - 1;
        let is_stem = |from: usize, to: usize| {
            let (from, to) = (ends[from], ends[to]);
            to - from <= self.longest && self.whole.contains(&word[from..to])
        };
        if (5..count).any(|to| is_stem(0, to)) {
            return true;
        }
        // A compound's head stands last, with its ending.
        let last = |to: usize| (1..=to.saturating_sub(6)).any(|from| is_stem(from, to));
        compounds && count >= 9 && (count - 3..=count).any(last)
    }
}

static JOB: LazyLock<Stems> = LazyLock::new(|| Stems::load(JOBS));
static ORGANISATION: LazyLock<Stems> = LazyLock::new(|| Stems::load(ORGANISATIONS));
static SCHOOL: LazyLock<Stems> = LazyLock::new(|| Stems::load(SCHOOLS));
static DEGREE: LazyLock<Stems> = LazyLock::new(|| Stems::load(DEGREES));
static PLACE: LazyLock<HashSet<String>> =
    LazyLock::new(|| PLACES.lines().map(fold).filter(|l| !l.is_empty()).collect());

/// How much a text looks like a job's title.
pub(crate) fn job_score(text: &str) -> f32 {
    let folded = fold(text);
    let mut score: f32 = 0.0;
    let mut first = true;
    for word in words(&folded) {
        for part in word.split(['-', '/']) {
            // "Boulangerie", "Bäckerei": the trade's house, not its people.
            let is_house = ["erie", "erei", "eria"]
                .iter()
                .any(|end| part.ends_with(end));
            if !is_house && JOB.has(part, !ORGANISATION.whole.contains(part)) {
                // What a text begins or ends with is its head word.
                score += if first { 1.2 } else { 1.0 };
            }
            first = false;
        }
    }
    if score == 0.0 {
        let ends = |word: &str| {
            word.chars().count() >= 5 && ENDINGS.iter().any(|ending| word.ends_with(ending))
        };
        let mut all = words(&folded);
        if all.next().is_some_and(ends) || all.last().is_some_and(ends) {
            score = 0.3;
        }
    }
    score.min(2.4)
}

/// How much a text looks like an organisation's name.
pub(crate) fn organisation_score(text: &str) -> f32 {
    let folded = closed(&fold(text));
    let mut score: f32 = 0.0;
    for word in words(&folded) {
        if FORMS.contains(&word) {
            score += 2.0;
        } else if ORGANISATION.has(word, true) {
            score += 1.0;
        }
    }
    if text.contains(" & ") || text.contains(['„', '“', '"', '«', '”']) {
        score += 0.5;
    }
    score.min(4.0)
}

/// Whether a word is the legal form of a company.
pub(crate) fn is_company_form(text: &str) -> bool {
    let folded = closed(&fold(text));
    let mut all = words(&folded).peekable();
    all.peek().is_some() && all.all(|word| FORMS.contains(&word))
}

/// Single letters with full stops put together: `e. v.` as `e.v.`.
fn closed(folded: &str) -> String {
    let mut out = String::with_capacity(folded.len());
    for c in folded.chars() {
        let mut before = out.chars().rev();
        let stop = before.next() == Some('.');
        let letter = before.next().is_some_and(char::is_alphabetic);
        let alone = before.next().is_none_or(|b| !b.is_alphanumeric());
        if !(c == ' ' && stop && letter && alone) {
            out.push(c);
        }
    }
    out
}

/// How much a text looks like a school's or university's name.
pub(crate) fn school_score(text: &str) -> f32 {
    let folded = fold(text);
    let found = words(&folded).filter(|word| SCHOOL.has(word, true)).count();
    (found as f32 * 1.2).min(3.0)
}

/// How much a text looks like a degree or a course of study.
pub(crate) fn degree_score(text: &str) -> f32 {
    let folded = fold(text);
    let found = words(&folded)
        .filter(|word| DEGREE.has(word, false) || DEGREE.has(&word.replace('.', ""), false))
        .count();
    (found as f32).min(2.5)
}

/// Whether a text is the code of a state or province of North America, as addresses write it.
pub(crate) fn is_region_code(text: &str) -> bool {
    const CODES: &str = " AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR AB BC MB NB NL NS ON PE QC SK ";
    text.len() == 2
        && text.bytes().all(|b| b.is_ascii_uppercase())
        && CODES.contains(&format!(" {text} "))
}

/// Whether a text is a country or a large city, or begins or ends with one.
pub(crate) fn is_known_place(text: &str) -> bool {
    let folded = fold(text);
    let bare = folded.trim_matches(|c: char| !c.is_alphanumeric());
    if PLACE.contains(bare) {
        return true;
    }
    bare.split([',', '(', '/', ')'])
        .any(|part| PLACE.contains(part.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_organisations_and_degrees_are_told_apart() {
        let job = |text: &str| {
            assert!(job_score(text) > organisation_score(text), "{text}");
        };
        let organisation = |text: &str| {
            assert!(organisation_score(text) > job_score(text), "{text}");
        };
        for text in [
            "Senior Software Engineer",
            "Schichtleiterin",
            "Kierownik zmiany magazynu",
            "Jefe de cocina",
            "Провідний інженер",
            "Chargée de clientèle",
            "Infermiera",
            "Leiterin Controlling (Prokura)",
        ] {
            job(text);
        }
        for text in [
            "Brückmann Armaturen GmbH & Co. KG",
            "St Brannoc’s Hospital",
            "Magazyny Odra-Logis S.A.",
            "ТОВ «Світанок»",
            "Hotel Mirador",
            "Havelländische Maschinenbau AG",
            "Kancelaria Dębicki i Wspólnicy",
        ] {
            organisation(text);
        }
        assert!(degree_score("B.Sc. Mathematik (1,9)") > 0.0);
        assert!(degree_score("MSc in Geosciences") > 0.0);
        assert!(school_score("Universität Leinetal") > 0.0);
        assert!(school_score("Zespół Szkół Technicznych") > 0.0);
        assert!(is_known_place("Bayona (Francia)"));
        assert!(!is_known_place("Acme"));
    }
}
