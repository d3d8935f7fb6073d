//! What all runs came to, point by point.

use std::collections::BTreeMap;
use std::fmt;

use super::case::{Case, Fault};
use super::run::Verdict;

/// Sums over runs.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: BTreeMap<(String, Fault), Sums>,
    all: Sums,
    /// What to look at.
    pub stories: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Sums {
    runs: usize,
    jobs: u64,
    accepted: u64,
    excess: u64,
    lost: u64,
    held: u64,
    held_wrongly: u64,
    other: u64,
}

impl Table {
    /// Runs so far.
    pub fn runs(&self) -> usize {
        self.all.runs
    }

    /// Whether every run was as promised.
    pub fn is_good(&self) -> bool {
        self.stories.is_empty()
    }

    pub(crate) fn add(&mut self, case: &Case, verdict: Verdict) {
        let row = self
            .rows
            .entry((case.effect.clone(), case.fault))
            .or_default();
        for sums in [row, &mut self.all] {
            sums.runs += 1;
            sums.jobs += verdict.jobs;
            sums.accepted += verdict.accepted;
            sums.excess += verdict.excess;
            sums.lost += verdict.lost;
            sums.held += verdict.held;
            sums.held_wrongly += verdict.held_wrongly;
            sums.other += verdict.wrong_end + verdict.left;
        }
        if !verdict.is_good() {
            self.stories.push(verdict.story);
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| point | fault | runs | jobs | accepted calls | double calls | lost | held | held wrongly | wrong end or left over |\n\
             |---|---|---|---|---|---|---|---|---|---|"
        )?;
        let rows = self.rows.iter().map(|((effect, fault), sums)| {
            let fault = match fault {
                Fault::KillBefore => "killed before",
                Fault::KillAfter => "killed after",
                Fault::LostAnswer => "answer lost",
            };
            (effect.as_str(), fault, sums)
        });
        for (effect, fault, s) in rows.chain([("all", "", &self.all)]) {
            writeln!(
                f,
                "| {effect} | {fault} | {} | {} | {} | {} | {} | {} | {} | {} |",
                s.runs, s.jobs, s.accepted, s.excess, s.lost, s.held, s.held_wrongly, s.other,
            )?;
        }
        Ok(())
    }
}
