//! Whether whoever should receive telemetry does; a part of `presswork doctor`.

use std::time::Duration;

use config::Telemetry;

/// What was found: `Ok` with what is well, `Err` with what to mend; nothing where nothing is set.
pub(crate) async fn check(telemetry: &Telemetry) -> Vec<Result<String, String>> {
    let mut found = Vec::new();
    if !telemetry.enabled {
        return found;
    }
    if let Some(endpoint) = &telemetry.otlp_endpoint {
        found.push(otlp(endpoint, telemetry).await);
    }
    if telemetry.application_insights.is_some() {
        let text =
            "Application Insights is set; whether it takes what is sent, its own blade tells";
        found.push(Ok(text.to_owned()));
    }
    if let Some(address) = telemetry.metrics_listen
        && !address.ip().is_loopback()
    {
        found.push(Ok(format!(
            "anybody who reaches {address} can read /metrics: let only Prometheus through"
        )));
    }
    found
}

/// Sends an export without spans, which every receiver takes.
async fn otlp(endpoint: &str, telemetry: &Telemetry) -> Result<String, String> {
    let advice = "Check OTEL_EXPORTER_OTLP_ENDPOINT: the port for OTLP over HTTP is usually 4318";
    let headers = telemetry.otlp_headers.as_ref();
    let headers = headers.map_or("", |headers| headers.expose());
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build();
    let client = client.map_err(|e| format!("no client for OTLP can be made: {e}"))?;
    let mut post = client
        .post(format!("{endpoint}/v1/traces"))
        .header("Content-Type", "application/x-protobuf")
        .body(Vec::new());
    for (name, value) in config::pairs(headers)? {
        post = post.header(name, value);
    }
    match post.send().await {
        Ok(answer) if answer.status().is_success() => Ok(format!("{endpoint} takes traces")),
        Ok(answer) => Err(format!("{endpoint} answers {}. {advice}", answer.status())),
        Err(e) if e.is_timeout() => Err(format!("{endpoint} does not answer in 5 s. {advice}")),
        Err(_) => Err(format!("{endpoint} cannot be reached. {advice}")),
    }
}
