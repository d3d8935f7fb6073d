//! The comparison of two CVs.

use schemas::cv::Cv;

use crate::align::{self, Entry};
use crate::analysis::Analysed;
use crate::evidence::Evidence;
use crate::fields::{self, Tongue};
use crate::lexicon::{Concept, LEXICON, tongue};
use crate::lists;
use crate::prose::{self, Grounds, Place, Verdict, is_same_text};
use crate::titles;
use crate::{Finding, Languages, Report};

/// Compares a reply with its source, value by value. Leaving out, merging, reordering and going
/// coarser is honest; terms of the `posting` that the source lacks are not evidence.
///
/// `data_privacy`, `language` and the labels of links are not looked at: they say nothing of the person.
pub fn check(source: &Cv, reply: &Cv, languages: Languages<'_>, posting: Option<&str>) -> Report {
    let tongue = Tongue {
        from: tongue(languages.from),
        to: tongue(languages.to),
    };
    let texts = texts(source, tongue);
    let mut cv = Evidence::of(&texts);
    if let Some(country) = country(source) {
        cv.grant(country);
    }
    let posting = posting.map(|text| Evidence::of([&Analysed::reply(text, tongue.to)]));
    let mut checker = Checker {
        source,
        reply,
        tongue,
        cv,
        posting,
        lines: entry_lines(source, tongue),
        report: Report::default(),
    };
    checker.person();
    checker.profile();
    checker.entries();
    lists::check(&mut checker);
    checker.report
}

/// A check in progress.
pub(crate) struct Checker<'a> {
    pub(crate) source: &'a Cv,
    pub(crate) reply: &'a Cv,
    pub(crate) tongue: Tongue,
    /// What the whole source is evidence for.
    pub(crate) cv: Evidence,
    pub(crate) posting: Option<Evidence>,
    /// Each line of an entry.
    lines: Evidence,
    pub(crate) report: Report,
}

/// All texts of a CV that say something of the person.
pub(crate) fn texts(cv: &Cv, tongue: Tongue) -> Vec<Analysed<'_>> {
    let mut texts: Vec<&str> = vec![&cv.full_name];
    let entries = cv
        .work_experience
        .iter()
        .map(Entry::from)
        .chain(cv.education.iter().map(Entry::from))
        .chain(cv.further_experience.iter().map(Entry::from));
    texts.extend(cv.address_lines.iter().map(String::as_str));
    texts.extend(
        [&cv.nationality, &cv.profile, &cv.interests]
            .into_iter()
            .flatten()
            .map(String::as_str),
    );
    for entry in entries {
        texts.extend([entry.dates, entry.organisation, entry.place, entry.title]);
        texts.extend(entry.lines.iter().map(String::as_str));
    }
    for list in [
        &cv.it_ai_skills,
        &cv.certifications,
        &cv.trainings,
        &cv.publications,
    ] {
        texts.extend(list.iter().map(String::as_str));
    }
    let mut read: Vec<Analysed<'_>> = texts
        .into_iter()
        .map(|text| Analysed::source(text, tongue.from, tongue.to))
        .collect();
    for reference in &cv.references {
        // A referee's title is not the person's.
        read.push(Analysed::source(reference, tongue.from, tongue.to).names_only());
    }
    for language in &cv.languages {
        read.push(Analysed::source(&language.name, tongue.from, tongue.to));
        if let Some(level) = &language.level {
            read.push(Analysed::source(level, tongue.from, tongue.to));
        }
    }
    read
}

/// The lines of all entries, in the source's language alone.
fn entry_lines(cv: &Cv, tongue: Tongue) -> Evidence {
    if !tongue.same() {
        return Evidence::of([]);
    }
    let entries = cv
        .work_experience
        .iter()
        .map(Entry::from)
        .chain(cv.education.iter().map(Entry::from))
        .chain(cv.further_experience.iter().map(Entry::from));
    let lines: Vec<Analysed<'_>> = entries
        .flat_map(|entry| entry.lines)
        .map(|line| Analysed::source(line, tongue.from, tongue.to))
        .collect();
    Evidence::of(&lines)
}

/// Countries by the calling codes of ITU-T E.164.
const CALLING: &[(&str, &str)] = &[
    ("44", "geo.gb"),
    ("49", "geo.de"),
    ("43", "geo.at"),
    ("41", "geo.ch"),
    ("48", "geo.pl"),
    ("33", "geo.fr"),
    ("34", "geo.es"),
    ("39", "geo.it"),
    ("351", "geo.pt"),
    ("31", "geo.nl"),
    ("32", "geo.be"),
    ("420", "geo.cz"),
    ("421", "geo.sk"),
    ("380", "geo.ua"),
    ("30", "geo.gr"),
    ("46", "geo.se"),
    ("45", "geo.dk"),
    ("47", "geo.no"),
    ("358", "geo.fi"),
    ("353", "geo.ie"),
    ("1", "geo.us"),
    ("90", "geo.tr"),
    ("40", "geo.ro"),
    ("36", "geo.hu"),
    ("359", "geo.bg"),
    ("385", "geo.hr"),
    ("370", "geo.lt"),
    ("371", "geo.lv"),
    ("372", "geo.ee"),
    ("86", "geo.cn"),
    ("81", "geo.jp"),
    ("972", "geo.il"),
    ("55", "geo.br"),
    ("91", "geo.in"),
];

/// The country that follows from the telephone number.
pub(crate) fn country(source: &Cv) -> Option<Concept> {
    let digits: String = source
        .phone
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '+')
        .collect();
    let code = digits
        .strip_prefix('+')
        .or_else(|| digits.strip_prefix("00"))?;
    let (_, country) = CALLING.iter().find(|(known, _)| code.starts_with(known))?;
    Some(LEXICON.id(country))
}

impl Checker<'_> {
    pub(crate) fn add(
        &mut self,
        path: impl Into<String>,
        reply: &str,
        source: &str,
        verdict: Verdict,
    ) {
        let (list, reason) = match verdict {
            Verdict::Unsupported(reason) => (&mut self.report.unsupported, reason),
            Verdict::Undecided(reason) => (&mut self.report.undecided, reason),
        };
        list.push(Finding {
            path: path.into(),
            reply: reply.to_owned(),
            source: source.to_owned(),
            reason,
        });
    }

    fn value(
        &mut self,
        path: &str,
        source: &str,
        reply: &str,
        compare: impl FnOnce(&str, &str) -> Option<Verdict>,
    ) {
        if reply.is_empty() || source == reply {
            return;
        }
        let verdict = if source.is_empty() {
            Some(Verdict::Unsupported(
                "the source has no such value".to_owned(),
            ))
        } else {
            compare(source, reply)
        };
        if let Some(verdict) = verdict {
            self.add(path, reply, source, verdict);
        }
    }

    fn person(&mut self) {
        let (source, reply, tongue) = (self.source, self.reply, self.tongue);
        self.value(
            "full_name",
            &source.full_name,
            &reply.full_name,
            fields::person,
        );
        self.value("email", &source.email, &reply.email, fields::email);
        self.value("phone", &source.phone, &reply.phone, fields::phone);
        let ours = source.address_lines.join(", ");
        for (i, line) in reply.address_lines.iter().enumerate() {
            if source.address_lines.contains(line) {
                continue;
            }
            let verdict = fields::place(
                &Analysed::source(&ours, tongue.from, tongue.to),
                &Analysed::reply(line, tongue.to),
                tongue,
                &self.cv,
            );
            if let Some(verdict) = verdict {
                self.add(format!("address_lines[{i}]"), line, &ours, verdict);
            }
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        self.value(
            "photo_url",
            &text(&source.photo_url),
            &text(&reply.photo_url),
            |_, _| Some(Verdict::Unsupported("another picture".to_owned())),
        );
        self.value(
            "birth_date",
            &text(&source.birth_date),
            &text(&reply.birth_date),
            crate::dates::birth,
        );
        self.value(
            "nationality",
            &text(&source.nationality),
            &text(&reply.nationality),
            |ours, theirs| {
                fields::place(
                    &Analysed::source(ours, tongue.from, tongue.to),
                    &Analysed::reply(theirs, tongue.to),
                    tongue,
                    &Evidence::of([]),
                )
            },
        );
        // A picture in a finding would only be long.
        for finding in &mut self.report.unsupported {
            if finding.path == "photo_url" {
                finding.reply = String::new();
                finding.source = String::new();
            }
        }
    }

    fn profile(&mut self) {
        let Some(profile) = &self.reply.profile else {
            return;
        };
        let source = self.source.profile.as_deref().unwrap_or_default();
        if is_same_text(source, profile) {
            return;
        }
        let read = Analysed::reply(profile, self.tongue.to);
        let verdict = prose::check(&read, &self.whole(Place::Profile));
        if let Some(verdict) = verdict {
            self.add("profile", profile, source, verdict);
        }
    }

    /// The whole CV as grounds.
    pub(crate) fn whole(&self, kind: Place) -> Grounds<'_> {
        Grounds {
            near: &self.cv,
            wide: &self.cv,
            sure: false,
            lines: None,
            same_language: self.tongue.same(),
            posting: self.posting.as_ref(),
            years: crate::years::worked(self.source, &self.cv),
            kind,
        }
    }

    fn entries(&mut self) {
        let (source, reply) = (self.source, self.reply);
        self.section(
            "work_experience",
            "employer",
            "bullets",
            &view(&source.work_experience),
            &view(&reply.work_experience),
        );
        self.section(
            "education",
            "institution",
            "details",
            &view(&source.education),
            &view(&reply.education),
        );
        self.section(
            "further_experience",
            "organization",
            "bullets",
            &view(&source.further_experience),
            &view(&reply.further_experience),
        );
    }

    fn section(
        &mut self,
        name: &str,
        organisation: &str,
        lines: &str,
        source: &[Entry<'_>],
        reply: &[Entry<'_>],
    ) {
        let pairs = align::entries(source, reply);
        for (i, (entry, pair)) in reply.iter().zip(pairs).enumerate() {
            let path = format!("{name}[{i}]");
            if let Some(at) = pair {
                self.entry(&path, organisation, lines, &source[at], entry);
                continue;
            }
            let shown = format!("{}, {}, {}", entry.dates, entry.organisation, entry.title);
            self.add(
                path,
                &shown,
                "",
                Verdict::Unsupported("the source has no such entry".to_owned()),
            );
        }
    }

    fn entry(
        &mut self,
        path: &str,
        organisation: &str,
        lines: &str,
        source: &Entry<'_>,
        reply: &Entry<'_>,
    ) {
        let tongue = self.tongue;
        self.value(
            &format!("{path}.date_range"),
            source.dates,
            reply.dates,
            crate::dates::dates,
        );
        self.value(
            &format!("{path}.{organisation}"),
            source.organisation,
            reply.organisation,
            |ours, theirs| {
                fields::organisation(
                    &Analysed::source(ours, tongue.from, tongue.to),
                    &Analysed::reply(theirs, tongue.to),
                    tongue,
                )
            },
        );
        if !reply.place.is_empty() && source.place != reply.place {
            let ours = Analysed::source(source.place, tongue.from, tongue.to);
            let place = fields::place(
                &ours,
                &Analysed::reply(reply.place, tongue.to),
                tongue,
                &self.cv,
            );
            if let Some(verdict) = place {
                self.add(
                    format!("{path}.location"),
                    reply.place,
                    source.place,
                    verdict,
                );
            }
        }
        if source.title == reply.title && source.lines == reply.lines {
            return;
        }
        let read = |text| Analysed::source(text, tongue.from, tongue.to);
        let head: Vec<Analysed<'_>> = [
            source.dates,
            source.organisation,
            source.place,
            source.title,
        ]
        .map(read)
        .into();
        let body: Vec<Analysed<'_>> = source.lines.iter().map(|line| read(line)).collect();
        let wide = Evidence::of(head.iter().chain(&body));
        if source.title != reply.title && !reply.title.is_empty() {
            let verdict = titles::check(
                &head[3],
                &Analysed::reply(reply.title, tongue.to),
                &wide,
                tongue,
            );
            if let Some(verdict) = verdict {
                self.add(format!("{path}.title"), reply.title, source.title, verdict);
            }
        }
        if source.lines == reply.lines {
            return;
        }
        let each: Vec<Evidence> = body.iter().map(|line| Evidence::of([line])).collect();
        let theirs: Vec<Analysed<'_>> = reply
            .lines
            .iter()
            .map(|line| Analysed::reply(line, tongue.to))
            .collect();
        let origins = align::lines(&body, &each, &theirs);
        for (i, (line, origin)) in theirs.iter().zip(origins).enumerate() {
            if origin
                .lines
                .iter()
                .any(|at| source.lines[*at] == reply.lines[i])
            {
                continue;
            }
            let joined;
            let near = if let [one] = origin.lines[..] {
                &each[one]
            } else {
                joined = Evidence::of(origin.lines.iter().map(|at| &body[*at]));
                &joined
            };
            let grounds = Grounds {
                near,
                wide: &wide,
                sure: origin.sure,
                lines: Some(&self.lines),
                same_language: tongue.same(),
                posting: self.posting.as_ref(),
                years: None,
                kind: Place::Line,
            };
            if let Some(verdict) = prose::check(line, &grounds) {
                let from: Vec<&str> = if origin.lines.len() <= 3 {
                    origin
                        .lines
                        .iter()
                        .map(|at| source.lines[*at].as_str())
                        .collect()
                } else {
                    Vec::new()
                };
                self.add(
                    format!("{path}.{lines}[{i}]"),
                    line.text,
                    &from.join(" / "),
                    verdict,
                );
            }
        }
    }
}

/// Entries of any section, seen alike.
pub(crate) fn view<'a, T>(entries: &'a [T]) -> Vec<Entry<'a>>
where
    Entry<'a>: From<&'a T>,
{
    entries.iter().map(Entry::from).collect()
}
