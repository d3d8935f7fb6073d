//! Which part of the reply was made from which part of the source.

use schemas::cv::{Education, Further, Work};

use crate::analysis::Analysed;
use crate::dates::dates;
use crate::evidence::Evidence;
use crate::prose::is_same_text;
use crate::text::tokens;

/// Beyond this many pairs things are matched by their place alone, so that time stays linear.
const PAIRS: usize = 40_000;

/// A job, a school or an engagement, seen alike.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) dates: &'a str,
    pub(crate) organisation: &'a str,
    pub(crate) place: &'a str,
    pub(crate) title: &'a str,
    pub(crate) lines: &'a [String],
}

impl<'a> From<&'a Work> for Entry<'a> {
    fn from(work: &'a Work) -> Self {
        Self {
            dates: &work.date_range,
            organisation: &work.employer,
            place: work.location.as_deref().unwrap_or_default(),
            title: &work.title,
            lines: &work.bullets,
        }
    }
}

impl<'a> From<&'a Education> for Entry<'a> {
    fn from(school: &'a Education) -> Self {
        Self {
            dates: &school.date_range,
            organisation: &school.institution,
            place: "",
            title: &school.title,
            lines: &school.details,
        }
    }
}

impl<'a> From<&'a Further> for Entry<'a> {
    fn from(further: &'a Further) -> Self {
        Self {
            dates: further.date_range.as_deref().unwrap_or_default(),
            organisation: further.organization.as_deref().unwrap_or_default(),
            place: "",
            title: &further.title,
            lines: &further.bullets,
        }
    }
}

/// For each entry of the reply, the source's; each is given once.
pub(crate) fn entries(source: &[Entry<'_>], reply: &[Entry<'_>]) -> Vec<Option<usize>> {
    let same_place = || {
        (0..reply.len())
            .map(|i| (i < source.len()).then_some(i))
            .collect()
    };
    if source.len() * reply.len() > PAIRS / 16 {
        return same_place();
    }
    let mut pairs = Vec::new();
    for (r, reply_entry) in reply.iter().enumerate() {
        for (s, source_entry) in source.iter().enumerate() {
            let score = likeness(source_entry, reply_entry) * 4 + usize::from(r == s) * 3;
            pairs.push((score, r, s));
        }
    }
    // Stable: of equal scores the first in order wins.
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.0));
    let mut found = vec![None; reply.len()];
    let mut taken = vec![false; source.len()];
    for (score, r, s) in pairs {
        if score >= 8 && found[r].is_none() && !taken[s] {
            found[r] = Some(s);
            taken[s] = true;
        }
    }
    for r in 0..reply.len().min(source.len()) {
        if found[r].is_none() && !taken[r] && source.len() == reply.len() {
            found[r] = Some(r);
            taken[r] = true;
        }
    }
    found
}

fn likeness(source: &Entry<'_>, reply: &Entry<'_>) -> usize {
    let mut score = 0;
    if !reply.dates.is_empty()
        && !source.dates.is_empty()
        && dates(source.dates, reply.dates).is_none()
    {
        score += 3;
    }
    if !reply.organisation.is_empty() {
        if is_same_text(source.organisation, reply.organisation) {
            score += 3;
        } else {
            score += 2 * usize::from(shares_word(source.organisation, reply.organisation));
        }
    }
    if is_same_text(source.title, reply.title) {
        score += 3;
    } else {
        score += usize::from(shares_word(source.title, reply.title));
    }
    score += usize::from(!reply.place.is_empty() && is_same_text(source.place, reply.place));
    let same = reply
        .lines
        .iter()
        .take(8)
        .filter(|line| source.lines.iter().take(24).any(|other| other == *line))
        .count();
    score + same.min(4)
}

fn shares_word(a: &str, b: &str) -> bool {
    let ours = tokens(a);
    tokens(b)
        .iter()
        .any(|token| token.fold.len() > 3 && ours.iter().any(|other| other.fold == token.fold))
}

/// What a line of a reply was made from.
pub(crate) struct Origin {
    /// Lines of the source, in order.
    pub(crate) lines: Vec<usize>,
    /// It is one line, and surely this.
    pub(crate) sure: bool,
}

/// For each line of a reply, the lines of the source.
pub(crate) fn lines(
    source: &[Analysed<'_>],
    evidence: &[Evidence],
    reply: &[Analysed<'_>],
) -> Vec<Origin> {
    if source.len() * reply.len() > PAIRS {
        let by_place = |r: usize| Origin {
            lines: Vec::from_iter((r < source.len()).then_some(r)),
            sure: false,
        };
        return (0..reply.len()).map(by_place).collect();
    }
    reply
        .iter()
        .enumerate()
        .map(|(r, line)| origin(source, evidence, line, r, source.len() == reply.len()))
        .collect()
}

fn origin(
    source: &[Analysed<'_>],
    evidence: &[Evidence],
    line: &Analysed<'_>,
    r: usize,
    paired: bool,
) -> Origin {
    if let Some(same) = source
        .iter()
        .position(|other| is_same_text(other.text, line.text))
    {
        return Origin {
            lines: vec![same],
            sure: true,
        };
    }
    let scores: Vec<usize> = evidence
        .iter()
        .enumerate()
        .map(|(s, known)| score(known, line) + usize::from(paired && s == r) * 3)
        .collect();
    let best = scores.iter().copied().max().unwrap_or_default();
    if best < 3 {
        return Origin {
            lines: (0..source.len()).collect(),
            sure: false,
        };
    }
    let lines: Vec<usize> = (0..scores.len())
        .filter(|s| scores[*s] * 2 > best && scores[*s] >= 2)
        .collect();
    let sure = lines.len() == 1;
    Origin { lines, sure }
}

fn score(known: &Evidence, line: &Analysed<'_>) -> usize {
    let (shared, _) = known.shares(line);
    let numbers = line
        .numbers
        .iter()
        .filter(|number| !number.is_idle() && known.number(number))
        .count();
    let names = (0..line.tokens.len())
        .filter(|at| line.proper(*at).is_some() && known.word(&line.tokens[*at].fold))
        .count();
    let mut concepts: Vec<_> = line
        .hits
        .iter()
        .filter(|hit| {
            matches!(
                crate::lexicon::LEXICON.class(hit.concept),
                "claim" | "improve" | "who" | "geo" | "city" | "same" | "unit"
            )
        })
        .map(|hit| hit.concept)
        .filter(|concept| known.concept(*concept))
        .collect();
    concepts.sort_unstable();
    concepts.dedup();
    shared * 2 + numbers * 3 + names * 2 + concepts.len()
}
