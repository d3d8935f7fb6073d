//! The scheduled jobs: the very commands of `jobs.bicep`, on Azurite. And the export of each night is
//! the store: read into an emptied one, and into one of the other kind.

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Output, Server, run};
use e2e::unique_cv;
use serde_json::{Value, json};
use storage::names::{Container, TableName};
use storage::port::Write;

use crate::text::{quoted, read};

const OFFLINE: [(&str, &str); 1] = [("model.editor", "offline")];

/// The command of a job of this name.
fn job(name: &str) -> Vec<String> {
    let bicep = read("infra/bicep/modules/jobs.bicep");
    let (_, block) = bicep
        .split_once(&format!("    name: '{name}'\n"))
        .unwrap_or_else(|| panic!("no job {name}"));
    let line = block.lines().find(|line| line.contains("command: ["));
    let (_, list) = line.unwrap().split_once('[').unwrap();
    list.split('\'')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Runs it as the job does, but for the identity.
fn scheduled(backing: &Backing, name: &str) -> Output {
    let command = job(name);
    let arguments: Vec<&str> = command[1..].iter().map(String::as_str).collect();
    run(&mut backing.program(&command[0], &arguments, &[]))
}

fn well(what: &str, output: &Output) {
    assert!(output.status.success(), "{what}: {output:?}");
}

fn presswork(backing: &Backing, arguments: &[&str]) -> Output {
    run(&mut backing.presswork(arguments))
}

/// Jobs enough for several transactions of an import, and a session.
async fn filled(backing: &Backing) -> (String, Vec<u8>) {
    let server = Server::start(&mut backing.serve(&OFFLINE));
    let api = Api::new(&server.url);
    let mut ids = Vec::new();
    for number in 0..60 {
        ids.push(api.submit(&unique_cv(number), json!({})).await.unwrap());
    }
    for id in &ids {
        api.ended(id).await.unwrap();
    }
    api.post("/v1/sessions", &json!({"cv": unique_cv(99)}))
        .await
        .unwrap();
    let pdf = api.pdf(&ids[0]).await.unwrap();
    assert!(server.terminate().0.success());
    (ids.swap_remove(0), pdf)
}

/// Rows of an export, without blobs.
fn rows(text: &str) -> Vec<&str> {
    let rows = text.lines().filter(|line| line.starts_with("{\"table\""));
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_of_a_night_is_the_store() {
    let azurite = Backing::azurite();
    let (id, pdf) = filled(&azurite).await;
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str| place.path().join(name).display().to_string();
    let (before, after, parts) = (file("before"), file("after"), file("parts"));

    well("export", &scheduled(&azurite, "export"));
    well("export", &presswork(&azurite, &["export", &before]));
    let whole = std::fs::read_to_string(&before).unwrap();
    assert!(rows(&whole).len() > 110, "{}", rows(&whole).len());
    assert!(!whole.contains("\"container\":\"exports\""));

    // Its parts, one after the other, are a file.
    let storage = azurite.storage().await;
    let listed = storage.blobs.list(Container::Exports, "", 100, None);
    let mut text = Vec::new();
    for (path, _) in listed.await.unwrap().blobs {
        let blob = storage.blobs.get(Container::Exports, &path).await.unwrap();
        text.extend_from_slice(&blob.data);
    }
    std::fs::write(&parts, &text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(rows(&text), rows(&whole));
    let embedded = Backing::embedded();
    well("import", &presswork(&embedded, &["import", &parts]));
    let again = file("again");
    well("export", &presswork(&embedded, &["export", &again]));
    let again = std::fs::read_to_string(&again).unwrap();
    assert_eq!(rows(&again), rows(&whole));
    let refused = presswork(&embedded, &["export", "--stored"]);
    assert!(refused.err.contains("presswork backup"), "{refused:?}");

    // All tables are lost. Blobs are where they were.
    let taken = presswork(&azurite, &["import", "--stored", "latest"]);
    assert!(taken.err.contains("not empty"), "{taken:?}");
    for line in rows(&whole) {
        let row: Value = serde_json::from_str(line).unwrap();
        let table = TableName::ALL
            .into_iter()
            .find(|t| row["table"] == t.as_str());
        let write = Write::Delete(row["row"].as_str().unwrap().to_owned(), None);
        let partition = row["partition"].as_str().unwrap();
        let gone = storage.table.write(table.unwrap(), partition, vec![write]);
        gone.await.unwrap();
    }
    let unknown = presswork(&azurite, &["import", "--stored", "yesterday"]);
    assert!(
        unknown.err.contains("no whole export yesterday, but 20"),
        "{unknown:?}"
    );
    well(
        "import",
        &presswork(&azurite, &["import", "--stored", "latest"]),
    );
    well("export", &presswork(&azurite, &["export", &after]));
    assert_eq!(std::fs::read_to_string(&after).unwrap(), whole);
    well(
        "doctor",
        &presswork(&azurite, &["doctor", "--after-restore"]),
    );
    let server = Server::start(&mut azurite.serve(&OFFLINE));
    assert_eq!(Api::new(&server.url).pdf(&id).await.unwrap(), pdf);
}

#[test]
fn each_job_of_the_cloud_runs() {
    let bicep = read("infra/bicep/modules/jobs.bicep");
    let azurite = Backing::azurite();
    let mut jobs = 0;
    for line in bicep.lines() {
        if let Some(name) = line.strip_prefix("    name: '") {
            let name = name.trim_end_matches('\'');
            well(name, &scheduled(&azurite, name));
            jobs += 1;
        }
    }
    assert_eq!(jobs, 3);
    assert!(
        quoted(&bicep, '\'').contains("* * * * *"),
        "one runs each minute"
    );
}
