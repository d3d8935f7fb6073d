//! A text with all that is known of it.

use crate::lexicon::{Hit, LEXICON, Lexicon, Tongues, tongue};
use crate::number::{Number, numbers};
use crate::text::{Kind, Token, tokens};

/// A text, read.
pub(crate) struct Analysed<'a> {
    pub(crate) text: &'a str,
    pub(crate) tokens: Vec<Token<'a>>,
    pub(crate) hits: Vec<Hit>,
    /// For each hit, whether it is denied.
    pub(crate) denied: Vec<bool>,
    /// Tokens that deny.
    pub(crate) negations: Vec<u32>,
    pub(crate) numbers: Vec<Number>,
    pub(crate) tongues: Tongues,
}

impl<'a> Analysed<'a> {
    /// Reads a text of a source: words of the reply's language count too, within compounds too,
    /// and what speaks to a model is no fact.
    pub(crate) fn source(text: &'a str, from: Tongues, to: Tongues) -> Self {
        let mut split = tokens(text);
        if let Some(sentence) = injected(&split) {
            split.retain(|token| token.sentence < sentence);
        }
        Self::read(text, split, from, from | to | tongue("en"), true)
    }

    /// Reads a text of a reply.
    pub(crate) fn reply(text: &'a str, to: Tongues) -> Self {
        Self::read(text, tokens(text), to, to, false)
    }

    fn read(
        text: &'a str,
        tokens: Vec<Token<'a>>,
        own: Tongues,
        wide: Tongues,
        compounds: bool,
    ) -> Self {
        let hits = LEXICON.hits(&tokens, wide, compounds);
        let no = LEXICON.id("neg.no");
        let own_hits = if own == wide {
            None
        } else {
            Some(LEXICON.hits(&tokens, own, false))
        };
        let negations: Vec<u32> = own_hits
            .as_ref()
            .unwrap_or(&hits)
            .iter()
            .filter(|hit| hit.concept == no)
            .map(|hit| hit.first)
            .collect();
        let denied = hits
            .iter()
            .map(|hit| denies(&tokens, &negations, hit))
            .collect();
        let numbers = numbers(&tokens, &hits, own);
        Self {
            text,
            tokens,
            hits,
            denied,
            negations,
            numbers,
            tongues: own,
        }
    }

    /// Without its claims: a text that speaks of others.
    pub(crate) fn names_only(mut self) -> Self {
        self.hits.clear();
        self.denied.clear();
        self.numbers.clear();
        self
    }

    /// Whether a token says something of its own.
    pub(crate) fn is_content(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        token.kind == Kind::Word
            && token.fold.len() >= 3
            && !LEXICON.is_stop(&token.fold, self.tongues)
    }

    /// The text of some tokens.
    pub(crate) fn raw(&self, first: usize, end: usize) -> &'a str {
        let (Some(a), Some(b)) = (
            self.tokens.get(first),
            self.tokens.get(end.saturating_sub(1)),
        ) else {
            return "";
        };
        let base = self.text.as_ptr() as usize;
        let start = a.raw.as_ptr() as usize - base;
        let stop = b.raw.as_ptr() as usize - base + b.raw.len();
        self.text.get(start..stop).unwrap_or_default()
    }

    /// Whether a concept of a class is claimed, undenied.
    pub(crate) fn claims(&self, class: &str) -> impl Iterator<Item = &Hit> {
        self.hits
            .iter()
            .zip(&self.denied)
            .filter(move |(hit, denied)| !**denied && LEXICON.class(hit.concept) == class)
            .map(|(hit, _)| hit)
    }

    /// Concepts that touch a token.
    pub(crate) fn over(&self, at: usize) -> impl Iterator<Item = &Hit> {
        let from = self
            .hits
            .partition_point(|hit| (hit.first as usize) + 8 < at);
        let near = self.hits[from..]
            .iter()
            .take_while(move |hit| hit.first as usize <= at);
        near.filter(move |hit| (hit.first + hit.len) as usize > at)
    }

    /// Undenied concepts that touch some tokens.
    pub(crate) fn claims_between(&self, first: usize, end: usize) -> impl Iterator<Item = &Hit> {
        let claimed = self
            .hits
            .iter()
            .zip(&self.denied)
            .filter(|(_, denied)| !**denied)
            .map(|(hit, _)| hit);
        claimed
            .filter(move |hit| (hit.first as usize) < end && (hit.first + hit.len) as usize > first)
    }

    /// How a token is written, if not like an ordinary word.
    pub(crate) fn proper(&self, at: usize) -> Option<Proper> {
        let token = &self.tokens[at];
        if token.kind != Kind::Word {
            return None;
        }
        let mut upper = 0;
        let mut lower = 0;
        let mut other = 0;
        let mut first_upper = false;
        for (i, c) in token.raw.chars().enumerate() {
            if c.is_uppercase() {
                upper += 1;
                first_upper |= i == 0;
            } else if c.is_lowercase() {
                lower += 1;
            } else if c.is_ascii_digit() || matches!(c, '+' | '#') {
                other += 1;
            }
        }
        if upper + lower == 0 && other == 0 {
            return None;
        }
        let inner = upper > usize::from(first_upper);
        if (inner && upper + lower + other >= 2 && !is_roman(token.raw))
            || (other > 0 && upper + lower > 0)
        {
            // "APIs" and "KPIs" are written so too; a whole text in capitals is only loud.
            return Some(Proper::Strong);
        }
        if LEXICON.is_known_name(&token.fold) && (first_upper || token.fold.len() >= 5) {
            return Some(Proper::Known);
        }
        let latin = token.raw.is_ascii() || token.raw.chars().all(|c| (c as u32) < 0x250);
        let foreign = latin
            && self.tongues
                & (tongue("uk")
                    | tongue("el")
                    | tongue("ar")
                    | tongue("he")
                    | tongue("ja")
                    | tongue("zh"))
                & !1
                != 0;
        if foreign && token.fold.len() > 1 {
            return Some(Proper::Strong);
        }
        let german = self.tongues & tongue("de") & !1 != 0;
        (first_upper && !token.opens && !german && token.fold.len() > 1).then_some(Proper::Capital)
    }
}

/// How sure it is that a token is a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proper {
    /// An acronym, camel case, letters with figures.
    Strong,
    /// Everybody knows it.
    Known,
    /// A capital where an ordinary word has none.
    Capital,
}

fn is_roman(raw: &str) -> bool {
    raw.bytes().all(|b| matches!(b, b'I' | b'V' | b'X'))
}

/// The first sentence that speaks to a model.
fn injected(split: &[Token<'_>]) -> Option<u32> {
    if !LEXICON.is_injection(split) {
        return None;
    }
    let mut start = 0;
    while start < split.len() {
        let sentence = split[start].sentence;
        let end = split[start..]
            .iter()
            .position(|token| token.sentence != sentence)
            .map_or(split.len(), |n| start + n);
        if LEXICON.is_injection(&split[start..end]) {
            return Some(sentence);
        }
        start = end;
    }
    Some(0)
}

fn denies(tokens: &[Token<'_>], negations: &[u32], hit: &Hit) -> bool {
    let from = negations.partition_point(|no| no + 7 < hit.first);
    negations[from..]
        .iter()
        .take_while(|no| **no <= hit.first + hit.len + 4)
        .any(|no| {
            let (a, b) = (&tokens[*no as usize], &tokens[hit.first as usize]);
            // "Ohne", "no" and their like deny what follows; only few stand behind.
            let behind = *no >= hit.first + hit.len && Lexicon::denies_before(&a.fold);
            a.clause == b.clause && (*no < hit.first || behind)
        })
}
