//! A model's provider in the same process, as bad as a seed wants it: it refuses, loses answers,
//! fails, takes its time; and it counts every request that it accepts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use openai::{
    Ambiguity, AmbiguityKind, Called, Failure, FailureKind, NotProcessed, NotProcessedReason,
    Outcome, Reply, Request, Retrieved, Settled, Usage,
};
use serde_json::{Value, json};
use storage::Clock;
use worker::editor::ModelApi;

use super::random::Random;

/// The provider, shared by all workers.
#[derive(Debug)]
pub(crate) struct Provider {
    clock: Arc<dyn Clock>,
    /// What the model says, whatever it is asked.
    reply: Value,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    /// In per cent: how often a request meets trouble.
    trouble: u64,
    /// Accepted requests for each reference.
    accepted: BTreeMap<String, u32>,
    responses: BTreeMap<String, Response>,
    serial: u64,
}

#[derive(Clone, Debug)]
struct Response {
    reference: String,
    done_at: Duration,
    status: &'static str,
}

/// One worker's line to the provider; it goes dead with the worker.
pub(crate) struct Line {
    pub(crate) provider: Arc<Provider>,
    pub(crate) dead: Arc<AtomicBool>,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Fine,
    /// Not processed: 429, overloaded, or not even connected.
    Refused(NotProcessedReason),
    /// Final: rejected unpaid, or failed after work.
    Rejected,
    Failed,
    /// No answer; the request arrived or not.
    Lost {
        arrived: bool,
    },
    /// Half an answer: in the background it names the response.
    Half,
}

impl Provider {
    pub(crate) fn new(clock: Arc<dyn Clock>, reply: Value, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            clock,
            reply,
            state: Mutex::new(State {
                random: Random::new(seed),
                trouble: 25,
                accepted: BTreeMap::new(),
                responses: BTreeMap::new(),
                serial: 0,
            }),
        })
    }

    /// From now on all goes well.
    pub(crate) fn calm(&self) {
        self.lock().trouble = 0;
    }

    /// Accepted requests for each reference.
    pub(crate) fn accepted(&self) -> BTreeMap<String, u32> {
        self.lock().accepted.clone()
    }

    /// The ids of the responses that are kept and done: what webhooks would tell of.
    pub(crate) fn done(&self) -> Vec<String> {
        let now = self.clock.monotonic();
        let state = self.lock();
        let done = state.responses.iter().filter(|(_, r)| r.done_at <= now);
        done.map(|(id, _)| id.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request arrives: what becomes of it, how long the answer takes, and its id.
    fn arrive(&self, request: &Request, keep: bool) -> (Fate, Duration, String) {
        let now = self.clock.monotonic();
        let mut state = self.lock();
        let trouble = state.trouble;
        let fate = if state.random.below(100) < trouble {
            match state.random.below(9) {
                0 | 1 => Fate::Refused(NotProcessedReason::Throttled),
                2 => Fate::Refused(NotProcessedReason::Overloaded),
                3 => Fate::Refused(NotProcessedReason::Unreachable),
                4 => Fate::Rejected,
                5 => Fate::Failed,
                6 => Fate::Lost { arrived: false },
                7 => Fate::Lost { arrived: true },
                _ => Fate::Half,
            }
        } else {
            Fate::Fine
        };
        state.serial += 1;
        let id = format!("resp_{}", state.serial);
        let latency = Duration::from_millis(100 + state.random.below(20_000));
        let accepted = !matches!(
            fate,
            Fate::Refused(_) | Fate::Rejected | Fate::Lost { arrived: false }
        );
        if accepted {
            *state.accepted.entry(request.reference.clone()).or_default() += 1;
            if keep {
                // Now and then one takes longer than anybody waits.
                let slow = trouble > 0 && state.random.below(20) == 0;
                let work = if slow {
                    Duration::from_hours(1)
                } else {
                    latency
                };
                let status = if fate == Fate::Failed {
                    "failed"
                } else {
                    "completed"
                };
                state.responses.insert(
                    id.clone(),
                    Response {
                        reference: request.reference.clone(),
                        done_at: now + work,
                        status,
                    },
                );
            }
        }
        (fate, latency, id)
    }

    fn outcome(&self, fate: Fate, id: String, kept: bool) -> Outcome {
        let ambiguous = |kind, reply_id| Outcome::Ambiguous(Ambiguity { kind, reply_id });
        match fate {
            Fate::Refused(reason) => Outcome::NotProcessed(NotProcessed {
                reason,
                retry_after: Some(Duration::from_secs(2)),
            }),
            Fate::Rejected => Outcome::Final(failure(FailureKind::Rejected {
                status: 400,
                code: None,
            })),
            Fate::Lost { .. } => ambiguous(AmbiguityKind::Reset, None),
            Fate::Half => ambiguous(AmbiguityKind::Truncated, Some(id)),
            Fate::Fine | Fate::Failed if kept => ambiguous(AmbiguityKind::Pending, Some(id)),
            Fate::Failed => Outcome::Final(failure(FailureKind::Refused)),
            Fate::Fine => Outcome::Reply(Reply {
                id,
                model: "model".to_owned(),
                json: self.reply.clone(),
                usage: Usage {
                    input_tokens: 100,
                    output_tokens: 50,
                    ..Usage::default()
                },
            }),
        }
    }

    fn settled(&self, id: &str, response: &Response) -> Retrieved {
        let body = json!({
            "id": id,
            "model": "model",
            "status": response.status,
            "error": (response.status != "completed").then(|| json!({"code": "server_error"})),
            "metadata": {"reference": response.reference},
            "output": [{"type": "message", "content":
                [{"type": "output_text", "text": self.reply.to_string()}]}],
            "usage": {"input_tokens": 100, "output_tokens": 50},
        });
        let settled = Settled::read(body.to_string().as_bytes());
        Retrieved::Settled(Box::new(settled.expect("a settled response")))
    }
}

impl Line {
    /// A dead worker hears nothing.
    async fn hear<T>(&self, answer: T) -> T {
        if self.dead.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        answer
    }

    async fn send(&self, request: &Request, keep: bool) -> Called {
        self.hear(()).await;
        let (fate, latency, id) = self.provider.arrive(request, keep);
        let quick = keep || !matches!(fate, Fate::Fine | Fate::Failed | Fate::Half);
        let pause = if quick {
            Duration::from_millis(50)
        } else {
            latency
        };
        tokio::time::sleep(pause).await;
        self.hear(Called {
            outcome: self.provider.outcome(fate, id, keep),
            rate_limits: None,
            request_id: None,
        })
        .await
    }

    /// A request about a response; now and then there is no answer.
    async fn ask(&self, id: &str, change: impl FnOnce(&mut Response, Duration)) -> Retrieved {
        tokio::time::sleep(Duration::from_millis(30)).await;
        self.hear(()).await;
        let now = self.provider.clock.monotonic();
        let response = {
            let mut state = self.provider.lock();
            let trouble = state.trouble;
            if state.random.below(100) < trouble / 2 {
                return Retrieved::Unclear(None);
            }
            state.responses.get_mut(id).map(|response| {
                change(response, now);
                response.clone()
            })
        };
        match response {
            None => Retrieved::Gone,
            Some(response) if response.done_at > now => Retrieved::Pending,
            Some(response) => self.provider.settled(id, &response),
        }
    }
}

#[async_trait]
impl ModelApi for Line {
    async fn call(&self, request: &Request) -> Called {
        self.send(request, false).await
    }

    async fn submit(&self, request: &Request) -> Called {
        self.send(request, true).await
    }

    async fn retrieve(&self, id: &str) -> Retrieved {
        self.ask(id, |_, _| {}).await
    }

    async fn cancel(&self, id: &str) -> Retrieved {
        let stop = |response: &mut Response, now| {
            if response.done_at > now {
                response.done_at = now;
                response.status = "cancelled";
            }
        };
        self.ask(id, stop).await
    }

    async fn delete(&self, id: &str) -> bool {
        self.hear(()).await;
        let mut state = self.provider.lock();
        let trouble = state.trouble;
        if state.random.below(100) < trouble / 2 {
            return false;
        }
        state.responses.remove(id);
        true
    }
}

fn failure(kind: FailureKind) -> Failure {
    Failure {
        kind,
        message: "The model did not answer.".to_owned(),
        usage: None,
        reply_id: None,
        model: None,
    }
}
