//! What calls may take: requests and tokens a minute, and money a day. Asked for before the latch.
//!
//! - `rates`: the provider's limits per minute, as configured and as its answers say.
//! - `daily`: what may be spent on one day, shared by all workers through the table.

mod daily;
mod rates;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use config::Prices;
use openai::{Called, Request, Retrieved};
use schemas::job::{Usage, Waiting};
use schemas::{Tenant, Usd};
use storage::port::{Result as StorageResult, Table};
use storage::{Clock, Entropy};

use self::daily::{Answer, Daily, Reservation};
use self::rates::Rates;
use crate::editor::ModelApi;

/// What a worker's calls may take, by the configuration.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests a minute; this worker's share.
    pub requests_per_minute: Option<f64>,
    /// Tokens a minute, in and out; this worker's share.
    pub tokens_per_minute: Option<f64>,
    /// Money a day.
    pub daily: config::Budget,
    /// What tokens cost.
    pub prices: Prices,
    /// The name of the model that is asked for.
    pub model: String,
}

impl Limits {
    /// The configuration's part.
    pub(crate) fn new(config: &config::Config) -> Self {
        let (model, replicas) = (&config.model, f64::from(config.worker.replicas));
        let share = |limit: Option<std::num::NonZeroU32>| Some(f64::from(limit?.get()) / replicas);
        Self {
            requests_per_minute: share(model.requests_per_minute),
            tokens_per_minute: share(model.tokens_per_minute),
            daily: config.budget.clone(),
            prices: model.prices.clone(),
            model: model.asked_name().to_owned(),
        }
    }
}

/// The budget of a worker.
pub(crate) struct Budget {
    rates: Arc<Rates>,
    daily: Option<Arc<Daily>>,
    prices: Prices,
    model: String,
}

/// The answer to a wish to call.
pub(crate) enum Taken {
    /// The call may be made; to be settled when it is known what it came to.
    Granted(Permit),
    /// Not now.
    Wait {
        /// When to ask again.
        after: Duration,
        /// What the owner should know of it.
        waiting: Option<Waiting>,
    },
}

/// What a call took, in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// Nothing: the model was not run.
    Nothing,
    /// This much.
    Known(Usd),
    /// Nobody knows: the estimate stands.
    Unknown,
}

/// The right to make one call. Dropped before the call, it gives everything back; dropped after
/// it, the estimate counts as spent.
pub(crate) struct Permit {
    reserved: Option<Reservation>,
    rates: Arc<Rates>,
    tokens: f64,
    sent: bool,
}

impl Budget {
    pub(crate) fn new(
        limits: &Limits,
        table: Arc<dyn Table>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let (requests, tokens) = (limits.requests_per_minute, limits.tokens_per_minute);
        let rates = Rates::new(requests, tokens, clock.clone(), entropy.clone());
        let daily = &limits.daily;
        Self {
            rates: Arc::new(rates),
            daily: daily
                .is_set()
                .then(|| Arc::new(Daily::new(daily.clone(), table, clock, entropy))),
            prices: limits.prices.clone(),
            model: limits.model.clone(),
        }
    }

    /// Takes one call out of the budget. An error means that nothing was taken.
    pub(crate) async fn take(&self, tenant: &Tenant, request: u64) -> StorageResult<Taken> {
        let tokens = self.rates.expected(request);
        if let Some(after) = self.rates.take(tokens) {
            return Ok(Taken::Wait {
                after,
                waiting: None,
            });
        }
        // From here on the permit gives back what it does not use.
        let mut permit = Permit {
            reserved: None,
            rates: self.rates.clone(),
            tokens,
            sent: false,
        };
        let Some(daily) = &self.daily else {
            return Ok(Taken::Granted(permit));
        };
        let expected = Usage {
            input_tokens: request,
            output_tokens: self.rates.expected_output(),
            ..Usage::default()
        };
        let estimate = cost(&self.prices, &self.model, &expected);
        let estimate = estimate.unwrap_or_default().micros();
        match daily.take(tenant, estimate).await? {
            Answer::Granted(reservation) => {
                permit.reserved = Some(reservation);
                Ok(Taken::Granted(permit))
            }
            Answer::Over { after, waiting } => Ok(Taken::Wait {
                after,
                waiting: Some(waiting),
            }),
        }
    }

    /// The provider asked to slow down: no call of this worker begins before the wait is over.
    /// Gives the time that the caller itself should wait, which differs from one to the next, so
    /// that they do not all come back together.
    pub(crate) fn pause(&self, wait: Duration) -> Duration {
        self.rates.pause(wait)
    }

    /// Adds what it cost to what was used, where the price is known.
    pub(crate) fn priced(&self, usage: Usage) -> Usage {
        let cost_usd = cost(&self.prices, &self.model, &usage);
        Usage { cost_usd, ..usage }
    }

    /// What a call really took. `permit` is what had been taken for it, where that was here: it may be
    /// another worker that learns of it.
    pub(crate) fn used(&self, permit: Option<&Permit>, usage: &Usage) {
        let (input, output) = (usage.input_tokens, usage.output_tokens);
        self.rates
            .used(permit.map(|permit| permit.tokens), input, output);
    }

    /// Puts an eye on a model's API, so that what the provider says of its limits is heeded.
    pub(crate) fn metered(&self, api: Arc<dyn ModelApi>) -> Arc<dyn ModelApi> {
        let rates = self.rates.clone();
        Arc::new(Metered { api, rates })
    }
}

impl Permit {
    /// From here on the call may cost something.
    pub(crate) fn sent(&mut self) {
        self.sent = true;
    }

    /// The call has come to something.
    pub(crate) fn settle(mut self, spent: Spent) {
        self.sent = true;
        if let Some(reservation) = self.reserved.take() {
            reservation.settle(match spent {
                Spent::Nothing => Some(0),
                Spent::Known(cost) => Some(cost.micros()),
                Spent::Unknown => None,
            });
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.sent {
            self.rates.give_back(self.tokens);
        }
        if let Some(reservation) = self.reserved.take() {
            reservation.settle((!self.sent).then_some(0));
        }
    }
}

/// The price is that of the model that answered, else of the one that was asked for: a deployment
/// may be priced by its own name.
fn cost(prices: &Prices, asked: &str, usage: &Usage) -> Option<Usd> {
    let price = prices.of(&usage.model).or_else(|| prices.of(asked))?;
    let cached = usage.cached_input_tokens.min(usage.input_tokens);
    let part = |tokens: u64, rate: u64| u128::from(tokens) * u128::from(rate);
    let sum = part(usage.input_tokens - cached, price.input)
        + part(cached, price.cached_input)
        + part(usage.output_tokens, price.output);
    // Rates are per million tokens. Half a millionth of a dollar is rounded up.
    let micros = (sum + 500_000) / 1_000_000;
    Some(Usd::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
}

/// About how many tokens a request has: four bytes to a token, as for English text. Others take
/// more; the answer corrects it.
pub(crate) fn request_tokens(request: &Request) -> u64 {
    let schema = request.schema.json.to_string().len();
    let bytes = request.instructions.len() + request.input.len() + schema;
    u64::try_from(bytes / 4).unwrap_or(u64::MAX)
}

/// A model's API, watched.
struct Metered {
    api: Arc<dyn ModelApi>,
    rates: Arc<Rates>,
}

impl Metered {
    fn note(&self, before: rates::Mark, called: &Called) {
        if let Some(limits) = &called.rate_limits {
            self.rates.heed(before, limits);
        }
    }
}

#[async_trait]
impl ModelApi for Metered {
    async fn call(&self, request: &Request) -> Called {
        let before = self.rates.mark();
        let called = self.api.call(request).await;
        self.note(before, &called);
        called
    }

    async fn submit(&self, request: &Request) -> Called {
        let before = self.rates.mark();
        let called = self.api.submit(request).await;
        self.note(before, &called);
        called
    }

    async fn retrieve(&self, id: &str) -> Retrieved {
        self.api.retrieve(id).await
    }

    async fn cancel(&self, id: &str) -> Retrieved {
        self.api.cancel(id).await
    }

    async fn delete(&self, id: &str) -> bool {
        self.api.delete(id).await
    }
}

#[cfg(test)]
mod tests {
    use openai::Outcome;

    use super::*;

    #[test]
    fn each_worker_has_its_share() {
        let mut config = config::Config::default();
        config.worker.replicas = 4;
        config.model.requests_per_minute = std::num::NonZeroU32::new(100);
        let limits = Limits::new(&config);
        assert_eq!(limits.requests_per_minute, Some(25.0));
        assert_eq!(limits.tokens_per_minute, None);
    }

    /// A provider that answers each call with what is left of its limits: nothing.
    struct Exhausted;

    #[async_trait]
    impl ModelApi for Exhausted {
        async fn call(&self, _: &Request) -> Called {
            let none_left = openai::Window {
                limit: Some(60),
                remaining: Some(0),
                reset: Some(Duration::from_mins(1)),
            };
            Called {
                outcome: Outcome::NotProcessed(openai::NotProcessed {
                    reason: openai::NotProcessedReason::Throttled,
                    retry_after: None,
                }),
                rate_limits: Some(openai::RateLimits {
                    requests: none_left,
                    tokens: openai::Window::default(),
                }),
                request_id: None,
            }
        }

        async fn submit(&self, request: &Request) -> Called {
            self.call(request).await
        }

        async fn retrieve(&self, _: &str) -> Retrieved {
            Retrieved::Gone
        }

        async fn cancel(&self, _: &str) -> Retrieved {
            Retrieved::Gone
        }

        async fn delete(&self, _: &str) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn what_a_provider_says_and_a_pause_hold_back_every_call() {
        let dir = tempfile::tempdir().unwrap();
        let system = Arc::new(storage::ambient::System::new());
        let (clock, entropy) = (system.clone(), system.clone());
        let store = storage::embedded::Store::open(dir.path(), clock, entropy).unwrap();
        let table = store.storage().table;
        let limits = Limits::new(&config::Config::default());
        let budget = || Budget::new(&limits, table.clone(), system.clone(), system.clone());
        let waits = async |budget: &Budget| {
            let taken = budget.take(&Tenant::anonymous(), 10).await.unwrap();
            matches!(taken, Taken::Wait { .. })
        };
        let sample = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
        let input = schemas::job::JobInput::of(schemas::cv::normalise(&sample).unwrap().cv);
        let request = crate::jobs::request(&input, String::new(), 100);
        for background in [false, true] {
            let budget = budget();
            assert!(!waits(&budget).await);
            let api = budget.metered(Arc::new(Exhausted));
            if background {
                api.submit(&request).await;
            } else {
                api.call(&request).await;
            }
            assert!(waits(&budget).await, "background: {background}");
        }
        let budget = budget();
        let after = budget.pause(Duration::from_secs(5));
        assert!(after >= Duration::from_secs(5));
        assert!(waits(&budget).await);
    }

    #[tokio::test]
    async fn what_a_call_in_the_background_took_corrects_the_figures() {
        use openai::fake::{Behaviour, Script, Server};

        let model = Server::start(
            ([127, 0, 0, 1], 0).into(),
            Script::always(Behaviour::reply()),
        );
        let model = model.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let system = Arc::new(storage::ambient::System::new());
        let store = storage::embedded::Store::open(dir.path(), system.clone(), system.clone());
        let mut config = config::Config::for_tests();
        config.model.editor = config::EditorChoice::OpenAi;
        config.model.base_url = Some(model.base_url());
        config.model.api_key = Some(config::Secret::new("sk-test"));
        config.model.background = config::Background::On;
        let storage = store.unwrap().storage();
        let jobs =
            storage::jobs::JobStore::new(storage, system.clone(), system.clone(), &config.worker);
        let shutdown = tokio_util::sync::CancellationToken::new();
        let worker = crate::Worker::new(
            jobs.clone(),
            crate::editor(&config, false).unwrap(),
            Arc::new(crate::Press::built_in().unwrap()),
            crate::Settings::new(&config),
            (system.clone(), system),
            shutdown.clone(),
        );
        let running = tokio::spawn(worker.clone().run());
        let tenant = Tenant::anonymous();
        let submission = crate::reconciler::tests::submission(&tenant);
        let id = jobs.submit(submission).await.unwrap().row().id;
        let expected = || worker.0.budget.rates.expected_output();
        let before = expected();
        while !jobs
            .read(&tenant, id)
            .await
            .unwrap()
            .unwrap()
            .row
            .state
            .is_final()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        shutdown.cancel();
        running.await.unwrap();
        assert_eq!(model.counters().accepted, 1);
        assert_ne!(expected(), before);
    }

    #[test]
    fn a_call_costs_what_its_tokens_cost() {
        let prices = config::Config::default().model.prices;
        let check = |asked: &str, answered: &str, tokens: [u64; 3], cost_usd: Option<&str>| {
            let usage = Usage {
                model: answered.to_owned(),
                input_tokens: tokens[0],
                cached_input_tokens: tokens[1],
                output_tokens: tokens[2],
                cost_usd: None,
            };
            let found = cost(&prices, asked, &usage).map(|usd| usd.to_string());
            assert_eq!(found.as_deref(), cost_usd, "{asked} {answered} {tokens:?}");
        };
        let mini = "gpt-5.4-mini";
        check(
            mini,
            "gpt-5.4-mini-2026-03-17",
            [1_000_000, 0, 0],
            Some("0.750000"),
        );
        check(mini, mini, [3_000, 2_000, 1_500], Some("0.007650"));
        check(mini, mini, [0, 0, 0], Some("0.000000"));
        // What answers may be dearer than what was asked for.
        check(mini, "gpt-5.4", [0, 0, 1_000], Some("0.015000"));
        check("my-deployment", mini, [1_000, 0, 0], Some("0.000750"));
        check(mini, "my-own", [1_000, 0, 0], Some("0.000750"));
        check("my-deployment", "my-own", [1_000, 0, 0], None);
        // More cached than read is a provider's slip.
        check(mini, mini, [1_000, 5_000, 0], Some("0.000075"));
    }
}
