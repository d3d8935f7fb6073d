//! Steady work for a long time while processes are killed again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use clap::ValueEnum;
use e2e::process::Server;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use storage::Clock as _;
use storage::ambient::System as Ambient;
use tokio::time::{MissedTickBehavior, interval};

use crate::Which;
use crate::deployment::{Accepted, Deployment, Finish};
use crate::measure::{memory, ms, percentile};
use crate::scenarios::counters;

/// How often memory is read.
const GLANCE: Duration = Duration::from_secs(1);
/// How often a line says how far it is.
const TELL: Duration = Duration::from_secs(15);
/// Glances in which caches and the allocator fill; memory is judged by those that follow.
const WARM: usize = 120;
/// So many of them are enough to judge by.
const JUDGED: usize = 60;
/// Memory is level if the median of their last third is at most this many times, and then this many
/// megabytes, above that of their first.
const LEVEL: (f64, f64) = (1.2, 8.0);

/// What is varied.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The storage beneath; over `embedded` one `presswork serve` takes the place of the shim and
    /// the workers, and is killed and started again
    #[arg(long, value_enum, default_value_t = Which::Azurite)]
    storage: Which,
    /// How long jobs are submitted
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = config::parse_duration)]
    duration: Duration,
    /// Jobs a second
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rate: u32,
    /// Tenants that submit them in turn
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    tenants: u32,
    /// Workers at any time; the first is never killed if there are others
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=64))]
    workers: u32,
    /// Pause between kills
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = config::parse_duration)]
    kill_every: Duration,
    /// Whether calls run in the background of the provider
    #[arg(long, value_enum, default_value_t = Switch::Off)]
    background: Switch,
    /// How long the model takes over a plain call, or over the submission of one in the background
    #[arg(long, value_name = "DURATION", default_value = "300ms")]
    latency: String,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// A process at work.
struct Member {
    /// What the table calls it.
    name: &'static str,
    server: Server,
}

/// The processes at work, the front first, and what is known of all that were.
struct Fleet {
    members: Vec<Member>,
    kills: usize,
    /// Processes that ended and were not killed.
    broken: Vec<String>,
    /// By name.
    kinds: BTreeMap<&'static str, Kind>,
}

/// What the processes of one kind used and said.
#[derive(Default)]
struct Kind {
    megabytes: Vec<f64>,
    lines: usize,
    /// Warnings and errors.
    complaints: Vec<String>,
}

const WHOLE: &str = "presswork serve, killed";
const SHIM: &str = "api-shim";
const STEADY: &str = "worker, never killed";
const REPLACED: &str = "workers, killed in turn";

impl Member {
    fn start(deployment: &Deployment, name: &'static str) -> Self {
        let server = match name {
            WHOLE => deployment.serve(),
            SHIM => deployment.shim(),
            _ => deployment.worker(),
        };
        Self { name, server }
    }
}

impl Fleet {
    fn start(deployment: &Deployment, options: &Options) -> Self {
        let workers = options.workers as usize;
        let names = match (options.storage, workers) {
            (Which::Embedded, _) => vec![WHOLE],
            (Which::Azurite, 1) => vec![SHIM, REPLACED],
            (Which::Azurite, _) => [vec![SHIM, STEADY], vec![REPLACED; workers - 1]].concat(),
        };
        let members = names
            .into_iter()
            .map(|name| Member::start(deployment, name));
        Self {
            members: members.collect(),
            kills: 0,
            broken: Vec::new(),
            kinds: BTreeMap::new(),
        }
    }

    /// SIGKILL to the next one in turn, and another in its place.
    fn kill(&mut self, deployment: &Deployment) {
        let mortal = |member: &Member| [WHOLE, REPLACED].contains(&member.name);
        let first = self.members.iter().position(mortal).unwrap_or_default();
        let turn = first + self.kills % (self.members.len() - first);
        self.replace(deployment, turn);
        self.kills += 1;
    }

    /// Gives what the one that had to go had logged.
    fn replace(&mut self, deployment: &Deployment, at: usize) -> String {
        let Member { name, server } = self.members.remove(at);
        let log = server.kill();
        self.kind(name).hear(&log);
        self.members.insert(at, Member::start(deployment, name));
        log
    }

    fn kind(&mut self, name: &'static str) -> &mut Kind {
        self.kinds.entry(name).or_default()
    }

    /// Reads the memory of all; of several processes of one kind the largest counts.
    fn glance(&mut self, deployment: &Deployment) {
        let mut now = BTreeMap::new();
        for at in 0..self.members.len() {
            let Member { name, server } = &self.members[at];
            if let Ok((megabytes, _)) = memory(server.id()) {
                let most = now.entry(*name).or_insert(0.0_f64);
                *most = most.max(megabytes);
            } else {
                let name = *name;
                let log = self.replace(deployment, at);
                let lines: Vec<_> = log.lines().rev().take(8).collect();
                let last = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
                let ended = format!("{name}: a process ended by itself; its last lines:\n{last}");
                self.broken.push(ended);
            }
        }
        for (name, megabytes) in now {
            self.kind(name).megabytes.push(megabytes);
        }
    }

    /// Asks all to stop, as an operator would.
    fn stop(mut self, finish: &mut Finish) -> BTreeMap<&'static str, Kind> {
        finish.broken.append(&mut self.broken);
        for Member { name, server } in std::mem::take(&mut self.members) {
            let (status, log) = server.terminate();
            if !status.success() {
                finish.broken.push(format!("{name}: on SIGTERM {status}"));
            }
            self.kind(name).hear(&log);
        }
        self.kinds
    }
}

impl Kind {
    fn hear(&mut self, log: &str) {
        self.lines += log.lines().count();
        let complaints = log
            .lines()
            .filter(|line| line.contains(" WARN ") || line.contains(" ERROR "));
        self.complaints.extend(complaints.map(str::to_owned));
    }

    fn report(&self, name: &str, minutes: f64, finish: &mut Finish) {
        let all = &self.megabytes;
        let at = |at: Option<&f64>| at.copied().unwrap_or_default();
        let most = all.iter().copied().fold(0.0, f64::max);
        println!(
            "| memory: {name} | start {:.0} MB, median {:.0} MB, end {:.0} MB, most {most:.0} MB |",
            at(all.first()),
            median(all),
            at(all.last()),
        );
        println!(
            "| log: {name} | {:.0} lines a minute, {} warnings or errors in all |",
            self.lines as f64 / minutes,
            self.complaints.len(),
        );
        let warm = all.get(WARM..).unwrap_or_default();
        if warm.len() < JUDGED {
            println!("| level: {name} | too short to judge |");
            return;
        }
        let third = warm.len() / 3;
        let (early, late) = (median(&warm[..third]), median(&warm[2 * third..]));
        println!("| level: {name} | {early:.0} MB early, {late:.0} MB late |");
        let (times, more) = LEVEL;
        if late > early * times + more {
            let rises = format!("memory of {name} rises from {early:.0} MB to {late:.0} MB");
            finish.broken.push(rises);
        }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Submits at an even pace for the whole time, kills one process after the other, and then looks
/// whether every job has ended and nothing is left.
pub(crate) async fn soak(options: &Options) -> anyhow::Result<()> {
    ensure!(!options.kill_every.is_zero(), "--kill-every must not be 0");
    let jobs = (options.duration.as_secs_f64() * f64::from(options.rate)).round() as u64;
    let background = match options.background {
        Switch::On => "on",
        Switch::Off => "off",
    };
    let settings = [("model.background", background)];
    let deployment = Deployment::new(options.storage.backing(), &options.latency, &settings)
        .with_tenants(options.tenants)
        .await?;
    let mut fleet = Fleet::start(&deployment, options);
    let clock = Ambient::new();
    let begun = clock.monotonic();
    let (accepted, fetched) = work(&deployment, &mut fleet, options, jobs, &clock).await?;
    let submitted = clock.monotonic().saturating_sub(begun);

    println!(
        "| what, storage {:?} | figure |\n|---|---|",
        options.storage
    );
    println!(
        "| work | {jobs} jobs in {:.0} s, {fetched} PDFs fetched, {} processes killed, calls in the background {background} |",
        submitted.as_secs_f64(),
        fleet.kills,
    );
    let mut finish = deployment.finish(&accepted).await?;
    let minutes = clock.monotonic().saturating_sub(begun).as_secs_f64() / 60.0;
    let at = |share| ms(percentile(&finish.lasted, share));
    println!(
        "| accepted to succeeded | p50 {}, p90 {}, p99 {}, p99.9 {}, most {} |",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0),
    );
    let kinds = fleet.stop(&mut finish);
    for (name, kind) in &kinds {
        kind.report(name, minutes, &mut finish);
    }
    if !finish.broken.is_empty() {
        for line in kinds
            .values()
            .flat_map(|kind| kind.complaints.iter().take(20))
        {
            eprintln!("{line}");
        }
    }
    finish.whole()
}

/// The jobs that were accepted, in no order, and how many clients have their PDF.
async fn work(
    deployment: &Deployment,
    fleet: &mut Fleet,
    options: &Options,
    jobs: u64,
    clock: &Ambient,
) -> anyhow::Result<(Vec<Accepted>, usize)> {
    let begun = clock.monotonic();
    let (mut accepted, mut fetched) = (Vec::new(), 0);
    let mut number = 0;
    // Behind a kill the jobs that were due come at once: the rate holds over the whole time.
    let mut due = interval(Duration::from_secs(1) / options.rate);
    let mut kill = interval(options.kill_every);
    let mut glance = interval(GLANCE);
    let mut tell = interval(TELL);
    for pause in [&mut kill, &mut glance, &mut tell] {
        pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once.
        pause.tick().await;
    }
    let mut clients = FuturesUnordered::new();
    while number < jobs || !clients.is_empty() {
        tokio::select! {
            _ = due.tick(), if number < jobs => {
                clients.push(client(deployment, number));
                number += 1;
            }
            Some(job) = clients.next() => {
                let (job, has_pdf) = job?;
                accepted.push(job);
                fetched += usize::from(has_pdf);
            }
            _ = kill.tick(), if number < jobs => fleet.kill(deployment),
            _ = glance.tick() => fleet.glance(deployment),
            _ = tell.tick() => {
                let calls = counters(&deployment.model).await?;
                eprintln!(
                    "{:.0} s: {fetched} of {jobs} PDFs fetched, {} calls accepted, {} kills",
                    clock.monotonic().saturating_sub(begun).as_secs_f64(),
                    calls["accepted"],
                    fleet.kills,
                );
            }
        }
    }
    Ok((accepted, fetched))
}

/// A job from its submission to its PDF, and whether it came to one.
async fn client(deployment: &Deployment, number: u64) -> anyhow::Result<(Accepted, bool)> {
    let accepted = deployment.submit(number).await?;
    let has_pdf = deployment.take(&accepted).await?;
    Ok((accepted, has_pdf))
}
