//! Every metric in one table: dashboards and alerts are checked against it.
//!
//! Names, units and attributes are OpenTelemetry's where it has a convention (HTTP, messaging,
//! `gen_ai`), and begin with `presswork.` elsewhere. Attributes take few values, all of them ours:
//! never an id, a path or a text of a caller.

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter};

/// What kind of figure a metric is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A sum that only grows.
    Counter,
    /// A sum that goes up and down.
    UpDown,
    /// What was last seen.
    Gauge,
    /// A distribution, with the upper bounds of its buckets.
    Histogram(&'static [f64]),
}

impl Kind {
    /// Prometheus' name of it.
    pub(crate) fn prometheus(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::UpDown | Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// Which.
    pub metric: Metric,
    /// Its name in OpenTelemetry and Application Insights.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its unit (UCUM); things that are counted stand in braces.
    pub unit: &'static str,
    /// Its attributes.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

impl Spec {
    /// Its name in Prometheus, by OpenTelemetry's rules: unit and `_total` go to the end.
    pub fn prometheus_name(&self) -> String {
        let mut name = prometheus_label(self.name);
        name.push_str(match self.unit {
            "s" => "_seconds",
            "By" => "_bytes",
            "[USD]" => "_usd",
            _ => "",
        });
        if self.kind == Kind::Counter {
            name.push_str("_total");
        }
        name
    }
}

/// An attribute's name in Prometheus.
pub(crate) fn prometheus_label(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(plain).collect()
}

/// Upper bounds for requests and storage, in seconds (OpenTelemetry's advice for HTTP).
const QUICK: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Upper bounds for model calls and whole jobs, in seconds.
const SLOW: &[f64] = &[
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0,
];
/// Upper bounds for tokens (OpenTelemetry's advice for `gen_ai`).
const TOKENS: &[f64] = &[
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
];
/// Upper bounds for documents, in bytes.
const SIZES: &[f64] = &[10e3, 25e3, 50e3, 100e3, 250e3, 500e3, 1e6, 2.5e6, 5e6, 10e6];
/// Upper bounds for pages.
const PAGES: &[f64] = &[1.0, 2.0, 3.0, 4.0, 6.0, 10.0];

macro_rules! metrics {
    ($($metric:ident = $kind:expr, $name:literal, $unit:literal, [$($label:literal),*], $help:literal;)*) => {
        /// A metric; its line of [`METRICS`] says what it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Metric {
            $(#[doc = $help] $metric,)*
        }

        /// All metrics, in the order of [`Metric`].
        pub const METRICS: &[Spec] = &[
            $(Spec {
                metric: Metric::$metric,
                name: $name,
                kind: $kind,
                unit: $unit,
                labels: &[$($label),*],
                help: $help,
            },)*
        ];
    };
}

use Kind::{Counter as COUNTER, Gauge as GAUGE, Histogram as HISTOGRAM, UpDown as UP_DOWN};

metrics! {
    HttpDuration = HISTOGRAM(QUICK), "http.server.request.duration", "s",
        ["http.request.method", "http.route", "http.response.status_code"],
        "Time to answer a request, by route and status";
    HttpActive = UP_DOWN, "http.server.active_requests", "{request}", [],
        "Requests that are being answered";
    Problems = COUNTER, "presswork.http.problems", "{answer}", ["problem"],
        "Answers that are a problem, by its kind: validation, not-found and so on";
    Downloads = COUNTER, "presswork.pdf.downloads", "{download}", ["outcome"],
        "Results that were asked for: ok, or error where one should be there and could not be sent";

    JobsAccepted = COUNTER, "presswork.jobs.accepted", "{job}", [],
        "New jobs";
    JobsEnded = COUNTER, "presswork.jobs.ended", "{job}", ["state"],
        "Jobs that reached a final state or were held";
    JobDuration = HISTOGRAM(SLOW), "presswork.job.duration", "s", ["state"],
        "Time from a job's acceptance to its end";
    JobsInFlight = UP_DOWN, "presswork.jobs.in_flight", "{job}", [],
        "Jobs in the hands of workers";
    JobsHeld = COUNTER, "presswork.jobs.held", "{job}", [],
        "Jobs that were held: the outcome of their model call is unknown";
    JobsStranded = COUNTER, "presswork.jobs.stranded", "{job}", [],
        "Jobs that the reconciler put back";
    LatchHits = COUNTER, "presswork.latch.hits", "{job}", [],
        "Jobs that got the PDF of an equal job, without a call";
    BudgetWaits = COUNTER, "presswork.budget.waits", "{wait}", ["reason"],
        "Jobs that began to wait for a budget";

    QueueDepth = GAUGE, "presswork.queue.depth", "{message}", ["messaging.destination.name"],
        "Messages of a queue, visible or not";
    QueueAge = GAUGE, "presswork.queue.age", "s", ["messaging.destination.name"],
        "Age of the oldest visible message of a queue";
    MessageDuration = HISTOGRAM(SLOW), "messaging.process.duration", "s",
        ["messaging.destination.name", "messaging.operation.name"],
        "Time in which a message was handled, by what became of it";
    Poison = COUNTER, "presswork.messages.poison", "{message}", ["messaging.destination.name"],
        "Messages that went to a poison queue";

    ModelDuration = HISTOGRAM(SLOW), "gen_ai.client.operation.duration", "s",
        ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "outcome"],
        "Time of a request to the model's provider, by what came of it";
    ModelTokens = HISTOGRAM(TOKENS), "gen_ai.client.token.usage", "{token}",
        ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.token.type"],
        "Tokens of one call: input, input from the cache, or output";
    ModelSent = COUNTER, "presswork.model.calls.sent", "{call}", [],
        "Calls that went out to the model";
    ModelNotProcessed = COUNTER, "presswork.model.calls.not_processed", "{call}", [],
        "Calls that the provider did not process, and that cost nothing";
    ModelRepeated = COUNTER, "presswork.model.calls.repeated", "{call}", [],
        "Calls that were permitted beyond a job's first: by consent or after an unknown outcome";
    ModelCost = COUNTER, "presswork.model.cost", "[USD]", ["gen_ai.request.model"],
        "What calls cost, where the price is known";

    RenderDuration = HISTOGRAM(QUICK), "presswork.render.duration", "s", ["outcome"],
        "Time to lay out and write a job's documents";
    PdfSize = HISTOGRAM(SIZES), "presswork.pdf.size", "By", [],
        "Size of a main PDF";
    PdfPages = HISTOGRAM(PAGES), "presswork.pdf.pages", "{page}", [],
        "Pages of a main PDF";
    PdfErrors = COUNTER, "presswork.pdf.errors", "{job}", ["reason"],
        "Documents that could not be made: refused or crashed";

    StorageDuration = HISTOGRAM(QUICK), "presswork.storage.duration", "s", ["service", "operation"],
        "Time of one storage operation, its repeats included";
    StorageFailures = COUNTER, "presswork.storage.failures", "{operation}",
        ["service", "operation", "error.type"],
        "Storage operations without a clear answer, or throttled";

    SessionsCreated = COUNTER, "presswork.sessions.created", "{session}", [],
        "New editing sessions";
    SessionsRemoved = COUNTER, "presswork.sessions.removed", "{session}", ["reason"],
        "Editing sessions that were deleted by their owner or expired";
    SessionLife = COUNTER, "presswork.sessions.life", "s", [],
        "Lives of the expired sessions from creation to expiry, summed up; divide by their number";
    SessionsActive = GAUGE, "presswork.sessions.active", "{session}", [],
        "Editing sessions that have not been removed, as of the last round of the reconciler";

    WebhooksDelivered = COUNTER, "presswork.webhooks.delivered", "{delivery}", [],
        "Webhooks that their receiver took";
    WebhooksFailed = COUNTER, "presswork.webhooks.failed", "{delivery}", ["reason"],
        "Tries of a webhook that failed, by what went wrong";
    WebhooksGivenUp = COUNTER, "presswork.webhooks.given_up", "{delivery}", [],
        "Deliveries to webhooks that were given up, and are dead letters";
    WebhookDuration = HISTOGRAM(QUICK), "presswork.webhook.duration", "s", [],
        "Time of one try of a webhook";
}

/// What counts, once somebody receives it.
static INSTRUMENTS: OnceLock<Vec<Instrument>> = OnceLock::new();

enum Instrument {
    Counter(Counter<f64>),
    UpDown(UpDownCounter<f64>),
    Gauge(Gauge<f64>),
    Histogram(Histogram<f64>),
}

/// Makes the instruments of the table; all of them count from here on. Only the first call counts.
pub(crate) fn install(meter: &Meter) {
    let make = |spec: &Spec| {
        macro_rules! made {
            ($builder:expr) => {
                $builder.with_unit(spec.unit).with_description(spec.help)
            };
        }
        match spec.kind {
            Kind::Counter => Instrument::Counter(made!(meter.f64_counter(spec.name)).build()),
            Kind::UpDown => Instrument::UpDown(made!(meter.f64_up_down_counter(spec.name)).build()),
            Kind::Gauge => Instrument::Gauge(made!(meter.f64_gauge(spec.name)).build()),
            Kind::Histogram(bounds) => {
                let histogram = made!(meter.f64_histogram(spec.name));
                Instrument::Histogram(histogram.with_boundaries(bounds.to_vec()).build())
            }
        }
    };
    let _ = INSTRUMENTS.set(METRICS.iter().map(make).collect());
}

/// Whether anybody receives metrics: what is costly to find out need not be without.
pub fn are_on() -> bool {
    INSTRUMENTS.get().is_some()
}

/// Counts and times one storage operation of a service: what its failure was, if it was none.
pub fn storage_call(service: &str, operation: &str, took: Duration, failure: Option<&str>) {
    let labels = [("service", service), ("operation", operation)];
    Metric::StorageDuration.time(took, &labels);
    if let Some(failure) = failure {
        let [service, operation] = labels;
        Metric::StorageFailures.count(&[service, operation, ("error.type", failure)]);
    }
}

impl Metric {
    /// Its line of the table.
    pub fn spec(self) -> &'static Spec {
        &METRICS[self as usize]
    }

    /// Adds to a sum, sets a gauge, or records one value of a distribution. `labels` are those of
    /// the table.
    pub fn record(self, value: f64, labels: &[(&'static str, &str)]) {
        let Some(instruments) = INSTRUMENTS.get() else {
            return;
        };
        debug_assert!(
            labels
                .iter()
                .all(|(name, _)| self.spec().labels.contains(name)),
            "{self:?} has no such label: {labels:?}"
        );
        let pair = |(name, value): &(&'static str, &str)| KeyValue::new(*name, (*value).to_owned());
        let labels: Vec<KeyValue> = labels.iter().map(pair).collect();
        match &instruments[self as usize] {
            Instrument::Counter(counter) => counter.add(value, &labels),
            Instrument::UpDown(sum) => sum.add(value, &labels),
            Instrument::Gauge(gauge) => gauge.record(value, &labels),
            Instrument::Histogram(histogram) => histogram.record(value, &labels),
        }
    }

    /// Adds one.
    pub fn count(self, labels: &[(&'static str, &str)]) {
        self.record(1.0, labels);
    }

    /// Records a time.
    pub fn time(self, time: Duration, labels: &[(&'static str, &str)]) {
        self.record(time.as_secs_f64(), labels);
    }

    /// Adds one now, and takes it back when the guard is dropped.
    pub fn inside(self) -> Inside {
        self.record(1.0, &[]);
        Inside(self)
    }
}

/// See [`Metric::inside`].
#[derive(Debug)]
#[must_use = "it counts as long as it lives"]
pub struct Inside(Metric);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.record(-1.0, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_and_the_enum_agree_and_names_are_unique() {
        let mut names = BTreeSet::new();
        for spec in METRICS {
            assert_eq!(spec.metric.spec(), spec);
            assert!(names.insert(spec.prometheus_name()), "{}", spec.name);
            let own = spec.name.starts_with("presswork.");
            let common = ["http.", "messaging.", "gen_ai."];
            assert!(
                own || common.iter().any(|c| spec.name.starts_with(c)),
                "{}",
                spec.name
            );
            if let Kind::Histogram(bounds) = spec.kind {
                assert!(bounds.is_sorted(), "{}", spec.name);
            }
            assert!(!spec.help.ends_with('.'), "{}", spec.name);
        }
    }

    #[test]
    fn names_in_prometheus() {
        let check = |metric: Metric, expect: &str| {
            assert_eq!(metric.spec().prometheus_name(), expect);
        };
        check(Metric::HttpDuration, "http_server_request_duration_seconds");
        check(Metric::JobsHeld, "presswork_jobs_held_total");
        check(Metric::PdfSize, "presswork_pdf_size_bytes");
        check(Metric::ModelCost, "presswork_model_cost_usd_total");
        check(Metric::JobsInFlight, "presswork_jobs_in_flight");
    }
}
