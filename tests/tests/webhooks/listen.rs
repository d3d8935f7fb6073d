//! `presswork listen`: a developer sees the events of his jobs, and gets them at a local address.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use e2e::backing::Backing;
use e2e::sink::Sink;
use serde_json::json;

use super::{is_signed, serve, submit};

e2e::on_both_storages!(events_are_shown_and_forwarded_while_developing);

async fn events_are_shown_and_forwarded_while_developing(backing: Backing) {
    let sink = Sink::start().await;
    // Nothing private may be reached by the server: the command does it from where it runs.
    let closed = [
        ("webhooks.allow_private", "false"),
        ("webhooks.allow_http", "false"),
    ];
    let (server, api) = serve(&backing, &closed);
    let forward = sink.url("ok/local");
    let mut listen = e2e::process::command("presswork");
    listen.args([
        "listen",
        "--server",
        &server.url,
        "--forward",
        &forward,
        "--events",
        "job.succeeded,job.failed",
    ]);
    let mut listen = listen.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(listen.stdout.take().unwrap()).lines();
    let mut next = move || lines.next().unwrap().unwrap();
    let ready = next();
    let secret = ready
        .split_whitespace()
        .find(|word| word.starts_with("whsec_"))
        .unwrap()
        .to_owned();
    let job = submit(&api, 1, json!({})).await;
    let seen = sink.wait("ok/local", 1).await.pop().unwrap();
    assert_eq!(seen.json()["data"]["job_id"], job.as_str());
    assert!(is_signed(&seen, &secret), "{ready}");
    let line = next();
    assert!(
        line.contains("job.succeeded") && line.contains(&job) && line.contains("200"),
        "{line}"
    );
    let stopped = std::process::Command::new("kill")
        .args(["-TERM", &listen.id().to_string()])
        .status();
    assert!(stopped.unwrap().success());
    listen.wait().unwrap();
    // It leaves nothing behind.
    let (_, page) = api.get("/v1/webhooks").await.unwrap();
    assert_eq!(page["webhooks"], json!([]));
}
