//! Sets up logs, traces and metrics by the settings, and ends them in an orderly way.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use config::{Loaded, Telemetry};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::HttpClient;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::TryInitError;

use crate::export::{self, ExportError};
use crate::transport::Transport;
use crate::{logs, scrape};

/// Why logs, traces or metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The filter cannot be read; the source says why.
    #[error("the log filter must be a level or a list such as info,worker=debug")]
    Filter(#[source] ParseError),
    /// The filter is longer than 4096 bytes.
    #[error("the log filter is longer than {} bytes", logs::LONGEST_FILTER)]
    FilterTooLong,
    /// This process logs already.
    #[error("logging is set up already")]
    Again(#[source] TryInitError),
    /// The thread that sends cannot be started.
    #[error("the thread that sends telemetry cannot be started")]
    Thread(#[source] std::io::Error),
    /// The HTTP client cannot be made.
    #[error("the HTTP client for telemetry cannot be made")]
    Client(#[source] reqwest::Error),
    /// An exporter cannot be made.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Nothing can listen at the address for metrics.
    #[error("cannot listen on {0} for /metrics (telemetry.metrics_listen)")]
    Listen(SocketAddr, #[source] std::io::Error),
}

/// Keeps logs, traces and metrics alive. Dropped last in `main`: what is left is then sent, for as
/// long as the settings allow.
#[must_use = "what is buffered is lost unless the guard lives as long as the program"]
pub struct Guard {
    settings: Option<Telemetry>,
    tracers: Option<SdkTracerProvider>,
    meters: Option<SdkMeterProvider>,
    metrics_address: Option<SocketAddr>,
    /// Exporters send on it; there is none where everything is off.
    runtime: Option<Runtime>,
}

impl Guard {
    /// Of log lines alone, which are not buffered.
    pub(crate) const NOTHING: Self = Self {
        settings: None,
        tracers: None,
        meters: None,
        metrics_address: None,
        runtime: None,
    };

    /// Where `/metrics` is read.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("traces", &self.tracers.is_some())
            .field("metrics", &self.meters.is_some())
            .finish_non_exhaustive()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let grace = self.settings.as_ref().map(|s| s.shutdown_grace);
        let grace = grace.unwrap_or_default();
        // What cannot be sent in time is lost: telemetry holds up nobody.
        std::thread::scope(|scope| {
            // Both at once, so that they share the time.
            let tracers = &self.tracers;
            scope.spawn(move || {
                if let Some(tracers) = tracers {
                    let _ = tracers.shutdown_with_timeout(grace);
                }
            });
            if let Some(meters) = &self.meters {
                let _ = meters.shutdown_with_timeout(grace);
            }
        });
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Sets up what the settings ask for; then logs what is odd about the configuration. `program` is
/// the service's name where none is configured.
///
/// To be called once, by `main`. Everything that is told of this program from here on has its name,
/// version, instance and environment.
pub fn start(loaded: &Loaded, program: &str) -> Result<Guard, StartError> {
    let config = &loaded.config;
    let settings = &config.telemetry;
    let mut guard = Guard::NOTHING;
    let mut tracer = None;
    if settings.metrics() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("telemetry")
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let handle = runtime.handle().clone();
        guard.runtime = Some(runtime);
        let resource = export::resource(config, program);
        let mut client = None;
        if settings.traces() {
            let transport = Transport::new(handle.clone()).map_err(StartError::Client)?;
            let shared: Arc<dyn HttpClient> = Arc::new(transport);
            guard.tracers = export::tracers(config, &resource, &shared)?;
            client = Some(shared);
        }
        if let Some((meters, scraped)) = export::meters(config, &resource, client.as_ref())? {
            guard.meters = Some(meters);
            if let Some(address) = settings.metrics_listen {
                let listening = scrape::listen(address, scraped, &handle);
                let listening = listening.map_err(|e| StartError::Listen(address, e))?;
                guard.metrics_address = Some(listening);
            }
        }
        tracer = guard
            .tracers
            .as_ref()
            .map(|tracers| tracers.tracer("presswork"));
        guard.settings = Some(settings.clone());
    }
    logs::install(&config.log, tracer)?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    if let Some(address) = guard.metrics_address {
        tracing::info!("metrics are read at http://{address}/metrics");
    }
    Ok(guard)
}
