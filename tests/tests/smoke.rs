//! `presswork smoke` against a split deployment over Azurite: it passes, and says what is wrong when
//! each dependency is taken away in turn. And `presswork export`, `import`, `backup`, `restore`.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Output, Server, command, run, with_model};
use e2e::system::fake;
use e2e::{eventually, unique_cv};
use serde_json::{Value, json};
use storage::azurite::Ports;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const QUICK: [(&str, &str); 2] = [
    ("worker.poll_max", "200ms"),
    // A worker shows that it runs by a lease of twice this.
    ("worker.reconcile_every", "2s"),
];

fn smoke(endpoint: &str, wait: &str) -> Output {
    run(command("presswork").args(["smoke", "--endpoint", endpoint, "--wait", wait]))
}

fn passes(endpoint: &str) {
    let output = smoke(endpoint, "60");
    assert!(output.status.success(), "{output:?}");
    for step in ["health", "cleanup", "pdf", "latch", "deletion"] {
        assert!(
            output.out.contains(&format!("ok    {step}")),
            "{step}: {output:?}"
        );
    }
}

/// It fails in this step, and says this; if not at first, on a machine that stood still at that moment.
fn fails(endpoint: &str, wait: &str, step: &str, says: &str) {
    let mut output = smoke(endpoint, wait);
    for _ in 0..2 {
        if !output.out.contains(says) {
            output = smoke(endpoint, wait);
        }
    }
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let line = output.out.lines().last().unwrap_or_default();
    assert!(
        line.starts_with(&format!("fail  {step}")),
        "{step}: {output:?}"
    );
    assert!(line.contains(says), "{says}: {line}");
}

/// A port that leads to another one as long as the gate is open; closing it cuts what is open.
async fn gate(upstream: u16) -> (u16, watch::Sender<bool>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (open, watching) = watch::channel(true);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut watching = watching.clone();
            tokio::spawn(async move {
                let Ok(mut server) = TcpStream::connect(("127.0.0.1", upstream)).await else {
                    return;
                };
                tokio::select! {
                    _ = watching.wait_for(|open| !open) => {}
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                }
            });
        }
    });
    (port, open)
}

/// Waits until the health is as wanted. It is looked at anew every few seconds.
async fn until(endpoint: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let api = Api::new(endpoint);
    let health = async || api.get("/health/detailed").await.unwrap().1;
    eventually(what, health, wanted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_and_says_what_is_missing() {
    let mut backing = Backing::lasting_azurite();
    let ports = backing.azurite_mut().ports();
    let (blob, blob_gate) = gate(ports.blob).await;
    let (queue, queue_gate) = gate(ports.queue).await;
    let (table, table_gate) = gate(ports.table).await;
    let gates = [blob_gate, queue_gate, table_gate];
    backing.through(Ports { blob, queue, table });
    let model = fake(json!({}));
    let base_url = model.base_url();
    let worker = |backing: &Backing| {
        let mut worker = backing.part("worker", &QUICK);
        with_model(&mut worker, &base_url);
        Server::spawn(&mut worker)
    };
    let running = worker(&backing);
    let shim = Server::start(&mut backing.part("api-shim", &QUICK));
    let endpoint = shim.url.clone();
    passes(&endpoint);

    // The worker, which takes from the queue.
    assert!(running.terminate().0.success());
    let gone = |health: &Value| health["checks"]["worker"]["running"] == false;
    until(&endpoint, "its lease runs out", gone).await;
    fails(&endpoint, "2", "pdf", "no worker takes it");

    // The model.
    let running = worker(&backing);
    passes(&endpoint);
    drop(model);
    fails(
        &endpoint,
        "4",
        "pdf",
        "the model's provider cannot be reached",
    );
    drop(running);

    // One service of the storage, and then all of it.
    let _running = worker(&backing);
    for (place, check) in [(0, "blobs"), (1, "queue"), (2, "table")] {
        gates[place].send_replace(false);
        let ill = |health: &Value| health["checks"][check]["status"] == "unhealthy";
        until(&endpoint, "it is noticed", ill).await;
        let says = format!("{check} is unhealthy");
        fails(&endpoint, "5", "health", &says);
        gates[place].send_replace(true);
        let well = |health: &Value| health["status"] != "unhealthy";
        until(&endpoint, "it comes back", well).await;
    }
    backing.azurite_mut().stop();
    let ill = |health: &Value| health["status"] == "unhealthy";
    until(&endpoint, "it is noticed", ill).await;
    fails(&endpoint, "5", "health", "torage");

    // The API.
    drop(shim);
    fails(&endpoint, "5", "health", "nothing answers at this endpoint");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_of_each_dependency() {
    let backing = Backing::embedded();
    let settings = [&QUICK[..], &[("model.editor", "offline")]].concat();
    let server = Server::start(&mut backing.serve(&settings));
    let api = Api::new(&server.url);
    // Until the worker has taken its lease; and what is slow for once is not well.
    let health = until(&server.url, "all is well", |health| {
        health["status"] == "healthy" && health["checks"]["worker"]["running"] == true
    })
    .await;
    assert!(health["timestamp"].as_str().unwrap().ends_with('Z'));
    for check in ["queue", "table", "blobs", "backlog", "poison", "worker"] {
        assert_eq!(health["checks"][check]["status"], "healthy", "{check}");
        assert!(health["checks"][check]["latency_ms"].is_u64(), "{check}");
    }
    let twice = async || {
        let (status, first) = api.get("/health/detailed").await.unwrap();
        assert_eq!(status, 200, "{first:#}");
        let (_, second) = api.get("/health/detailed").await.unwrap();
        [first, second].map(|health| health["timestamp"].clone())
    };
    let what = "a round serves for some seconds";
    eventually(what, twice, |[first, second]| first == second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_store_is_restored() {
    let backing = Backing::embedded();
    let server = Server::start(&mut backing.serve(&[("model.editor", "offline")]));
    let api = Api::new(&server.url);
    let id = api.submit(&unique_cv(1), json!({})).await.unwrap();
    api.ended(&id).await.unwrap();
    let pdf = api.pdf(&id).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backup.db").display().to_string();
    let saved = run(&mut backing.presswork(&["backup", &file]));
    assert!(saved.status.success(), "{saved:?}");
    let in_use = run(&mut backing.presswork(&["restore", &file]));
    assert!(
        !in_use.status.success() && in_use.err.contains("in use"),
        "{in_use:?}"
    );
    drop(server);

    let other = Backing::embedded();
    let restored = run(&mut other.presswork(&["restore", &file]));
    assert!(restored.status.success(), "{restored:?}");
    let server = Server::start(&mut other.serve(&[("model.editor", "offline")]));
    assert_eq!(Api::new(&server.url).pdf(&id).await.unwrap(), pdf);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_from_each_storage_to_the_other() {
    let offline = [("model.editor", "offline")];
    let (azurite, first, last) = (Backing::azurite(), Backing::embedded(), Backing::embedded());
    let server = Server::start(&mut first.serve(&offline));
    let api = Api::new(&server.url);
    let id = api.submit(&unique_cv(1), json!({})).await.unwrap();
    api.ended(&id).await.unwrap();
    let (_, session) = api
        .post("/v1/sessions", &json!({"cv": unique_cv(2)}))
        .await
        .unwrap();
    let session = session["id"].as_str().unwrap().to_owned();
    let seen = async |server: &Server| -> (Vec<u8>, Value, Value) {
        let api = Api::new(&server.url);
        let (status, job) = api.get(&format!("/v1/jobs/{id}")).await.unwrap();
        assert_eq!(status, 200, "{job:#}");
        let (status, session) = api.get(&format!("/v1/sessions/{session}")).await.unwrap();
        assert_eq!(status, 200, "{session:#}");
        (api.pdf(&id).await.unwrap(), job, session)
    };
    let expect = seen(&server).await;
    assert!(server.terminate().0.success());
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (one, two) = (file("one.jsonl"), file("two.jsonl"));
    let done = |backing: &Backing, command: &str, file: &str| {
        let output = run(&mut backing.presswork(&[command, file]));
        assert!(output.status.success(), "{command}: {output:?}");
    };
    done(&first, "export", &one);
    done(&azurite, "import", &one);
    done(&azurite, "export", &two);
    done(&last, "import", &two);
    for backing in [&azurite, &last] {
        let server = Server::start(&mut backing.serve(&offline));
        assert_eq!(seen(&server).await, expect);
    }
    let again = run(&mut last.presswork(&["import", &one]));
    assert!(
        !again.status.success() && again.err.contains("not empty"),
        "{again:?}"
    );
    // A file that was cut off.
    let whole = std::fs::read_to_string(&one).unwrap();
    let cut = whole.rfind("{\"rows\"").unwrap();
    std::fs::write(file("cut.jsonl"), &whole[..cut]).unwrap();
    let empty = Backing::embedded();
    let cut = run(&mut empty.presswork(&["import", &file("cut.jsonl")]));
    assert!(
        !cut.status.success() && cut.err.contains("cut off"),
        "{cut:?}"
    );
}
