//! Spans that leave the process, and the W3C `traceparent` that joins those of several processes.
//!
//! A span leaves if its target is [`SPANS`]: `tracing::info_span!(target: telemetry::trace::SPANS,
//! "render", ...)`. No log line shows it, and without a receiver it is not made. The fields
//! `otel.name`, `otel.kind`, `otel.status_code` have the meaning that tracing-opentelemetry gives
//! them. Whole numbers are exported as such only if they are `i64`: see [`whole`]. No field may hold
//! text of a caller.

use opentelemetry::Context;
use opentelemetry::trace::{
    FutureExt as _, SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The target of the spans that are exported.
pub const SPANS: &str = "otel";

/// A whole number as spans take it; an unsigned one would be exported as a text.
pub fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Makes a new span part of the trace that a `traceparent` names, as a child. To be called before
/// the span is entered. Something that is no `traceparent` is passed over.
pub fn child_of(span: &Span, traceparent: Option<&str>) {
    if let Some(context) = traceparent.and_then(read)
        && !span.is_disabled()
    {
        // Fails only where nothing is exported.
        let _ = span.set_parent(Context::new().with_remote_span_context(context));
    }
}

/// [`child_of`], and a span link besides: for the consumer of a message, whose producer ended long
/// ago (OpenTelemetry, semantic conventions for messaging spans).
pub fn consumer_of(span: &Span, traceparent: Option<&str>) {
    child_of(span, traceparent);
    if let Some(context) = traceparent.and_then(read) {
        span.add_link(context);
    }
}

/// Work for a task of its own, whose spans stay children of what is entered here.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> + use<F> {
    work.with_current_context()
}

/// The `traceparent` of a span; `None` where it is not exported.
pub fn traceparent(span: &Span) -> Option<String> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context.is_valid().then(|| {
        let (trace, id) = (context.trace_id(), context.span_id());
        format!("00-{trace}-{id}-{:02x}", context.trace_flags().to_u8())
    })
}

/// The id of the trace in a `traceparent`, for log lines.
pub fn trace_id(traceparent: &str) -> Option<&str> {
    traceparent.split('-').nth(1)
}

/// Reads a `traceparent` (W3C Trace Context, section 3.2). A later version is read by the fields
/// that this one has.
fn read(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let mut hex = |length: usize| {
        let part = parts.next().filter(|part| part.len() == length)?;
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        part.bytes().all(lower).then_some(part)
    };
    let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let sampled = u8::from_str_radix(flags, 16).ok()? & 1;
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(sampled),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_traceparents_are_read() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let check = |text: &str, sampled: Option<bool>| {
            let context = read(text);
            assert_eq!(context.map(|c| c.is_sampled()), sampled, "{text}");
        };
        check(&format!("00-{trace}-{span}-01"), Some(true));
        check(&format!("00-{trace}-{span}-00"), Some(false));
        check(&format!("00-{trace}-{span}-03"), Some(true));
        check(&format!("cc-{trace}-{span}-01-later"), Some(true));
        check(&format!("00-{trace}-{span}-01-more"), None);
        check(&format!("ff-{trace}-{span}-01"), None);
        check(&format!("00-{}-{span}-01", "0".repeat(32)), None);
        check(&format!("00-{trace}-{}-01", "0".repeat(16)), None);
        check(&format!("00-{}-{span}-01", trace.to_uppercase()), None);
        check(&format!("00-{trace}-{span}"), None);
        check("", None);
    }
}
