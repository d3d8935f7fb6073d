//! The budget of a day: jobs beyond it wait, say why, and go on when there is money again.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::time::Duration;

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Server, run};
use e2e::system::{fake, script};
use e2e::{eventually, unique_cv};
use futures::future::try_join_all;
use openai::fake::Server as Fake;
use schemas::Usd;
use serde_json::{Value, json};

e2e::on_both_storages!(
    jobs_over_the_budget_wait_and_go_on_when_it_rises,
    a_tenant_over_its_budget_waits,
    calls_that_were_turned_away_do_not_come_back_together,
);

fn serve(backing: &Backing, model: &Fake, settings: &[(&str, &str)]) -> (Server, Api) {
    let look = [("budget.look_again", "500ms")];
    let settings = [settings, &look].concat();
    e2e::system::serve(backing, model, &settings)
}

fn micros(job: &Value) -> u64 {
    let text = job["usage"]["cost_usd"].as_str().unwrap();
    text.parse::<Usd>().unwrap().micros()
}

async fn submit(api: &Api, numbers: std::ops::Range<u64>) -> Vec<String> {
    let submitted = numbers.map(|number| async move {
        let cv = unique_cv(number);
        api.submit(&cv, json!({})).await
    });
    try_join_all(submitted).await.unwrap()
}

async fn states(api: &Api, ids: &[String]) -> Vec<Value> {
    let jobs = ids.iter().map(|id| async move {
        let (_, job) = api.get(&format!("/v1/jobs/{id}")).await?;
        anyhow::Ok(job)
    });
    try_join_all(jobs).await.unwrap()
}

/// Until each job is done or waits for money.
async fn settled(api: &Api, ids: &[String]) -> Vec<Value> {
    let states = async || states(api, ids).await;
    let settled = |job: &Value| job["state"] == "succeeded" || !job["waiting"].is_null();
    let all = |jobs: &Vec<Value>| jobs.iter().all(settled);
    eventually("jobs are done or wait", states, all).await
}

async fn jobs_over_the_budget_wait_and_go_on_when_it_rises(backing: Backing) {
    const JOBS: u64 = 50;
    const AT_ONCE: u64 = 16;
    let at_once = ("worker.concurrency", AT_ONCE.to_string());
    let at_once = (at_once.0, at_once.1.as_str());
    let model = fake(json!({"latency": "300ms"}));
    let (server, api) = serve(&backing, &model, &[]);
    let first = submit(&api, 0..1).await;
    let one = micros(&api.ended(&first[0]).await.unwrap());
    server.terminate();

    // Enough for about ten more, and all of the others at once.
    let budget = Usd::from_micros(one * 10);
    let text = budget.to_string();
    let settings = [("budget.daily_usd", text.as_str()), at_once];
    let (server, api) = serve(&backing, &model, &settings);
    let ids = submit(&api, 1..JOBS).await;
    let jobs = settled(&api, &ids).await;
    let (done, waiting): (Vec<_>, Vec<_>) =
        jobs.iter().partition(|job| job["state"] == "succeeded");
    let spent: u64 = done.iter().map(|job| micros(job)).sum();
    let dearest = done.iter().map(|job| micros(job)).max().unwrap();
    // What is beyond the budget were calls that were out when it was reached.
    assert!(spent >= budget.micros(), "{spent} of {budget}");
    assert!(
        spent <= budget.micros() + AT_ONCE * dearest,
        "{spent} of {budget}, one call took {dearest}"
    );
    assert!(!waiting.is_empty());
    for job in &waiting {
        assert_eq!(job["state"], "queued", "{job:#}");
        assert_eq!(job["waiting"]["reason"], "daily_budget", "{job:#}");
        let until = job["waiting"]["until"].as_str().unwrap();
        assert!(until.ends_with("T00:00:00Z"), "{job:#}");
    }
    // They are looked at again and again, far beyond the limit of failures; nothing is called.
    let calls = model.counters().received;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(model.counters().received, calls);
    let doctor = run(backing
        .presswork(&["doctor"])
        .args(["--set", &format!("budget.daily_usd={text}")])
        .env("OPENAI_API_KEY", "sk-test-not-a-key")
        .env("OPENAI_BASE_URL", model.base_url()));
    assert!(doctor.out.contains("nothing is left"), "{doctor:?}");
    server.terminate();

    let (_server, api) = serve(&backing, &model, &[("budget.daily_usd", "100")]);
    for id in &ids {
        let job = api.ended(id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
        assert!(job["waiting"].is_null(), "{job:#}");
    }
    assert_eq!(model.counters().accepted, JOBS);
    let poison = run(&mut backing.presswork(&["poison", "list"]));
    assert!(poison.out.contains("nothing is set aside"), "{poison:?}");
}

async fn a_tenant_over_its_budget_waits(backing: Backing) {
    let model = fake(json!({}));
    let settings = [("budget.tenants", "anonymous 0.000001")];
    let (_server, api) = serve(&backing, &model, &settings);
    let first = submit(&api, 0..1).await;
    api.ended(&first[0]).await.unwrap();
    let second = submit(&api, 1..2).await;
    let job = api.until(&second[0], |job| !job["waiting"].is_null()).await;
    let job = job.unwrap();
    assert_eq!(job["waiting"]["reason"], "tenant_daily_budget", "{job:#}");
    // It can be cancelled while it waits.
    let path = format!("/v1/jobs/{}/cancel", second[0]);
    let (_, cancelled) = api.post(&path, &json!({})).await.unwrap();
    assert_eq!(cancelled["state"], "cancelled", "{cancelled:#}");
    assert!(cancelled["waiting"].is_null(), "{cancelled:#}");
    assert_eq!(model.counters().received, 1);
}

async fn calls_that_were_turned_away_do_not_come_back_together(backing: Backing) {
    const JOBS: u64 = 40;
    // Calls come back over a time as long as the pause that was asked for.
    let busy = json!({"do": "error", "status": 429, "headers": {"retry-after": "8"}});
    let model = fake(json!({"latency": "500ms", "default": busy}));
    let (_server, api) = serve(&backing, &model, &[]);
    let ids = submit(&api, 0..JOBS).await;
    let counters = async || model.counters();
    let together = eventually("many were turned away", counters, |counters| {
        counters.in_flight == 0 && counters.not_processed > JOBS / 2
    })
    .await
    .not_processed;
    model.reset();
    model.set_script(script(json!({"latency": "500ms"})));
    for id in &ids {
        let job = api.ended(id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
    }
    let counters = model.counters();
    println!("{together} turned away, then {counters:?}");
    assert_eq!(counters.accepted, JOBS);
    assert!(
        counters.most_in_flight < together * 3 / 4,
        "{together} were turned away, then {counters:?}"
    );
}
