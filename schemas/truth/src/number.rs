//! Numbers in a text: figures and words, with what they count.

use crate::lexicon::{Concept, Hit, LEXICON, Tongues};
use crate::numeral::{self, figures, words};
use crate::text::{Kind, Token};

/// Figures after the point that count.
pub(crate) const SCALE: i128 = 10_000;

/// A number, times [`SCALE`].
#[derive(Clone, Debug)]
pub(crate) struct Number {
    /// What it may mean: `1.500` has two readings in a language that it is not written for.
    pub(crate) values: Vec<i128>,
    /// Measures, time and money.
    pub(crate) units: Vec<Concept>,
    /// Who is counted.
    pub(crate) who: Vec<Concept>,
    /// `per week`, `weekly`.
    pub(crate) per: Option<Concept>,
    /// The first token, and the one after the last.
    pub(crate) at: usize,
    pub(crate) end: usize,
    /// `over`, `at least`.
    pub(crate) over: bool,
    /// `about`.
    pub(crate) about: bool,
    /// A year of the calendar.
    pub(crate) year: bool,
    /// `2nd`, or a word, which is often no count.
    pub(crate) ordinal: bool,
    /// `one year`: a count, or no more than an article.
    pub(crate) one: bool,
    /// `a third`, kept as a share in percent.
    pub(crate) fraction: bool,
    /// `up to`, `at most`.
    pub(crate) upto: bool,
    /// `from 14 to 9`: the second of a pair.
    pub(crate) to: bool,
    /// The words that follow it: what is counted.
    pub(crate) nouns: Vec<String>,
}

/// All numbers of a text.
pub(crate) fn numbers(tokens: &[Token<'_>], hits: &[Hit], tongues: Tongues) -> Vec<Number> {
    let mut found: Vec<Number> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let share = numeral::fraction(tokens, at, tongues);
        let fraction = share.is_some();
        let read = match tokens[at].kind {
            _ if fraction => share,
            Kind::Number => Some((figures(tokens[at].raw, tongues), at + 1)),
            Kind::Word if !in_unit(hits, at) => words(tokens, at, tongues),
            _ => None,
        };
        let one = read.is_none() && is_one(tokens, hits, at);
        let read = read.or_else(|| one.then(|| (vec![SCALE], at + 1)));
        let Some((values, end)) = read else {
            at += 1;
            continue;
        };
        if values.is_empty() {
            at = end;
            continue;
        }
        let mut number = Number {
            year: tokens[at].kind == Kind::Number
                && tokens[at].raw.len() == 4
                && values
                    .iter()
                    .all(|v| (1900 * SCALE..2100 * SCALE).contains(v)),
            values,
            units: Vec::new(),
            who: Vec::new(),
            per: None,
            at,
            end,
            over: false,
            about: false,
            ordinal: false,
            one,
            fraction,
            upto: false,
            to: false,
            nouns: Vec::new(),
        };
        surroundings(&mut number, tokens, hits, tongues);
        if fraction {
            number.units = vec![LEXICON.id("unit.percent")];
            number.about = true;
        }
        number.nouns = nouns(&number, tokens, hits, tongues);
        at = number.end.max(end);
        found.push(number);
    }
    // The month of `07/2016` counts nothing.
    let years: Vec<usize> = found
        .iter()
        .filter(|number| number.year)
        .map(|number| number.at)
        .collect();
    let glued = |at: usize| tokens.get(at).is_some_and(|token| token.glued);
    found.retain(|number| {
        let before = glued(number.at + 1) && years.binary_search(&(number.at + 1)).is_ok();
        let after =
            glued(number.at) && number.at > 0 && years.binary_search(&(number.at - 1)).is_ok();
        number.year || !(before || after)
    });
    inherit(&mut found, tokens, hits);
    found
}

/// The words after a number that may say what it counts.
fn nouns(number: &Number, tokens: &[Token<'_>], hits: &[Hit], tongues: Tongues) -> Vec<String> {
    let near = tokens.iter().enumerate().skip(number.end).take(3);
    let counted = near
        .take_while(|(_, t)| t.kind == Kind::Word && t.clause == tokens[number.at].clause)
        .filter(|(at, t)| {
            t.fold.len() >= 3
                && !LEXICON.is_stop(&t.fold, tongues)
                && !hits[hits.partition_point(|hit| (hit.first as usize) < *at)..]
                    .iter()
                    .take_while(|hit| hit.first as usize == *at)
                    .any(|hit| {
                        matches!(LEXICON.class(hit.concept), "unit" | "freq" | "per" | "mult")
                    })
        });
    counted.map(|(_, token)| token.fold.clone()).collect()
}

/// `one` or its like before a span of time.
fn is_one(tokens: &[Token<'_>], hits: &[Hit], at: usize) -> bool {
    let ones = [
        "one", "einem", "einer", "eines", "jeden", "jednym", "jednego", "jednej", "un", "une",
        "una",
    ];
    let spans = [
        "unit.year",
        "unit.month",
        "unit.week",
        "unit.day",
        "unit.hour",
    ];
    ones.contains(&tokens[at].fold.as_str())
        && hits[hits.partition_point(|hit| hit.first as usize <= at)..]
            .iter()
            .take_while(|hit| hit.first as usize == at + 1)
            .any(|hit| spans.contains(&LEXICON.name(hit.concept)))
}

/// `por ciento` holds no hundred.
fn in_unit(hits: &[Hit], at: usize) -> bool {
    let from = hits.partition_point(|hit| (hit.first as usize) + 3 < at);
    hits[from..]
        .iter()
        .take_while(|hit| hit.first as usize <= at)
        .any(|hit| {
            hit.len > 1
                && (hit.first + hit.len) as usize > at
                && LEXICON.class(hit.concept) == "unit"
        })
}

fn surroundings(number: &mut Number, tokens: &[Token<'_>], hits: &[Hit], tongues: Tongues) {
    let from = hits.partition_point(|hit| (hit.first as usize) + 4 < number.at);
    let mut per = false;
    // `monthly budget of 900`: the period stands before the number.
    let mut before = None;
    for hit in &hits[from..] {
        let first = hit.first as usize;
        if first > number.at + 6 {
            break;
        }
        let class = LEXICON.class(hit.concept);
        if first + hit.len as usize <= number.at {
            let gap = number.at - (first + hit.len as usize);
            match LEXICON.name(hit.concept) {
                "mod.over" if gap <= 1 => number.over = true,
                "mod.about" if gap <= 1 => number.about = true,
                "mod.upto" if gap <= 1 => number.upto = true,
                _ if class == "freq" && gap <= 2 && same_clause(tokens, first, number.at) => {
                    before = before.or(LEXICON.supports(hit.concept).get(1).copied());
                }
                _ if class == "who" && gap <= 1 && same_clause(tokens, first, number.at) => {
                    number.who.push(hit.concept);
                }
                _ if class == "unit"
                    && gap == 0
                    && is_money(hit.concept)
                    && same_clause(tokens, first, number.at) =>
                {
                    number.units.push(hit.concept);
                }
                _ => {}
            }
            continue;
        }
        if first == number.at && class == "unit" && hit.inner {
            number.units.push(hit.concept);
        }
        if first < number.end || !same_clause(tokens, number.at, first) {
            continue;
        }
        let gap = first - number.end;
        if tokens[number.end.min(first)..first]
            .iter()
            .any(|token| token.kind == Kind::Number)
        {
            break;
        }
        match class {
            "mult" if gap == 0 => multiply(number, hit, tokens),
            "per" if gap > 0 => per = true,
            // "Щотижневих" is weekly, and no week.
            "unit" if hit.inner && is_period(hits, hit) => {}
            "unit" if per => number.per = number.per.or(Some(hit.concept)),
            "unit" => {
                let short = tokens[first].fold.len() <= 2 && tokens[first].kind == Kind::Word;
                // `12 w 2020`: a small word, not watts.
                let small =
                    short && !tokens[first].glued && LEXICON.is_stop(&tokens[first].fold, tongues);
                // `2,4 milioni di euro`, but not `12 of the weeks`.
                let joined = is_money(hit.concept) && number.end > number.at + 1;
                let crossed = !joined
                    && tokens[number.end..first]
                        .iter()
                        .any(|token| LEXICON.is_stop(&token.fold, tongues));
                let near = gap == 0 || gap <= 2 && !short;
                let free = !crossed || hit.len > 1;
                if near && free && !small && !number.year {
                    number.units.push(hit.concept);
                }
            }
            // "12-miesięczny" is a length; "12 monthly reports" is not.
            "freq" if gap == 0 && tokens[first].glued => {
                number.units.extend(LEXICON.supports(hit.concept).get(1));
            }
            "freq" => number.per = number.per.or(LEXICON.supports(hit.concept).get(1).copied()),
            "who" | "thing" if gap <= 3 => number.who.push(hit.concept),
            _ => {}
        }
    }
    if number.units.iter().any(|unit| is_money(*unit)) {
        number.per = number.per.or(before);
    }
    number.units.sort_unstable();
    number.units.dedup();
    number.who.sort_unstable();
    number.who.dedup();
    let tail = tokens
        .get(number.end)
        .filter(|token| token.glued)
        .map(|token| token.fold.as_str());
    number.ordinal = matches!(tail, Some("st" | "nd" | "rd" | "th" | "er" | "ste" | "te"));
}

/// Whether a word that holds a unit is one for a period: `щотижневий`.
fn is_period(hits: &[Hit], unit: &Hit) -> bool {
    let from = hits.partition_point(|hit| hit.first < unit.first);
    hits[from..]
        .iter()
        .take_while(|hit| hit.first == unit.first)
        .any(|hit| LEXICON.class(hit.concept) == "freq" && !hit.inner)
}

fn multiply(number: &mut Number, hit: &Hit, tokens: &[Token<'_>]) {
    let factor: i128 = match LEXICON.name(hit.concept) {
        "mult.k" => 1_000,
        "mult.wan" => 10_000,
        "mult.m" => 1_000_000,
        "mult.yi" => 100_000_000,
        _ => 1_000_000_000,
    };
    let many: Vec<i128> = number
        .values
        .iter()
        .map(|v| v.saturating_mul(factor))
        .collect();
    if tokens[hit.first as usize].fold == "m" {
        // Metres or millions.
        number.values.extend(many);
    } else {
        number.values = many;
    }
    number.end = number.end.max((hit.first + hit.len) as usize);
}

/// `from 1.9 to 1.2 million euros`: the unit of the second is that of the first.
fn inherit(found: &mut [Number], tokens: &[Token<'_>], hits: &[Hit]) {
    let (range, to) = (LEXICON.id("link.range"), LEXICON.id("link.to"));
    let joins = |at: usize, link: Concept| {
        let from = hits.partition_point(|hit| (hit.first as usize) < at);
        hits[from..]
            .iter()
            .take_while(|hit| hit.first as usize == at)
            .any(|hit| hit.concept == link)
    };
    for i in (1..found.len()).rev() {
        let (head, tail) = found.split_at_mut(i);
        let (Some(first), second) = (head.last_mut(), &mut tail[0]) else {
            continue;
        };
        let between: Vec<usize> = (first.end..second.at)
            .filter(|at| tokens[*at].kind == Kind::Word)
            .collect();
        let linked = match between.as_slice() {
            [] => same_clause(tokens, first.at, second.at),
            [one] => joins(*one, range),
            _ => false,
        };
        second.to = match between.as_slice() {
            [one] | [_, one] => !first.year && joins(*one, to),
            _ => false,
        };
        if !linked || !first.units.is_empty() || first.year {
            continue;
        }
        first.units.clone_from(&second.units);
        if first.who.is_empty() {
            first.who.clone_from(&second.who);
        }
        for factor in [1_000, 1_000_000, 1_000_000_000] {
            if second
                .values
                .iter()
                .any(|v| *v >= factor * SCALE / 100 && v % (factor / 1000) == 0)
            {
                let more: Vec<i128> = first
                    .values
                    .iter()
                    .take(2)
                    .map(|v| v.saturating_mul(factor))
                    .collect();
                first.values.extend(more);
            }
        }
    }
}

fn same_clause(tokens: &[Token<'_>], a: usize, b: usize) -> bool {
    match (tokens.get(a), tokens.get(b)) {
        (Some(a), Some(b)) => a.clause == b.clause,
        _ => false,
    }
}

fn is_money(unit: Concept) -> bool {
    matches!(
        LEXICON.name(unit),
        "unit.eur"
            | "unit.usd"
            | "unit.gbp"
            | "unit.pln"
            | "unit.chf"
            | "unit.uah"
            | "unit.czk"
            | "unit.sek"
            | "unit.jpy"
            | "unit.cny"
    )
}

impl Number {
    /// Whether `self`, of the reply, says no more than `source` does.
    pub(crate) fn supported_by(&self, source: &Self) -> bool {
        self.same_kind(source)
            && self.values.iter().any(|v| {
                source
                    .values
                    .iter()
                    .any(|s| self.covers(*v, *s, source.fraction))
            })
    }

    fn covers(&self, value: i128, source: i128, of_fraction: bool) -> bool {
        if value == source {
            return true;
        }
        // "over 20" of 23 and "about 1,200" of 1,187 are coarser, not other.
        // A third is 33 % or 33.3 %.
        let share = (self.fraction || of_fraction)
            && (source - value).abs().saturating_mul(50) <= source.abs();
        if share {
            return true;
        }
        let over = self.over && source > value && source <= value.saturating_mul(3) / 2;
        let about = self.about && (source - value).abs().saturating_mul(20) <= source.abs();
        over || about
    }

    /// Whether both may count the same.
    pub(crate) fn same_kind(&self, source: &Self) -> bool {
        let common = |a: &[Concept], b: &[Concept]| a.iter().any(|unit| b.contains(unit));
        if self.year || source.year {
            return self.year == source.year || self.units.is_empty() && self.who.is_empty();
        }
        if matches!((self.per, source.per), (Some(a), Some(b)) if a != b) {
            return false;
        }
        let money = |units: &[Concept]| units.iter().copied().find(|unit| is_money(*unit));
        if let (Some(ours), Some(_)) = (money(&self.units), money(&source.units)) {
            return source.units.contains(&ours);
        }
        // Eighteen are not 18 %.
        let percent = LEXICON.id("unit.percent");
        if self.units.contains(&percent) != source.units.contains(&percent) {
            return false;
        }
        // "Charging points" are no score.
        let points = self.units == [LEXICON.id("unit.points")] && source.units.is_empty();
        if !self.units.is_empty() && !points {
            return common(&self.units, &source.units);
        }
        if self.who.is_empty() {
            return true;
        }
        let people = LEXICON.id("who.people");
        if source.who.is_empty() {
            return source.units.is_empty();
        }
        // Trainees are staff to one language and pupils to another.
        let learns = LEXICON.id("who.apprentice");
        let taught = [LEXICON.id("who.student"), LEXICON.id("who.staff")];
        let learner = |a: &[Concept], b: &[Concept]| {
            a.contains(&learns) && taught.iter().any(|who| b.contains(who))
        };
        // Those who are served are called in many ways: clients, residents, children.
        let served = ["who.customer", "who.patient", "who.student"].map(|name| LEXICON.id(name));
        let are_served = |who: &[Concept]| who.iter().any(|who| served.contains(who));
        self.who.contains(&people)
            || source.who.contains(&people)
            || (are_served(&self.who) && are_served(&source.who))
            || common(&self.who, &source.who)
            || learner(&self.who, &source.who)
            || learner(&source.who, &self.who)
    }

    /// Whether both count the same thing by a word that is known.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let common = |a: &[Concept], b: &[Concept]| a.iter().any(|unit| b.contains(unit));
        common(&self.units, &other.units)
            || common(&self.who, &other.who)
            || self.nouns.iter().any(|noun| {
                let stem = noun.get(..noun.len().min(5)).unwrap_or(noun);
                other.nouns.iter().any(|other| other.starts_with(stem))
            })
    }

    /// Whether it is known what is counted.
    pub(crate) fn is_named(&self) -> bool {
        !(self.units.is_empty() && self.who.is_empty() && self.nouns.is_empty())
    }

    /// A count that is mostly an article or a name: `one`, `second`.
    pub(crate) fn is_idle(&self) -> bool {
        self.ordinal
    }

    /// The number itself, for equality.
    pub(crate) fn value(&self) -> i128 {
        self.values.first().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::tongue;
    use crate::text::tokens;

    fn read(tag: &str, text: &str) -> Vec<Number> {
        let split = tokens(text);
        let hits = LEXICON.hits(&split, tongue(tag), false);
        numbers(&split, &hits, tongue(tag))
    }

    fn shown(tag: &str, text: &str) -> String {
        let shown = |n: &Number| {
            let units: Vec<_> = n
                .units
                .iter()
                .chain(&n.who)
                .map(|u| LEXICON.name(*u))
                .collect();
            format!(
                "{}{}",
                n.value() as f64 / SCALE as f64,
                units
                    .iter()
                    .fold(String::new(), |all, unit| all + " " + unit)
            )
        };
        read(tag, text)
            .iter()
            .map(shown)
            .collect::<Vec<_>>()
            .join(", ")
    }

    #[test]
    fn numbers_are_read_in_every_writing() {
        let table = [
            ("en", "1,200 transactions per minute", "1200"),
            ("de", "1.500 kg", "1500 unit.kg"),
            ("pl", "3,1 do 1,8 w 1 000 dni", "3.1, 1.8, 1000 unit.day"),
            ("en", "€1.9 million", "1900000 unit.eur"),
            ("de", "42 Mio. €", "42000000 unit.eur"),
            ("pl", "380 tys. klientów", "380000 who.customer"),
            ("en", "twenty-five nurses", "25 who.staff"),
            ("pl", "siedemdziesiąt procent", "70 unit.percent"),
            ("pl", "dwadzieścia pięć osób", "25 who.people"),
            ("de", "fünfundzwanzig Mitarbeiter", "25 who.staff"),
            ("de", "fünfköpfiges Team", "5 who.staff"),
            ("en", "6 working days", "6 unit.day"),
            ("de", "9-jährige Erfahrung", "9 unit.year"),
            ("de", "42.000.000 €", "42000000 unit.eur"),
            ("en", "10k users", "10000 who.customer"),
            ("uk", "2,4 млн заявок", "2400000"),
            ("zh", "5万客户", "50000 who.customer"),
            ("en", "cut 12% in 2021", "12 unit.percent, 2021"),
            ("de", "07/2016 – heute", "2016"),
            ("en", "a team of 8", "8 who.staff"),
            ("es", "11 por ciento en 2022", "11 unit.percent, 2022"),
            ("en", "two thirds of them", "66.6666 unit.percent"),
            ("de", "ein Drittel", "33.3333 unit.percent"),
            ("pl", "jednej trzeciej", "33.3333 unit.percent"),
            ("en", "a third party", ""),
            ("de", "im Vierer-Team", "4 who.staff"),
            ("nl", "een tweejarige opleiding", "2 unit.year"),
            ("uk", "двотижневий курс", "2 unit.week"),
            ("it", "2,4 milioni di euro", "2400000 unit.eur"),
            ("en", "a 140-room hotel", "140 thing.room"),
            ("de", "von 3 auf 40 mm", "3 unit.mm, 40 unit.mm"),
            ("pl", "12 w 2020", "12, 2020"),
            ("fr", "une équipe de 6 infirmières", "6 who.staff"),
            ("es", "más de 3 mil clientes", "3000 who.customer"),
        ];
        for (tag, text, want) in table {
            assert_eq!(shown(tag, text), want, "{text}");
        }
    }

    #[test]
    fn a_number_supports_what_is_the_same_or_coarser() {
        let check = |from: &str, source: &str, to: &str, reply: &str, want: bool| {
            let (source, reply) = (read(from, source), read(to, reply));
            assert_eq!(
                reply[0].supported_by(&source[0]),
                want,
                "{reply:?} of {source:?}"
            );
        };
        check("de", "1,9 Mio. €", "en", "€1.9 million", true);
        check("de", "1,9 Mio. €", "en", "$1.9 million", false);
        check("en", "23 schools", "en", "over 20 schools", true);
        check("en", "23 schools", "en", "over 30 schools", false);
        check("en", "1,187 tickets", "de", "rund 1.200 Anfragen", true);
        check("en", "12 weeks", "de", "12 Monate", false);
        check("en", "8 nurses", "pl", "8 pacjentów", false);
        check("en", "8 people", "pl", "8 pacjentów", true);
        check("en", "12 reports", "en", "12%", false);
    }
}
