//! What the cloud is made of has the names that the code uses, and the other way round.

use std::collections::{BTreeMap, BTreeSet};

use config::{Config, ConfigFile, KEYS, Sources};
use storage::names::{Container, QueueName, TableName};

use crate::text::{files, is_variable, list, read, variables};

/// The one container that no program of ours knows: Event Grid writes what it could not deliver.
const EVENT_DEAD_LETTERS: &str = "event-dead-letters";

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn the_account_has_each_queue_table_and_container_of_the_code_and_no_other() {
    let bicep = read("infra/bicep/modules/storage.bicep");
    assert_eq!(
        list(&bicep, "queueNames"),
        set(QueueName::ALL.map(QueueName::as_str))
    );
    assert_eq!(
        list(&bicep, "tableNames"),
        set(TableName::ALL.map(TableName::as_str))
    );
    assert_eq!(
        list(&bicep, "containerNames"),
        set(Container::ALL.map(Container::as_str))
    );
    assert_eq!(
        list(&bicep, "jobContainers"),
        set(Container::OF_JOBS.map(Container::as_str))
    );
    assert_eq!(
        list(&bicep, "tenantContainers"),
        set(Container::OF_TENANTS.map(Container::as_str))
    );
    assert!(bicep.contains(&format!("var exports = '{}'", Container::Exports.as_str())));
    assert!(bicep.contains(&format!("var eventDeadLetters = '{EVENT_DEAD_LETTERS}'")));
}

/// Names after `queue:`, `queueName:`, `name:` below a queue, and in filters.
#[test]
fn what_refers_to_a_queue_or_container_refers_to_one_of_the_code() {
    let queues = set(QueueName::ALL.map(QueueName::as_str));
    let mut seen = 0;
    for (file, text) in files("infra/bicep", &[".bicep"]) {
        for line in text.lines() {
            for key in ["queue: '", "queueName: '"] {
                if let Some((_, rest)) = line.split_once(key) {
                    let name = rest.split('\'').next().unwrap();
                    assert!(queues.contains(name), "{file}: no queue {name}");
                    seen += 1;
                }
            }
            if let Some((_, rest)) = line.split_once("/containers/") {
                let name = rest.split('/').next().unwrap();
                assert_eq!(
                    Container::from_name(name),
                    Some(Container::CvPdfs),
                    "{file}: events come from the container of PDFs, not {name}"
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 8, "only {seen} names were found");
    let events = read("infra/bicep/modules/eventgrid.bicep");
    let target = format!("name: '{}'", QueueName::Notifications.as_str());
    assert!(events.contains(&target), "events go to the notifications");
}

#[test]
fn the_operator_s_settings_are_settings_and_their_values_are_valid() {
    let known: BTreeSet<String> = KEYS
        .iter()
        .flat_map(|key| {
            let aliases = key.aliases.iter().map(|name| (*name).to_owned());
            aliases.chain([key.env_name()])
        })
        .collect();
    // Of the base image, of Cargo in the build, of azd and of files of parameters: none of ours.
    let others = set([
        "AZURE_CONTAINER_REGISTRY_ENDPOINT",
        "AZURE_RESOURCE_GROUP",
        "API_URL",
        "STORAGE_ACCOUNT",
        "KEY_VAULT",
        "ALERT_EMAIL",
        "AZURE_ENV_NAME",
        "AZURE_LOCATION",
        "AZURE_PRINCIPAL_ID",
        "BUDGET_START",
        "CUSTOM_DOMAIN",
        "CUSTOM_DOMAIN_CERTIFICATE_ID",
        "DEVELOPER_ADDRESS",
        "JWT_SECRET",
        "MODEL_KEY",
        "NEW_REVISION_SHARE",
        "OPERATOR_GROUP_ID",
        "SERVICE_WORKER_IMAGE_NAME",
        "STABLE_REVISION",
        "RUSTUP_TOOLCHAIN",
        "CARGO_INCREMENTAL",
        "CARGO_PROFILE_RELEASE_LTO",
        "CARGO_PROFILE_RELEASE_STRIP",
        "SSL_CERT_FILE",
        // A value of Azure that is written so.
        "TLS1_2",
    ]);
    let mut used = BTreeSet::new();
    let places = [
        ("infra/bicep", &[".bicep", ".bicepparam"][..]),
        ("infra/docker", &["Dockerfile", ".yaml"]),
    ];
    for (file, text) in places.iter().flat_map(|(folder, ends)| files(folder, ends)) {
        for name in variables(&text) {
            assert!(
                known.contains(&name) || others.contains(&name),
                "{file}: {name} is no setting"
            );
            if known.contains(&name) {
                used.insert(name);
            }
        }
    }
    // The other way round: without these a deployment does not work, or not safely.
    for needed in [
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "AZURE_CLIENT_ID",
        "AZURE_STORAGE_ACCOUNT_NAME",
        "JWT_SECRET_KEY",
        "OPENAI_API_KEY",
        "PRESSWORK_AUTH__ANONYMOUS",
        "PRESSWORK_LIMITS__PROXY_HOPS",
        "PRESSWORK_SERVER__LISTEN",
        "PRESSWORK_STORAGE__AZURE__SIGNED_URLS",
        "PRESSWORK_STORAGE__BACKEND",
    ] {
        assert!(used.contains(needed), "{needed} is set nowhere");
    }
}

/// The pairs of `var NAME = { ... }` or `union(..., { ... })` that are plain variables.
fn pairs(bicep: &str, begin: &str) -> BTreeMap<String, String> {
    let (_, rest) = bicep
        .split_once(begin)
        .unwrap_or_else(|| panic!("no {begin}"));
    let (block, _) = rest.split_once("\n}").expect("the object ends");
    let mut found = BTreeMap::new();
    for line in block.lines() {
        if let Some((name, value)) = line.trim().split_once(": ")
            && (is_variable(name) || name == "ENVIRONMENT")
        {
            found.insert(name.to_owned(), value.to_owned());
        }
    }
    assert!(found.len() > 2, "{begin}: {found:?}");
    found
}

/// Secrets stand as `name: 'VARIABLE'`, so their keys are read otherwise.
fn secret_pairs(bicep: &str, name: &str) -> Vec<String> {
    let begin = format!("var {name} = {{\n");
    let (_, rest) = bicep
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no {name}"));
    let (block, _) = rest.split_once("\n}").expect("the object ends");
    block
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(_, value)| value.split('\'').nth(1).expect("it is quoted").to_owned())
        .collect()
}

#[test]
fn each_app_starts_with_the_settings_that_it_is_given() {
    let bicep = read("infra/bicep/modules/containerapps.bicep");
    let apps = [
        ("var shimSettings = union(both, {", "shimSecretVariables"),
        (
            "var workerSettings = union(both, {",
            "workerSecretVariables",
        ),
    ];
    for (own, secrets) in apps {
        let mut env = BTreeMap::new();
        for begin in ["var both = union({", own] {
            env.extend(literals(&bicep, begin));
        }
        for variable in secret_pairs(&bicep, secrets) {
            let value = secret_value(&variable);
            env.insert(variable, value.to_owned());
        }
        // As in production: a budget has to know what the model costs.
        env.insert("CV_DAILY_BUDGET_USD".to_owned(), "100".to_owned());
        for azure_openai in [false, true] {
            let mut env = env.clone();
            // Each variant has its own key, and the shim none of either.
            let (unused, provider) = if azure_openai {
                ("OPENAI_API_KEY", config::Provider::AzureOpenAi)
            } else {
                ("AZURE_OPENAI_KEY", config::Provider::OpenAi)
            };
            let is_worker = env.remove(unused).is_some();
            assert_eq!(is_worker, own.contains("worker"), "{unused}");
            if azure_openai && is_worker {
                env.extend(model_settings());
            }
            let config = loaded(own, &env);
            assert_eq!(config.storage.backend, config::Backend::Azure, "{own}");
            if is_worker {
                assert_eq!(config.model.provider(), provider);
                let grace = config.worker.shutdown_grace.as_secs();
                assert!(grace < seconds(&bicep, "terminationGracePeriodSeconds: 120"));
            } else {
                assert!(!config.serves_anonymous(), "the API must ask who calls");
                assert!(!config.server.listen.ip().is_loopback());
                // The firewall of the account would let nobody follow them.
                assert!(!config.storage.azure.signed_urls);
            }
        }
    }
}

fn loaded(what: &str, env: &BTreeMap<String, String>) -> Config {
    let sources = Sources {
        file: None::<ConfigFile>,
        env: env.clone(),
        overrides: Vec::new(),
    };
    let loaded = Config::load(&sources);
    let loaded = loaded.unwrap_or_else(|e| panic!("{what}: {e}\n{env:#?}"));
    loaded.config
}

/// What workers get where the model is Azure's, by the names and defaults in `main.bicep`.
fn model_settings() -> BTreeMap<String, String> {
    let main = read("infra/bicep/main.bicep");
    // A program without the key does not start with the rest.
    assert_eq!(main.matches("modelSettings: modelSettings").count(), 1);
    assert_eq!(main.matches("AZURE_OPENAI_ENDPOINT").count(), 1);
    let apps = read("infra/bicep/modules/containerapps.bicep");
    assert!(apps.contains("\n}, modelSettings)\n"), "of workers alone");
    assert!(main.contains("filter(secretNames, name => name != 'openai-api-key')"));
    let parameter = |name: &str| {
        let (_, rest) = main
            .split_once(&format!("param {name} string = '"))
            .unwrap_or_else(|| panic!("no parameter {name}"));
        rest.split('\'').next().unwrap().to_owned()
    };
    let deployment = "presswork";
    let openai = read("infra/bicep/modules/openai.bicep");
    assert!(openai.contains(&format!("  name: '{deployment}'\n")));
    let mut settings = BTreeMap::new();
    for (name, value) in pairs(&main, "var modelSettings = azureOpenAi ? {\n") {
        let value = match value.as_str() {
            "openai!.outputs.endpoint" => "https://oai-presswork-1.openai.azure.com/".to_owned(),
            "openai!.outputs.deployment" => deployment.to_owned(),
            text => text
                .trim_matches('\'')
                .replace("${openai!.outputs.deployment}", deployment)
                .replace("${azureOpenAiModel}", &parameter("azureOpenAiModel"))
                .replace("${azureOpenAiPrice}", &parameter("azureOpenAiPrice")),
        };
        assert!(!value.contains("${"), "{name}: {value}");
        settings.insert(name, value);
    }
    settings
}

fn seconds(text: &str, line: &str) -> u64 {
    assert!(text.contains(line), "no `{line}`");
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn literals(bicep: &str, begin: &str) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for (name, value) in pairs(bicep, begin) {
        let literal = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\''));
        let value = match (literal, value.as_str()) {
            (Some(text), _) => text,
            (None, "storageAccountName") => "stpresswork1",
            (None, "environmentName") => "staging",
            (None, "shimClientId" | "workerClientId") => "00000000-0000-0000-0000-000000000000",
            (None, "frontDoor ? '2' : '1'" | "string(workerMaxReplicas)") => "2",
            (None, other) => panic!("{name}: what is {other}?"),
        };
        env.insert(name, value.to_owned());
    }
    env
}

/// A value of the kind of this secret. Whatever comes from the vault must be masked where it is shown.
fn secret_value(variable: &str) -> &'static str {
    let of = |key: &&config::Key| key.aliases.contains(&variable) || key.env_name() == variable;
    let key = KEYS.iter().find(of);
    let key = key.unwrap_or_else(|| panic!("{variable} is no setting"));
    assert!(
        key.secret,
        "{variable} comes from the vault, and is no secret"
    );
    match variable {
        "APPLICATIONINSIGHTS_CONNECTION_STRING" => {
            "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://eu.example.com/"
        }
        "OPENAI_WEBHOOK_SECRET" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        _ => "a-value-of-at-least-thirty-two-characters",
    }
}

/// The pairs of `var roles = { ... }`: names of Azure's roles and their ids.
fn roles(bicep: &str) -> BTreeMap<String, String> {
    let Some((_, rest)) = bicep.split_once("var roles = {\n") else {
        return BTreeMap::new();
    };
    let (block, _) = rest.split_once("\n}").expect("the object ends");
    block
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(name, id)| (name.trim_matches('\'').into(), id.trim_matches('\'').into()))
        .collect()
}

#[test]
fn roles_are_the_least_ones_and_each_is_granted() {
    // By Azure's own list of built-in roles. None of them may manage anything.
    let built_in: BTreeMap<&str, &str> = [
        ("AcrPull", "7f951dda-4ed3-4680-a7ca-43fe172d538d"),
        (
            "Key Vault Secrets Officer",
            "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        ),
        (
            "Key Vault Secrets User",
            "4633458b-17de-408a-b874-0445c86b69e6",
        ),
        (
            "Storage Blob Data Contributor",
            "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        ),
        (
            "Storage Blob Data Reader",
            "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        ),
        (
            "Storage Table Data Reader",
            "76199698-9eea-4c19-bc75-cec21354c6b6",
        ),
        (
            "Storage Queue Data Contributor",
            "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        ),
        (
            "Storage Queue Data Message Sender",
            "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
        ),
        (
            "Storage Queue Data Reader",
            "19e7f393-937e-4f77-808e-94535e297925",
        ),
        (
            "Storage Table Data Contributor",
            "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        ),
    ]
    .into();
    let mut seen = BTreeSet::new();
    for (file, text) in files("infra/bicep", &[".bicep"]) {
        let named = roles(&text);
        let grants = text
            .matches("Microsoft.Authorization/roleAssignments")
            .count();
        assert_eq!(named.is_empty(), grants == 0, "{file}");
        for (name, id) in &named {
            assert_eq!(
                built_in.get(name.as_str()),
                Some(&id.as_str()),
                "{file}: {name}"
            );
            // Once where it is named, and where it is granted.
            let uses = text.matches(&format!("'{name}'")).count();
            let dotted = text.matches(&format!("roles.{name}")).count();
            assert!(
                uses + dotted >= 2 - usize::from(dotted > 0),
                "{file}: {name} is not granted"
            );
            seen.insert(name.clone());
        }
    }
    assert_eq!(
        seen,
        built_in.keys().map(|name| (*name).to_owned()).collect()
    );

    // The shim takes no message, and workers take those of the queues that they consume.
    let storage = read("infra/bicep/modules/storage.bicep");
    let grants: Vec<&str> = storage
        .lines()
        .filter(|line| line.contains("{ queue: '"))
        .collect();
    assert!(grants.len() > 5);
    for line in grants {
        let takes = line.contains("'Storage Queue Data Contributor'");
        let consumed = [QueueName::Jobs, QueueName::Notifications]
            .iter()
            .any(|queue| line.contains(&format!("'{}'", queue.as_str())));
        assert_eq!(
            takes,
            line.contains("workerPrincipalId") && consumed,
            "{line}"
        );
    }
    // Who makes the exports changes no row and reaches no other container, and nobody else reads them.
    let lines = |name: &str| {
        let of = storage.lines().filter(move |line| line.contains(name));
        let granted: Vec<&str> = of.filter(|line| line.contains("role: '")).collect();
        granted
    };
    let [table, blob] = lines("exportPrincipalId")[..] else {
        panic!("{:?}", lines("exportPrincipalId"))
    };
    assert!(table.contains("'Storage Table Data Reader'"), "{table}");
    assert!(blob.contains("container: 'exports'"), "{blob}");
    assert_eq!(lines("container: 'exports'"), [blob]);
    // No job holds what only workers need: their queues, and the key of the model.
    let jobs = read("infra/bicep/modules/jobs.bicep");
    for secret in ["openai-api-key", "azure-openai-key", "jwt-secret"] {
        assert!(!jobs.contains(secret), "{secret}");
    }
}

/// What Azure would refuse: the name of a job that is too long, or a saved query that is there already.
#[test]
fn names_fit_and_a_second_deployment_is_no_conflict() {
    let main = read("infra/bicep/main.bicep");
    assert!(main.contains("@maxLength(12)\nparam environmentName string"));
    let jobs = read("infra/bicep/modules/jobs.bicep");
    assert!(jobs.contains("  name: 'job-${schedule.name}-${environmentName}'\n"));
    let names = jobs
        .lines()
        .filter_map(|line| line.strip_prefix("    name: '"));
    for name in names {
        let longest = format!("job-{}-{}", name.trim_end_matches('\''), "x".repeat(12));
        assert!(longest.len() <= 32, "{longest}");
    }
    let monitor = read("infra/bicep/modules/monitor.bicep");
    let (_, saved) = monitor.split_once("/savedSearches@").unwrap();
    let (saved, _) = saved.split_once("\n}]").unwrap();
    let (_, properties) = saved.split_once("  properties: {\n").unwrap();
    assert!(properties.contains("    #disable-next-line BCP037\n    etag: '*'\n"));
}
