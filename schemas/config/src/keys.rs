//! The table of all settings: key, further names in the environment, secret or not.
//!
//! It stands beside `default.toml`, which documents the same keys, and `settings.rs`, which types
//! them; tests hold the three together.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Dotted path, as in a file: `worker.heartbeat`.
    pub name: &'static str,
    /// Names in the environment besides `PRESSWORK_...`, the first taking precedence.
    pub aliases: &'static [&'static str],
    /// Whether its value is masked wherever it is shown.
    pub secret: bool,
    /// A value that works, or makes one, for error messages; empty where the default is one.
    example: &'static str,
}

impl Key {
    /// The name that every key has in the environment, such as `PRESSWORK_WORKER__HEARTBEAT`.
    pub fn env_name(&self) -> String {
        format!(
            "PRESSWORK_{}",
            self.name.replace('.', "__").to_ascii_uppercase()
        )
    }

    /// A value that works, or how one is made.
    pub(crate) fn example<'a>(&self, default: &'a str) -> &'a str {
        if self.example.is_empty() {
            default
        } else {
            self.example
        }
    }
}

const fn key(name: &'static str, aliases: &'static [&'static str]) -> Key {
    Key {
        name,
        aliases,
        secret: false,
        example: "",
    }
}

impl Key {
    const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    const fn example_is(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}

const CONNECTION: &str = "DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...";

/// Every setting, in the order of `default.toml`.
pub const KEYS: &[Key] = &[
    key("server.listen", &[]),
    key("server.body_limit", &[]),
    key("server.request_timeout", &["HTTP_TIMEOUT"]),
    key("server.max_wait", &[]),
    key("server.shutdown_grace", &[]),
    key("server.maintenance", &[]).example_is("jobs, sessions"),
    key("server.max_streams", &[]),
    key("server.max_streams_per_tenant", &[]),
    key("server.stream_heartbeat", &[]),
    key("http.cors_origins", &["CORS_ORIGINS"]).example_is("[\"https://app.example.com\"]"),
    key("http.hsts", &[]),
    key("http.max_connections", &[]),
    key("http.header_timeout", &[]),
    key("auth.anonymous", &[]),
    key("auth.jwt_secret", &["JWT_SECRET_KEY", "SECRET_KEY"])
        .secret()
        // Not one that works: what this program prints is known to everybody.
        .example_is("$(openssl rand -base64 48)"),
    key("auth.jwks_url", &[])
        .example_is("https://login.microsoftonline.com/common/discovery/v2.0/keys"),
    key("auth.issuer", &[]).example_is("https://login.example.org/"),
    key("auth.audience", &[]).example_is("api://presswork"),
    key("auth.tenant_claim", &[]),
    key("auth.tier_claim", &[]),
    key("auth.leeway", &[]),
    key("auth.jwks_refresh", &[]),
    key("auth.jwks_pause", &[]),
    key("auth.key_grace", &[]),
    key("limits.enabled", &["RATE_LIMIT_ENABLED"]),
    key(
        "limits.anonymous",
        &["RATE_LIMIT_DEFAULT", "RATE_LIMIT_PER_MINUTE"],
    )
    .example_is("60/minute"),
    key("limits.authenticated", &["RATE_LIMIT_AUTHENTICATED"]).example_is("600/minute burst 50"),
    key("limits.free", &[]),
    key("limits.basic", &[]),
    key("limits.pro", &[]),
    key("limits.enterprise", &[]),
    key("limits.jobs", &[]),
    key("limits.proxy_hops", &[]),
    key("limits.sync", &[]),
    key("storage.backend", &[]),
    key("storage.data_dir", &[]),
    key(
        "storage.azure.queue_table_connection",
        &[
            "AZURE_FUNCTIONS_STORAGE_CONNECTION_STRING",
            "AzureWebJobsStorage",
            "STORAGE_CONNECTION_STRING",
        ],
    )
    .secret()
    .example_is(CONNECTION),
    key(
        "storage.azure.blob_connection",
        &[
            "CV_BLOB_STORE_CONNECTION_STRING",
            "BLOB_STORAGE_CONNECTION_STRING",
        ],
    )
    .secret()
    .example_is(CONNECTION),
    key(
        "storage.azure.account_name",
        &["AZURE_STORAGE_ACCOUNT_NAME"],
    )
    .example_is("presswork1"),
    key("storage.azure.credential", &[]),
    key("storage.azure.client_id", &["AZURE_CLIENT_ID"])
        .example_is("00000000-0000-0000-0000-000000000000"),
    key("storage.azure.tenant_id", &["AZURE_TENANT_ID"])
        .example_is("00000000-0000-0000-0000-000000000000"),
    key(
        "storage.azure.federated_token_file",
        &["AZURE_FEDERATED_TOKEN_FILE"],
    )
    .example_is("/var/run/secrets/azure/tokens/azure-identity-token"),
    key("storage.azure.timeout", &["AZURE_TIMEOUT"]),
    key("storage.azure.emit_events", &[]),
    key("storage.azure.signed_urls", &[]),
    key("model.editor", &["CV_EDITOR"]),
    key("model.api_key", &["OPENAI_API_KEY"])
        .secret()
        .example_is("sk-..."),
    key("model.base_url", &["OPENAI_BASE_URL"]).example_is("https://api.openai.com/v1"),
    key("model.model", &["OPENAI_MODEL"]),
    key("model.prompt_id", &["OPENAI_PROMPT_ID"]).example_is("pmpt_123"),
    key("model.prompt_version", &["OPENAI_PROMPT_VERSION"]).example_is("2"),
    key("model.azure_endpoint", &["AZURE_OPENAI_ENDPOINT"])
        .example_is("https://my-resource.openai.azure.com"),
    key("model.azure_key", &["AZURE_OPENAI_KEY"])
        .secret()
        .example_is("0123456789abcdef..."),
    key("model.azure_deployment", &["AZURE_OPENAI_DEPLOYMENT"]).example_is("my-deployment"),
    key("model.azure_api_version", &["AZURE_OPENAI_API_VERSION"]).example_is("preview"),
    key("model.timeout", &[]),
    key("model.connect_timeout", &[]),
    key("model.background", &[]),
    key("model.pending_max", &[]),
    key("model.poll_min", &[]),
    key("model.poll_max", &[]),
    key("model.webhook_secret", &["OPENAI_WEBHOOK_SECRET"])
        .secret()
        .example_is("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    key("model.max_output_tokens", &[]),
    key("model.requests_per_minute", &[]),
    key("model.tokens_per_minute", &[]),
    key("model.prices", &[]),
    key("budget.daily_usd", &["CV_DAILY_BUDGET_USD"]).example_is("25"),
    key("budget.tenant_daily_usd", &[]).example_is("2.50"),
    key("budget.tenants", &[]).example_is("acme 5, beta 0.5"),
    key("budget.look_again", &[]),
    key("worker.concurrency", &[]),
    key("worker.replicas", &[]),
    key("worker.render_threads", &[]),
    key("worker.visibility", &[]),
    key("worker.heartbeat", &[]),
    key("worker.max_dequeues", &[]),
    key("worker.poll_min", &[]),
    key("worker.poll_max", &[]),
    key("worker.cross_process_poll", &[]),
    key("worker.deadline_margin", &[]),
    key("worker.latch_freshness", &[]),
    key("worker.reconcile_every", &[]),
    key("worker.idle_before_requeue", &[]),
    key("worker.expire_after", &[]),
    key("worker.marker_hold", &[]),
    key("worker.shutdown_grace", &[]),
    key("render.fonts_dir", &[]).example_is("./fonts"),
    key("render.themes_dir", &[]).example_is("./themes"),
    key("render.picture_width", &[]),
    key("cv.single_call", &["CV_SINGLE_CALL_EXECUTION"]),
    key("cv.execution_latch", &["CV_EXECUTION_LATCH"]),
    key("cv.delta_mode", &["CV_DELTA_MODE"]),
    key("cv.session_ttl_hours", &["CV_SESSION_TTL_HOURS"]),
    key("cv.cleanup_at", &[]),
    key("cv.sync_wait", &["CV_SYNC_WAIT_SECONDS"]),
    key("cv.debug_export", &["CV_ENABLE_DEBUG_EXPORT"]),
    key("cv.max_document_size", &["MAX_DOCUMENT_SIZE"]),
    key("cv.strict_template", &["CV_GENERATION_STRICT_TEMPLATE"]),
    key("retention.jobs", &[]),
    key("retention.sweep_at", &[]),
    key("retention.orphans_after", &[]),
    key("webhooks.allow_http", &[]),
    key("webhooks.allow_private", &[]),
    key("webhooks.timeout", &[]),
    key("webhooks.connect_timeout", &[]),
    key("webhooks.concurrency", &[]),
    key("webhooks.per_endpoint", &[]),
    key("webhooks.max_per_tenant", &[]),
    key("webhooks.disable_after", &[]),
    key("webhooks.secret_overlap", &[]),
    key("webhooks.keep", &[]),
    key("webhooks.hurry", &[]),
    key("webhooks.event_grid_secret", &[])
        .secret()
        .example_is("a-long-random-text-of-your-own"),
    key("log.level", &["LOG_LEVEL"]),
    key("log.format", &["LOG_FORMAT"]),
    key("log.environment", &["ENVIRONMENT"]),
    key("telemetry.enabled", &["ENABLE_TELEMETRY"]),
    key("telemetry.otlp_endpoint", &["OTEL_EXPORTER_OTLP_ENDPOINT"])
        .example_is("http://localhost:4318"),
    key("telemetry.otlp_headers", &["OTEL_EXPORTER_OTLP_HEADERS"])
        .secret()
        .example_is("api-key=..."),
    key(
        "telemetry.application_insights",
        &[
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
            "APPINSIGHTS_CONNECTION_STRING",
        ],
    )
    .secret()
    .example_is("InstrumentationKey=...;IngestionEndpoint=https://..."),
    key("telemetry.service_name", &["OTEL_SERVICE_NAME"]).example_is("presswork-worker"),
    key(
        "telemetry.resource_attributes",
        &["OTEL_RESOURCE_ATTRIBUTES"],
    )
    .example_is("cloud.region=westeurope"),
    key("telemetry.trace_sample", &["OTEL_TRACES_SAMPLER_ARG"]),
    key("telemetry.metrics_every", &[]),
    key("telemetry.metrics_listen", &[]).example_is("127.0.0.1:9464"),
    key("telemetry.pdf_metrics_sample", &["PDF_METRICS_SAMPLE"]),
    key("telemetry.shutdown_grace", &[]),
];

/// Names that deployments of the former service set and that have no key here yet, with the reason.
/// An operator who relies on one has to hear that it does nothing.
pub(crate) const LATER_NAMES: &[(&str, &str)] = &[
    (
        "CV_ALLOW_POSTING_FETCH",
        "this version never fetches a job posting",
    ),
    (
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "telemetry is sent as http/protobuf, whatever this says",
    ),
];

/// Names in the environment that begin so are ours: one that we do not know is worth a warning.
const PREFIXES: [&str; 4] = ["PRESSWORK_", "CV_", "OPENAI_", "AZURE_OPENAI_"];

/// The variable that names the file; it is no setting itself.
pub(crate) const FILE_VARIABLE: &str = "PRESSWORK_CONFIG";

/// The variable with the key that commands call a server with; no setting either.
pub const API_KEY_VARIABLE: &str = "PRESSWORK_API_KEY";

/// The key with this dotted path.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether a variable of the environment is any business of ours.
pub(crate) fn concerns_us(variable: &str) -> bool {
    is_known(variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

/// Whether a variable of the environment names a setting, the file, a caller's key, or something for
/// later.
pub(crate) fn is_known(variable: &str) -> bool {
    [FILE_VARIABLE, API_KEY_VARIABLE].contains(&variable)
        || LATER_NAMES.iter().any(|(name, _)| *name == variable)
        || KEYS
            .iter()
            .any(|key| key.aliases.contains(&variable) || key.env_name() == variable)
}

/// The key that a person most likely meant by an unknown dotted path.
pub(crate) fn nearest_key(wrong: &str) -> Option<String> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    nearest(wrong, KEYS.iter().map(|key| key.name.to_owned())).or_else(|| {
        // A right name in a wrong section.
        let wrong = last(wrong);
        KEYS.iter()
            .map(|key| key.name)
            .find(|name| last(name) == wrong)
            .map(str::to_owned)
    })
}

/// The variable that a person most likely meant by an unknown one.
pub(crate) fn nearest_variable(wrong: &str) -> Option<String> {
    let aliases = KEYS
        .iter()
        .flat_map(|key| key.aliases)
        .map(|name| (*name).to_owned());
    nearest(wrong, aliases.chain(KEYS.iter().map(Key::env_name)))
}

/// The first candidate at the least distance, if that is a typing slip and not another word.
fn nearest(wrong: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let allowed = (wrong.chars().count() / 4).clamp(1, 5);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(wrong, &candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        let check = |wrong: &str, expect: Option<&str>| {
            assert_eq!(nearest_key(wrong).as_deref(), expect, "{wrong}");
        };
        check("worker.hartbeat", Some("worker.heartbeat"));
        check("model.timout", Some("model.timeout"));
        check("listen", Some("server.listen"));
        check("server.visibility", Some("worker.visibility"));
        check("colour.scheme", None);

        assert_eq!(
            nearest_variable("OPENAI_MODLE").as_deref(),
            Some("OPENAI_MODEL")
        );
        assert_eq!(
            nearest_variable("AZURE_OPENAI_API_KEY").as_deref(),
            Some("AZURE_OPENAI_KEY")
        );
        assert_eq!(
            nearest_variable("PRESSWORK_SERVER_LISTEN").as_deref(),
            Some("PRESSWORK_SERVER__LISTEN")
        );
        assert_eq!(nearest_variable("CV_COLOUR"), None);
    }

    #[test]
    fn no_name_has_two_meanings() {
        let mut names: Vec<String> = KEYS
            .iter()
            .flat_map(|key| {
                key.aliases
                    .iter()
                    .map(|a| (*a).to_owned())
                    .chain([key.env_name()])
            })
            .chain(LATER_NAMES.iter().map(|(name, _)| (*name).to_owned()))
            .chain([FILE_VARIABLE.to_owned()])
            .collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
