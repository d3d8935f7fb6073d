//! The providers of traces and metrics, with the receivers that the settings name.

use std::collections::HashMap;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_application_insights::Exporter as ApplicationInsights;
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    InstrumentKind, ManualReader, PeriodicReader, Pipeline, SdkMeterProvider, Temporality,
};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
    SpanExporter as AnySpanExporter,
};

/// Spans that may wait to be sent; more are dropped.
const QUEUE: usize = 4_096;

/// Longest wait of a span before it is sent.
const DELAY: Duration = Duration::from_secs(2);

/// Longest time for one export over OTLP.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why an exporter cannot be made. Settings are checked before; what is left is rare.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The exporter refuses its endpoint.
    #[error("the OTLP exporter cannot be made")]
    Otlp(#[from] ExporterBuildError),
    /// The exporter refuses its connection string.
    #[error("the exporter for Application Insights cannot be made")]
    ApplicationInsights(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Who this is, on every span and metric.
pub(crate) fn resource(config: &Config, program: &str) -> Resource {
    let telemetry = &config.telemetry;
    let name = telemetry.service_name.clone();
    // One host may run several.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let instance = format!("{}:{}", host.trim(), process::id());
    let further = telemetry.resource_attributes.as_deref().unwrap_or_default();
    // Checked when the settings were read.
    let further = config::pairs(further).unwrap_or_default();
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", name.unwrap_or_else(|| program.to_owned())),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", instance),
            KeyValue::new(
                "deployment.environment.name",
                config.log.environment.clone(),
            ),
        ])
        .with_attributes(
            further
                .into_iter()
                .map(|(name, value)| KeyValue::new(name, value)),
        )
        .build()
}

/// The provider of traces; none where nobody receives them.
pub(crate) fn tracers(
    config: &Config,
    resource: &Resource,
    client: &Arc<dyn HttpClient>,
) -> Result<Option<SdkTracerProvider>, ExportError> {
    let telemetry = &config.telemetry;
    if !telemetry.traces() {
        return Ok(None);
    }
    let share = telemetry.trace_sample.of_one();
    // A caller's decision holds for our part of his trace.
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share)));
    let mut provider = SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_resource(resource.clone());
    if let Some(endpoint) = &telemetry.otlp_endpoint {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_shared_http_client(client.clone())
            .with_endpoint(format!("{endpoint}/v1/traces"))
            .with_headers(headers(config))
            .with_timeout(TIMEOUT)
            .build()?;
        provider = provider.with_span_processor(batched(exporter));
    }
    if let Some(exporter) = application_insights(config, client)? {
        let exporter = exporter.with_sample_rate(share);
        provider = provider.with_span_processor(batched(exporter));
    }
    Ok(Some(provider.build()))
}

fn batched(exporter: impl AnySpanExporter + 'static) -> BatchSpanProcessor {
    let limits = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(512)
        .with_scheduled_delay(DELAY)
        .build();
    BatchSpanProcessor::builder(exporter)
        .with_batch_config(limits)
        .build()
}

/// The provider of metrics, and the reader behind `/metrics`; none where nobody receives them.
pub(crate) fn meters(
    config: &Config,
    resource: &Resource,
    client: Option<&Arc<dyn HttpClient>>,
) -> Result<Option<(SdkMeterProvider, Scraped)>, ExportError> {
    let telemetry = &config.telemetry;
    if !telemetry.metrics() {
        return Ok(None);
    }
    let scraped = Scraped::default();
    let mut provider = SdkMeterProvider::builder().with_resource(resource.clone());
    if telemetry.metrics_listen.is_some() {
        provider = provider.with_reader(scraped.clone());
    }
    let every = telemetry.metrics_every;
    if let Some((endpoint, client)) = telemetry.otlp_endpoint.as_ref().zip(client) {
        let exporter = MetricExporter::builder()
            .with_http()
            .with_shared_http_client(client.clone())
            .with_endpoint(format!("{endpoint}/v1/metrics"))
            .with_headers(headers(config))
            .with_timeout(TIMEOUT)
            .build()?;
        provider = provider.with_reader(
            PeriodicReader::builder(exporter)
                .with_interval(every)
                .build(),
        );
    }
    if let Some(client) = client
        && let Some(exporter) = application_insights(config, client)?
    {
        provider = provider.with_reader(
            PeriodicReader::builder(exporter)
                .with_interval(every)
                .build(),
        );
    }
    let provider = provider.build();
    crate::metrics::install(&provider.meter("presswork"));
    Ok(Some((provider, scraped)))
}

fn headers(config: &Config) -> HashMap<String, String> {
    let headers = config.telemetry.otlp_headers.as_ref();
    let headers = headers.map(|headers| config::pairs(headers.expose()));
    // Checked when the settings were read.
    headers
        .and_then(Result::ok)
        .unwrap_or_default()
        .into_iter()
        .collect()
}

/// An HTTP client that exporters can share.
#[derive(Clone, Debug)]
struct Shared(Arc<dyn HttpClient>);

#[async_trait::async_trait]
impl HttpClient for Shared {
    async fn send_bytes(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, opentelemetry_http::HttpError> {
        self.0.send_bytes(request).await
    }
}

fn application_insights(
    config: &Config,
    client: &Arc<dyn HttpClient>,
) -> Result<Option<ApplicationInsights<Shared>>, ExportError> {
    let Some(connection) = &config.telemetry.application_insights else {
        return Ok(None);
    };
    let client = Shared(client.clone());
    ApplicationInsights::new_from_connection_string(connection.expose(), client)
        .map(Some)
        .map_err(ExportError::ApplicationInsights)
}

/// A reader that is read when somebody asks. Clones read the same.
#[derive(Clone, Debug)]
pub(crate) struct Scraped(Arc<ManualReader>);

impl Default for Scraped {
    fn default() -> Self {
        Self(Arc::new(ManualReader::builder().build()))
    }
}

impl Scraped {
    /// All metrics as they stand.
    pub(crate) fn read(&self) -> ResourceMetrics {
        let mut metrics = ResourceMetrics::default();
        // Fails only after the shutdown; then there is nothing to tell.
        let _ = self.0.collect(&mut metrics);
        metrics
    }
}

impl MetricReader for Scraped {
    fn register_pipeline(&self, pipeline: std::sync::Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::Secret;
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use std::sync::Mutex;

    /// Takes everything, and remembers where it went.
    #[derive(Debug, Default)]
    struct Taken(Mutex<Vec<(String, Vec<u8>)>>);

    #[async_trait::async_trait]
    impl HttpClient for Taken {
        async fn send_bytes(
            &self,
            request: http::Request<bytes::Bytes>,
        ) -> Result<http::Response<bytes::Bytes>, opentelemetry_http::HttpError> {
            let sent = (request.uri().to_string(), request.body().to_vec());
            self.0.lock().unwrap().push(sent);
            Ok(http::Response::new(bytes::Bytes::new()))
        }
    }

    #[test]
    fn both_receivers_get_spans_where_the_settings_say() {
        let mut config = Config::default();
        let resource = resource(&config, "test");
        let taken = Arc::new(Taken::default());
        let client: Arc<dyn HttpClient> = taken.clone();
        assert!(tracers(&config, &resource, &client).unwrap().is_none());
        let connection = "InstrumentationKey=00000000-1111-2222-3333-444444444444;\
                          IngestionEndpoint=https://ingest.example";
        config.telemetry.application_insights = Some(Secret::new(connection));
        config.telemetry.otlp_endpoint = Some("http://collector.example:4318".to_owned());
        let provider = tracers(&config, &resource, &client).unwrap().unwrap();
        drop(provider.tracer("test").start("a span"));
        provider.shutdown().unwrap();
        let mut sent = taken.0.lock().unwrap().clone();
        sent.sort();
        let to: Vec<&str> = sent.iter().map(|(to, _)| to.as_str()).collect();
        let expect = [
            "http://collector.example:4318/v1/traces",
            "https://ingest.example/v2/track",
        ];
        assert_eq!(to, expect);
        assert!(sent[1].1.starts_with(&[0x1f, 0x8b]), "gzip");
    }
}
