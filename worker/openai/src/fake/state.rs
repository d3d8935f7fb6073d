//! What a fake remembers: script, counters, requests, stored responses.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::counters::Counters;
use super::script::{Background, Behaviour, Script, Step};
use super::wire;

/// More stored responses than this push out the oldest.
const MOST_STORED: usize = 10_000;

/// A request for a response, as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path, such as `/v1/responses`.
    pub path: String,
    /// The query, without the question mark; empty if there is none.
    pub query: String,
    /// The headers. Keys are there, and `Debug` masks them.
    pub headers: HeaderMap,
    /// The body; as a string if it is not JSON.
    pub body: Value,
}

/// What has been decided for one request.
#[derive(Debug)]
pub(super) struct Turn {
    /// Its number, from 1.
    pub(super) n: u64,
    pub(super) behaviour: Behaviour,
    pub(super) latency: Duration,
    pub(super) background: (Duration, Duration),
}

#[derive(Debug)]
pub(super) struct State {
    memory: Mutex<Memory>,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Memory {
    script: Script,
    /// The step to come, and how often it has been used.
    position: (usize, u32),
    /// The same among the steps of retrievals.
    retrieval: (usize, u32),
    /// Requests since the start, which a reset does not set back: ids must not come twice.
    serial: u64,
    counters: Counters,
    received: VecDeque<Received>,
    references: HashSet<String>,
    stored: HashMap<String, Stored>,
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Stored {
    now: Value,
    background: bool,
}

/// Counts a request as being answered for as long as it lives.
pub(super) struct InFlight(Arc<State>);

impl State {
    pub(super) fn new(script: Script, stop: CancellationToken) -> Self {
        Self {
            memory: Mutex::new(Memory {
                script,
                ..Memory::default()
            }),
            stop,
        }
    }

    /// Nothing is left half done under the lock, so a handler that panicked takes nothing with it.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counters(&self) -> Counters {
        self.memory().counters.clone()
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.memory().received.iter().cloned().collect()
    }

    pub(super) fn headers(&self) -> (u64, BTreeMap<String, String>) {
        let memory = self.memory();
        (memory.serial, memory.script.headers.clone())
    }

    pub(super) fn set_script(&self, script: Script) {
        let mut memory = self.memory();
        memory.script = script;
        memory.position = (0, 0);
        memory.retrieval = (0, 0);
    }

    pub(super) fn reset(&self) {
        let mut memory = self.memory();
        let in_flight = memory.counters.in_flight;
        *memory = Memory {
            script: std::mem::take(&mut memory.script),
            serial: memory.serial,
            counters: Counters {
                in_flight,
                most_in_flight: in_flight,
                ..Counters::default()
            },
            ..Memory::default()
        };
    }

    /// Writes a request down.
    pub(super) fn receive(self: &Arc<Self>, mut received: Received) -> InFlight {
        for name in ["authorization", "api-key"] {
            if let Some(value) = received.headers.get_mut(name) {
                value.set_sensitive(true);
            }
        }
        let mut memory = self.memory();
        memory.serial += 1;
        let keep = memory.script.keep_requests;
        memory.received.push_back(received);
        while memory.received.len() > keep {
            memory.received.pop_front();
        }
        let counters = &mut memory.counters;
        counters.received += 1;
        counters.in_flight += 1;
        counters.most_in_flight = counters.most_in_flight.max(counters.in_flight);
        InFlight(self.clone())
    }

    pub(super) fn reject(&self) {
        self.memory().counters.rejected += 1;
    }

    /// Takes the next step of the script and counts the request by it.
    pub(super) fn turn(&self, request: &Value) -> Turn {
        let mut memory = self.memory();
        let n = memory.serial;
        let Memory {
            script, position, ..
        } = &mut *memory;
        let step = next(&script.steps, position).unwrap_or_else(|| script.default.clone());
        let reference = request
            .pointer("/metadata/reference")
            .and_then(Value::as_str);
        memory.count(&step.behaviour, reference);
        let in_background = request.get("background").and_then(Value::as_bool) == Some(true);
        // In the background the answer says `queued` at once; the usual latency is the model's.
        let latency = match step.latency {
            None if in_background => Duration::ZERO,
            latency => latency.unwrap_or(memory.script.latency).draw(n),
        };
        let Background {
            queued,
            in_progress,
        } = &memory.script.background;
        Turn {
            n,
            latency,
            background: (queued.draw(n), in_progress.draw(n)),
            behaviour: step.behaviour,
        }
    }

    /// Takes the next step for a request about a stored response, if the script has one.
    pub(super) fn retrieval(&self) -> Option<Behaviour> {
        let mut memory = self.memory();
        let Memory {
            script, retrieval, ..
        } = &mut *memory;
        next(&script.retrievals, retrieval).map(|step| step.behaviour)
    }

    /// What is stored, oldest first.
    pub(super) fn stored(&self) -> Vec<Value> {
        let memory = self.memory();
        let stored = memory.order.iter().filter_map(|id| memory.stored.get(id));
        stored.map(|stored| stored.now.clone()).collect()
    }

    /// Waits, or gives up when the server stops.
    pub(super) async fn wait(&self, time: Duration) -> Result<(), Stopping> {
        if time.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.stop.cancelled() => Err(Stopping),
        }
    }

    /// Waits until the server stops.
    pub(super) async fn wait_for_stop(&self) {
        self.stop.cancelled().await;
    }

    /// Stores a response and lets it grow up: `queued`, `in_progress`, and then as given.
    pub(super) fn store(
        self: &Arc<Self>,
        response: Value,
        background: bool,
        times: (Duration, Duration),
    ) {
        let Some(id) = response
            .get("id")
            .and_then(Value::as_str)
            .map(str::to_owned)
        else {
            return;
        };
        let mut memory = self.memory();
        let first = if background { "queued" } else { "in_progress" };
        memory.stored.insert(
            id.clone(),
            Stored {
                now: wire::unfinished(&response, first),
                background,
            },
        );
        memory.order.push_back(id.clone());
        if memory.order.len() > MOST_STORED
            && let Some(oldest) = memory.order.pop_front()
        {
            memory.stored.remove(&oldest);
        }
        drop(memory);
        let state = self.clone();
        tokio::spawn(async move {
            let (queued, in_progress) = times;
            if background {
                if state.wait(queued).await.is_err() {
                    return;
                }
                state.advance(&id, wire::unfinished(&response, "in_progress"));
            }
            if state.wait(in_progress).await.is_ok() {
                state.advance(&id, response);
            }
        });
    }

    fn advance(&self, id: &str, next: Value) {
        if let Some(stored) = self.memory().stored.get_mut(id)
            && !stored.is_done()
        {
            stored.now = next;
        }
    }

    pub(super) fn retrieve(&self, id: &str) -> Option<Value> {
        let mut memory = self.memory();
        let found = memory.stored.get(id)?.now.clone();
        memory.counters.retrieved += 1;
        Some(found)
    }

    /// Cancels a response; one that is done stays as it is. `Err` if it does not run in the
    /// background.
    pub(super) fn cancel(&self, id: &str) -> Option<Result<Value, ()>> {
        let mut memory = self.memory();
        let stored = memory.stored.get_mut(id)?;
        if !stored.background {
            return Some(Err(()));
        }
        let cancels = !stored.is_done();
        if cancels {
            stored.now = wire::unfinished(&stored.now, "cancelled");
        }
        let now = stored.now.clone();
        memory.counters.cancelled += u64::from(cancels);
        Some(Ok(now))
    }

    pub(super) fn delete(&self, id: &str) -> bool {
        let mut memory = self.memory();
        let deleted = memory.stored.remove(id).is_some();
        memory.order.retain(|stored| stored != id);
        memory.counters.deleted += u64::from(deleted);
        deleted
    }
}

/// The step to come, and the position behind it.
fn next(steps: &[Step], position: &mut (usize, u32)) -> Option<Step> {
    let (index, used) = *position;
    let step = steps.get(index)?.clone();
    *position = if used + 1 < step.times {
        (index, used + 1)
    } else {
        (index + 1, 0)
    };
    Some(step)
}

/// The server is about to stop.
#[derive(Debug)]
pub(super) struct Stopping;

impl Memory {
    fn count(&mut self, behaviour: &Behaviour, reference: Option<&str>) {
        let counters = &mut self.counters;
        let lost = match behaviour {
            Behaviour::Error(error) if error.is_not_processed() => {
                counters.not_processed += 1;
                return;
            }
            Behaviour::Error(error) if !error.is_accepted() => {
                counters.rejected += 1;
                return;
            }
            Behaviour::Error(_)
            | Behaviour::Hang
            | Behaviour::Reset { .. }
            | Behaviour::Close { .. }
            | Behaviour::Truncated
            | Behaviour::NotAResponse
            | Behaviour::Oversized { .. } => true,
            Behaviour::Reply { .. }
            | Behaviour::UnknownItems
            | Behaviour::NotJson
            | Behaviour::BreaksSchema
            | Behaviour::Refusal
            | Behaviour::Incomplete { .. }
            | Behaviour::Failed { .. } => false,
        };
        counters.accepted += 1;
        counters.lost += u64::from(lost);
        if let Some(reference) = reference
            && !self.references.insert(reference.to_owned())
        {
            counters.repeated += 1;
        }
    }
}

impl Stored {
    fn is_done(&self) -> bool {
        !matches!(
            self.now.get("status").and_then(Value::as_str),
            Some("queued" | "in_progress")
        )
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let counters = &mut self.0.memory().counters;
        counters.in_flight = counters.in_flight.saturating_sub(1);
    }
}

/// An id that looks like a real one and comes once, for the same requests the same in every run.
pub(super) fn response_id(body: &[u8], n: u64) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let first = hasher.finish();
    n.hash(&mut hasher);
    format!("resp_{first:016x}{:016x}{n:016x}", hasher.finish())
}
