//! Job kind `cv`: what becomes of the text, and the document.

pub(super) mod blocks;

use std::collections::BTreeSet;

use schemas::cv::{Cv, Section, Warning};
use schemas::job::JobInput;

use super::reply::{Reply, kept, merge};
use super::{Source, StoredReply, prompt};

/// A CV as it is to be set, with what was put back to the source's words.
pub(super) struct Edited {
    pub(super) cv: Cv,
    pub(super) truth: truth::Report,
    pub(super) warnings: Vec<Warning>,
}

/// The CV with the edited text, as far as the source supports it.
pub(super) fn edited(input: &JobInput, reply: &StoredReply, texts: Option<Reply>) -> Edited {
    let mut warnings = Vec::new();
    let mut cv = input.cv.clone();
    let mut report = truth::Report::default();
    if let Some(texts) = texts {
        carry_over(&mut cv, input, &prompt::unchanged(input));
        merge(&mut cv, texts, &mut warnings);
        if reply.source == Source::Model {
            let tag = input.language_tag();
            let languages = truth::Languages {
                from: input.cv.language.as_deref().unwrap_or(tag),
                to: tag,
            };
            let posting = input.options.job_posting.as_deref();
            report = truth::check(&input.cv, &cv, languages, posting);
            truth::restore(&input.cv, &mut cv, &report);
            warnings.extend(told(&report));
        }
    }
    cv.language = Some(input.language_tag().to_owned());
    Edited {
        cv,
        truth: report,
        warnings,
    }
}

/// Sections that an earlier generation settled keep its text. The rest of the CV, contact details
/// and photo above all, is always the caller's present one.
fn carry_over(cv: &mut Cv, input: &JobInput, unchanged: &BTreeSet<Section>) {
    let Some(earlier) = &input.earlier else {
        return;
    };
    let earlier = &earlier.cv;
    for section in unchanged {
        match section {
            Section::Contact => {}
            Section::WorkExperience => cv.work_experience.clone_from(&earlier.work_experience),
            Section::Education => cv.education.clone_from(&earlier.education),
            Section::Languages => cv.languages.clone_from(&earlier.languages),
            Section::ItAiSkills => cv.it_ai_skills.clone_from(&earlier.it_ai_skills),
            Section::Interests => cv.interests.clone_from(&earlier.interests),
            Section::FurtherExperience => {
                cv.further_experience
                    .clone_from(&earlier.further_experience);
            }
            Section::Rest => {
                cv.profile.clone_from(&earlier.profile);
                cv.certifications.clone_from(&earlier.certifications);
                cv.trainings.clone_from(&earlier.trainings);
            }
        }
    }
}

/// What was put back, as warnings: paths and reasons. The texts are in the report.
fn told(report: &truth::Report) -> Vec<Warning> {
    let parts = [
        ("unsupported", &report.unsupported),
        ("undecided", &report.undecided),
    ];
    let warnings = parts.into_iter().flat_map(|(code, findings)| {
        findings.iter().map(move |finding| {
            let why = kept(&finding.path, finding.reason.trim_end_matches('.'));
            Warning {
                code: code.to_owned(),
                ..why
            }
        })
    });
    warnings.collect()
}

/// `CV_{Name}_{JobTitle}.pdf` in ASCII, at most about 100 characters.
pub(super) fn file_name(cv: &Cv) -> String {
    let title = cv
        .work_experience
        .first()
        .map_or("", |work| work.title.as_str());
    super::file_name("CV", &[&cv.full_name, title], "pdf")
}
