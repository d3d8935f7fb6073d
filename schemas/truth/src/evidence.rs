//! What several texts together are evidence for.

use std::collections::{HashMap, HashSet};

use crate::analysis::Analysed;
use crate::lexicon::{Concept, LEXICON};
use crate::number::Number;
use crate::text::Kind;

/// So many numbers are looked at where each could count.
const MOST: usize = 64;

/// What some texts are evidence for.
#[derive(Default)]
pub(crate) struct Evidence {
    words: HashSet<String>,
    sorted: Vec<String>,
    joined: HashSet<String>,
    grams: HashSet<[u8; 5]>,
    heads: HashSet<[u8; 5]>,
    initials: Vec<String>,
    /// In which of the texts a word stands.
    places: HashMap<String, Vec<u32>>,
    texts: u32,
    positive: HashSet<Concept>,
    denied: HashSet<Concept>,
    pub(crate) numbers: Vec<Number>,
    by_value: HashMap<i128, Vec<u32>>,
    pub(crate) has_negation: bool,
    /// A claim that is shared with others, or held as a deputy.
    pub(crate) shared: bool,
    /// A line that starts with `Supported` or its like.
    pub(crate) helps: bool,
    /// What the help was given to, and the numbers beside it.
    helped: Vec<String>,
    beside: Vec<Number>,
    /// What others did, each with who did it.
    others: Vec<(Vec<String>, Vec<String>)>,
    /// Words of clauses that deny, and of the others.
    denying: Vec<String>,
    asserting: HashSet<String>,
    clauses: u32,
    /// Nothing at all.
    pub(crate) is_empty: bool,
}

impl Evidence {
    pub(crate) fn of<'a, 'b: 'a>(texts: impl IntoIterator<Item = &'a Analysed<'b>>) -> Self {
        let mut evidence = Self {
            is_empty: true,
            ..Self::default()
        };
        for text in texts {
            evidence.add(text);
        }
        evidence.sorted = evidence.words.iter().cloned().collect();
        evidence.sorted.sort_unstable();
        evidence
    }

    fn add(&mut self, text: &Analysed<'_>) {
        let mut initials = String::new();
        for (at, token) in text.tokens.iter().enumerate() {
            self.is_empty = false;
            if token.kind == Kind::Word {
                if let Some(first) = token.fold.chars().next() {
                    initials.push(first);
                }
                if let Some(next) = text.tokens.get(at + 1) {
                    self.joined.insert(format!("{}{}", token.fold, next.fold));
                }
                let bytes = token.fold.as_bytes();
                if bytes.len() >= 5 && bytes.len() <= 64 {
                    for gram in bytes.windows(5) {
                        self.grams
                            .insert([gram[0], gram[1], gram[2], gram[3], gram[4]]);
                    }
                    self.heads
                        .insert([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]]);
                }
            }
            match self.places.get_mut(&token.fold) {
                Some(places) if places.last() != Some(&self.texts) => places.push(self.texts),
                Some(_) => {}
                None => {
                    self.places.insert(token.fold.clone(), vec![self.texts]);
                }
            }
            if !self.words.contains(&token.fold) {
                self.words.insert(token.fold.clone());
            }
        }
        self.initials.push(initials);
        self.texts += 1;
        self.clauses(text);
        if helps(text) {
            self.helps = true;
            self.help(text);
        }
        self.passive(text);
        for (hit, denied) in text.hits.iter().zip(&text.denied) {
            if crate::claims::is_passive(text, hit.first, hit.len, hit.concept) {
                continue;
            }
            if crate::claims::is_shared(text, hit) {
                self.shared = true;
                continue;
            }
            if *denied {
                self.denied.insert(hit.concept)
            } else {
                self.positive.insert(hit.concept)
            };
        }
        self.has_negation |= !text.negations.is_empty();
        self.count(&text.numbers);
    }

    /// Keeps what a line with several parts says of the help, and what beside it.
    fn help(&mut self, text: &Analysed<'_>) {
        let last = text.tokens.last().map_or(0, |token| token.clause);
        if last == 0 {
            return;
        }
        for (at, token) in text.tokens.iter().enumerate() {
            let helping = text
                .over(at)
                .any(|hit| LEXICON.class(hit.concept) == "part");
            if token.clause == 0 && text.is_content(at) && !helping {
                self.helped.push(token.fold.clone());
            }
        }
        let beside = text.numbers.iter();
        self.beside
            .extend(beside.filter(|n| text.tokens[n.at].clause > 0).cloned());
    }

    /// Whether a reply speaks of what stands beside the help, not of the help.
    pub(crate) fn beside_help(&self, reply: &Analysed<'_>, same_language: bool) -> bool {
        if self.helped.is_empty() {
            return false;
        }
        if same_language {
            let own = Self::of([reply]);
            let taken = self.helped.iter().filter(|word| own.related(word)).count();
            return taken * 2 <= self.helped.len();
        }
        !reply.numbers.is_empty()
            && reply
                .numbers
                .iter()
                .all(|number| self.beside.iter().any(|known| number.supported_by(known)))
    }

    /// Keeps what a text says that others did.
    fn passive(&mut self, text: &Analysed<'_>) {
        let by = LEXICON.id("by.agent");
        for hit in text.hits.iter().filter(|hit| hit.concept == by) {
            let at = hit.first as usize;
            let Some(clause) = text.tokens.get(at).map(|token| token.clause) else {
                continue;
            };
            if at == 0 || !is_participle(&text.tokens[at - 1].fold) {
                continue;
            }
            let content = |range: std::ops::Range<usize>| -> Vec<String> {
                range
                    .filter(|i| text.tokens[*i].clause == clause && text.is_content(*i))
                    .map(|i| text.tokens[i].fold.clone())
                    .collect()
            };
            let done = content(at.saturating_sub(8)..at - 1);
            let agent = content(at + 1..text.tokens.len().min(at + 4));
            let starts = text.tokens[..at]
                .iter()
                .rposition(|token| token.clause != clause);
            // A line that starts with a deed of the person's own is not in the passive.
            if starts.is_some() && !done.is_empty() && !agent.is_empty() {
                self.others.push((done, agent));
            }
        }
    }

    /// What a reply takes over from others, without a word of them.
    pub(crate) fn done_by_others(&self, reply: &Analysed<'_>) -> Option<String> {
        if self.others.is_empty() {
            return None;
        }
        let own = Self::of([reply]);
        let taken = self.others.iter().find(|(done, agent)| {
            done.iter().all(|word| own.word(word)) && !agent.iter().any(|word| own.word(word))
        })?;
        Some(format!(
            "the source says that others did \"{}\"",
            taken.0.join(" ")
        ))
    }

    /// Whether a name stands here, perhaps inflected or written together.
    pub(crate) fn word(&self, word: &str) -> bool {
        if self.words.contains(word) || self.joined.contains(word) {
            return true;
        }
        let len = word.len();
        if word
            .strip_suffix('s')
            .is_some_and(|singular| self.words.contains(singular))
        {
            return true;
        }
        if len <= 3 || !word.is_ascii() {
            return self.words.contains(&format!("{word}s"));
        }
        let shared = (len - 1).min(4.max(len * 2 / 3)).min(len);
        let stem = &word[..shared];
        let from = self.sorted.partition_point(|known| known.as_str() < stem);
        self.sorted[from..]
            .iter()
            .take(32)
            .take_while(|known| known.starts_with(stem))
            .any(|known| {
                let common = known
                    .bytes()
                    .zip(word.bytes())
                    .take_while(|(a, b)| a == b)
                    .count();
                known.len() - common <= 4 && len - common <= 4
            })
            || (len >= 4
                && word.bytes().all(|b| b.is_ascii_alphabetic())
                && self.words.contains(&word[..len - 1]))
    }

    /// Whether an ordinary word stands here, in another form or within a compound.
    pub(crate) fn related(&self, word: &str) -> bool {
        let bytes = word.as_bytes();
        if bytes.len() < 5 {
            return self.words.contains(word)
                || (bytes.len() == 4 && self.sorted_prefix(word))
                || self.word(word);
        }
        let head = [bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]];
        self.grams.contains(&head)
            || bytes
                .windows(5)
                .take(40)
                .any(|g| self.heads.contains(&[g[0], g[1], g[2], g[3], g[4]]))
            || self.word(word)
    }

    fn sorted_prefix(&self, stem: &str) -> bool {
        let from = self.sorted.partition_point(|known| known.as_str() < stem);
        self.sorted
            .get(from)
            .is_some_and(|known| known.starts_with(stem))
    }

    /// Whether letters are the initials of words that stand here.
    pub(crate) fn acronym(&self, letters: &str) -> bool {
        letters.len() >= 3
            && self
                .initials
                .iter()
                .any(|initials| initials.contains(letters))
    }

    /// Whether a concept, or one that says as much, is claimed here.
    pub(crate) fn concept(&self, concept: Concept) -> bool {
        LEXICON
            .supports(concept)
            .iter()
            .any(|other| self.positive.contains(other))
    }

    /// Whether this very concept is claimed here.
    pub(crate) fn states(&self, concept: Concept) -> bool {
        self.positive.contains(&concept)
    }

    /// Whether a word stands here in the spelling of another language.
    pub(crate) fn cognate(&self, word: &str) -> bool {
        let Some(first) = word.get(..1) else {
            return false;
        };
        let from = self.sorted.partition_point(|known| known.as_str() < first);
        self.sorted[from..]
            .iter()
            .take_while(|known| known.starts_with(first))
            .take(MOST * 8)
            .any(|known| known.len() > 3 && crate::fields::cognate(known, word))
    }

    /// Whether a concept stands here only denied.
    pub(crate) fn only_denied(&self, concept: Concept) -> bool {
        self.denied.contains(&concept) && !self.concept(concept)
    }

    pub(crate) fn any_of(&self, class: &str) -> bool {
        self.positive
            .iter()
            .any(|concept| LEXICON.class(*concept) == class)
    }

    pub(crate) fn count_of(&self, class: &str) -> usize {
        self.positive
            .iter()
            .filter(|concept| LEXICON.class(**concept) == class)
            .count()
    }

    pub(crate) fn any_of_but(&self, class: &str, but: Concept) -> bool {
        self.positive
            .iter()
            .any(|concept| *concept != but && LEXICON.class(*concept) == class)
    }

    fn clauses(&mut self, text: &Analysed<'_>) {
        self.clauses = self.clauses.max(count_clauses(text));
        let mut denied: Vec<usize> = Vec::new();
        for no in text.negations.iter().map(|no| *no as usize) {
            let clause = text.tokens[no].clause;
            let within = |at: &usize| text.tokens[*at].clause == clause && text.is_content(*at);
            let after: Vec<usize> = (no + 1..text.tokens.len().min(no + 6))
                .filter(within)
                .collect();
            // "liegt nicht vor" denies what stands before it.
            denied.extend(if after.is_empty() {
                (no.saturating_sub(4)..no).filter(within).collect()
            } else {
                after
            });
        }
        denied.sort_unstable();
        for at in (0..text.tokens.len()).filter(|at| text.is_content(*at)) {
            let word = text.tokens[at].fold.clone();
            if denied.binary_search(&at).is_ok() {
                self.denying.push(word);
            } else {
                self.asserting.insert(word);
            }
        }
    }

    /// What a reply without any denial asserts of that which is denied here.
    pub(crate) fn denial(&self, reply: &Analysed<'_>, same_language: bool) -> Option<String> {
        if same_language {
            let own = Evidence::of([reply]);
            let denied = self.denying.iter().find(|word| {
                own.word(word) && !self.asserting.contains(*word) && !is_number_word(word, reply)
            });
            return denied.map(|word| format!("the source denies \"{word}\""));
        }
        let clauses = count_clauses(reply);
        (self.clauses >= 2 && clauses >= self.clauses)
            .then(|| "a denial of the source was dropped".to_owned())
    }

    /// Whether words stand together in one text, as far as they stand here at all.
    pub(crate) fn together<'w>(&self, words: impl Iterator<Item = &'w str>) -> bool {
        let mut common: Option<Vec<u32>> = None;
        for places in words.filter_map(|word| self.places.get(word)) {
            common = Some(match common {
                None => places.clone(),
                Some(common) => common
                    .into_iter()
                    .filter(|at| places.binary_search(at).is_ok())
                    .collect(),
            });
        }
        common.is_none_or(|common| !common.is_empty())
    }

    /// Whether two words stand in one of the texts.
    pub(crate) fn share_a_text(&self, a: &str, b: &str) -> bool {
        let (Some(a), Some(b)) = (self.places.get(a), self.places.get(b)) else {
            return false;
        };
        a.iter().any(|at| b.binary_search(at).is_ok())
    }

    /// Both together.
    pub(crate) fn with(mut self, other: &Self) -> Self {
        self.words.extend(other.words.iter().cloned());
        self.sorted.extend(other.sorted.iter().cloned());
        self.sorted.sort_unstable();
        self.joined.extend(other.joined.iter().cloned());
        self.grams.extend(&other.grams);
        self.heads.extend(&other.heads);
        self.initials.extend(other.initials.iter().cloned());
        self.positive.extend(&other.positive);
        self.count(&other.numbers);
        self
    }

    /// Adds a concept that follows from something else.
    pub(crate) fn grant(&mut self, concept: Concept) {
        self.positive.insert(concept);
    }

    fn count(&mut self, numbers: &[Number]) {
        for number in numbers {
            let at = self.numbers.len() as u32;
            for value in &number.values {
                let places = self.by_value.entry(*value).or_default();
                // The same count over and over says nothing new.
                if places.len() < MOST {
                    places.push(at);
                }
            }
            self.numbers.push(number.clone());
        }
    }

    /// Whether a number of the reply stands here.
    pub(crate) fn number(&self, number: &Number) -> bool {
        let exact = number
            .values
            .iter()
            .filter_map(|value| self.by_value.get(value))
            .flatten();
        let mut exact = exact.filter_map(|at| self.numbers.get(*at as usize));
        let coarse = || {
            (number.over || number.about)
                && self
                    .numbers
                    .iter()
                    .take(MOST * 16)
                    .any(|known| number.supported_by(known))
        };
        exact.any(|known| number.same_kind(known))
            || coarse()
            || (number.value() == 0 && self.has_negation)
    }

    /// Number of words that both have; for likeness.
    pub(crate) fn shares(&self, text: &Analysed<'_>) -> (usize, usize) {
        let mut shared = 0;
        let mut all = 0;
        for at in 0..text.tokens.len() {
            if text.is_content(at) {
                all += 1;
                shared += usize::from(self.related(&text.tokens[at].fold));
            }
        }
        (shared, all)
    }
}

/// `ISO`, `TIG`, `ICU`.
pub(crate) fn is_acronym(raw: &str) -> bool {
    (2..=5).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_uppercase())
}

/// Whether a line starts with `Supported` or its like; care for people is no help to colleagues.
fn helps(text: &Analysed<'_>) -> bool {
    let part = LEXICON.id("part.support");
    let Some(hit) = text
        .hits
        .iter()
        .take_while(|hit| hit.first <= 1)
        .find(|hit| hit.concept == part && !hit.inner)
    else {
        return false;
    };
    let cared = [
        "who.patient",
        "who.customer",
        "who.student",
        "who.apprentice",
    ]
    .map(|name| LEXICON.id(name));
    !text
        .hits
        .iter()
        .any(|other| other.first <= hit.first + 4 && cared.contains(&other.concept))
}

/// `prepared`, `przygotowane`, `préparé`: a form that stands before who did it.
fn is_participle(word: &str) -> bool {
    const TAILS: &[&str] = &[
        "ed", "ny", "na", "ne", "nej", "nego", "nych", "ty", "te", "ta", "e", "ee", "es", "ees",
        "ado", "ada", "ados", "adas", "ido", "ida", "ato", "ata", "ati", "uto",
    ];
    const IRREGULAR: &[&str] = &[
        "led", "run", "made", "done", "held", "built", "written", "drawn", "kept", "given",
    ];
    word.len() > 3 && TAILS.iter().any(|tail| word.ends_with(tail)) || IRREGULAR.contains(&word)
}

fn count_clauses(text: &Analysed<'_>) -> u32 {
    let mut clauses: Vec<u32> = text.tokens.iter().map(|token| token.clause).collect();
    clauses.dedup();
    let and = ["and", "und", "oraz", "et", "y"];
    let joins = text
        .tokens
        .iter()
        .filter(|token| and.contains(&token.fold.as_str()))
        .count();
    clauses.len() as u32 + joins as u32
}

fn is_number_word(word: &str, reply: &Analysed<'_>) -> bool {
    LEXICON.number_word(word, reply.tongues).is_some()
}
