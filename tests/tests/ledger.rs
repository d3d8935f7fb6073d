//! The ledger: what it counts is what the provider counted, and an excess is seen.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use e2e::backing::Backing;
use e2e::process::{Output, run};
use e2e::system::{fake, serve};
use e2e::unique_cv;
use schemas::Usd;
use serde_json::{Value, json};
use storage::names::TableName;
use storage::port::{Properties, Write};

e2e::on_both_storages!(
    sums_are_those_of_the_provider,
    a_call_too_many_is_an_excess,
    calls_in_the_background_are_booked_too,
);

fn ledger(backing: &Backing, arguments: &[&str]) -> Output {
    let arguments: Vec<_> = ["ledger"].iter().chain(arguments).copied().collect();
    run(&mut backing.presswork(&arguments))
}

fn book(backing: &Backing) -> Value {
    let said = ledger(backing, &["--since", "2020-01-01", "--json"]);
    assert!(said.status.success(), "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

async fn sums_are_those_of_the_provider(backing: Backing) {
    let model = fake(json!({"steps": [
        {"do": "reply", "times": 4},
        {"do": "error", "status": 429, "headers": {"retry-after-ms": "50"}},
        {"do": "refusal"},
        {"do": "error", "status": 400},
        {"do": "error", "status": 500},
        {"do": "error", "status": 503, "code": "slow_down", "headers": {"retry-after-ms": "50"}},
    ]}));
    // One after the other, so that each step of the script meets one job.
    let (server, api) = serve(&backing, &model, &[]);
    let mut cost = 0;
    for number in 0..9 {
        let id = api.submit(&unique_cv(number), json!({})).await.unwrap();
        let job = api.ended(&id).await.unwrap();
        if let Some(text) = job["usage"]["cost_usd"].as_str() {
            cost += text.parse::<Usd>().unwrap().micros();
        }
    }
    server.terminate();

    let counters = model.counters();
    let book = book(&backing);
    let total = &book["total"];
    let count = |name: &str| total[name].as_u64().unwrap();
    assert_eq!(count("calls"), counters.received, "{book:#}");
    assert_eq!(
        count("replied") + count("failed") + count("unknown") + count("open"),
        counters.accepted,
        "{book:#}"
    );
    assert_eq!(count("not_processed"), counters.not_processed);
    assert_eq!(count("rejected"), counters.rejected);
    assert_eq!((count("unknown"), count("open")), (1, 0));
    // The refusal was paid for, and says what it took; the lost one does not.
    assert_eq!(count("calls_of_unknown_cost"), 1, "{book:#}");
    assert_eq!(total["cost_usd"], json!(Usd::from_micros(cost)), "{book:#}");
    assert!(cost > 0 && count("input_tokens") > 1_000 && count("output_tokens") > 100);
    assert_eq!(book["check"]["jobs_with_excess"], 0);
    assert_eq!(book["check"]["calls_that_may_be_paid"], counters.accepted);
    let day = &book["days"][0];
    assert_eq!(
        (&day["tenant"], &day["calls"]),
        (&json!("anonymous"), &total["calls"])
    );

    let text = ledger(&backing, &["--since", "2020-01-01"]);
    assert!(
        text.out.contains("anonymous") && text.out.contains("no excess"),
        "{text:?}"
    );
    for elsewhere in [["--until", "2020-01-02"], ["--tenant", "nobody"]] {
        let arguments = [&["--since", "2020-01-01", "--json"], &elsewhere[..]].concat();
        let none: Value = serde_json::from_str(&ledger(&backing, &arguments).out).unwrap();
        assert_eq!(none["total"]["calls"], 0, "{elsewhere:?}");
    }
}

async fn a_call_too_many_is_an_excess(backing: Backing) {
    let model = fake(json!({}));
    let (_server, api) = serve(&backing, &model, &[]);
    let id = api.submit(&unique_cv(1), json!({})).await.unwrap();
    api.ended(&id).await.unwrap();
    assert_eq!(book(&backing)["check"]["jobs"], 1);

    // A row as a second worker would have left it that had called as well.
    let table = backing.storage().await.table;
    let mut row = Properties::new();
    for (name, value) in [
        ("job_id", json!(id)),
        ("attempt", json!(2)),
        ("began_at", json!("2026-01-01T00:00:00Z")),
        ("outcome", json!("open")),
        ("input_tokens", json!(0)),
        ("output_tokens", json!(0)),
    ] {
        row.insert(name.to_owned(), value);
    }
    let write = vec![Write::Insert(format!("c~{id}~0002"), row)];
    table
        .write(TableName::Jobs, "anonymous", write)
        .await
        .unwrap();
    let said = ledger(&backing, &["--since", "2020-01-01"]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    assert!(
        said.out
            .contains(&format!("EXCESS  anonymous/{id}: 2 calls, 1 permitted")),
        "{said:?}"
    );
}

async fn calls_in_the_background_are_booked_too(backing: Backing) {
    let model = fake(json!({}));
    let (_server, api) = serve(&backing, &model, &[("model.background", "on")]);
    let id = api.submit(&unique_cv(1), json!({})).await.unwrap();
    let job = api.ended(&id).await.unwrap();
    let book = book(&backing);
    assert_eq!(book["total"]["replied"], 1, "{book:#}");
    assert_eq!(book["total"]["background"], 1);
    assert_eq!(
        book["total"]["cost_usd"], job["usage"]["cost_usd"],
        "{job:#}"
    );
}
