//! The settings as types. `default.toml` documents each; here stand units, ranges and consequences.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::{Prices, Secret, Telemetry, defaults, read};

/// All settings of the three programs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP API.
    pub server: Server,
    /// What browsers may do with its answers, and how many may be connected.
    pub http: crate::Http,
    /// Who may call it.
    pub auth: crate::Auth,
    /// How much a caller may ask for.
    pub limits: crate::Limits,
    /// Where data is kept.
    pub storage: Storage,
    /// The language model.
    pub model: Model,
    /// What it may cost.
    pub budget: Budget,
    /// The consumer of jobs.
    pub worker: Worker,
    /// Fonts and themes beside the built-in ones.
    pub render: Render,
    /// Rules of the CV product.
    pub cv: Cv,
    /// How long what is stored is kept.
    pub retention: crate::Retention,
    /// Notifications.
    pub webhooks: crate::Webhooks,
    /// Log lines.
    pub log: Log,
    /// Traces and metrics.
    pub telemetry: Telemetry,
}

/// The HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port; port 0 takes a free one.
    #[serde(deserialize_with = "read::address")]
    pub listen: SocketAddr,
    /// Largest request body in bytes, 1 kB to 100 MB.
    #[serde(deserialize_with = "read::size")]
    pub body_limit: u64,
    /// Longest time for one request, besides the waiting its caller asked for. At most 10 min.
    #[serde(deserialize_with = "read::duration")]
    pub request_timeout: Duration,
    /// Longest wait by `Prefer: wait=N` (RFC 7240, section 4.3). At most 10 min; 0 forbids waiting.
    #[serde(deserialize_with = "read::duration")]
    pub max_wait: Duration,
    /// Time for open requests after SIGTERM. At most 1 h.
    #[serde(deserialize_with = "read::duration")]
    pub shutdown_grace: Duration,
    /// Groups of routes that are switched off: names of [`crate::ROUTE_GROUPS`].
    #[serde(deserialize_with = "read::route_groups")]
    pub maintenance: BTreeSet<&'static str>,
    /// Event streams open at once, 1 to 1,000,000.
    #[serde(deserialize_with = "read::number")]
    pub max_streams: usize,
    /// The same of one tenant, 1 to 1,000,000.
    #[serde(deserialize_with = "read::number")]
    pub max_streams_per_tenant: usize,
    /// Pause between signs of life on a stream, 10 ms to 10 min.
    #[serde(deserialize_with = "read::duration")]
    pub stream_heartbeat: Duration,
}

/// Where data is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Which adapter.
    #[serde(deserialize_with = "read::backend")]
    pub backend: Backend,
    /// Directory of the embedded store, not empty, perhaps not there yet.
    #[serde(deserialize_with = "read::path")]
    pub data_dir: PathBuf,
    /// Azure Storage; of use with [`Backend::Azure`].
    pub azure: AzureStorage,
}

/// Azure Storage: connection strings, or an account with an identity.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AzureStorage {
    /// For queues and tables.
    #[serde(deserialize_with = "read::connection_string")]
    pub queue_table_connection: Option<Secret>,
    /// For blobs. [`Config::load`] fills it from `queue_table_connection` if nobody set it.
    #[serde(deserialize_with = "read::connection_string")]
    pub blob_connection: Option<Secret>,
    /// Account for use with an identity.
    #[serde(deserialize_with = "read::account_name")]
    pub account_name: Option<String>,
    /// How to prove who we are, as asked for.
    #[serde(deserialize_with = "read::azure_credential")]
    pub credential: AzureCredential,
    /// Client id of the identity; always there with workload identity.
    #[serde(deserialize_with = "read::optional_text")]
    pub client_id: Option<String>,
    /// Id of the Entra tenant; always there with workload identity.
    #[serde(deserialize_with = "read::optional_text")]
    pub tenant_id: Option<String>,
    /// The token to exchange; always there with workload identity.
    #[serde(deserialize_with = "read::optional_path")]
    pub federated_token_file: Option<PathBuf>,
    /// Longest time for one storage request, its repeats included, 1 ms to 10 min.
    #[serde(deserialize_with = "read::duration")]
    pub timeout: Duration,
    /// Who tells of new PDFs.
    #[serde(deserialize_with = "read::emit_events")]
    pub emit_events: EmitEvents,
    /// Whether callers are sent to a signed URL of the account for a result.
    #[serde(deserialize_with = "read::switch")]
    pub signed_urls: bool,
}

impl AzureStorage {
    /// How to prove who we are, as the settings stand: what [`AzureCredential::Auto`] comes to.
    pub fn credential(&self) -> AzureCredential {
        match self.credential {
            AzureCredential::Auto if self.queue_table_connection.is_some() => {
                AzureCredential::ConnectionString
            }
            AzureCredential::Auto if self.federated_token_file.is_some() => {
                AzureCredential::WorkloadIdentity
            }
            AzureCredential::Auto => AzureCredential::ManagedIdentity,
            chosen => chosen,
        }
    }
}

/// The language model. [`Model::provider`] says which of its parts count.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What the operator asked for. With `Auto` and no model at hand the `worker` program refuses
    /// to start; `presswork` goes on offline and says so.
    #[serde(deserialize_with = "read::editor")]
    pub editor: EditorChoice,
    /// Key of OpenAI or of the server at `base_url`.
    #[serde(deserialize_with = "read::api_key")]
    pub api_key: Option<Secret>,
    /// Compatible server, with its version path, without a slash at the end.
    #[serde(deserialize_with = "read::base_url")]
    pub base_url: Option<String>,
    /// Name of the model, not empty.
    #[serde(deserialize_with = "read::text")]
    pub model: String,
    /// Stored prompt.
    #[serde(deserialize_with = "read::optional_text")]
    pub prompt_id: Option<String>,
    /// Version of the stored prompt; never set without `prompt_id`.
    #[serde(deserialize_with = "read::optional_text")]
    pub prompt_version: Option<String>,
    /// Azure OpenAI resource, without a slash at the end. If set, the key and deployment are too.
    #[serde(deserialize_with = "read::base_url")]
    pub azure_endpoint: Option<String>,
    /// Key of the Azure OpenAI resource.
    #[serde(deserialize_with = "read::api_key")]
    pub azure_key: Option<Secret>,
    /// Deployment at Azure OpenAI.
    #[serde(deserialize_with = "read::optional_text")]
    pub azure_deployment: Option<String>,
    /// `api-version` for Azure OpenAI; its v1 API needs none.
    #[serde(deserialize_with = "read::optional_text")]
    pub azure_api_version: Option<String>,
    /// Longest time for one call, connecting included, 1 ms to 1 h. Part of the call deadline.
    #[serde(deserialize_with = "read::duration")]
    pub timeout: Duration,
    /// Longest time to connect, 1 ms to `timeout`.
    #[serde(deserialize_with = "read::duration")]
    pub connect_timeout: Duration,
    /// Whether calls are made in the background, as asked for.
    #[serde(deserialize_with = "read::background")]
    pub background: Background,
    /// Longest time for a call in the background, 1 ms to 1 day.
    #[serde(deserialize_with = "read::duration")]
    pub pending_max: Duration,
    /// First pause before it is asked for again, 1 ms to `poll_max`.
    #[serde(deserialize_with = "read::duration")]
    pub poll_min: Duration,
    /// Longest such pause, at most 5 min.
    #[serde(deserialize_with = "read::duration")]
    pub poll_max: Duration,
    /// Key of the provider's webhook in the form of Standard Webhooks: `whsec_` and 24 to 64 bytes
    /// in base64. `None`: there is no such route.
    #[serde(deserialize_with = "read::webhook_secret")]
    pub webhook_secret: Option<Secret>,
    /// Most tokens in one reply, 256 to 1,000,000.
    #[serde(deserialize_with = "read::number")]
    pub max_output_tokens: u32,
    /// Calls per minute over all workers; `None` is no limit of ours.
    #[serde(deserialize_with = "read::optional_number")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tokens per minute over all workers, in and out; `None` is no limit of ours.
    #[serde(deserialize_with = "read::optional_number")]
    pub tokens_per_minute: Option<NonZeroU32>,
    /// What tokens cost.
    #[serde(deserialize_with = "read::prices")]
    pub prices: Prices,
}

impl Model {
    /// The name by which the provider is asked for the model.
    pub fn asked_name(&self) -> &str {
        match (self.provider(), &self.azure_deployment) {
            (Provider::AzureOpenAi, Some(deployment)) => deployment,
            _ => &self.model,
        }
    }

    /// Who edits, as the settings stand: what [`EditorChoice::Auto`] comes to, and which API.
    pub fn provider(&self) -> Provider {
        if self.editor == EditorChoice::Offline {
            Provider::Offline
        } else if self.azure_endpoint.is_some() {
            Provider::AzureOpenAi
        } else if self.api_key.is_some() || self.base_url.is_some() {
            Provider::OpenAi
        } else {
            Provider::Offline
        }
    }
}

impl Model {
    /// Whether calls are made in the background, as the settings stand: what
    /// [`Background::Auto`] comes to.
    pub fn in_background(&self) -> bool {
        match self.background {
            Background::On => true,
            Background::Off => false,
            Background::Auto => {
                let own = |url: &String| url.starts_with("https://api.openai.com/");
                self.provider() == Provider::OpenAi && self.base_url.as_ref().is_none_or(own)
            }
        }
    }
}

/// What model calls may cost in one day (UTC). Amounts are millionths of a US dollar.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Over all tenants; `None` is no limit. If set, the price of the model is known.
    #[serde(deserialize_with = "read::optional_usd")]
    pub daily_usd: Option<u64>,
    /// For each tenant that is not among `tenants`.
    #[serde(deserialize_with = "read::optional_usd")]
    pub tenant_daily_usd: Option<u64>,
    /// For these tenants.
    #[serde(deserialize_with = "read::tenant_budgets")]
    pub tenants: BTreeMap<String, u64>,
    /// Longest time until a waiting job is looked at again, 100 ms to 1 day.
    #[serde(deserialize_with = "read::duration")]
    pub look_again: Duration,
}

impl Budget {
    /// Whether anything is limited.
    pub fn is_set(&self) -> bool {
        self.daily_usd.is_some() || self.tenant_daily_usd.is_some() || !self.tenants.is_empty()
    }

    /// What a tenant may spend.
    pub fn of_tenant(&self, tenant: &str) -> Option<u64> {
        self.tenants.get(tenant).copied().or(self.tenant_daily_usd)
    }
}

/// The consumer of jobs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// Jobs in hand at once, 1 to 1024.
    #[serde(deserialize_with = "read::number")]
    pub concurrency: usize,
    /// Workers that share the model's limits per minute, 1 to 10,000.
    #[serde(deserialize_with = "read::number")]
    pub replicas: u32,
    /// Threads that render, at most 256; 0 is one per processor core.
    #[serde(deserialize_with = "read::number")]
    pub render_threads: usize,
    /// Visibility timeout of a received message, 10 ms to 1 h.
    #[serde(deserialize_with = "read::duration")]
    pub visibility: Duration,
    /// Pause between extensions; less than half of `visibility`, so that one may fail.
    #[serde(deserialize_with = "read::duration")]
    pub heartbeat: Duration,
    /// Counted dequeues before the poison queue, 1 to 100.
    #[serde(deserialize_with = "read::number")]
    pub max_dequeues: u32,
    /// First pause after an empty receive, 1 ms to `poll_max`.
    #[serde(deserialize_with = "read::duration")]
    pub poll_min: Duration,
    /// Longest pause between receives, at most 5 min.
    #[serde(deserialize_with = "read::duration")]
    pub poll_max: Duration,
    /// Pause between looks at an embedded queue that another process may fill, 1 ms to 10 s.
    #[serde(deserialize_with = "read::duration")]
    pub cross_process_poll: Duration,
    /// What is added to `model.timeout` for the call deadline; longer than `latch_freshness`.
    #[serde(deserialize_with = "read::duration")]
    pub deadline_margin: Duration,
    /// Longest time from the read before the latch to the call, 1 ms or more.
    #[serde(deserialize_with = "read::duration")]
    pub latch_freshness: Duration,
    /// Pause between rounds of the reconciler, 1 ms to 1 h.
    #[serde(deserialize_with = "read::duration")]
    pub reconcile_every: Duration,
    /// Idle time before an open job is enqueued again, 1 ms to 1 day.
    #[serde(deserialize_with = "read::duration")]
    pub idle_before_requeue: Duration,
    /// Time in `queued` before a job expires, 1 ms to 30 days.
    #[serde(deserialize_with = "read::duration")]
    pub expire_after: Duration,
    /// How long a held job keeps its marker for a late reply, 1 ms to 30 days.
    #[serde(deserialize_with = "read::duration")]
    pub marker_hold: Duration,
    /// Time for jobs in hand after SIGTERM, at most 1 h.
    #[serde(deserialize_with = "read::duration")]
    pub shutdown_grace: Duration,
}

/// Fonts and themes beside the built-in ones. [`Render::font_files`] and [`Render::theme_files`]
/// list what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Render {
    /// Directory of fonts.
    #[serde(deserialize_with = "read::optional_path")]
    pub fonts_dir: Option<PathBuf>,
    /// Directory of themes.
    #[serde(deserialize_with = "read::optional_path")]
    pub themes_dir: Option<PathBuf>,
    /// Width in pixels of the first page's picture beside each result, 16 to 4000; 0 is none.
    #[serde(deserialize_with = "read::number")]
    pub picture_width: u32,
}

/// Rules of the CV product.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cv {
    /// What follows a call of unknown outcome.
    #[serde(deserialize_with = "read::single_call")]
    pub single_call: SingleCall,
    /// Whether equal content gets the PDF made before.
    #[serde(deserialize_with = "read::switch")]
    pub execution_latch: bool,
    /// Whether only changed sections are sent to the model.
    #[serde(deserialize_with = "read::switch")]
    pub delta_mode: bool,
    /// Life of a session in hours, 1 to 8760.
    #[serde(deserialize_with = "read::number")]
    pub session_ttl_hours: u32,
    /// Time of day (UTC) of the removal of expired sessions, since midnight; below 24 h.
    #[serde(deserialize_with = "read::time_of_day")]
    pub cleanup_at: Duration,
    /// Longest wait of a route under `/api` for its PDF, at most 10 min.
    #[serde(deserialize_with = "read::duration")]
    pub sync_wait: Duration,
    /// Whether all that is stored of a session can be exported.
    #[serde(deserialize_with = "read::switch")]
    pub debug_export: bool,
    /// Largest uploaded document in bytes, before base64, 1 kB to 100 MB.
    #[serde(deserialize_with = "read::size")]
    pub max_document_size: u64,
    /// Whether the fields of the strict template are required as well.
    #[serde(deserialize_with = "read::switch")]
    pub strict_template: bool,
}

/// Log lines.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// A filter in the syntax of tracing-subscriber's `EnvFilter`; a lone word is a level.
    #[serde(deserialize_with = "read::log_filter")]
    pub level: String,
    /// Form of a line.
    #[serde(deserialize_with = "read::log_format")]
    pub format: LogFormat,
    /// Name of the deployment, not empty.
    #[serde(deserialize_with = "read::text")]
    pub environment: String,
}

/// Adapter of the storage ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// One SQLite file.
    Embedded,
    /// Azure Queue, Table and Blob Storage.
    Azure,
}

/// How to prove to Azure Storage who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AzureCredential {
    /// The connection string if there is one, else an identity.
    Auto,
    /// Key or shared access signature of the connection strings.
    ConnectionString,
    /// The identity that Azure gives to the machine or service that runs us.
    ManagedIdentity,
    /// The identity that Kubernetes gives to the pod that runs us.
    WorkloadIdentity,
    /// The login of the Azure CLI or the Azure Developer CLI.
    DeveloperTools,
}

/// Who puts an event on the notifications queue for each new PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmitEvents {
    /// We for the emulator, Event Grid for Azure.
    Auto,
    /// We.
    On,
    /// Somebody else.
    Off,
}

/// Who shall edit, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditorChoice {
    /// A model if one is configured, else none.
    Auto,
    /// A model; loading fails if none is configured.
    OpenAi,
    /// No model, even if one is configured.
    Offline,
}

/// Who edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Fixed rules, no model.
    Offline,
    /// OpenAI, or a compatible server if `base_url` is set.
    OpenAi,
    /// Azure OpenAI; endpoint, key and deployment are set.
    AzureOpenAi,
}

/// Whether the provider works on calls in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Where the provider is known to have it: at OpenAI itself.
    Auto,
    /// Always.
    On,
    /// Never: one request, and its answer.
    Off,
}

/// What follows a model call of unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SingleCall {
    /// At most one call is ever accepted; the job is held for consent or a late reply.
    Hold,
    /// One more call is made, perhaps a second one paid.
    RetryOnce,
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    /// The values of `default.toml`.
    fn default() -> Self {
        defaults::figment()
            .extract()
            .expect("a test reads the embedded default file")
    }
}

impl Config {
    /// Settings for tests that run in milliseconds: no model, a free port, and polls without long
    /// pauses. What ends a call or a lease is longer than a busy machine stands still; a test that
    /// waits for such an end sets its own. They satisfy the same checks as settings from outside.
    /// The test still has to set `storage.data_dir`.
    pub fn for_tests() -> Self {
        let ms = Duration::from_millis;
        let mut config = Self::default();
        config.server.listen.set_port(0);
        config.server.request_timeout = ms(2_000);
        config.server.max_wait = ms(2_000);
        config.server.shutdown_grace = ms(500);
        config.model.editor = EditorChoice::Offline;
        config.model.timeout = ms(3_000);
        config.model.connect_timeout = ms(1_000);
        config.model.pending_max = ms(20_000);
        config.model.poll_min = ms(5);
        config.model.poll_max = ms(50);
        config.budget.look_again = ms(200);
        config.worker.concurrency = 8;
        config.worker.render_threads = 1;
        config.worker.visibility = ms(2_000);
        config.worker.heartbeat = ms(200);
        config.worker.poll_min = ms(2);
        config.worker.poll_max = ms(20);
        config.worker.cross_process_poll = ms(5);
        config.worker.deadline_margin = ms(2_000);
        config.worker.latch_freshness = ms(1_500);
        config.worker.reconcile_every = ms(50);
        config.worker.idle_before_requeue = ms(300);
        config.worker.expire_after = ms(60_000);
        config.worker.marker_hold = ms(60_000);
        config.worker.shutdown_grace = ms(2_000);
        config.webhooks.timeout = ms(2_000);
        config.webhooks.connect_timeout = ms(1_000);
        config
    }
}
