//! The check of a cover letter.

use schemas::cv::Cv;

use crate::analysis::Analysed;
use crate::check::{country, texts};
use crate::evidence::Evidence;
use crate::fields::Tongue;
use crate::lexicon::tongue;
use crate::prose::{self, Grounds, Place, Verdict};
use crate::text::tokens;
use crate::{Finding, Languages, Report};

/// Words by which a sentence speaks of the addressee and of what is to come.
const AIMS: &[&str] = &[
    // en
    "your",
    "you",
    "yours",
    "apply",
    "applying",
    "application",
    "position",
    "role",
    "vacancy",
    "opportunity",
    "advertised",
    "join",
    "joining",
    "interview",
    "hearing",
    "forward",
    "dear",
    "sincerely",
    "regards",
    "faithfully",
    "posting",
    "reference",
    "enclosed",
    "enclose",
    "enclosing",
    "attached",
    "attach",
    "available",
    "availability",
    "notice",
    "salary",
    "thank",
    "discuss",
    "meeting",
    "convince",
    "advertisement",
    // de
    "ihr",
    "ihre",
    "ihren",
    "ihrem",
    "ihrer",
    "ihnen",
    "stelle",
    "bewerbe",
    "bewerbung",
    "position",
    "ausgeschrieben",
    "ausgeschriebene",
    "geehrte",
    "geehrter",
    "gesprach",
    "vorstellungsgesprach",
    "grussen",
    "anzeige",
    "kennziffer",
    "freue",
    "anbei",
    "beigefugt",
    "beigefugte",
    "beiliegend",
    "anlage",
    "anlagen",
    "verfugbar",
    "eintrittstermin",
    "kundigungsfrist",
    "gehaltsvorstellung",
    "gehaltsvorstellungen",
    "unterlagen",
    "kennenlernen",
    "dank",
    // pl
    "panstwa",
    "panstwu",
    "pana",
    "pani",
    "stanowisko",
    "stanowiska",
    "aplikuje",
    "aplikacje",
    "szanowni",
    "szanowna",
    "szanowny",
    "rozmowe",
    "rozmowy",
    "powazaniem",
    "ogloszenie",
    "ogloszenia",
    "ofercie",
    "zalaczam",
    "zalaczeniu",
    "zalacznik",
    "przesylam",
    "dostepny",
    "dostepna",
    "dziekuje",
    "wypowiedzenia",
    "panstwem",
    "spotkanie",
    "spotkania",
    "spotkaniu",
    "oferte",
    // fr, es, it, pt, nl, cs, uk, sv
    "votre",
    "vos",
    "vous",
    "poste",
    "candidature",
    "postule",
    "madame",
    "monsieur",
    "entretien",
    "joint",
    "jointe",
    "disponible",
    "rencontrer",
    "adjunto",
    "adjunta",
    "incorporacion",
    "allegato",
    "disponibile",
    "anexo",
    "bijlage",
    "beschikbaar",
    "priloze",
    "bifogat",
    "annonce",
    "su",
    "sus",
    "ustedes",
    "puesto",
    "candidatura",
    "solicito",
    "estimados",
    "estimado",
    "entrevista",
    "vacante",
    "vostra",
    "vostro",
    "posizione",
    "candido",
    "gentile",
    "colloquio",
    "vossa",
    "vaga",
    "candidato",
    "prezados",
    "uw",
    "functie",
    "solliciteer",
    "sollicitatie",
    "geachte",
    "pozici",
    "pozice",
    "vas",
    "vasi",
    "vasich",
    "vazeni",
    "vasha",
    "vashiyi",
    "posadu",
    "posada",
    "er",
    "ert",
    "tjansten",
    "ansokan",
];

/// Words by which a sentence tells of the past.
const PAST: &[&str] = &[
    "worked",
    "experience",
    "years",
    "led",
    "managed",
    "developed",
    "built",
    "was",
    "were",
    "have",
    "had",
    "previously",
    "gained",
    "spent",
    "completed",
    "earned",
    "hold",
    "joined",
    "gearbeitet",
    "erfahrung",
    "jahre",
    "jahren",
    "habe",
    "hatte",
    "war",
    "leitete",
    "seit",
    "gesammelt",
    "absolviert",
    "pracowalem",
    "pracowalam",
    "doswiadczenie",
    "doswiadczenia",
    "lat",
    "bylem",
    "bylam",
    "zdobylem",
    "zdobylam",
    "ukonczylem",
    "ukonczylam",
    "posiadam",
    "travaille",
    "experience",
    "ans",
    "ai",
    "trabaje",
    "experiencia",
    "anos",
    "he",
    "lavorato",
    "esperienza",
    "anni",
    "ho",
    "gewerkt",
    "ervaring",
    "jaar",
    "heb",
    "pracoval",
    "pracovala",
    "zkusenosti",
    "pratsyuvav",
    "pratsyuvala",
    "dosvid",
    "rokiv",
    "arbetat",
    "erfarenhet",
    "ar",
];

/// Whether a letter has the word of itself: it names nothing of the person's.
pub(crate) fn is_usual(word: &str) -> bool {
    matches!(word, "cv" | "pdf") || AIMS.contains(&word)
}

/// Checks that a cover letter claims only what the CV says; paths are `paragraphs[0]`. Company and
/// position of the `posting` may be named as the addressee and the aim, never as the person's past.
pub fn check_letter(
    source: &Cv,
    paragraphs: &[String],
    languages: Languages<'_>,
    posting: Option<&str>,
) -> Report {
    let tongue = Tongue {
        from: tongue(languages.from),
        to: tongue(languages.to),
    };
    let texts = texts(source, tongue);
    let mut cv = Evidence::of(&texts);
    if let Some(country) = country(source) {
        cv.grant(country);
    }
    let wanted: Vec<Analysed<'_>> = posting
        .into_iter()
        .map(|text| Analysed::source(text, tongue.to, tongue.from))
        .collect();
    let wanted = Evidence::of(&wanted);
    let both = Evidence::of(&texts).with(&wanted);
    let mut report = Report::default();
    for (i, paragraph) in paragraphs.iter().enumerate() {
        let verdict = sentences(paragraph).find_map(|sentence| {
            let read = Analysed::reply(sentence, tongue.to);
            let has = |words: &[&str]| {
                read.tokens
                    .iter()
                    .any(|token| words.contains(&token.fold.as_str()))
            };
            // A sentence that speaks to the addressee and not of the past may use the posting's words.
            let aims = has(AIMS) && !has(PAST);
            let known = if aims { &both } else { &cv };
            let grounds = Grounds {
                near: known,
                wide: known,
                sure: false,
                lines: None,
                same_language: true,
                posting: None,
                years: crate::years::worked(source, &cv),
                kind: Place::Letter,
            };
            let verdict = prose::check(&read, &grounds)?;
            // A sentence with both is told apart word by word: the addressee's name is no claim.
            if has(AIMS) && !aims && !only_named(&read, &verdict, &wanted, &cv) {
                return Some(verdict);
            }
            (!has(AIMS) || aims).then_some(verdict)
        });
        let Some(verdict) = verdict else { continue };
        let (list, reason) = match verdict {
            Verdict::Unsupported(reason) => (&mut report.unsupported, reason),
            Verdict::Undecided(reason) => (&mut report.undecided, reason),
        };
        list.push(Finding {
            path: format!("paragraphs[{i}]"),
            reply: paragraph.clone(),
            source: String::new(),
            reason,
        });
    }
    report
}

/// Whether all that the CV lacks in a sentence is the name of the addressee.
fn only_named(read: &Analysed<'_>, verdict: &Verdict, wanted: &Evidence, cv: &Evidence) -> bool {
    let (Verdict::Unsupported(reason) | Verdict::Undecided(reason)) = verdict;
    let named = reason.split('"').nth(1).unwrap_or_default();
    let addressee = crate::tailoring::is_addressee(named, wanted);
    let others = (0..read.tokens.len()).all(|at| {
        let token = &read.tokens[at];
        read.proper(at).is_none()
            || prose::named(read, at, cv)
            || crate::tailoring::is_addressee(token.raw, wanted)
    });
    addressee
        && others
        && read
            .numbers
            .iter()
            .all(|number| number.is_idle() || cv.number(number))
}

/// The sentences of a paragraph.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let split = tokens(text);
    let base = text.as_ptr() as usize;
    let mut starts: Vec<usize> = Vec::new();
    let mut last = None;
    for token in &split {
        if last != Some(token.sentence) {
            starts.push(token.raw.as_ptr() as usize - base);
            last = Some(token.sentence);
        }
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts
        .into_iter()
        .zip(ends)
        .filter_map(move |(start, end)| text.get(start..end))
}
