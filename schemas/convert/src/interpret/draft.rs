//! The CV while it is put together, with the place that each value comes from.

use std::collections::HashSet;

use schemas::cv::{Cv, Link};

use super::lines::Line;
use crate::extracted::{Source, Unplaced};
use crate::lexicon;

/// The most links, languages, and details on one line.
pub(super) const MOST: usize = 60;

/// A CV in the making.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) cv: Cv,
    pub(super) sources: Vec<Source>,
    unplaced: Vec<(usize, Unplaced)>,
    /// Words of headings and labels, folded.
    labels: HashSet<String>,
    /// A heading was over the profile.
    headed_profile: bool,
}

impl Draft {
    pub(super) fn source(&mut self, path: impl Into<String>, line: &Line, confidence: f32) {
        self.sources.push(Source {
            path: path.into(),
            origin: line.origin(),
            confidence: (confidence * 100.0).round() / 100.0,
        });
    }

    /// Text that has no place in the CV.
    pub(super) fn unplaced(&mut self, text: &str, line: &Line) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().any(char::is_alphanumeric) {
            self.unplaced.push((
                line.para,
                Unplaced {
                    text,
                    origin: line.origin(),
                },
            ));
        }
    }

    /// A heading or a label, which the CV says by its structure.
    pub(super) fn label(&mut self, text: &str) {
        let folded = lexicon::fold(text);
        self.labels.extend(words(&folded).map(str::to_owned));
    }

    pub(super) fn name(&mut self, text: &str, line: &Line, confidence: f32) {
        text.clone_into(&mut self.cv.full_name);
        self.source("full_name", line, confidence);
    }

    pub(super) fn email(&mut self, text: &str, line: &Line, confidence: f32) {
        if self.cv.email.is_empty() {
            text.clone_into(&mut self.cv.email);
            self.source("email", line, confidence);
        } else if self.cv.email != text {
            self.unplaced(text, line);
        }
    }

    pub(super) fn phone(&mut self, text: &str, line: &Line, confidence: f32) {
        if self.cv.phone.is_empty() {
            text.clone_into(&mut self.cv.phone);
            self.source("phone", line, confidence);
        } else if self.cv.phone != text {
            self.unplaced(text, line);
        }
    }

    pub(super) fn link(&mut self, text: &str, line: &Line, confidence: f32) {
        if self.cv.links.len() >= MOST {
            self.unplaced(text, line);
            return;
        }
        let bare = |url: &str| {
            let url = url
                .trim_start_matches("https://")
                .trim_start_matches("http://");
            url.trim_start_matches("www.")
                .trim_end_matches('/')
                .to_lowercase()
        };
        if self
            .cv
            .links
            .iter()
            .any(|link| bare(&link.url) == bare(text))
        {
            return;
        }
        self.source(format!("links[{}]", self.cv.links.len()), line, confidence);
        self.cv.links.push(Link {
            label: None,
            url: text.to_owned(),
        });
    }

    pub(super) fn address(&mut self, text: &str, line: &Line, confidence: f32) {
        if text.is_empty() || self.cv.address_lines.iter().any(|known| known == text) {
            return;
        }
        if self.cv.address_lines.len() >= 4 {
            self.unplaced(text, line);
            return;
        }
        self.source(
            format!("address_lines[{}]", self.cv.address_lines.len()),
            line,
            confidence,
        );
        self.cv.address_lines.push(text.to_owned());
    }

    pub(super) fn birth_date(&mut self, text: &str, line: &Line, confidence: f32) {
        if self.cv.birth_date.is_none() {
            self.cv.birth_date = Some(text.to_owned());
            self.source("birth_date", line, confidence);
        } else {
            self.unplaced(text, line);
        }
    }

    pub(super) fn certification(&mut self, text: &str, line: &Line, confidence: f32) {
        let index = self.cv.certifications.len();
        if index >= MOST {
            self.unplaced(text, line);
            return;
        }
        self.source(format!("certifications[{index}]"), line, confidence);
        self.cv.certifications.push(text.to_owned());
    }

    pub(super) fn nationality(&mut self, text: &str, line: &Line, confidence: f32) {
        if self.cv.nationality.is_none() {
            self.cv.nationality = Some(text.to_owned());
            self.source("nationality", line, confidence);
        } else {
            self.unplaced(text, line);
        }
    }

    /// Adds to the profile.
    pub(super) fn profile(&mut self, text: &str, line: &Line, confidence: f32) {
        self.headed_profile |= confidence > 0.8;
        let known = self.cv.profile.take();
        if known.is_none() {
            self.source("profile", line, confidence);
        }
        self.cv.profile = Some(joined(known, text));
    }

    /// Whether a profile with a heading is there already.
    pub(super) fn has_headed_profile(&self) -> bool {
        self.headed_profile
    }

    pub(super) fn interests(&mut self, text: &str, separator: &str, line: &Line, confidence: f32) {
        match self.cv.interests.take() {
            None => {
                self.source("interests", line, confidence);
                self.cv.interests = Some(text.to_owned());
            }
            Some(known) => self.cv.interests = Some(format!("{known}{separator}{text}")),
        }
    }

    pub(super) fn privacy(&mut self, text: &str, line: &Line, confidence: f32) {
        let known = self.cv.data_privacy.take();
        if known.as_deref().is_some_and(|known| known.contains(text)) {
            self.cv.data_privacy = known;
            return;
        }
        if known.is_none() {
            self.source("data_privacy", line, confidence);
        }
        self.cv.data_privacy = Some(joined(known, text));
    }

    /// Notes every word of the lines that is neither in the CV nor anywhere else, then gives what
    /// has no place, in the order of the document.
    pub(super) fn finish(&mut self, lines: &[Line]) -> Vec<Unplaced> {
        let mut known: HashSet<String> = self.labels.clone();
        let mut note = |text: &str| {
            let folded = lexicon::fold(text);
            known.extend(words(&folded).map(str::to_owned));
        };
        let value = serde_json::to_value(&self.cv).unwrap_or_default();
        each_text(&value, &mut note);
        for (_, unplaced) in &self.unplaced {
            note(&unplaced.text);
        }
        for line in lines {
            let plain = line.plain();
            let mut lost: Vec<&str> = Vec::new();
            let mut runs: Vec<String> = Vec::new();
            for word in plain.split(' ') {
                let folded = lexicon::fold(word);
                if words(&folded).all(|part| known.contains(part)) {
                    if !lost.is_empty() {
                        runs.push(lost.join(" "));
                        lost.clear();
                    }
                } else {
                    lost.push(word);
                }
            }
            if !lost.is_empty() {
                runs.push(lost.join(" "));
            }
            for run in runs {
                self.unplaced(&run, line);
            }
        }
        self.unplaced.sort_by_key(|(para, _)| *para);
        let mut all: Vec<Unplaced> = Vec::new();
        let mut seen: HashSet<(String, String)> = HashSet::new();
        for (_, unplaced) in self.unplaced.drain(..) {
            if seen.insert((unplaced.text.clone(), unplaced.origin.clone())) {
                all.push(unplaced);
            }
        }
        all
    }
}

fn joined(known: Option<String>, text: &str) -> String {
    match known {
        None => text.to_owned(),
        Some(known) => format!("{known} {text}"),
    }
}

/// The words of a folded text, figures and letters only.
pub(super) fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

fn each_text(value: &serde_json::Value, note: &mut impl FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => note(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| each_text(item, note)),
        serde_json::Value::Object(members) => {
            members.values().for_each(|item| each_text(item, note));
        }
        _ => {}
    }
}
