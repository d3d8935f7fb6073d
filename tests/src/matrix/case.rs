//! What is varied: the kind of job, the point, the fault, the policy, the way of calling, the storage.

use std::collections::BTreeMap;
use std::fmt;

use futures::StreamExt as _;
use openai::fake::Script;
use serde_json::{Value, json};

use super::Extent;
use super::run::Bench;

/// A kind of job, by what the model does to it and what its owner wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scenario {
    /// What the table calls it.
    pub name: &'static str,
    /// What the fake model does with the first request.
    first: &'static str,
    /// Two jobs of equal content are submitted.
    pub twin: bool,
    /// The owner cancels while the call is out.
    pub cancel: bool,
    /// The owner takes the own text where the model gives nothing.
    pub own_text: bool,
    /// The states that it may end in without any fault, and with one.
    pub ends: &'static [&'static str],
    /// The outcome of the first call is unknown whatever happens to the worker.
    pub ambiguous: bool,
}

const PLAIN: Scenario = Scenario {
    name: "success",
    first: "reply",
    twin: false,
    cancel: false,
    own_text: false,
    ends: &["succeeded"],
    ambiguous: false,
};

/// All kinds; the first is the plain way of a job.
pub const SCENARIOS: [Scenario; 12] = [
    PLAIN,
    Scenario {
        name: "equal content",
        twin: true,
        ..PLAIN
    },
    Scenario {
        name: "429 at first",
        first: "429",
        ..PLAIN
    },
    Scenario {
        name: "refusal",
        first: "refusal",
        ends: &["failed"],
        ..PLAIN
    },
    Scenario {
        name: "refusal, own text",
        first: "refusal",
        own_text: true,
        ..PLAIN
    },
    Scenario {
        name: "rejected",
        first: "400",
        ends: &["failed"],
        ..PLAIN
    },
    Scenario {
        name: "connection reset",
        first: "reset",
        ambiguous: true,
        ..PLAIN
    },
    Scenario {
        name: "reset, own text",
        first: "reset",
        own_text: true,
        ambiguous: true,
        ..PLAIN
    },
    Scenario {
        name: "reply cut off",
        first: "truncated",
        ambiguous: true,
        ..PLAIN
    },
    Scenario {
        name: "server error",
        first: "500",
        ambiguous: true,
        ..PLAIN
    },
    Scenario {
        name: "overloaded at first",
        first: "503",
        ..PLAIN
    },
    Scenario {
        name: "cancelled",
        cancel: true,
        ends: &["cancelled", "succeeded"],
        ..PLAIN
    },
];

/// After a call of unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Hold.
    Hold,
    /// Once more.
    RetryOnce,
}

/// How the model is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// One request, one reply.
    Plain,
    /// An id at once, the reply when it is asked for.
    Background,
}

/// On what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// One SQLite file.
    Embedded,
    /// Azurite.
    Azurite,
}

/// What happens at the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL before the effect.
    KillBefore,
    /// SIGKILL after it.
    KillAfter,
    /// It takes effect, and its answer is lost.
    LostAnswer,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The kind of job.
    pub scenario: Scenario,
    /// The effect.
    pub effect: String,
    /// What happens there.
    pub fault: Fault,
    /// At which time that the point is reached, from 1.
    pub hit: u32,
    /// What is varied besides.
    pub policy: Policy,
    /// See [`Mode`].
    pub mode: Mode,
    /// See [`Place`].
    pub place: Place,
}

impl Scenario {
    /// What the fake model does.
    pub(crate) fn script(&self, mode: Mode) -> Script {
        let step = match self.first {
            "429" => json!({"do": "error", "status": 429, "headers": {"retry-after": "1"}}),
            "500" => json!({"do": "error", "status": 500}),
            "503" => json!({
                "do": "error", "status": 503, "code": "server_is_overloaded", "headers": {"retry-after": "1"}
            }),
            "400" => json!({"do": "error", "status": 400}),
            "reset" => json!({"do": "reset"}),
            other => json!({"do": other}),
        };
        // A rejected request stays so; all else is well at the second try.
        let default = if ["refusal", "400"].contains(&self.first) {
            step.clone()
        } else {
            json!({"do": "reply"})
        };
        let mut script = json!({"latency": "60ms", "steps": [step], "default": default});
        if self.cancel {
            script["latency"] = "900ms".into();
        }
        if mode == Mode::Background {
            script["latency"] = "20ms".into();
            let time = if self.cancel { "2s" } else { "150ms" };
            script["background"] = json!({"queued": "20ms", "in_progress": time});
        }
        serde_json::from_value(script).expect("the script is well-formed")
    }

    /// The options of its jobs.
    pub(crate) fn options(&self) -> Value {
        let what = if self.own_text {
            "render_unpolished"
        } else {
            "fail"
        };
        json!({"on_model_failure": what})
    }
}

impl Case {
    /// The worker's `FAILPOINTS`.
    pub(crate) fn failpoints(&self) -> String {
        let (when, what) = match self.fault {
            Fault::KillBefore => ("before", "kill"),
            Fault::KillAfter => ("after", "kill"),
            Fault::LostAnswer => ("after", "lost"),
        };
        let skip = match self.hit {
            1 => String::new(),
            hit => format!("{}*off->", hit - 1),
        };
        format!("effect:{}:{when}={skip}1*return({what})", self.effect)
    }

    /// Whether the job may be held: the fault falls between the request's going out and its reply,
    /// or the reply's id, being durable, or so close before that nobody can tell; or the model
    /// itself left the outcome open. `copies`: the worker that died had more than one message of the
    /// job, which the reconciler sends when the machine is so slow that the job seems to stand still.
    pub(crate) fn may_be_held(&self, copies: bool) -> bool {
        let effect = self.effect.as_str();
        let in_window = match self.fault {
            Fault::KillBefore => ["check_fresh", "call", self.first_durable()].contains(&effect),
            Fault::KillAfter => ["latch", "check_fresh", "call"].contains(&effect),
            Fault::LostAnswer => effect == "call",
        };
        // A 429 is known to this worker alone until the row is rolled back.
        let known_to_one =
            self.fault == Fault::KillBefore && ["roll_back", "finish"].contains(&effect);
        // Killed over one of two equal jobs or messages, the worker may have had a call out for the other.
        let other = (self.scenario.twin || copies) && self.fault != Fault::LostAnswer;
        let again = self.policy == Policy::RetryOnce && !self.scenario.ambiguous;
        self.scenario.ambiguous || ((in_window || known_to_one || other) && !again)
    }

    /// The effect that makes the outcome of a call durable.
    fn first_durable(&self) -> &'static str {
        match self.mode {
            Mode::Plain => "store_reply",
            Mode::Background => "store_reply_id",
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {:?} at {} (hit {}), {:?}, {:?}, {:?}",
            self.scenario.name,
            self.fault,
            self.effect,
            self.hit,
            self.policy,
            self.mode,
            self.place,
        )
    }
}

/// All cases of an extent. What a scenario reaches without a fault is found by running it.
pub(crate) async fn cases(
    extent: Extent,
    only: &[String],
    bench: &Bench,
    at_once: usize,
) -> Vec<Case> {
    let mut probes = Vec::new();
    let wanted =
        |scenario: &Scenario| only.is_empty() || only.iter().any(|name| name == scenario.name);
    for scenario in SCENARIOS.into_iter().filter(wanted) {
        for mode in [Mode::Plain, Mode::Background] {
            for policy in [Policy::Hold, Policy::RetryOnce] {
                probes.push((scenario, mode, policy));
            }
        }
    }
    let reached: Vec<_> = futures::stream::iter(probes)
        .map(|(scenario, mode, policy)| async move {
            let hits = bench.reached(scenario, mode, policy).await;
            (scenario, mode, policy, hits)
        })
        .buffered(at_once)
        .collect()
        .await;
    // An effect that is reached again, such as a second poll, is a place of its own.
    let most_hits = match extent {
        Extent::Full => 5,
        Extent::Bounded => 1,
    };
    let mut cases = Vec::new();
    for (scenario, mode, policy, hits) in &reached {
        for place in [Place::Embedded, Place::Azurite] {
            for (effect, times) in hits {
                for fault in [Fault::KillBefore, Fault::KillAfter, Fault::LostAnswer] {
                    for hit in 1..=(*times).min(most_hits) {
                        let case = Case {
                            scenario: *scenario,
                            effect: effect.clone(),
                            fault,
                            hit,
                            policy: *policy,
                            mode: *mode,
                            place,
                        };
                        if extent == Extent::Full || is_bounded(&case) {
                            cases.push(case);
                        }
                    }
                }
            }
        }
    }
    cases
}

/// The choice of the bounded set: the plain way in every variant on the embedded store and in most on
/// Azurite, and what the default policy does with each fault everywhere else.
fn is_bounded(case: &Case) -> bool {
    let plain = case.scenario == PLAIN;
    match (case.place, case.policy) {
        (Place::Embedded, Policy::Hold) => {
            let is_short = case.mode == Mode::Plain || case.scenario.cancel;
            plain || is_short && case.fault != Fault::LostAnswer
        }
        (Place::Embedded, Policy::RetryOnce) => {
            let is_short = case.mode == Mode::Plain && case.fault != Fault::LostAnswer;
            plain || is_short && case.scenario.twin
        }
        (Place::Azurite, Policy::Hold) => plain,
        (Place::Azurite, Policy::RetryOnce) => plain && case.mode == Mode::Background,
    }
}

/// How often each effect was reached, by the worker's log.
pub(crate) fn count_points(log: &str) -> BTreeMap<String, u32> {
    let mut hits = BTreeMap::new();
    for line in log.lines().filter(|line| line.contains("reached")) {
        let Some((_, rest)) = line.split_once("effect:") else {
            continue;
        };
        if let Some((effect, _)) = rest.split_once(":before") {
            *hits.entry(effect.to_owned()).or_insert(0) += 1;
        }
    }
    hits
}
