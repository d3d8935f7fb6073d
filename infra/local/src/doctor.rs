//! `presswork doctor`: is everything here that a deployment needs? And after a restore: no job
//! goes on by itself that may have been called.

use std::fmt;
use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use clap::Args;
use config::{Backend, Config, SettingsArgs};
use jiff::tz::TimeZone;
use openai::Probe;
use schemas::Usd;
use serde_json::json;
use storage::ambient::{System, random};
use storage::jobs::{JobStore, Suspects};
use storage::names::{Container, QueueName, TableName};
use storage::port::{Metadata, Properties, PutMode, StorageError, Write};
use storage::{Clock as _, spend};

use crate::store::{self, StoreArgs};
use crate::{held, receivers};

/// A clock that is this wrong makes signed requests fail soon.
const BAD_SKEW: Duration = Duration::from_mins(10);
/// Times of the table have whole seconds in Azure.
const SMALL_SKEW: Duration = Duration::from_secs(5);

/// `presswork doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// For a store that was restored from a backup or failed over, before any worker is started:
    /// holds every open job whose reply is not stored, until `presswork held release`
    #[arg(long)]
    after_restore: bool,
    /// Holds those alone that had begun a call when the backup was made: for a store on which no
    /// worker ran after that
    #[arg(long, requires = "after_restore")]
    only_begun: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// Checks everything, or holds what one store's restore leaves in doubt.
pub(crate) async fn run(settings: SettingsArgs, args: DoctorArgs) -> anyhow::Result<()> {
    if args.after_restore {
        return after_restore(settings, &args).await;
    }
    let mut report = Report::default();
    check(&mut report, settings, &args).await;
    match report.failed {
        0 => Ok(()),
        1 => bail!("1 check failed"),
        n => bail!("{n} checks failed"),
    }
}

/// Holds every open job that may have been called, until an operator releases it.
async fn after_restore(settings: SettingsArgs, args: &DoctorArgs) -> anyhow::Result<()> {
    let (_, jobs) = args.store.open(settings).await?;
    let suspects = if args.only_begun {
        Suspects::Begun
    } else {
        Suspects::All
    };
    held::hold_open(&jobs, suspects).await?;
    println!("Start the workers now.");
    Ok(())
}

/// One line for each check, and how many failed.
#[derive(Default)]
struct Report {
    failed: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

impl Report {
    fn ok(&mut self, what: &str, text: impl fmt::Display) {
        self.line(Verdict::Ok, what, text);
    }

    fn warn(&mut self, what: &str, text: impl fmt::Display) {
        self.line(Verdict::Warn, what, text);
    }

    fn fail(&mut self, what: &str, text: impl fmt::Display) {
        self.line(Verdict::Fail, what, text);
    }

    fn line(&mut self, verdict: Verdict, what: &str, text: impl fmt::Display) {
        let word = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        };
        println!("{word:4}  {what:20} {text}");
        self.failed += usize::from(verdict == Verdict::Fail);
    }

    /// A failure with all its causes, and what to do.
    fn fault(&mut self, what: &str, error: &dyn std::error::Error, advice: &str) {
        let causes = std::iter::successors(Some(error), |error| error.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        self.fail(what, format!("{}. {advice}", causes.join(": ")));
    }
}

async fn check(report: &mut Report, settings: SettingsArgs, args: &DoctorArgs) {
    let loaded = match args.store.load(settings) {
        Ok(loaded) => loaded,
        // Nothing else can be looked at without settings.
        Err(e) => return report.fail("configuration", e),
    };
    report.ok("configuration", "valid; `presswork config` shows it");
    for note in &loaded.notes {
        report.warn("configuration", note);
    }
    let config = &loaded.config;
    check_model(report, config).await;
    check_prices(report, config);
    for found in receivers::check(&config.telemetry).await {
        match found {
            Ok(text) => report.ok("telemetry", text),
            // Nothing fails for want of telemetry.
            Err(text) => report.warn("telemetry", text),
        }
    }
    let place = match config.storage.backend {
        Backend::Embedded => format!("one SQLite file in {}", config.storage.data_dir.display()),
        Backend::Azure => "Azure Storage".to_owned(),
    };
    let jobs = match store::open(&loaded).await {
        Ok(jobs) => jobs,
        Err(e) => {
            let advice = "Check storage.backend, storage.data_dir and the storage.azure settings.";
            return report.fault("storage", &e, advice);
        }
    };
    report.ok("storage", place);
    check_table(report, &jobs).await;
    check_queue(report, &jobs).await;
    check_blobs(report, &jobs).await;
    check_money(report, &jobs, config).await;
    check_backlog(report, &jobs).await;
}

async fn check_model(report: &mut Report, config: &Config) {
    let client = match worker::model_client(config) {
        Ok(Some(client)) => client,
        Ok(None) => {
            return report.warn(
                "model",
                "none is configured: `presswork serve` edits offline, and `worker` does not start. \
                 Set OPENAI_API_KEY or AZURE_OPENAI_ENDPOINT, or CV_EDITOR=offline",
            );
        }
        Err(e) => {
            return report.fault("model", &e, "Check the model's address and key.");
        }
    };
    let name = config.model.asked_name();
    match client.probe().await {
        Probe::Ready => report.ok("model", format!("{name}: the provider takes the key")),
        Probe::KeyRefused(status) => report.fail(
            "model",
            format!(
                "the provider refuses the key ({status}). Check OPENAI_API_KEY or AZURE_OPENAI_KEY"
            ),
        ),
        Probe::Answers(status @ 500..) => report.warn(
            "model",
            format!("{name}: the provider answers, but with {status}: it may be out of order"),
        ),
        Probe::Answers(status) => report.ok(
            "model",
            format!(
                "{name}: the provider answers (it lists no models: {status}), nothing was spent"
            ),
        ),
        Probe::Unreachable => report.fail(
            "model",
            "the provider cannot be reached. Check OPENAI_BASE_URL or AZURE_OPENAI_ENDPOINT, name \
             resolution and firewalls",
        ),
    }
}

fn check_prices(report: &mut Report, config: &Config) {
    let name = config.model.asked_name();
    if config.model.provider() == config::Provider::Offline {
        return;
    }
    if config.model.prices.of(name).is_some() {
        report.ok("prices", format!("{name} has a price"));
    } else {
        report.warn(
            "prices",
            format!(
                "model.prices does not list {name}: what its calls cost is not known, unless the \
                 provider answers with a name that is listed"
            ),
        );
    }
}

async fn check_table(report: &mut Report, jobs: &JobStore) {
    const PARTITION: &str = "doctor";
    let (table, name) = (&jobs.storage().table, token());
    let clock = System::new();
    let round = async {
        let mut columns = Properties::new();
        columns.insert("text".to_owned(), json!("Grüße"));
        let write = vec![Write::Insert(name.clone(), columns.clone())];
        table.write(TableName::Tenants, PARTITION, write).await?;
        let before = clock.now();
        let read = table.get(TableName::Tenants, PARTITION, &name).await?;
        let write = vec![Write::Delete(name.clone(), None)];
        table.write(TableName::Tenants, PARTITION, write).await?;
        let same = read
            .value
            .is_some_and(|entity| entity.properties == columns);
        Ok::<_, StorageError>((same, read.date, before))
    };
    let (same, date, before) = match round.await {
        Ok(done) => done,
        Err(e) => return report.fault("table", &e, "Check the account's rights on tables."),
    };
    if !same {
        return report.fail("table", "a row did not come back as it was written");
    }
    report.ok("table", "a row was written, read and deleted");
    let skew = date.duration_since(before).unsigned_abs();
    let text = format!("{} ms between this machine and the table", skew.as_millis());
    if skew >= BAD_SKEW {
        report.fail("clock", format!("{text}. Set this machine's clock (NTP)"));
    } else if skew >= SMALL_SKEW {
        report.warn("clock", format!("{text}. Set this machine's clock (NTP)"));
    } else {
        report.ok("clock", text);
    }
}

async fn check_queue(report: &mut Report, jobs: &JobStore) {
    let (queue, text) = (&jobs.storage().queue, token());
    let round = async {
        queue.send(QueueName::Doctor, &text, Duration::ZERO).await?;
        let mut same = false;
        // Others may look at the same time, and earlier ones may have been cut off.
        for _ in 0..20 {
            let lease = Duration::from_secs(30);
            for message in queue.receive(QueueName::Doctor, 32, lease).await? {
                same |= message.body == text;
                queue.delete(QueueName::Doctor, &message.lease).await?;
            }
            if same {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok::<_, StorageError>(same)
    };
    match round.await {
        Ok(true) => report.ok("queue", "a message was put, received and deleted"),
        Ok(false) => report.fail("queue", "a message that was put did not come back in 2 s"),
        Err(e) => report.fault("queue", &e, "Check the account's rights on queues."),
    }
}

async fn check_blobs(report: &mut Report, jobs: &JobStore) {
    // No tenant has a tilde in its name.
    let (blobs, path) = (&jobs.storage().blobs, format!("~doctor/{}", token()));
    let data = Bytes::from_static(b"presswork doctor");
    let round = async {
        let (kind, labels) = ("text/plain", Metadata::new());
        let place = Container::JobInputs;
        let mode = PutMode::CreateOnly;
        blobs
            .put(place, &path, data.clone(), kind, &labels, mode)
            .await?;
        let read = blobs.get(place, &path).await?;
        blobs.delete(place, &path).await?;
        Ok::<_, StorageError>(read.data == data)
    };
    match round.await {
        Ok(true) => report.ok("blobs", "a blob was written, read and deleted"),
        Ok(false) => report.fail("blobs", "a blob did not come back as it was written"),
        Err(e) => report.fault("blobs", &e, "Check the account's rights on blobs."),
    }
}

/// What was spent today, if a budget is kept.
async fn check_money(report: &mut Report, jobs: &JobStore, config: &Config) {
    if !config.budget.is_set() {
        return report.ok("budget", "none is set (CV_DAILY_BUDGET_USD)");
    }
    let table = &*jobs.storage().table;
    let today = System::new().now().to_zoned(TimeZone::UTC).date();
    let spent = match spend::of_others(table, today, "", "").await {
        Ok(read) => read.value,
        Err(e) => return report.fault("budget", &e, "Check the account's rights on tables."),
    };
    let usd = Usd::from_micros;
    let text = format!(
        "{} USD spent today (UTC), {} USD reserved for calls that are out",
        usd(spent.spent),
        usd(spent.reserved)
    );
    match config.budget.daily_usd {
        Some(limit) if spent.total() >= limit => report.warn(
            "budget",
            format!(
                "{text}: nothing is left of {} USD, so jobs wait",
                usd(limit)
            ),
        ),
        Some(limit) => report.ok("budget", format!("{text}, of {} USD", usd(limit))),
        None => report.ok("budget", text),
    }
}

/// What waits for an operator.
async fn check_backlog(report: &mut Report, jobs: &JobStore) {
    let queue = &jobs.storage().queue;
    for (name, advice) in [
        (QueueName::JobsPoison, "`presswork poison list`"),
        (
            QueueName::NotificationsPoison,
            "`presswork poison list --notifications`",
        ),
        (QueueName::DeadLetters, "`presswork deadletter list`"),
    ] {
        match queue.count(name).await {
            Ok(0) => report.ok(name.as_str(), "nothing is set aside"),
            Ok(n) => report.warn(
                name.as_str(),
                format!("about {n} messages are set aside: {advice} shows them"),
            ),
            Err(e) => report.fault(name.as_str(), &e, "Check the account's rights on queues."),
        }
    }
    match held::all(jobs).await {
        Ok((held, passed_over)) => {
            if !held.is_empty() {
                let text = "after a restore: `presswork held list` shows them";
                report.warn("held", format!("{} {text}", held::summary(held.len())));
            }
            for line in passed_over.lines() {
                report.fail("held", line);
            }
        }
        Err(e) => report.fail("held", format!("the open jobs cannot be read: {e:#}")),
    }
}

fn token() -> String {
    schemas::hex(&random::<16>(&System::new()))
}
