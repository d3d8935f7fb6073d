//! `GET /health/detailed`: each dependency, how long it took to answer, and what is wrong with it.
//!
//! One round of checks serves everybody for a few seconds, so that the route costs the same however
//! often it is asked, and no check is waited for longer than `/readyz` would.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use jiff::Timestamp;
use schemas::{JobId, Tenant};
use serde::Serialize;
use serde_json::{Map, Value, json};
use storage::names::{Container, QueueName, input_path};
use storage::{StorageError, lease};
use tokio::sync::Mutex;

use crate::app::App;
use crate::caller::{Scope, Who};
use crate::operation::Group;
use crate::problem::chain;

/// How long a round of checks serves.
const FRESH: Duration = Duration::from_secs(3);

/// An answer that takes longer is a bad sign.
const SLOW: Duration = Duration::from_secs(1);

/// A message that waits longer is a bad sign: no worker takes it.
const LATE: Duration = Duration::from_mins(5);

/// How something is, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Healthy,
    /// It works, and somebody should look.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// One check.
#[derive(Clone, Debug)]
struct Check {
    name: &'static str,
    health: Health,
    latency: Duration,
    /// What is wrong, in words that tell nothing of the inside.
    note: Option<String>,
    /// Whether any worker runs, where that is what was looked at.
    running: Option<bool>,
    /// What the dependency said, for admins.
    error: Option<String>,
}

/// One round of checks.
#[derive(Clone, Debug)]
struct Round {
    at: Timestamp,
    /// Monotonic.
    since: Duration,
    checks: Vec<Check>,
}

/// The last round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks(Arc<Mutex<Option<Round>>>);

impl Checks {
    /// The last round if it is fresh, else a new one. Whoever asks meanwhile waits for that.
    async fn round(&self, app: &App) -> Round {
        let mut last = self.0.lock().await;
        let now = app.clock.monotonic();
        if let Some(round) = last.as_ref().filter(|round| now < round.since + FRESH) {
            return round.clone();
        }
        let round = Round {
            at: app.clock.now(),
            since: app.clock.monotonic(),
            checks: check(app).await,
        };
        *last = Some(round.clone());
        round
    }
}

/// `200` where everything works, well or not so well; `503` where something does not.
pub(crate) async fn detailed(State(app): State<App>, mut request: Request) -> Response {
    let admin = match app.identity.identify(&mut request, Group::About).await {
        // Where nobody has to say who he is, nobody is known to be an admin.
        Ok(caller) => caller.who != Who::Anonymous && caller.scopes.contains(&Scope::Admin),
        Err(_) => false,
    };
    let round = app.checks.round(&app).await;
    let worst = round.checks.iter().map(|check| check.health).max();
    let status = worst.unwrap_or(Health::Healthy);
    let checks: Map<String, Value> = round
        .checks
        .iter()
        .map(|check| (check.name.to_owned(), shown(check, admin)))
        .collect();
    let body = json!({"status": status, "timestamp": round.at, "checks": checks});
    let code = match status {
        Health::Healthy | Health::Degraded => StatusCode::OK,
        Health::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, Json(body)).into_response()
}

fn shown(check: &Check, admin: bool) -> Value {
    let mut shown = json!({
        "status": check.health,
        "latency_ms": check.latency.as_millis() as u64,
    });
    if let Some(note) = &check.note {
        shown["note"] = note.as_str().into();
    }
    if let Some(running) = check.running {
        shown["running"] = running.into();
    }
    if let Some(error) = check.error.as_ref().filter(|_| admin) {
        shown["error"] = error.as_str().into();
    }
    shown
}

async fn check(app: &App) -> Vec<Check> {
    let tenant = Tenant::anonymous();
    let id = JobId::new(Timestamp::UNIX_EPOCH, [0; 10]);
    let path = input_path(&tenant, id);
    let storage = app.jobs.storage();
    let table = async { app.jobs.read(&tenant, id).await.map(|_| None) };
    let blobs = async {
        match storage.blobs.head(Container::JobInputs, &path).await {
            Ok(_) | Err(StorageError::NotFound) => Ok(None),
            Err(e) => Err(e),
        }
    };
    let queue = async { storage.queue.peek(QueueName::Jobs, 1).await.map(|_| None) };
    let mut running = None;
    let workers = async {
        let table = &*storage.table;
        // One of them keeps it. Workers that scale to zero are gone while nothing is to do: that is
        // no fault by itself. Where something waits for them, the backlog says so.
        running = Some(lease::is_held(table, lease::RECONCILER).await?);
        Ok(None)
    };
    let (queue, table, blobs, backlog, poison, mut workers) = tokio::join!(
        timed(app, "queue", queue),
        timed(app, "table", table),
        timed(app, "blobs", blobs),
        timed(app, "backlog", backlog(app)),
        timed(app, "poison", poison(app)),
        timed(app, "worker", workers),
    );
    workers.running = running;
    vec![queue, table, blobs, backlog, poison, workers]
}

/// What waits: a note where it waits too long.
async fn backlog(app: &App) -> Result<Option<String>, StorageError> {
    let queue = &app.jobs.storage().queue;
    let messages = queue.peek(QueueName::Jobs, 32).await?;
    let oldest = messages.iter().map(|message| message.inserted_at).min();
    let waits = oldest.map(|oldest| app.clock.now().duration_since(oldest));
    let waits = waits.and_then(|waits| Duration::try_from(waits).ok());
    Ok(waits.filter(|waits| *waits > LATE).map(|waits| {
        let minutes = waits.as_secs() / 60;
        format!("A job has waited for {minutes} minutes: is a worker running?")
    }))
}

/// What was set aside.
async fn poison(app: &App) -> Result<Option<String>, StorageError> {
    let queue = &app.jobs.storage().queue;
    let (jobs, notifications) = tokio::try_join!(
        queue.count(QueueName::JobsPoison),
        queue.count(QueueName::NotificationsPoison),
    )?;
    let all = jobs + notifications;
    let note = format!("Messages that were set aside: {all}. See presswork poison list.");
    Ok((all > 0).then_some(note))
}

/// Makes one check, within its time.
async fn timed(
    app: &App,
    name: &'static str,
    check: impl Future<Output = Result<Option<String>, StorageError>>,
) -> Check {
    let start = app.clock.monotonic();
    let check = storage::ahead(check);
    let answer = tokio::time::timeout(app.settings.ready_timeout, check).await;
    let latency = app.clock.monotonic().saturating_sub(start);
    let (health, note, error) = match answer {
        Ok(Ok(Some(note))) => (Health::Degraded, Some(note), None),
        Ok(Ok(None)) if latency > SLOW => (
            Health::Degraded,
            Some("It answers slowly.".to_owned()),
            None,
        ),
        Ok(Ok(None)) => (Health::Healthy, None, None),
        Ok(Err(e)) => {
            let note = "It does not answer as it should.".to_owned();
            (Health::Unhealthy, Some(note), Some(chain(&e)))
        }
        Err(_) => {
            let note = "It does not answer in time.".to_owned();
            (Health::Unhealthy, Some(note), None)
        }
    };
    Check {
        name,
        health,
        latency,
        note,
        running: None,
        error,
    }
}
