//! Log lines: where they go, what they look like, and which of them are dropped.

use std::io::{self, IsTerminal as _};

use config::{Log, LogFormat};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::start::StartError;
use crate::trace::SPANS;

/// Libraries whose lines below `warn` describe bytes and connections, not our work. At `trace` they
/// would also print headers, and with them keys. Each is the beginning of a target, so `hyper` is
/// `hyper_util` too, and `tower::` leaves `tower_http` alone, which logs our own requests.
const NOISY: [&str; 9] = [
    "async_openai",
    "azure_core",
    "azure_identity",
    "h2",
    "hyper",
    "reqwest",
    "rustls",
    "tower::",
    "typespec_client_core",
];

/// Longest filter, in bytes.
pub(crate) const LONGEST_FILTER: usize = 4096;

/// Sends the log lines of this process to standard error, those of the `log` crate included.
///
/// To be called once, by `main`; a second call is [`StartError::Again`] and changes nothing. A
/// line that cannot be written, such as to a closed pipe, is dropped.
///
/// Of the noisy libraries nothing below `warn` is logged unless a directive of the filter names
/// the library itself. Text is coloured on a terminal unless `NO_COLOR` is set. JSON is one object
/// a line: `timestamp` (RFC 3339, UTC), `level`, `target`, `message`, the event's own fields beside
/// them, and the fields of the innermost span under `span`.
///
/// Where there is a tracer, spans are exported too.
pub(crate) fn install(settings: &Log, tracer: Option<SdkTracer>) -> Result<(), StartError> {
    let colours = io::stderr().is_terminal();
    subscriber(settings, io::stderr, colours, tracer)?
        .try_init()
        .map_err(StartError::Again)
}

fn subscriber<W>(
    settings: &Log,
    writer: W,
    colours: bool,
    tracer: Option<SdkTracer>,
) -> Result<impl Subscriber + Send + Sync + use<W>, StartError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = filter(&settings.level)?;
    // Reporting a failed write would mean a print to the same broken pipe, which panics.
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .log_internal_errors(false);
    let lines = match settings.format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
        // Left alone on a terminal: the default heeds NO_COLOR.
        LogFormat::Text if colours => lines.boxed(),
        LogFormat::Text => lines.with_ansi(false).boxed(),
    };
    // Log lines go out as lines only: whoever collects them reads standard error.
    let ours = filter_fn(|metadata| metadata.is_span() && metadata.target() == SPANS);
    let spans = tracer.map(|tracer| {
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
            .with_filter(ours.with_max_level_hint(LevelFilter::INFO))
    });
    Ok(tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(spans))
}

fn filter(text: &str) -> Result<EnvFilter, StartError> {
    if text.len() > LONGEST_FILTER {
        return Err(StartError::FilterTooLong);
    }
    let wanted: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    // Without a level for everything the libraries are silent as it is; with a stricter one than
    // `warn` that one holds for them too.
    let overall = wanted
        .iter()
        .filter_map(|part| part.parse::<LevelFilter>().ok())
        .next_back();
    let quiet = overall.map(|level| level.min(LevelFilter::WARN));
    let mut directives: Vec<String> = quiet
        .map(|level| NOISY.map(|library| format!("{library}={level}")).to_vec())
        .unwrap_or_default();
    // Of two directives for one target the later counts.
    directives.extend(wanted.into_iter().map(str::to_owned));
    // Exported spans are no context of log lines, and are not made where nobody receives them.
    directives.push(format!("{SPANS}=off"));
    EnvFilter::builder()
        .with_regex(false)
        .parse(directives.join(","))
        .map_err(StartError::Filter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex, PoisonError};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn settings(filter: &str, format: LogFormat) -> Log {
        let environment = "test".to_owned();
        let level = filter.to_owned();
        Log {
            level,
            format,
            environment,
        }
    }

    /// The lines that `log` leaves under these settings.
    fn lines(filter: &str, format: LogFormat, log: impl FnOnce()) -> Vec<String> {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = subscriber(
            &settings(filter, format),
            move || writer.clone(),
            false,
            None,
        )
        .unwrap();
        tracing::subscriber::with_default(subscriber, log);
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn which_lines_are_kept() {
        let check = |filter: &str, expect: &[&str]| {
            let lines = lines(filter, LogFormat::Text, || {
                tracing::trace!(target: "worker::runner", "ours-trace");
                tracing::info!(target: "worker::runner", "ours-info");
                tracing::error!(target: "worker::runner", "ours-error");
                tracing::trace!(target: "hyper_util::client", "hyper-trace");
                tracing::warn!(target: "hyper_util::client", "hyper-warn");
                tracing::error!(target: "reqwest::connect", "reqwest-error");
                tracing::debug!(target: "tower::buffer", "tower-debug");
                tracing::debug!(target: "tower_http::trace", "http-debug");
            });
            let last = |line: &String| line.rsplit(' ').next().unwrap_or_default().to_owned();
            assert_eq!(
                lines.iter().map(last).collect::<Vec<_>>(),
                expect,
                "{filter}"
            );
        };
        let (trace, info, error) = ("ours-trace", "ours-info", "ours-error");
        let (hyper, reqwest, http) = ("hyper-warn", "reqwest-error", "http-debug");
        check("info", &[info, error, hyper, reqwest]);
        check("trace", &[trace, info, error, hyper, reqwest, http]);
        check("error", &[error, reqwest]);
        check("off", &[]);
        check("worker=info", &[info, error]);
        check("warn, worker=trace", &[trace, info, error, hyper, reqwest]);
        check(
            "trace,hyper=trace",
            &[trace, info, error, "hyper-trace", hyper, reqwest, http],
        );
    }

    #[test]
    fn a_json_line_is_one_object_with_flat_fields() {
        let lines = lines("info", LogFormat::Json, || {
            let _span = tracing::info_span!("job", job_id = "j1").entered();
            tracing::info!(duration_ms = 12, "two\nlines");
        });
        let [line] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["target"], "telemetry::logs::tests");
        assert_eq!(line["message"], "two\nlines");
        assert_eq!(line["duration_ms"], 12);
        assert_eq!(line["span"]["job_id"], "j1");
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
    }

    #[test]
    fn filters_that_cannot_be_read() {
        assert!(matches!(filter("worker=loud"), Err(StartError::Filter(_))));
        assert!(matches!(
            filter(&"a".repeat(5_000)),
            Err(StartError::FilterTooLong)
        ));
        assert!(filter("info,worker=debug").is_ok());
    }

    #[test]
    fn a_second_init_is_an_error() {
        let settings = settings("off", LogFormat::Text);
        install(&settings, None).unwrap();
        assert!(matches!(
            install(&settings, None),
            Err(StartError::Again(_))
        ));
    }
}
