//! `presswork ledger`: what model calls took and cost, by tenant and day, and whether any job was
//! called more often than it may.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use config::SettingsArgs;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use schemas::{JobId, Usd};
use serde_json::{Value, json};
use storage::Clock as _;
use storage::ambient::System;
use storage::jobs::{CallOutcome, LedgerRow};

use crate::store::{self, StoreArgs};

/// How long after its submission a job may still be called: the longest time in the queue, and
/// then some for owners who agree late to pay again.
const LATEST_CALL: Duration = Duration::from_hours(24 * 45);
/// Clocks of workers may differ from the table's.
const SKEW: Duration = Duration::from_hours(1);
/// Excess calls are a fault of the program: so many are enough to look into.
const MOST_SHOWN: usize = 100;

/// `presswork ledger`.
#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    /// The first day to count (UTC): a date such as 2026-11-01, `today` or `yesterday`
    #[arg(long, value_name = "DAY")]
    since: Day,
    /// The last day to count (UTC) [default: all that follow]
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// One tenant alone
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// A day in UTC, as an operator says it.
#[derive(Clone, Copy, Debug)]
enum Day {
    Today,
    Yesterday,
    On(Date),
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "today" => Ok(Self::Today),
            "yesterday" => Ok(Self::Yesterday),
            date => date
                .parse()
                .map(Self::On)
                .map_err(|_| "use a date such as 2026-11-01, `today` or `yesterday`".to_owned()),
        }
    }
}

impl Day {
    fn date(self, now: Timestamp) -> anyhow::Result<Date> {
        let today = now.to_zoned(TimeZone::UTC).date();
        Ok(match self {
            Self::Today => today,
            Self::Yesterday => today.yesterday()?,
            Self::On(date) => date,
        })
    }
}

/// Sums, prints, and fails if there is an excess.
pub(crate) async fn run(settings: SettingsArgs, args: LedgerArgs) -> anyhow::Result<()> {
    let (_, jobs) = args.store.open(settings).await?;
    let now = System::new().now();
    let since = start_of(args.since.date(now)?)?;
    let until = match args.until {
        Some(last) => start_of(last.date(now)?.checked_add(1.day())?)?,
        None => Timestamp::MAX,
    };
    let mut book = Book::new(since, until);
    // Rows are found by the time of their jobs, which comes before that of their calls.
    let first = since.checked_sub(LATEST_CALL).unwrap_or(Timestamp::MIN);
    let last = until.checked_add(SKEW).unwrap_or(Timestamp::MAX);
    for tenant in store::tenants(&jobs, args.tenant.as_deref()).await? {
        let mut from = None;
        loop {
            let (rows, next) = jobs.ledger(&tenant, first, last, from.as_ref()).await?;
            for row in &rows {
                book.add(tenant.as_str(), row);
            }
            from = next;
            if from.is_none() {
                break;
            }
        }
    }
    book.end_job();
    if args.json {
        println!("{:#}", book.json());
    } else {
        print!("{book}");
    }
    if book.excess > 0 {
        bail!(
            "{} jobs were called more often than they may: one call each, and one more for each \
             consent of the owner and for policy retry_once",
            book.excess
        );
    }
    Ok(())
}

fn start_of(day: Date) -> anyhow::Result<Timestamp> {
    let zoned = day.to_zoned(TimeZone::UTC);
    Ok(zoned
        .with_context(|| format!("{day} is out of range"))?
        .timestamp())
}

/// Calls of one kind of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    calls: u64,
    replied: u64,
    failed: u64,
    rejected: u64,
    not_processed: u64,
    unknown: u64,
    open: u64,
    background: u64,
    input_tokens: u64,
    cached_input_tokens: u64,
    output_tokens: u64,
    cost: u64,
    /// Calls that may have been paid for, at a cost that nobody knows.
    unpriced: u64,
}

impl Sums {
    fn add(&mut self, row: &LedgerRow) {
        self.calls += 1;
        let count = match row.outcome {
            CallOutcome::Replied => &mut self.replied,
            CallOutcome::Failed => &mut self.failed,
            CallOutcome::Rejected => &mut self.rejected,
            CallOutcome::NotProcessed => &mut self.not_processed,
            CallOutcome::Unknown => &mut self.unknown,
            CallOutcome::Open => &mut self.open,
        };
        *count += 1;
        self.background += u64::from(row.background);
        self.input_tokens += row.input_tokens;
        self.cached_input_tokens += row.cached_input_tokens;
        self.output_tokens += row.output_tokens;
        self.cost = self.cost.saturating_add(row.cost_micro_usd.unwrap_or(0));
        self.unpriced += u64::from(row.outcome.may_be_paid() && row.cost_micro_usd.is_none());
    }

    /// The columns of the table.
    fn cells(&self) -> Vec<String> {
        let counts = [
            self.calls,
            self.replied,
            self.failed,
            self.rejected,
            self.not_processed,
            self.unknown,
            self.open,
            self.input_tokens,
            self.cached_input_tokens,
            self.output_tokens,
        ];
        let cost = Usd::from_micros(self.cost).to_string();
        counts.iter().map(u64::to_string).chain([cost]).collect()
    }

    fn json(&self) -> Value {
        json!({
            "calls": self.calls,
            "replied": self.replied,
            "failed": self.failed,
            "rejected": self.rejected,
            "not_processed": self.not_processed,
            "unknown": self.unknown,
            "open": self.open,
            "background": self.background,
            "input_tokens": self.input_tokens,
            "cached_input_tokens": self.cached_input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": Usd::from_micros(self.cost),
            "calls_of_unknown_cost": self.unpriced,
        })
    }
}

/// All calls of one job, as far as they were seen.
struct OneJob {
    tenant: String,
    id: JobId,
    /// Calls that may have been paid for.
    paid: u64,
    consents: u64,
    repeat: bool,
    /// One of them began in the time that was asked for.
    counts: bool,
}

/// The sums, made while rows pass by. Rows of one job follow one another.
struct Book {
    since: Timestamp,
    until: Timestamp,
    days: BTreeMap<(Date, String), Sums>,
    total: Sums,
    job: Option<OneJob>,
    jobs: u64,
    paid: u64,
    consents: u64,
    repeats: u64,
    excess: u64,
    shown: Vec<Value>,
}

impl Book {
    fn new(since: Timestamp, until: Timestamp) -> Self {
        Self {
            since,
            until,
            days: BTreeMap::new(),
            total: Sums::default(),
            job: None,
            jobs: 0,
            paid: 0,
            consents: 0,
            repeats: 0,
            excess: 0,
            shown: Vec::new(),
        }
    }

    fn add(&mut self, tenant: &str, row: &LedgerRow) {
        if self.job.as_ref().is_none_or(|job| job.id != row.job_id) {
            self.end_job();
            self.job = Some(OneJob {
                tenant: tenant.to_owned(),
                id: row.job_id,
                paid: 0,
                consents: 0,
                repeat: false,
                counts: false,
            });
        }
        let counts = (self.since..self.until).contains(&row.began_at);
        if let Some(job) = &mut self.job {
            job.paid += u64::from(row.outcome.may_be_paid());
            job.consents = job.consents.max(u64::from(row.consents));
            job.repeat |= row.repeat;
            job.counts |= counts;
        }
        if counts {
            let day = row.began_at.to_zoned(TimeZone::UTC).date();
            let sums = self.days.entry((day, tenant.to_owned())).or_default();
            sums.add(row);
            self.total.add(row);
        }
    }

    /// The promise is one call to a job, one more for each consent of its owner, and one more under
    /// `retry_once`.
    fn end_job(&mut self) {
        let Some(job) = self.job.take().filter(|job| job.counts) else {
            return;
        };
        let permitted = 1 + job.consents + u64::from(job.repeat);
        self.jobs += u64::from(job.paid > 0);
        self.paid += job.paid;
        self.consents += job.consents;
        self.repeats += u64::from(job.repeat);
        if job.paid > permitted {
            self.excess += 1;
            if self.shown.len() < MOST_SHOWN {
                self.shown.push(json!({
                    "tenant": job.tenant,
                    "job_id": job.id,
                    "calls": job.paid,
                    "permitted": permitted,
                }));
            }
        }
    }

    fn json(&self) -> Value {
        let days = self.days.iter().map(|((day, tenant), sums)| {
            let mut line = sums.json();
            line["day"] = json!(day.to_string());
            line["tenant"] = json!(tenant);
            line
        });
        json!({
            "days": days.collect::<Vec<_>>(),
            "total": self.total.json(),
            "check": {
                "calls_that_may_be_paid": self.paid,
                "jobs": self.jobs,
                "consents": self.consents,
                "retry_once": self.repeats,
                "jobs_with_excess": self.excess,
                "excess": self.shown,
            },
        })
    }
}

impl fmt::Display for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "calls",
            "replied",
            "failed",
            "rejected",
            "not taken",
            "unknown",
            "open",
            "tokens in",
            "cached",
            "tokens out",
            "USD",
        ];
        line(f, "day (UTC)", "tenant", &head.map(str::to_owned))?;
        for ((day, tenant), sums) in &self.days {
            line(f, &day.to_string(), tenant, &sums.cells())?;
        }
        line(f, "total", "", &self.total.cells())?;
        if self.total.unpriced > 0 {
            writeln!(
                f,
                "Calls of unknown cost, not in the sums: {}. Their reply was lost, they are still \
                 out, or model.prices does not list their model.",
                self.total.unpriced
            )?;
        }
        let verdict = match self.excess {
            0 => "no excess".to_owned(),
            n => format!("{n} called too often"),
        };
        writeln!(
            f,
            "Calls that may have been paid for: {}. Jobs: {}, consents to pay again: {}, repeats \
             by retry_once: {}: {verdict}.",
            self.paid, self.jobs, self.consents, self.repeats
        )?;
        for job in &self.shown {
            let name = |key: &str| job[key].as_str().unwrap_or_default().to_owned();
            writeln!(
                f,
                "EXCESS  {}/{}: {} calls, {} permitted",
                name("tenant"),
                name("job_id"),
                job["calls"],
                job["permitted"]
            )?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, day: &str, tenant: &str, cells: &[String]) -> fmt::Result {
    write!(f, "{day:10}  {tenant:20}")?;
    for cell in cells {
        write!(f, "  {cell:>10}")?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Timestamp {
        format!("2026-11-{day}T12:00:00Z").parse().unwrap()
    }

    fn row(job: u8, attempt: u32, day: &str, outcome: CallOutcome) -> LedgerRow {
        LedgerRow {
            job_id: JobId::new(at("01"), [job; 10]),
            attempt,
            consents: 0,
            repeat: false,
            began_at: at(day),
            ended_at: None,
            outcome,
            model: None,
            background: false,
            input_tokens: 10,
            cached_input_tokens: 0,
            output_tokens: 5,
            cost_micro_usd: (outcome == CallOutcome::Replied).then_some(7),
        }
    }

    fn book(rows: &[LedgerRow]) -> Book {
        let mut book = Book::new(at("02"), at("20"));
        for row in rows {
            book.add("acme", row);
        }
        book.end_job();
        book
    }

    #[test]
    fn excess_is_more_than_one_call_and_what_was_permitted_beside() {
        use CallOutcome::{NotProcessed, Open, Rejected, Replied, Unknown};
        let check = |rows: &[LedgerRow], excess: u64| {
            assert_eq!(book(rows).excess, excess, "{rows:?}");
        };
        let with = |row: LedgerRow, consents: u32, repeat: bool| LedgerRow {
            consents,
            repeat,
            ..row
        };
        check(&[row(1, 1, "03", Replied)], 0);
        check(
            &[row(1, 1, "03", NotProcessed), row(1, 2, "03", Replied)],
            0,
        );
        check(&[row(1, 1, "03", Rejected), row(1, 2, "03", Replied)], 0);
        check(&[row(1, 1, "03", Unknown), row(1, 2, "03", Replied)], 1);
        check(&[row(1, 1, "03", Open), row(1, 2, "03", Open)], 1);
        check(&[row(1, 1, "03", Unknown), row(2, 1, "03", Replied)], 0);
        check(
            &[
                row(1, 1, "03", Unknown),
                with(row(1, 2, "04", Replied), 1, false),
            ],
            0,
        );
        check(
            &[
                row(1, 1, "03", Unknown),
                with(row(1, 2, "04", Replied), 0, true),
            ],
            0,
        );
        let third = with(row(1, 3, "05", Replied), 0, true);
        let second = with(row(1, 2, "04", Unknown), 0, true);
        check(&[row(1, 1, "03", Unknown), second, third], 1);
        // Half of it lies outside of the time that was asked for: it is an excess all the same.
        check(&[row(1, 1, "01", Unknown), row(1, 2, "03", Replied)], 1);
        check(&[row(1, 1, "01", Unknown), row(1, 2, "01", Replied)], 0);
    }

    #[test]
    fn sums_are_by_day_and_say_what_they_do_not_know() {
        use CallOutcome::{NotProcessed, Replied, Unknown};
        let book = book(&[
            row(1, 1, "03", Replied),
            row(2, 1, "03", NotProcessed),
            row(2, 2, "04", Replied),
            row(3, 1, "04", Unknown),
            row(4, 1, "20", Replied),
        ]);
        let json = book.json();
        assert_eq!(json["days"][0]["day"], "2026-11-03");
        assert_eq!(json["days"][0]["calls"], 2);
        assert_eq!(json["days"][0]["cost_usd"], "0.000007");
        assert_eq!(json["days"].as_array().unwrap().len(), 2);
        assert_eq!(json["total"]["calls"], 4);
        assert_eq!(json["total"]["calls_of_unknown_cost"], 1);
        assert_eq!(json["check"]["jobs"], 3);
        let text = book.to_string();
        assert!(
            text.contains("unknown cost, not in the sums: 1.") && text.contains("no excess"),
            "{text}"
        );
    }
}
