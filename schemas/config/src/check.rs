//! Bounds of single settings, and rules between several.
//!
//! A rule that, broken, would lose a job, pay twice or send data to nobody in particular stops the
//! start. What merely looks unwise becomes a note.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::humane::{show_duration, show_size};
use crate::load::{Note, NoteKind};
use crate::settings::{AzureCredential, Backend, Config, EditorChoice, Provider};
use crate::{auth, http, limits, retention, webhooks};

/// A broken rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The keys it is about; the first that somebody set takes the blame.
    pub(crate) keys: Vec<&'static str>,
    /// What has to hold, as a sentence that continues the name of any of the keys.
    pub(crate) problem: String,
}

/// Settings that are wrong by themselves.
pub(crate) fn out_of_bounds(config: &Config) -> Vec<Broken> {
    let mut rules = Rules(Vec::new());
    rules.bounds(config);
    auth::bounds(&mut rules, config);
    http::bounds(&mut rules, config);
    limits::bounds(&mut rules, config);
    webhooks::bounds(&mut rules, config);
    retention::bounds(&mut rules, config);
    rules.0
}

/// Settings that do not go together.
pub(crate) fn at_odds(config: &Config) -> Vec<Broken> {
    let mut rules = Rules(Vec::new());
    rules.worker(config);
    rules.model(config);
    rules.storage(config);
    auth::at_odds(&mut rules, config);
    webhooks::at_odds(&mut rules, config);
    rules.0
}

pub(crate) struct Rules(Vec<Broken>);

impl Rules {
    pub(crate) fn require(
        &mut self,
        holds: bool,
        keys: &[&'static str],
        problem: impl Into<String>,
    ) {
        if !holds {
            self.0.push(Broken {
                keys: keys.to_vec(),
                problem: problem.into(),
            });
        }
    }

    pub(crate) fn within<T: PartialOrd + Copy, S: Display>(
        &mut self,
        key: &'static str,
        value: T,
        bounds: RangeInclusive<T>,
        show: impl Fn(T) -> S,
    ) {
        let problem = format!(
            "must be between {} and {}",
            show(*bounds.start()),
            show(*bounds.end())
        );
        self.require(bounds.contains(&value), &[key], problem);
    }

    fn bounds(&mut self, config: &Config) {
        let zero = Duration::ZERO;
        let ms = Duration::from_millis;
        let minutes = |n: u64| Duration::from_secs(60 * n);
        let days = |n: u64| Duration::from_secs(86_400 * n);
        let Config {
            server,
            storage,
            model,
            worker,
            cv,
            ..
        } = config;

        for (key, value, bounds) in [
            (
                "server.request_timeout",
                server.request_timeout,
                ms(1)..=minutes(10),
            ),
            ("server.max_wait", server.max_wait, zero..=minutes(10)),
            ("cv.sync_wait", cv.sync_wait, zero..=minutes(10)),
            (
                "server.shutdown_grace",
                server.shutdown_grace,
                zero..=minutes(60),
            ),
            (
                "storage.azure.timeout",
                storage.azure.timeout,
                ms(1)..=minutes(10),
            ),
            ("model.timeout", model.timeout, ms(1)..=minutes(60)),
            (
                "model.connect_timeout",
                model.connect_timeout,
                ms(1)..=minutes(60),
            ),
            (
                "model.pending_max",
                model.pending_max,
                ms(1)..=minutes(1440),
            ),
            ("model.poll_min", model.poll_min, ms(1)..=minutes(5)),
            ("model.poll_max", model.poll_max, ms(1)..=minutes(5)),
            (
                "budget.look_again",
                config.budget.look_again,
                ms(100)..=days(1),
            ),
            ("worker.visibility", worker.visibility, ms(10)..=minutes(60)),
            ("worker.heartbeat", worker.heartbeat, ms(1)..=minutes(30)),
            ("worker.poll_min", worker.poll_min, ms(1)..=minutes(5)),
            ("worker.poll_max", worker.poll_max, ms(1)..=minutes(5)),
            (
                "worker.cross_process_poll",
                worker.cross_process_poll,
                ms(1)..=ms(10_000),
            ),
            (
                "worker.deadline_margin",
                worker.deadline_margin,
                ms(1)..=minutes(60),
            ),
            (
                "worker.latch_freshness",
                worker.latch_freshness,
                ms(1)..=minutes(60),
            ),
            (
                "worker.reconcile_every",
                worker.reconcile_every,
                ms(1)..=minutes(60),
            ),
            (
                "worker.idle_before_requeue",
                worker.idle_before_requeue,
                ms(1)..=days(1),
            ),
            ("worker.expire_after", worker.expire_after, ms(1)..=days(30)),
            ("worker.marker_hold", worker.marker_hold, ms(1)..=days(30)),
            (
                "worker.shutdown_grace",
                worker.shutdown_grace,
                zero..=minutes(60),
            ),
            (
                "telemetry.metrics_every",
                config.telemetry.metrics_every,
                ms(1_000)..=minutes(60),
            ),
            (
                "telemetry.shutdown_grace",
                config.telemetry.shutdown_grace,
                zero..=minutes(1),
            ),
        ] {
            self.within(key, value, bounds, show_duration);
        }
        for (key, value) in [
            ("server.body_limit", server.body_limit),
            ("cv.max_document_size", cv.max_document_size),
        ] {
            self.within(key, value, 1_000..=100_000_000, show_size);
        }
        self.within(
            "model.max_output_tokens",
            model.max_output_tokens,
            256..=1_000_000,
            |n| n,
        );
        self.within("worker.concurrency", worker.concurrency, 1..=1024, |n| n);
        self.within("worker.replicas", worker.replicas, 1..=10_000, |n| n);
        self.within(
            "worker.render_threads",
            worker.render_threads,
            0..=256,
            |n| n,
        );
        self.within("worker.max_dequeues", worker.max_dequeues, 1..=100, |n| n);
        self.within(
            "cv.session_ttl_hours",
            cv.session_ttl_hours,
            1..=8_760,
            |n| n,
        );
        // As wide as the renderer draws: `render::picture`.
        if config.render.picture_width > 0 {
            self.within(
                "render.picture_width",
                config.render.picture_width,
                16..=4_000,
                |n| n,
            );
        }
    }

    fn worker(&mut self, config: &Config) {
        let worker = &config.worker;
        self.require(
            worker.heartbeat * 2 < worker.visibility,
            &["worker.heartbeat", "worker.visibility"],
            format!(
                "worker.heartbeat ({}) must be less than half of worker.visibility ({}), so that \
                 one extension may fail",
                show_duration(worker.heartbeat),
                show_duration(worker.visibility)
            ),
        );
        self.require(
            worker.poll_min <= worker.poll_max,
            &["worker.poll_min", "worker.poll_max"],
            format!(
                "worker.poll_min ({}) must not be longer than worker.poll_max ({})",
                show_duration(worker.poll_min),
                show_duration(worker.poll_max)
            ),
        );
        // A call may begin this late after the read that its deadline counts from. Without a
        // longer margin a call in progress would be taken for lost.
        self.require(
            worker.latch_freshness < worker.deadline_margin,
            &["worker.deadline_margin", "worker.latch_freshness"],
            format!(
                "worker.deadline_margin ({}) must be longer than worker.latch_freshness ({})",
                show_duration(worker.deadline_margin),
                show_duration(worker.latch_freshness)
            ),
        );
    }

    fn model(&mut self, config: &Config) {
        let model = &config.model;
        self.require(
            model.connect_timeout <= model.timeout,
            &["model.connect_timeout", "model.timeout"],
            format!(
                "model.connect_timeout ({}) must not be longer than model.timeout ({})",
                show_duration(model.connect_timeout),
                show_duration(model.timeout)
            ),
        );
        self.require(
            model.poll_min <= model.poll_max,
            &["model.poll_min", "model.poll_max"],
            format!(
                "model.poll_min ({}) must not be longer than model.poll_max ({})",
                show_duration(model.poll_min),
                show_duration(model.poll_max)
            ),
        );
        self.require(
            model.prompt_version.is_none() || model.prompt_id.is_some(),
            &["model.prompt_version"],
            "is set without model.prompt_id (OPENAI_PROMPT_ID)",
        );
        self.require(
            model.editor != EditorChoice::OpenAi || model.provider() != Provider::Offline,
            &["model.editor"],
            "asks for a model, but none is configured: set model.api_key (OPENAI_API_KEY), \
             model.base_url (OPENAI_BASE_URL) or model.azure_endpoint (AZURE_OPENAI_ENDPOINT)",
        );

        let name = model.asked_name();
        self.require(
            !config.budget.is_set()
                || model.provider() == Provider::Offline
                || model.prices.of(name).is_some(),
            &[
                "budget.daily_usd",
                "budget.tenant_daily_usd",
                "budget.tenants",
                "model.prices",
            ],
            format!(
                "needs the price of the model, and model.prices has none of {name}: add an entry \
                 such as \"{name} 0.75/0.075/4.50\""
            ),
        );

        let azure = [
            (
                "model.azure_endpoint",
                "AZURE_OPENAI_ENDPOINT",
                model.azure_endpoint.is_some(),
            ),
            (
                "model.azure_key",
                "AZURE_OPENAI_KEY",
                model.azure_key.is_some(),
            ),
            (
                "model.azure_deployment",
                "AZURE_OPENAI_DEPLOYMENT",
                model.azure_deployment.is_some(),
            ),
        ];
        let set: Vec<_> = azure
            .iter()
            .filter(|part| part.2)
            .map(|part| part.0)
            .collect();
        let missing: Vec<_> = azure
            .iter()
            .filter(|part| !part.2)
            .map(|(k, e, _)| format!("{k} ({e})"))
            .collect();
        self.require(
            set.is_empty() || missing.is_empty(),
            &set,
            format!(
                "is set, but Azure OpenAI also needs {}",
                missing.join(" and ")
            ),
        );
    }

    fn storage(&mut self, config: &Config) {
        if config.storage.backend == Backend::Embedded {
            return;
        }
        let azure = &config.storage.azure;
        let connections = azure.queue_table_connection.is_some() && azure.blob_connection.is_some();
        self.require(
            azure.account_name.is_some() || connections,
            &["storage.backend"],
            "is azure, but no account is configured: set storage.azure.queue_table_connection \
             (AZURE_FUNCTIONS_STORAGE_CONNECTION_STRING) or storage.azure.account_name \
             (AZURE_STORAGE_ACCOUNT_NAME)",
        );
        self.require(
            azure.credential != AzureCredential::ConnectionString || connections,
            &["storage.azure.credential"],
            "is connection_string, but none is configured: set \
             storage.azure.queue_table_connection (AZURE_FUNCTIONS_STORAGE_CONNECTION_STRING)",
        );
        let missing: Vec<&str> = [
            ("client_id (AZURE_CLIENT_ID)", azure.client_id.is_none()),
            ("tenant_id (AZURE_TENANT_ID)", azure.tenant_id.is_none()),
            (
                "federated_token_file (AZURE_FEDERATED_TOKEN_FILE)",
                azure.federated_token_file.is_none(),
            ),
        ]
        .into_iter()
        .filter_map(|(key, missing)| missing.then_some(key))
        .collect();
        self.require(
            azure.credential() != AzureCredential::WorkloadIdentity || missing.is_empty(),
            &[
                "storage.azure.credential",
                "storage.azure.federated_token_file",
            ],
            format!(
                "is workload identity, which also needs storage.azure.{}",
                missing.join(" and storage.azure.")
            ),
        );
    }
}

/// What an operator may want to hear, though nothing is wrong.
pub(crate) fn advice(config: &Config) -> Vec<Note> {
    let Config {
        server,
        storage,
        model,
        worker,
        cv,
        ..
    } = config;
    let mut notes = Vec::new();
    let mut advise = |applies: bool, key: &str, text: String| {
        if applies {
            notes.push(Note::new(key, NoteKind::Advice, text));
        }
    };
    let other_model = model.api_key.is_some() || model.base_url.is_some();
    advise(
        model.provider() == Provider::AzureOpenAi && other_model,
        "model.azure_endpoint",
        "takes precedence: model.api_key and model.base_url are not used".to_owned(),
    );
    advise(
        model.editor == EditorChoice::Offline && (other_model || model.azure_endpoint.is_some()),
        "model.editor",
        "is offline: the model that is configured is not used".to_owned(),
    );
    advise(
        storage.backend == Backend::Embedded
            && (storage.azure.queue_table_connection.is_some()
                || storage.azure.account_name.is_some()),
        "storage.backend",
        "is embedded: the Azure Storage that is configured is not used".to_owned(),
    );
    advise(
        worker.shutdown_grace < model.timeout && model.provider() != Provider::Offline,
        "worker.shutdown_grace",
        format!(
            "is shorter than model.timeout ({}): a model call may be cut off at shutdown, and its \
             job held",
            show_duration(model.timeout)
        ),
    );
    // Four bytes of base64 carry three of the document; the rest is room for the JSON around it.
    let needed = cv.max_document_size.div_ceil(3) * 4 + 1_000;
    advise(
        server.body_limit < needed,
        "server.body_limit",
        format!(
            "is too small for a document of cv.max_document_size in base64, which takes {needed} \
             bytes"
        ),
    );
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use crate::settings::AzureStorage;

    fn broken(config: &Config) -> Vec<Broken> {
        out_of_bounds(config)
            .into_iter()
            .chain(at_odds(config))
            .collect()
    }

    #[test]
    fn defaults_and_test_settings_are_sound() {
        for config in [Config::default(), Config::for_tests()] {
            assert_eq!(broken(&config), []);
            assert_eq!(advice(&config), []);
        }
    }

    #[test]
    fn every_rule_can_be_broken() {
        let check = |keys: &[&str], spoil: fn(&mut Config)| {
            let mut config = Config::default();
            spoil(&mut config);
            let found: Vec<Vec<&str>> = broken(&config).into_iter().map(|b| b.keys).collect();
            assert_eq!(found, [keys]);
        };
        let secret = || Some(Secret::new("x"));
        check(&["server.body_limit"], |c| c.server.body_limit = 999);
        check(&["server.max_wait"], |c| {
            c.server.max_wait = Duration::from_secs(601);
        });
        check(&["worker.concurrency"], |c| c.worker.concurrency = 0);
        check(&["worker.replicas"], |c| c.worker.replicas = 0);
        check(&["render.picture_width"], |c| c.render.picture_width = 15);
        check(&["budget.look_again"], |c| {
            c.budget.look_again = Duration::ZERO;
        });
        let budget = [
            "budget.daily_usd",
            "budget.tenant_daily_usd",
            "budget.tenants",
            "model.prices",
        ];
        check(&budget, |c| {
            c.budget.daily_usd = Some(1);
            c.model.api_key = Some(Secret::new("k"));
            c.model.model = "unpriced".into();
        });
        check(&["worker.max_dequeues"], |c| c.worker.max_dequeues = 0);
        check(&["worker.cross_process_poll"], |c| {
            c.worker.cross_process_poll = Duration::from_secs(100);
        });
        check(&["worker.heartbeat", "worker.visibility"], |c| {
            c.worker.heartbeat = c.worker.visibility / 2;
        });
        check(&["worker.poll_min", "worker.poll_max"], |c| {
            c.worker.poll_min = Duration::from_secs(3);
        });
        check(&["worker.deadline_margin", "worker.latch_freshness"], |c| {
            c.worker.deadline_margin = c.worker.latch_freshness;
        });
        check(&["model.connect_timeout", "model.timeout"], |c| {
            c.model.timeout = Duration::from_secs(4);
        });
        check(&["model.prompt_version"], |c| {
            c.model.prompt_version = Some("2".into());
        });
        check(&["model.editor"], |c| c.model.editor = EditorChoice::OpenAi);
        check(&["model.azure_endpoint"], |c| {
            c.model.azure_endpoint = Some("https://x".into());
        });
        check(&["model.azure_endpoint", "model.azure_deployment"], |c| {
            c.model.azure_endpoint = Some("https://x".into());
            c.model.azure_deployment = Some("d".into());
        });
        check(&["storage.backend"], |c| c.storage.backend = Backend::Azure);
        let mut complete = Config::default();
        complete.storage.backend = Backend::Azure;
        complete.storage.azure.queue_table_connection = secret();
        complete.storage.azure.blob_connection = secret();
        assert_eq!(broken(&complete), []);

        let mut account = Config::default();
        account.storage.backend = Backend::Azure;
        account.storage.azure.account_name = Some("presswork1".into());
        assert_eq!(broken(&account), []);
        let check = |keys: &[&str], spoil: fn(&mut AzureStorage)| {
            let mut config = account.clone();
            spoil(&mut config.storage.azure);
            let found: Vec<Vec<&str>> = broken(&config).into_iter().map(|b| b.keys).collect();
            assert_eq!(found, keys.chunks(2).collect::<Vec<_>>());
        };
        check(&["storage.azure.credential"], |azure| {
            azure.credential = AzureCredential::ConnectionString;
        });
        let workload = [
            "storage.azure.credential",
            "storage.azure.federated_token_file",
        ];
        check(&workload, |azure| {
            azure.credential = AzureCredential::WorkloadIdentity;
        });
        check(&workload, |azure| {
            azure.federated_token_file = Some("token".into());
            azure.client_id = Some("c".into());
        });
        check(&[], |azure| {
            azure.federated_token_file = Some("token".into());
            azure.client_id = Some("c".into());
            azure.tenant_id = Some("t".into());
        });
    }

    #[test]
    fn every_advice_can_be_given() {
        let check = |key: &str, spoil: fn(&mut Config)| {
            let mut config = Config::default();
            spoil(&mut config);
            let found: Vec<String> = advice(&config).into_iter().map(|note| note.name).collect();
            assert_eq!(found, [key]);
        };
        check("model.azure_endpoint", |c| {
            c.model.azure_endpoint = Some("https://x".into());
            c.model.api_key = Some(Secret::new("k"));
        });
        check("model.editor", |c| {
            c.model.editor = EditorChoice::Offline;
            c.model.api_key = Some(Secret::new("k"));
        });
        check("storage.backend", |c| {
            c.storage.azure.account_name = Some("abc".into());
        });
        check("worker.shutdown_grace", |c| {
            c.model.api_key = Some(Secret::new("k"));
            c.worker.shutdown_grace = Duration::from_secs(89);
        });
        check("server.body_limit", |c| c.server.body_limit = 13_334_000);
    }
}
