//! What every handler has at hand: the store of jobs, time, randomness and settings.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use config::{Config, FolderFault};
use schemas::cv::CheckOptions;
use storage::erase::Eraser;
use storage::jobs::JobStore;
use storage::sessions::SessionStore;
use storage::webhooks::{Interest, WebhookStore};
use storage::{Clock, Entropy};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use webhook::Secret;

use crate::api::document::Pool;
use crate::identity::{Admission, Identity};
use crate::limits::Limits;
use crate::routes::health::Checks;
use crate::streams::Streams;
use crate::wait::{Pace, Watches};

/// Limits and names of the HTTP front.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who may call, and how much they may ask for.
    pub admission: Admission,
    /// The service's name, as `/health` tells it.
    pub service: String,
    /// The version of the contract that `/health` tells.
    pub version: String,
    /// Largest request body in bytes.
    pub body_limit: usize,
    /// Longest time for one request, besides the waiting that its caller asked for.
    pub request_timeout: Duration,
    /// Longest time for a request's head to arrive; also how long an idle connection is kept.
    pub header_timeout: Duration,
    /// Most connections open at once.
    pub max_connections: usize,
    /// Origins whose scripts may call, exactly as browsers send them.
    pub cors_origins: Vec<String>,
    /// For how long browsers are told to come by HTTPS alone; zero says nothing.
    pub hsts: Duration,
    /// Longest wait by `Prefer: wait=N`.
    pub max_wait: Duration,
    /// First pause between two reads of a row that is waited for.
    pub poll_min: Duration,
    /// Longest pause between two such reads.
    pub poll_max: Duration,
    /// Longest time that storage may take to answer `/readyz`.
    pub ready_timeout: Duration,
    /// Callers fetch documents by signed URLs, where the store has them.
    pub signed_urls: bool,
    /// How long a signed URL of a document works.
    pub link_lifetime: Duration,
    /// How strict the check of a CV is.
    pub cv: CheckOptions,
    /// The names of the operator's themes, beside the built-in ones.
    pub themes: Vec<String>,
    /// The key of the model provider's webhook; without one there is no such route.
    pub webhook: Option<Secret>,
    /// How long a session lives after its last change.
    pub session_lives: Duration,
    /// Longest wait of a route of the contract for its PDF.
    pub sync_wait: Duration,
    /// Only changed sections of a session's CV are sent to the model.
    pub delta_mode: bool,
    /// Largest document in bytes.
    pub max_document: usize,
    /// All that is stored of a session can be exported.
    pub debug_export: bool,
    /// Groups of routes that are switched off, by name.
    pub maintenance: BTreeSet<&'static str>,
    /// Event streams open at once.
    pub max_streams: usize,
    /// The same of one tenant.
    pub max_streams_per_tenant: usize,
    /// Pause between signs of life on an event stream.
    pub stream_heartbeat: Duration,
    /// Which URLs events may be posted to.
    pub outgoing: webhook::Policy,
    /// Limits of webhooks, and what Event Grid has to show.
    pub webhooks: config::Webhooks,
}

impl Settings {
    /// As configured; what has no name there keeps its default. Fails where the directory of
    /// themes cannot be listed.
    pub fn new(config: &Config) -> Result<Self, FolderFault> {
        Ok(Self {
            admission: Admission::new(config),
            body_limit: usize::try_from(config.server.body_limit).unwrap_or(usize::MAX),
            request_timeout: config.server.request_timeout,
            header_timeout: config.http.header_timeout,
            max_connections: config.http.max_connections,
            cors_origins: config.http.cors_origins.clone(),
            hsts: config.http.hsts,
            max_wait: config.server.max_wait,
            signed_urls: config.storage.azure.signed_urls,
            cv: CheckOptions {
                strict_template: config.cv.strict_template,
            },
            themes: config.render.theme_files()?.into_keys().collect(),
            webhook: config
                .model
                .webhook_secret
                .as_ref()
                .and_then(|secret| Secret::parse(secret.expose()).ok()),
            session_lives: Duration::from_hours(config.cv.session_ttl_hours.into()),
            sync_wait: config.cv.sync_wait,
            delta_mode: config.cv.delta_mode,
            max_document: usize::try_from(config.cv.max_document_size).unwrap_or(usize::MAX),
            debug_export: config.cv.debug_export,
            maintenance: config.server.maintenance.clone(),
            max_streams: config.server.max_streams,
            max_streams_per_tenant: config.server.max_streams_per_tenant,
            stream_heartbeat: config.server.stream_heartbeat,
            outgoing: webhook::Policy {
                allow_http: config.webhooks.allow_http,
                allow_private: config.webhooks.allow_private,
                ..webhook::Policy::default()
            },
            webhooks: config.webhooks.clone(),
            ..Self::default()
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            admission: Admission::default(),
            service: "presswork".to_owned(),
            version: "1.0".to_owned(),
            body_limit: 15_000_000,
            request_timeout: Duration::from_secs(30),
            header_timeout: Duration::from_secs(30),
            max_connections: 16_000,
            cors_origins: Vec::new(),
            hsts: Duration::ZERO,
            max_wait: Duration::from_mins(1),
            poll_min: Duration::from_millis(20),
            poll_max: Duration::from_millis(500),
            ready_timeout: Duration::from_secs(2),
            signed_urls: true,
            link_lifetime: Duration::from_mins(15),
            cv: CheckOptions::default(),
            themes: Vec::new(),
            webhook: None,
            session_lives: Duration::from_hours(24),
            sync_wait: Duration::from_secs(100),
            delta_mode: false,
            max_document: 10_000_000,
            debug_export: false,
            maintenance: BTreeSet::new(),
            max_streams: 20_000,
            max_streams_per_tenant: 2_000,
            stream_heartbeat: Duration::from_secs(15),
            outgoing: webhook::Policy::default(),
            webhooks: Config::default().webhooks,
        }
    }
}

/// The state of the HTTP front. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) jobs: JobStore,
    pub(crate) sessions: SessionStore,
    pub(crate) webhooks: WebhookStore,
    pub(crate) interest: Interest,
    pub(crate) documents: Pool,
    pub(crate) identity: Arc<Identity>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) watches: Watches,
    pub(crate) streams: Streams,
    pub(crate) eraser: Eraser,
    pub(crate) checks: Checks,
    /// Held by the question after readiness that goes ahead of other requests.
    pub(crate) probe: Arc<Mutex<()>>,
    /// Cancelled when the server stops: whoever waits is answered at once.
    pub(crate) closing: CancellationToken,
}

impl App {
    /// A front for a store of jobs.
    pub fn new(
        jobs: JobStore,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: Settings,
    ) -> Self {
        let pace = Pace {
            first: settings.poll_min,
            longest: settings.poll_max,
        };
        let sessions = SessionStore::new(
            jobs.clone(),
            clock.clone(),
            entropy.clone(),
            settings.session_lives,
        );
        let webhooks = WebhookStore::new(
            jobs.clone(),
            clock.clone(),
            entropy.clone(),
            &settings.webhooks,
        );
        Self {
            interest: Interest::new(webhooks.clone(), clock.clone()),
            webhooks,
            watches: Watches::new(jobs.clone(), pace),
            streams: Streams::new(settings.max_streams, settings.max_streams_per_tenant),
            eraser: Eraser::new(sessions.clone(), clock.clone()),
            checks: Checks::default(),
            probe: Arc::default(),
            sessions,
            documents: Pool::new(settings.max_document),
            identity: Arc::new(Identity::new(
                &settings.admission,
                jobs.storage().table.clone(),
                clock.clone(),
                entropy.clone(),
            )),
            limits: Limits::new(
                &settings.admission,
                jobs.storage().table.clone(),
                clock.clone(),
            ),
            jobs,
            clock,
            entropy,
            settings: Arc::new(settings),
            closing: CancellationToken::new(),
        }
    }

    /// The same front, whose waits end when `closing` is cancelled.
    pub(crate) fn closing_with(mut self, closing: CancellationToken) -> Self {
        self.closing = closing;
        self
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
