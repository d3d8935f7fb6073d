//! Collected metrics in Prometheus' text format (exposition formats, version 0.0.4).

use std::fmt::{self, Write as _};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, Metric, MetricData, ResourceMetrics, ScopeMetrics,
};

use crate::metrics::{METRICS, Spec, prometheus_label};

/// The content type of the text.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics that were counted, in the order of the table, samples by their labels.
pub(crate) fn encode(metrics: &ResourceMetrics) -> String {
    let mut text = String::new();
    about(&mut text, metrics.resource());
    for spec in METRICS {
        let found = metrics
            .scope_metrics()
            .flat_map(ScopeMetrics::metrics)
            .find(|metric| metric.name() == spec.name);
        // Every instrument of ours counts in floating point.
        if let Some(AggregatedMetrics::F64(data)) = found.map(Metric::data) {
            let name = spec.prometheus_name();
            let kind = spec.kind.prometheus();
            let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", spec.help);
            text.push_str(&samples(spec, &name, data).concat());
        }
    }
    text
}

/// Who this is, as OpenTelemetry says it in Prometheus.
fn about(text: &mut String, resource: &Resource) {
    let mut pairs: Vec<_> = resource.iter().collect();
    pairs.sort_by(|a, b| a.0.cmp(b.0));
    let text_of = |v: &opentelemetry::Value| v.as_str().into_owned();
    let pairs = pairs
        .iter()
        .map(|(k, v)| (k.as_str().to_owned(), text_of(v)));
    let labels = Labels(pairs.collect());
    let _ = writeln!(
        text,
        "# HELP target_info Target metadata\n# TYPE target_info gauge"
    );
    let _ = writeln!(text, "target_info{labels} 1");
}

fn samples(spec: &Spec, name: &str, data: &MetricData<f64>) -> Vec<String> {
    let one = |attributes: Labels, value: f64| format!("{name}{attributes} {value}\n");
    let mut lines: Vec<String> = match data {
        MetricData::Gauge(gauge) => {
            let points = gauge.data_points();
            points
                .map(|p| one(labels(p.attributes()), p.value()))
                .collect()
        }
        MetricData::Sum(sum) => {
            let points = sum.data_points();
            points
                .map(|p| one(labels(p.attributes()), p.value()))
                .collect()
        }
        MetricData::Histogram(histogram) => histogram
            .data_points()
            .map(|point| {
                let labels = labels(point.attributes());
                let mut text = String::new();
                let mut below = 0;
                let bounds = point.bounds().map(|bound| bound.to_string());
                let bounds = bounds.chain(["+Inf".to_owned()]);
                for (bound, count) in bounds.zip(point.bucket_counts()) {
                    below += count;
                    let labels = labels.with("le", bound);
                    let _ = writeln!(text, "{name}_bucket{labels} {below}");
                }
                let _ = writeln!(text, "{name}_sum{labels} {}", point.sum());
                let _ = writeln!(text, "{name}_count{labels} {}", point.count());
                text
            })
            .collect(),
        // No instrument of the table makes these.
        MetricData::ExponentialHistogram(_) => Vec::new(),
    };
    debug_assert!(!lines.is_empty(), "{} has no samples", spec.name);
    lines.sort_unstable();
    lines
}

fn labels<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> Labels {
    let mut pairs: Vec<_> = attributes
        .map(|pair| {
            (
                pair.key.as_str().to_owned(),
                pair.value.as_str().into_owned(),
            )
        })
        .collect();
    pairs.sort();
    Labels(pairs)
}

/// Names and values between braces, or nothing.
struct Labels(Vec<(String, String)>);

impl Labels {
    fn with(&self, name: &str, value: String) -> Self {
        let mut pairs = self.0.clone();
        pairs.push((name.to_owned(), value));
        Self(pairs)
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (name, value)) in self.0.iter().enumerate() {
            f.write_char(if n == 0 { '{' } else { ',' })?;
            write!(f, "{}=\"", prometheus_label(name))?;
            for c in value.chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '"' => f.write_str("\\\"")?,
                    '\n' => f.write_str("\\n")?,
                    c => f.write_char(c)?,
                }
            }
            f.write_char('"')?;
        }
        if self.0.is_empty() {
            Ok(())
        } else {
            f.write_char('}')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Scraped;
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;

    #[test]
    fn counters_gauges_and_histograms_as_text() {
        let scraped = Scraped::default();
        let resource = Resource::builder_empty()
            .with_attribute(KeyValue::new("service.name", "a \"b\"\\\n"))
            .build();
        let provider = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_reader(scraped.clone())
            .build();
        let meter = provider.meter("test");
        let jobs = meter.f64_counter("presswork.jobs.ended").build();
        jobs.add(2.0, &[KeyValue::new("state", "succeeded")]);
        jobs.add(1.0, &[KeyValue::new("state", "failed")]);
        meter
            .f64_gauge("presswork.sessions.active")
            .build()
            .record(2.5, &[]);
        let sizes = meter.f64_histogram("presswork.pdf.size");
        let sizes = sizes.with_boundaries(vec![10.0, 20.0]).build();
        for size in [5.0, 10.0, 15.0, 99.0] {
            sizes.record(size, &[]);
        }
        meter.f64_counter("of.somebody.else").build().add(1.0, &[]);
        let text = encode(&scraped.read());
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                r#"target_info{service_name="a \"b\"\\\n"} 1"#,
                r#"presswork_jobs_ended_total{state="failed"} 1"#,
                r#"presswork_jobs_ended_total{state="succeeded"} 2"#,
                r#"presswork_pdf_size_bytes_bucket{le="10"} 2"#,
                r#"presswork_pdf_size_bytes_bucket{le="20"} 3"#,
                r#"presswork_pdf_size_bytes_bucket{le="+Inf"} 4"#,
                "presswork_pdf_size_bytes_sum 129",
                "presswork_pdf_size_bytes_count 4",
                "presswork_sessions_active 2.5",
            ]
        );
        assert!(text.contains("# TYPE presswork_jobs_ended_total counter\n"));
    }
}
