//! What a worker is run with, taken from the configuration.

use std::sync::Arc;
use std::time::Duration;

use config::{Config, Provider, SingleCall};

use crate::attempt::{Policy, Rules};
use crate::budget::Limits;
use crate::editor::{Editor, Model};
use crate::leased::LeaseTimes;
use crate::notify::NotifySettings;

/// What a worker is run with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the state machine.
    pub rules: Rules,
    /// Jobs in hand at once.
    pub concurrency: usize,
    /// Documents rendered at once.
    pub render_threads: usize,
    /// How leases are kept.
    pub lease: LeaseTimes,
    /// First pause after an empty receive.
    pub poll_min: Duration,
    /// Longest pause between receives.
    pub poll_max: Duration,
    /// What is added to the call's longest time to make its deadline.
    pub deadline_margin: Duration,
    /// Longest time for a call in the background.
    pub pending_max: Duration,
    /// Oldest read that a call may follow.
    pub latch_freshness: Duration,
    /// Time between rounds of the reconciler.
    pub reconcile_every: Duration,
    /// Longest time in `queued`.
    pub expire_after: Duration,
    /// Time to finish after a request to stop.
    pub shutdown_grace: Duration,
    /// Equal content shares one call.
    pub execution_latch: bool,
    /// How long a session lives after its last change.
    pub session_lives: Duration,
    /// When expired sessions are removed: time of day (UTC), since midnight.
    pub sweep_at: Duration,
    /// How long what is stored is kept.
    pub retention: config::Retention,
    /// What calls may take.
    pub limits: Limits,
    /// Time between two looks at the queues for metrics.
    pub metrics_every: Duration,
    /// Successful jobs whose figures are logged.
    pub sample: config::Share,
    /// Notifications.
    pub notify: NotifySettings,
}

impl Settings {
    /// The configuration's part for a worker.
    pub fn new(config: &Config) -> Self {
        let worker = &config.worker;
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            rules: Rules {
                policy: match config.cv.single_call {
                    SingleCall::Hold => Policy::Hold,
                    SingleCall::RetryOnce => Policy::RetryOnce,
                },
                max_dequeues: worker.max_dequeues,
                content_wait: worker.poll_max.min(Duration::from_secs(1)),
                poll_min: config.model.poll_min,
                poll_max: config.model.poll_max,
            },
            concurrency: worker.concurrency,
            render_threads: match worker.render_threads {
                0 => cores(),
                n => n,
            },
            lease: LeaseTimes {
                visibility: worker.visibility,
                heartbeat: worker.heartbeat,
            },
            poll_min: worker.poll_min,
            poll_max: match config.storage.backend {
                config::Backend::Embedded => worker.cross_process_poll.min(worker.poll_max),
                config::Backend::Azure => worker.poll_max,
            },
            deadline_margin: worker.deadline_margin,
            pending_max: config.model.pending_max,
            latch_freshness: worker.latch_freshness,
            reconcile_every: worker.reconcile_every,
            expire_after: worker.expire_after,
            shutdown_grace: worker.shutdown_grace,
            execution_latch: config.cv.execution_latch,
            session_lives: Duration::from_hours(config.cv.session_ttl_hours.into()),
            sweep_at: config.cv.cleanup_at,
            retention: config.retention.clone(),
            limits: Limits::new(config),
            metrics_every: config.telemetry.metrics_every,
            sample: config.telemetry.pdf_metrics_sample,
            notify: NotifySettings::new(&config.webhooks),
        }
    }
}

/// No model is configured, and nobody said that there should be none.
#[derive(Debug, thiserror::Error)]
pub enum ModelMissing {
    /// See the message.
    #[error(
        "no model is configured: set OPENAI_API_KEY (with OPENAI_BASE_URL for a compatible \
         server) or AZURE_OPENAI_ENDPOINT, _KEY and _DEPLOYMENT; or set CV_EDITOR=offline to run \
         without a model, on the callers' own text"
    )]
    NotConfigured,
    /// The client cannot be made.
    #[error("the model's client cannot be made")]
    Client(#[from] openai::SettingsError),
}

/// Who edits, by the configuration. `offline_by_default` is for the all-in-one program, which
/// goes on without a model; a worker of its own refuses.
pub fn editor(config: &Config, offline_by_default: bool) -> Result<Editor, ModelMissing> {
    let model = &config.model;
    let Some(client) = model_client(config)? else {
        let asked = model.editor == config::EditorChoice::Offline;
        return if asked || offline_by_default {
            Ok(Editor::Offline)
        } else {
            Err(ModelMissing::NotConfigured)
        };
    };
    let stored_prompt = model.prompt_id.clone().map(|id| openai::StoredPrompt {
        id,
        version: model.prompt_version.clone(),
        variables: serde_json::Map::new(),
    });
    Ok(Editor::Model(Box::new(Model {
        api: Arc::new(client),
        background: model.in_background(),
        provider: match model.provider() {
            Provider::AzureOpenAi => "azure.ai.openai",
            Provider::OpenAi | Provider::Offline => "openai",
        },
        name: model.asked_name().to_owned(),
        stored_prompt,
        max_output_tokens: model.max_output_tokens,
        timeout: model.timeout,
        retry_after: Duration::from_secs(5),
    })))
}

/// The client of the configured model; `None` where none is configured.
pub fn model_client(config: &Config) -> Result<Option<openai::Client>, openai::SettingsError> {
    let model = &config.model;
    let secret = |secret: &Option<config::Secret>| {
        openai::Secret::new(secret.as_ref().map_or("", |secret| secret.expose()))
    };
    let provider = match model.provider() {
        Provider::Offline => return Ok(None),
        Provider::OpenAi => {
            let base_url = model.base_url.clone();
            let base_url = base_url.unwrap_or_else(|| "https://api.openai.com/v1".to_owned());
            openai::Provider::OpenAi {
                base_url,
                api_key: secret(&model.api_key),
            }
        }
        Provider::AzureOpenAi => openai::Provider::Azure {
            endpoint: model.azure_endpoint.clone().unwrap_or_default(),
            api_key: secret(&model.azure_key),
            deployment: model.asked_name().to_owned(),
            api_version: model.azure_api_version.clone(),
        },
    };
    let client = openai::Client::new(openai::Settings {
        provider,
        model: model.asked_name().to_owned(),
        timeout: model.timeout,
        connect_timeout: model.connect_timeout,
        user_agent: concat!("presswork/", env!("CARGO_PKG_VERSION")).to_owned(),
    })?;
    Ok(Some(client))
}
