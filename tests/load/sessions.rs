//! Editing sessions: what a read, an update and a PDF that was made before take at the shim.

use std::time::Duration;

use e2e::api::Api;
use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};
use storage::Clock as _;
use storage::ambient::System as Ambient;

use crate::Which;
use crate::measure::{ms, percentile};
use crate::scenarios::rig;

/// A session with a CV of its own, confirmed.
async fn session(api: &Api, number: u64) -> anyhow::Result<String> {
    let cv = e2e::unique_cv(number);
    let (_, made) = api.post("/v1/sessions", &json!({"cv": cv})).await?;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    let confirm = json!({"contact_confirmed": true, "education_confirmed": true});
    let body = json!({"session_id": id, "confirm": confirm});
    let (status, answer) = api.post("/api/update-cv-field", &body).await?;
    anyhow::ensure!(status.is_success(), "{answer:#}");
    Ok(id)
}

/// What a caller does again and again with its own session.
#[derive(Clone, Copy, Debug)]
enum What {
    Read,
    Update,
    LatchedPdf,
}

async fn once(api: &Api, what: What, id: &str, number: u64) -> anyhow::Result<()> {
    let (path, body) = match what {
        What::Read => ("/api/get-cv-session", json!({"session_id": id})),
        What::Update => {
            let value = format!("Profile number {number}.");
            let edit = json!({"session_id": id, "field_path": "profile", "value": value});
            ("/api/update-cv-field", edit)
        }
        What::LatchedPdf => ("/api/generate-cv-from-session", json!({"session_id": id})),
    };
    let response = api.request(Method::POST, path).json(&body).send().await?;
    anyhow::ensure!(response.status().is_success(), "{}", response.text().await?);
    let answer: Value = response.json().await?;
    anyhow::ensure!(answer["success"] == true, "{answer:#}");
    Ok(())
}

async fn measured(
    api: &Api,
    what: What,
    id: &str,
    times: u64,
    pause: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let clock = Ambient::new();
    let mut took = Vec::new();
    for number in 0..times {
        let begun = clock.monotonic();
        once(api, what, id, number).await?;
        took.push(clock.monotonic().saturating_sub(begun));
        tokio::time::sleep(pause).await;
    }
    Ok(took)
}

/// One caller, then 64 at once, each with a session of its own.
pub(crate) async fn sessions(storage: Which) -> anyhow::Result<()> {
    const CALLERS: u64 = 64;
    let rig = rig(storage.backing(), "0ms", &[]);
    let ids = try_join_all((0..CALLERS).map(|number| session(&rig.api, number))).await?;
    let report = |who: &str, what: What, mut took: Vec<Duration>| {
        took.sort();
        let at = |share| ms(percentile(&took, share));
        println!(
            "| {what:?}, {who} | p50 {}, p99 {}, most {} |",
            at(0.5),
            at(0.99),
            at(1.0)
        );
    };
    for (what, times) in [
        (What::Read, 500),
        (What::Update, 500),
        (What::LatchedPdf, 100),
    ] {
        once(&rig.api, what, &ids[0], 0).await?;
        let took = measured(&rig.api, what, &ids[0], times, Duration::ZERO).await?;
        report("one caller", what, took);
    }
    // A person or an assistant who edits; and as fast as the machine, this program's share of it
    // included, can go.
    let paces = [
        (
            "64 callers, four times a second each",
            Duration::from_millis(250),
        ),
        ("64 callers without a pause", Duration::ZERO),
    ];
    for (who, pause) in paces {
        for what in [What::Read, What::Update] {
            let all = ids.iter().map(|id| measured(&rig.api, what, id, 40, pause));
            report(who, what, try_join_all(all).await?.concat());
        }
    }
    Ok(())
}
