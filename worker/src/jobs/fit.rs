//! What may be left out of a CV that is too long, and what its owner would best shorten.

use std::cmp::Reverse;

use schemas::cv::{Cv, End, Point};
use schemas::locale::WrittenRange;
use serde::Serialize;

/// A text that would bring a document nearer to its page target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shorten {
    /// Which text.
    pub(crate) path: String,
    /// Its length in characters.
    pub(crate) characters: usize,
    /// By how much to shorten it; all of it means to leave it out.
    pub(crate) by: usize,
}

/// Lengths that the contract recommends, in characters.
const PROFILE: usize = 320;
const INTERESTS: usize = 350;
const BULLET: usize = 200;
const FURTHER_BULLET: usize = 80;

/// The jobs of a CV, the oldest first. By their dates where all can be read, else from the foot of
/// the list upwards, since CVs begin with the latest.
fn oldest_first(cv: &Cv) -> Vec<usize> {
    let mut jobs: Vec<_> = (0..cv.work_experience.len()).rev().collect();
    let ends: Option<Vec<_>> = cv
        .work_experience
        .iter()
        .map(|work| {
            let range = WrittenRange::read(&work.date_range)?.range();
            let end = match range.end {
                None => range.start,
                Some(End::At(end)) => end,
                Some(End::Present) => Point {
                    year: u16::MAX,
                    month: None,
                },
            };
            Some((end.year, end.month, range.start.year, range.start.month))
        })
        .collect();
    if let Some(ends) = ends {
        jobs.sort_by_key(|job| ends[*job]);
    }
    jobs
}

/// Ids of bullets in the order in which they may be left out: those of the oldest jobs first, each
/// job's last first. The latest job keeps all of its own.
pub(super) fn cut_order(cv: &Cv) -> Vec<String> {
    let jobs = oldest_first(cv);
    let older = jobs.iter().take(jobs.len().saturating_sub(1));
    older
        .flat_map(|&job| {
            let bullets = 0..cv.work_experience[job].bullets.len();
            bullets.rev().map(move |bullet| bullet_path(job, bullet))
        })
        .collect()
}

/// The path of a bullet, which is its id in the layout too.
pub(super) fn bullet_path(job: usize, bullet: usize) -> String {
    format!("work_experience[{job}].bullets[{bullet}]")
}

/// What a reader misses least, once the older jobs have lost their bullets, with its size.
fn least_missed(cv: &Cv) -> Vec<(String, usize)> {
    let mut texts = Vec::new();
    let mut all = |path: &str, items: &[String]| {
        let items = items.iter().enumerate().rev();
        texts.extend(items.map(|(i, text)| (format!("{path}[{i}]"), text.chars().count())));
    };
    for (entry, further) in cv.further_experience.iter().enumerate().rev() {
        let path = format!("further_experience[{entry}].bullets");
        all(&path, &further.bullets);
    }
    all("trainings", &cv.trainings);
    for (entry, education) in cv.education.iter().enumerate().rev() {
        all(&format!("education[{entry}].details"), &education.details);
    }
    all("publications", &cv.publications);
    texts
}

/// What to shorten, and by how much, to be rid of so many characters: first what is longer than
/// recommended, the most first, then bullets of the oldest jobs, then what else is missed least.
pub(crate) fn shorten(cv: &Cv, characters: usize) -> Vec<Shorten> {
    let size = |text: &str| text.chars().count();
    let mut texts = vec![
        (
            "profile".to_owned(),
            size(cv.profile.as_deref().unwrap_or_default()),
            PROFILE,
        ),
        (
            "interests".to_owned(),
            size(cv.interests.as_deref().unwrap_or_default()),
            INTERESTS,
        ),
    ];
    for (job, work) in cv.work_experience.iter().enumerate() {
        let bullets = work.bullets.iter().enumerate();
        texts.extend(bullets.map(|(i, text)| (bullet_path(job, i), size(text), BULLET)));
    }
    for (entry, further) in cv.further_experience.iter().enumerate() {
        let path = |i| format!("further_experience[{entry}].bullets[{i}]");
        let bullets = further.bullets.iter().enumerate();
        texts.extend(bullets.map(|(i, text)| (path(i), size(text), FURTHER_BULLET)));
    }
    let mut over: Vec<_> = texts
        .iter()
        .filter(|(_, size, limit)| size > limit)
        .map(|(path, size, limit)| Shorten {
            path: path.clone(),
            characters: *size,
            by: size - limit,
        })
        .collect();
    over.sort_by_key(|text| Reverse(text.by));
    let older = cut_order(cv).into_iter().filter_map(|id| {
        let (path, size, _) = texts.iter().find(|(path, ..)| *path == id)?;
        Some((path.clone(), *size))
    });
    let whole = older.chain(least_missed(cv));
    let whole = whole.map(|(path, characters)| Shorten {
        path,
        characters,
        by: characters,
    });
    let mut advice: Vec<Shorten> = Vec::new();
    let mut sum = 0;
    for text in over.into_iter().chain(whole) {
        if sum >= characters {
            break;
        }
        if let Some(known) = advice.iter_mut().find(|known| known.path == text.path) {
            sum += text.by - known.by;
            *known = text;
        } else {
            sum += text.by;
            advice.push(text);
        }
    }
    advice
}

#[cfg(test)]
mod tests {
    use schemas::cv::Work;

    use super::*;

    fn cv(jobs: &[(&str, &[usize])]) -> Cv {
        let jobs = jobs.iter().map(|(dates, bullets)| Work {
            date_range: (*dates).to_owned(),
            bullets: bullets.iter().map(|size| "x".repeat(*size)).collect(),
            ..Work::default()
        });
        Cv {
            work_experience: jobs.collect(),
            ..Cv::default()
        }
    }

    #[test]
    fn bullets_of_the_oldest_jobs_go_first_and_the_latest_job_keeps_its_own() {
        let check = |jobs: &[(&str, &[usize])], want: &[&str]| {
            assert_eq!(cut_order(&cv(jobs)), want);
        };
        check(
            &[
                ("2020 – Present", &[9, 9]),
                ("2015 – 2019", &[9, 9]),
                ("2010 – 2014", &[9]),
            ],
            &[
                "work_experience[2].bullets[0]",
                "work_experience[1].bullets[1]",
                "work_experience[1].bullets[0]",
            ],
        );
        // Written upwards in time, and told by the dates alone.
        check(
            &[("März 2010 – Mai 2012", &[9]), ("seit 06/2012", &[9])],
            &["work_experience[0].bullets[0]"],
        );
        check(
            &[("lately", &[9]), ("before", &[9])],
            &["work_experience[1].bullets[0]"],
        );
        check(&[], &[]);
    }

    #[test]
    fn advice_is_as_much_as_is_needed_the_longest_texts_first() {
        let cv = cv(&[("2020 – Present", &[260, 90]), ("2015 – 2019", &[80, 70])]);
        let check = |characters: usize, want: &[(&str, usize)]| {
            let advice = shorten(&cv, characters);
            let told: Vec<_> = advice
                .iter()
                .map(|text| (text.path.as_str(), text.by))
                .collect();
            assert_eq!(told, want, "{characters}");
        };
        check(0, &[]);
        check(50, &[("work_experience[0].bullets[0]", 60)]);
        let first = ("work_experience[0].bullets[0]", 60);
        check(61, &[first, ("work_experience[1].bullets[1]", 70)]);
        check(
            9_999,
            &[
                first,
                ("work_experience[1].bullets[1]", 70),
                ("work_experience[1].bullets[0]", 80),
            ],
        );
    }
}
