//! Loading from outside: layers, names of existing deployments, and what is said about mistakes.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail its test")]

mod access;

use std::collections::BTreeMap;

use config::{AzureCredential, Backend, Config, ConfigError, ConfigFile, EmitEvents, KEYS, Loaded};
use config::{NoteKind, Provider, SingleCall, Sources};

const FILE: &str = "presswork.toml";

fn sources(file: &str, env: &[(&str, &str)], overrides: &[(&str, &str)]) -> Sources {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Sources {
        file: (!file.is_empty()).then(|| ConfigFile {
            name: FILE.to_owned(),
            text: file.to_owned(),
        }),
        env: env.iter().map(owned).collect(),
        overrides: overrides.iter().map(owned).collect(),
    }
}

fn from_env(env: &[(&str, &str)]) -> Loaded {
    Config::load(&sources("", env, &[])).unwrap()
}

fn faults(file: &str, env: &[(&str, &str)], overrides: &[(&str, &str)]) -> Vec<String> {
    let ConfigError { faults } = Config::load(&sources(file, env, overrides)).unwrap_err();
    faults
        .into_iter()
        .map(|fault| format!("{} {}", fault.name, fault.problem))
        .collect()
}

fn source_of(loaded: &Loaded, key: &str) -> String {
    loaded
        .report
        .iter()
        .find(|setting| setting.key == key)
        .unwrap()
        .source
        .clone()
}

fn notes(loaded: &Loaded) -> Vec<(NoteKind, String)> {
    loaded
        .notes
        .iter()
        .map(|note| (note.kind, note.to_string()))
        .collect()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let loaded = Config::load(&Sources::default()).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.notes, []);
    assert!(
        loaded
            .report
            .iter()
            .all(|setting| setting.source == "default")
    );
    assert!(
        loaded
            .report
            .iter()
            .map(|setting| setting.key)
            .eq(KEYS.iter().map(|key| key.name))
    );
}

#[test]
fn each_layer_beats_the_one_before() {
    let key = "server.listen";
    let file = "[server]\nlisten = \"127.0.0.1:1\"\n";
    let env = [("PRESSWORK_SERVER__LISTEN", "127.0.0.1:2")];
    let check = |sources: Sources, port: u16, source: &str| {
        let loaded = Config::load(&sources).unwrap();
        assert_eq!(loaded.config.server.listen.port(), port);
        assert_eq!(source_of(&loaded, key), source);
    };
    check(sources("", &[], &[]), 8080, "default");
    check(sources(file, &[], &[]), 1, "file presswork.toml");
    check(sources(file, &env, &[]), 2, "env PRESSWORK_SERVER__LISTEN");
    check(
        sources(file, &env, &[(key, "127.0.0.1:3")]),
        3,
        "command line",
    );
    check(
        sources(file, &env, &[(key, "[::1]:3"), (key, "[::1]:4")]),
        4,
        "command line",
    );
}

#[test]
fn every_key_can_be_set_in_every_layer() {
    let defaults = Config::load(&Sources::default()).unwrap().report;
    for setting in defaults {
        let key = KEYS.iter().find(|key| key.name == setting.key).unwrap();
        // Setting a key to its default is enough to see the layer arrive; "" is no value in the
        // environment.
        let value = setting.value.as_str();
        let (section, last) = key.name.rsplit_once('.').unwrap();
        let file = format!("[{section}]\n{last} = {value:?}\n");
        let loaded = Config::load(&sources(&file, &[], &[])).unwrap();
        assert_eq!(source_of(&loaded, key.name), "file presswork.toml");
        let loaded = Config::load(&sources("", &[], &[(key.name, value)])).unwrap();
        assert_eq!(source_of(&loaded, key.name), "command line");
        if value.is_empty() {
            continue;
        }
        for name in key
            .aliases
            .iter()
            .map(|alias| (*alias).to_owned())
            .chain([key.env_name()])
        {
            let loaded = from_env(&[(&name, value)]);
            assert_eq!(source_of(&loaded, key.name), format!("env {name}"));
            assert_eq!(loaded.config, Config::default());
        }
    }
}

#[test]
fn names_of_existing_deployments_work() {
    let config = from_env(&[
        ("OPENAI_API_KEY", "sk-1"),
        ("OPENAI_BASE_URL", "http://localhost:9/v1/"),
        ("OPENAI_MODEL", "some-model"),
        ("OPENAI_PROMPT_ID", "pmpt_1"),
        ("OPENAI_PROMPT_VERSION", "7"),
        ("CV_EXECUTION_LATCH", "0"),
        ("CV_SINGLE_CALL_EXECUTION", "0"),
        ("CV_DELTA_MODE", "1"),
        ("CV_SESSION_TTL_HOURS", "48"),
        ("CV_GENERATION_STRICT_TEMPLATE", "yes"),
        ("ENVIRONMENT", "production"),
        ("LOG_LEVEL", "WARNING"),
        ("LOG_FORMAT", "JSON"),
        ("AZURE_TIMEOUT", "20"),
        ("HTTP_TIMEOUT", "25"),
        ("MAX_DOCUMENT_SIZE", "10485760"),
    ])
    .config;
    assert_eq!(config.model.api_key.as_ref().unwrap().expose(), "sk-1");
    assert_eq!(
        config.model.base_url.as_deref(),
        Some("http://localhost:9/v1")
    );
    assert_eq!(config.model.model, "some-model");
    assert_eq!(config.model.prompt_id.as_deref(), Some("pmpt_1"));
    assert_eq!(config.model.prompt_version.as_deref(), Some("7"));
    assert_eq!(config.model.provider(), Provider::OpenAi);
    assert!(!config.cv.execution_latch && config.cv.delta_mode && config.cv.strict_template);
    assert_eq!(config.cv.single_call, SingleCall::RetryOnce);
    assert_eq!(config.cv.session_ttl_hours, 48);
    assert_eq!(config.cv.max_document_size, 10_485_760);
    assert_eq!(config.log.environment, "production");
    assert_eq!(config.log.level, "warn");
    assert_eq!(config.storage.azure.timeout.as_secs(), 20);
    assert_eq!(config.server.request_timeout.as_secs(), 25);
    assert_eq!(
        from_env(&[("CV_SINGLE_CALL_EXECUTION", "1")])
            .config
            .cv
            .single_call,
        SingleCall::Hold
    );
}

#[test]
fn which_model() {
    let check = |env: &[(&str, &str)], expect: Provider| {
        assert_eq!(from_env(env).config.model.provider(), expect, "{env:?}");
    };
    let azure = [
        ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/"),
        ("AZURE_OPENAI_KEY", "k"),
        ("AZURE_OPENAI_DEPLOYMENT", "d"),
    ];
    check(&[], Provider::Offline);
    check(&[("OPENAI_API_KEY", "")], Provider::Offline);
    check(&[("OPENAI_API_KEY", "k")], Provider::OpenAi);
    check(
        &[("OPENAI_BASE_URL", "http://localhost:1")],
        Provider::OpenAi,
    );
    check(
        &[("OPENAI_API_KEY", "k"), ("CV_EDITOR", "offline")],
        Provider::Offline,
    );
    check(&azure, Provider::AzureOpenAi);
    check(
        &[&azure[..], &[("OPENAI_API_KEY", "k")]].concat(),
        Provider::AzureOpenAi,
    );
}

#[test]
fn which_budget() {
    let loaded = from_env(&[("CV_DAILY_BUDGET_USD", "12.5"), ("OPENAI_API_KEY", "k")]);
    assert_eq!(loaded.config.budget.daily_usd, Some(12_500_000));
    assert_eq!(notes(&loaded), []);
    let file = "[budget]\ntenant_daily_usd = 0.5\ntenants = \"acme 5, beta 0\"\n";
    let budget = Config::load(&sources(file, &[], &[]))
        .unwrap()
        .config
        .budget;
    let of = |tenant: &str| budget.of_tenant(tenant);
    assert_eq!(
        (of("acme"), of("beta"), of("other")),
        (Some(5_000_000), Some(0), Some(500_000))
    );
    assert!(budget.is_set() && !Config::default().budget.is_set());

    let check = |env: &[(&str, &str)], part: &str| {
        let found = faults("", env, &[]).join("\n");
        assert!(found.contains(part), "{found}");
    };
    check(
        &[("CV_DAILY_BUDGET_USD", "$5")],
        "must be an amount of US dollars",
    );
    check(
        &[
            ("CV_DAILY_BUDGET_USD", "5"),
            ("OPENAI_API_KEY", "k"),
            ("OPENAI_MODEL", "own-model"),
        ],
        "model.prices has none of own-model",
    );
}

#[test]
fn which_storage() {
    let connection = |name: &str| format!("AccountName={name};AccountKey=c2VjcmV0");
    let (a, b, c) = (connection("a"), connection("b"), connection("c"));
    let check = |env: &[(&str, &str)], queues: &str, blobs: &str| {
        let azure = from_env(env).config.storage.azure;
        assert_eq!(azure.queue_table_connection.unwrap().expose(), queues);
        assert_eq!(azure.blob_connection.unwrap().expose(), blobs);
    };
    check(&[("STORAGE_CONNECTION_STRING", &a)], &a, &a);
    check(
        &[
            ("AzureWebJobsStorage", &a),
            ("STORAGE_CONNECTION_STRING", &b),
        ],
        &a,
        &a,
    );
    check(
        &[
            ("AzureWebJobsStorage", &a),
            ("BLOB_STORAGE_CONNECTION_STRING", &b),
        ],
        &a,
        &b,
    );
    check(
        &[
            ("AZURE_FUNCTIONS_STORAGE_CONNECTION_STRING", &a),
            ("BLOB_STORAGE_CONNECTION_STRING", &b),
            ("CV_BLOB_STORE_CONNECTION_STRING", &c),
        ],
        &a,
        &c,
    );

    let loaded = from_env(&[
        ("PRESSWORK_STORAGE__BACKEND", "azure"),
        ("AzureWebJobsStorage", &a),
    ]);
    assert_eq!(loaded.config.storage.backend, Backend::Azure);
    let blobs = "storage.azure.blob_connection";
    assert_eq!(
        source_of(&loaded, blobs),
        "storage.azure.queue_table_connection"
    );
}

#[test]
fn which_azure_credential() {
    let check = |env: &[(&str, &str)], expect: AzureCredential| {
        let azure = from_env(env).config.storage.azure;
        assert_eq!(azure.credential(), expect, "{env:?}");
    };
    let account = ("AZURE_STORAGE_ACCOUNT_NAME", "presswork1");
    let connection = ("AzureWebJobsStorage", "UseDevelopmentStorage=true");
    let pod = [
        account,
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/token"),
    ];
    let asked = |value| ("PRESSWORK_STORAGE__AZURE__CREDENTIAL", value);
    check(&[connection], AzureCredential::ConnectionString);
    check(&[account], AzureCredential::ManagedIdentity);
    check(&pod, AzureCredential::WorkloadIdentity);
    check(
        &[account, asked("developer_tools")],
        AzureCredential::DeveloperTools,
    );
    check(&[account, connection], AzureCredential::ConnectionString);
    check(
        &[connection, asked("Managed_Identity")],
        AzureCredential::ManagedIdentity,
    );

    let azure = from_env(&pod).config.storage.azure;
    assert_eq!(azure.client_id.as_deref(), Some("c"));
    assert_eq!(azure.tenant_id.as_deref(), Some("t"));
    assert_eq!(azure.federated_token_file, Some("/token".into()));
    assert_eq!(azure.emit_events, EmitEvents::Auto);
    assert!(azure.signed_urls);
}

#[test]
fn secrets_show_nowhere() {
    let secret = "very-secret-value";
    let connection = format!("AccountName=a;AccountKey={secret}");
    let loaded = from_env(&[
        ("OPENAI_API_KEY", secret),
        ("AzureWebJobsStorage", &connection),
    ]);
    let shown = format!("{loaded:?}");
    assert!(!shown.contains(secret), "{shown}");
    assert!(shown.contains("***"));

    let broken = format!("{secret} with spaces");
    let error = Config::load(&sources("", &[("OPENAI_API_KEY", &broken)], &[])).unwrap_err();
    assert!(
        error.to_string().contains("OPENAI_API_KEY = ***"),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains(secret));
}

#[test]
fn all_faults_at_once_in_the_words_of_their_authors() {
    let file = "[worker]\nhartbeat = \"5s\"\nconcurrency = 0\n\n[log]\nformat = \"jsn\"\n";
    let env = [
        ("HTTP_TIMEOUT", "soon"),
        ("CV_EDITOR", "human"),
        ("OPENAI_API_KEY", "a b"),
    ];
    let error = Config::load(&sources(file, &env, &[("storage.backend", "s3")])).unwrap_err();
    let expect = r#"7 settings are wrong:

  presswork.toml:2: worker.hartbeat
    unknown key; did you mean worker.heartbeat?

  HTTP_TIMEOUT = "soon"
    must be a duration such as 300ms, 90s, 1m30s or 24h
    example: 30s

  storage.backend (command line) = "s3"
    must be one of: embedded, azure
    example: embedded

  CV_EDITOR = "human"
    must be one of: auto, openai, offline
    example: auto

  OPENAI_API_KEY = ***
    must hold visible ASCII characters only, no spaces
    example: sk-...

  presswork.toml:3: worker.concurrency = "0"
    must be between 1 and 1024
    example: 64

  presswork.toml:6: log.format = "jsn"
    must be one of: text, json
    example: text"#;
    assert_eq!(error.to_string(), expect);
}

#[test]
fn a_broken_rule_blames_what_somebody_set() {
    let check = |env: &[(&str, &str)], name: &str| {
        let found = faults("", env, &[]);
        assert!(found.len() == 1 && found[0].starts_with(name), "{found:?}");
    };
    let visibility = "PRESSWORK_WORKER__VISIBILITY";
    let heartbeat = "PRESSWORK_WORKER__HEARTBEAT";
    check(&[(visibility, "30s")], visibility);
    check(&[(heartbeat, "30s")], heartbeat);
    check(&[(heartbeat, "10s"), (visibility, "20s")], heartbeat);
    check(
        &[("AZURE_OPENAI_DEPLOYMENT", "d")],
        "AZURE_OPENAI_DEPLOYMENT",
    );
    check(&[("OPENAI_PROMPT_VERSION", "2")], "OPENAI_PROMPT_VERSION");
    check(&[("CV_EDITOR", "openai")], "CV_EDITOR");
    // What is unreadable is replaced by its default, which no rule may be held against.
    check(&[(heartbeat, "x"), (visibility, "30s")], heartbeat);
}

#[test]
fn files_that_are_wrong_as_such() {
    let check = |file: &str, expect: &[&str]| {
        let found = faults(file, &[], &[]);
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (found, expect) in found.iter().zip(expect) {
            assert!(found.starts_with(expect), "{found} / {expect}");
        }
    };
    check("[server\nlisten = 1", &["presswork.toml:1 is not TOML"]);
    check(
        "[log]\nlevel = \"info\"\nlevel = \"warn\"",
        &["presswork.toml:3 is not TOML"],
    );
    check("server = 1", &["presswork.toml:1: server is a section"]);
    check(
        "[model]\ntimeout = [1]",
        &["presswork.toml:2: model.timeout must be a single value"],
    );
    check(
        "[model.timeout]\ns = 1",
        &["presswork.toml:1: model.timeout must be a single value"],
    );
    check(
        "a = 1\n[b]\nc = 1",
        &[
            "presswork.toml:1: a unknown key",
            "presswork.toml:2: b unknown",
        ],
    );
    check(
        "listen = \"x\"",
        &["presswork.toml:1: listen unknown key; did you mean server.listen?"],
    );
    check(&"[".repeat(5_000), &["presswork.toml:1 is not TOML"]);
    let many: Vec<String> = (0..5_000).map(|n| format!("key{n} = 1")).collect();
    assert_eq!(faults(&many.join("\n"), &[], &[]).len(), 50);
    let long = format!("\"{}\\n\" = 1", "x".repeat(50_000));
    assert!(faults(&long, &[], &[])[0].len() < 120);
    // A file that cannot be read hides no fault of the environment.
    assert_eq!(faults("[", &[("LOG_FORMAT", "x")], &[]).len(), 2);
}

#[test]
fn a_file_may_write_values_with_or_without_quotes() {
    let check = |line: &str, expect: usize| {
        let file = format!("[worker]\n{line}\n");
        let config = Config::load(&sources(&file, &[], &[])).unwrap().config;
        assert_eq!(config.worker.concurrency, expect);
    };
    check("concurrency = 12", 12);
    check("concurrency = \"12\"", 12);
    check("concurrency = 1_000", 1_000);
    let file = "[cv]\ndelta_mode = true\nsingle_call = false\n[model]\ntimeout = 30\n";
    let config = Config::load(&sources(file, &[], &[])).unwrap().config;
    assert!(config.cv.delta_mode && config.cv.single_call == SingleCall::RetryOnce);
    assert_eq!(config.model.timeout.as_secs(), 30);
    for wrong in [
        "concurrency = 0x10",
        "concurrency = 1.5",
        "concurrency = 2020-01-01",
    ] {
        assert_eq!(
            faults(&format!("[worker]\n{wrong}\n"), &[], &[]).len(),
            1,
            "{wrong}"
        );
    }
}

#[test]
fn unknown_overrides_are_faults() {
    assert_eq!(
        faults("", &[], &[("server.port", "1"), ("log.levl", "x")]),
        [
            "server.port (command line) unknown key",
            "log.levl (command line) unknown key; did you mean log.level?"
        ]
    );
}

#[test]
fn what_is_said_about_names_in_the_environment() {
    let check = |env: &[(&str, &str)], expect: &[(NoteKind, &str)]| {
        let found = notes(&from_env(env));
        let found: Vec<(NoteKind, &str)> = found.iter().map(|(k, t)| (*k, t.as_str())).collect();
        assert_eq!(found, expect);
    };
    check(
        &[
            ("OPENAI_MODLE", "x"),
            ("CV_COLOUR", "red"),
            ("PATH", "/bin"),
            ("HTTP_PROXY", "p"),
        ],
        &[
            (NoteKind::Unknown, "CV_COLOUR: unknown name"),
            (
                NoteKind::Unknown,
                "OPENAI_MODLE: unknown name; did you mean OPENAI_MODEL?",
            ),
        ],
    );
    check(
        &[("CV_ALLOW_POSTING_FETCH", "1"), ("PRESSWORK_CONFIG", "f")],
        &[(
            NoteKind::Ignored,
            "CV_ALLOW_POSTING_FETCH: not used yet: this version never fetches a job posting",
        )],
    );
    check(
        &[
            ("LOG_LEVEL", "debug"),
            ("PRESSWORK_LOG__LEVEL", "info"),
            ("LOG_FORMAT", " "),
        ],
        &[
            (
                NoteKind::Conflict,
                "LOG_LEVEL: differs from PRESSWORK_LOG__LEVEL, which is used for log.level",
            ),
            (
                NoteKind::Empty,
                "LOG_FORMAT: is set but empty, and counts as not set (log.format)",
            ),
        ],
    );
    check(
        &[("LOG_LEVEL", "info"), ("PRESSWORK_LOG__LEVEL", "info")],
        &[],
    );
}

#[test]
fn a_named_file_is_read_and_has_to_exist() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mine.toml");
    std::fs::write(&path, "[log]\nformat = \"json\"\n").unwrap();
    let sources = Sources::from_process(Some(path.clone()), Vec::new())
        .ok()
        .unwrap();
    let loaded = Config::load(&Sources {
        env: BTreeMap::new(),
        ..sources
    })
    .unwrap();
    assert_eq!(
        source_of(&loaded, "log.format"),
        format!("file {}", path.display())
    );

    let check = |path: &std::path::Path, problem: &str| {
        let error = Sources::from_process(Some(path.to_owned()), Vec::new())
            .err()
            .unwrap();
        let text = error.to_string();
        assert!(
            text.contains("--config") && text.contains(problem),
            "{text}"
        );
    };
    check(&directory.path().join("none.toml"), "No such file");
    check(directory.path(), "cannot be read");
    std::fs::write(&path, "#".repeat(70_000)).unwrap();
    check(&path, "larger than 65536 bytes");
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    check(&path, "UTF-8");
}
