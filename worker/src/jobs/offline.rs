//! The offline editor: tidies the caller's own words by rule. It is no model and claims none.
//!
//! It mends white space and punctuation, takes typed bullet marks away, and puts the skills that
//! a posting names first. It changes no word.

use schemas::job::{JobInput, Output};
use serde_json::Value;

use super::cover_letter;
use super::reply::{Degree, LetterText, Position, Reply, Spoken};

/// The editor's version: part of the content hash.
pub(crate) const VERSION: &str = "offline-2";

/// The edited texts, in the shape of a model's reply.
pub(super) fn edit(input: &JobInput) -> Value {
    let mut reply = if input.makes(Output::Cv) {
        texts(input)
    } else {
        Reply::default()
    };
    if input.makes(Output::CoverLetter) {
        let paragraphs = cover_letter::plain(input, &input.cv);
        reply.cover_letter = Some(LetterText { paragraphs });
    }
    serde_json::to_value(reply).expect("texts and lists always serialise")
}

fn texts(input: &JobInput) -> Reply {
    let cv = &input.cv;
    let plain = |texts: &[String]| texts.iter().map(|text| tidy(unmarked(text))).collect();
    let work = cv.work_experience.iter().map(|work| Position {
        title: tidy(&work.title),
        bullets: bullets(&work.bullets),
    });
    let education = cv.education.iter().map(|entry| Degree {
        title: tidy(&entry.title),
        details: plain(&entry.details),
    });
    let further = cv.further_experience.iter().map(|entry| Position {
        title: tidy(&entry.title),
        bullets: bullets(&entry.bullets),
    });
    let posting = input.options.job_posting.as_deref();
    Reply {
        profile: cv.profile.as_deref().map(sentence),
        work_experience: Some(work.collect()),
        education: Some(education.collect()),
        further_experience: Some(further.collect()),
        languages: Some(cv.languages.iter().map(Spoken::from).collect()),
        it_ai_skills: Some(skills(&cv.it_ai_skills, posting)),
        certifications: Some(plain(&cv.certifications)),
        trainings: Some(plain(&cv.trainings)),
        interests: cv.interests.as_deref().map(tidy),
        cover_letter: None,
    }
}

/// Bullets without typed marks, each begun with a capital; all of a list end in a full stop if
/// most do, else none.
fn bullets(texts: &[String]) -> Vec<String> {
    let texts: Vec<_> = texts
        .iter()
        .map(|text| capital(&tidy(unmarked(text))))
        .collect();
    let stopped = texts.iter().filter(|text| text.ends_with('.')).count();
    let stop = stopped * 2 >= texts.len();
    texts
        .into_iter()
        .map(|text| {
            let bare = text.strip_suffix('.').filter(|bare| !bare.ends_with('.'));
            match (stop, bare) {
                (true, _)
                    if text.ends_with(|c: char| c.is_alphanumeric() || ")%”\"’".contains(c)) =>
                {
                    text + "."
                }
                (false, Some(bare)) => bare.to_owned(),
                _ => text,
            }
        })
        .collect()
}

/// Skills that the posting names first, otherwise in the caller's order.
fn skills(skills: &[String], posting: Option<&str>) -> Vec<String> {
    let mut skills: Vec<_> = skills.iter().map(|text| tidy(unmarked(text))).collect();
    if let Some(posting) = posting {
        let posting = posting.to_lowercase();
        // A stable sort: within each half the caller's order stays.
        skills.sort_by_key(|skill| !named(&skill.to_lowercase(), &posting));
    }
    skills
}

/// The posting has the skill, or one part of a list such as `Rust, Go`, as whole words.
fn named(skill: &str, posting: &str) -> bool {
    skill
        .split([',', ';', '/', '(', ')', ':'])
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .any(|part| {
            posting.match_indices(part).any(|(at, _)| {
                let before = posting[..at].chars().next_back();
                let after = posting[at + part.len()..].chars().next();
                !before.is_some_and(char::is_alphanumeric)
                    && !after.is_some_and(char::is_alphanumeric)
            })
        })
}

/// A text without a typed bullet mark at its head.
pub(super) fn unmarked(text: &str) -> &str {
    let text = text.trim_start();
    let bare = text
        .trim_start_matches(['•', '◦', '▪', '■', '●', '○', '·'])
        .trim_start();
    // These also begin words: `-5 %`, `*nix`, `>99 %`.
    let rest = bare.trim_start_matches(['–', '—', '-', '*', '»', '>']);
    let is_mark = rest.starts_with(char::is_whitespace)
        || (bare.starts_with('*') && rest.starts_with(char::is_uppercase));
    if is_mark { rest.trim_start() } else { bare }
}

/// Single spaces, none before a comma or full stop, one after a comma between letters.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let glued = word
            .chars()
            .all(|c| matches!(c, ',' | '.' | ';' | ':' | '!' | '?'));
        if !out.is_empty() && !glued {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn sentence(text: &str) -> String {
    let text = capital(&tidy(text));
    if text.ends_with(char::is_alphanumeric) {
        text + "."
    } else {
        text
    }
}

/// The first letter in upper case, unless the word is spelled with capitals inside (`iOS`).
fn capital(text: &str) -> String {
    let first_word = text.split(' ').next().unwrap_or_default();
    if first_word.chars().skip(1).any(char::is_uppercase) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bullets_lose_marks_and_agree_on_their_end() {
        let check = |given: &[&str], want: &[&str]| {
            let given: Vec<_> = given.iter().map(|t| (*t).to_owned()).collect();
            assert_eq!(bullets(&given), want);
        };
        check(
            &["* led  a team of 4.", "– cut costs by 12 %"],
            &["Led a team of 4.", "Cut costs by 12 %."],
        );
        check(
            &["iOS apps", "-5 % churn", "wrote docs."],
            &["iOS apps", "-5 % churn", "Wrote docs"],
        );
        check(
            &["*Ran it", "*nix", "•Did it"],
            &["Ran it", "*nix", "Did it"],
        );
        check(&["Python , Go ."], &["Python, Go."]);
        check(&["and so on...", "more"], &["And so on...", "More."]);
        check(&[], &[]);
    }

    #[test]
    fn skills_of_the_posting_come_first_as_whole_words() {
        let given: Vec<_> = ["Java", "Rust, Go", "SQL"]
            .iter()
            .map(|t| (*t).to_owned())
            .collect();
        assert_eq!(
            skills(&given, Some("We use JavaScript, SQL and Go.")),
            ["Rust, Go", "SQL", "Java"]
        );
        assert_eq!(skills(&given, None), ["Java", "Rust, Go", "SQL"]);
    }
}
