//! Event streams across two fronts: the row is the only source, so either one tells of what the
//! other, and a worker beside them, do.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Server, with_model};
use e2e::system::fake;
use e2e::unique_cv;
use openai::fake::Server as Fake;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

e2e::on_both_storages!(
    streams_hold_across_two_fronts,
    a_stream_goes_on_at_another_front_after_a_stop,
);

/// Two fronts on one storage, beside which a worker may run.
struct System {
    fronts: [Server; 2],
    apis: [Api; 2],
    model: Fake,
    backing: Backing,
}

fn start(backing: Backing, latency: &str) -> System {
    let model = fake(json!({ "latency": latency }));
    let fronts = [0, 1].map(|_| Server::start(&mut backing.part("api-shim", &[])));
    let apis = [0, 1].map(|n: usize| Api::new(&fronts[n].url));
    System {
        fronts,
        apis,
        model,
        backing,
    }
}

impl System {
    fn worker(&self) -> Server {
        let mut worker = self.backing.part("worker", &[]);
        with_model(&mut worker, &self.model.base_url());
        Server::spawn(&mut worker)
    }
}

/// A stream, and the beginning of it.
struct Stream(Response, String);

/// Follows a job until something of it is told.
async fn follow(api: &Api, id: &str, last: Option<&str>) -> Stream {
    let mut request = api.request(Method::GET, &format!("/v1/jobs/{id}/events"));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = Stream(response, String::new());
    while !stream.1.contains("data: ") {
        assert!(stream.more().await, "nothing is told: {}", stream.1);
    }
    stream
}

impl Stream {
    /// Reads on; `false` at the end.
    async fn more(&mut self) -> bool {
        let Ok(Some(chunk)) = self.0.chunk().await else {
            return false;
        };
        self.1.push_str(std::str::from_utf8(&chunk).unwrap());
        true
    }
}

/// Reads a stream to its end: ids, and jobs as told.
async fn told(mut stream: Stream) -> Vec<(u64, Value)> {
    while stream.more().await {}
    let text = stream.1;
    let blocks = text.split("\n\n").filter(|block| block.contains("data: "));
    let read = blocks.map(|block| {
        let field = |name: &str| {
            let value = block.lines().find_map(|line| line.strip_prefix(name));
            value.unwrap().to_owned()
        };
        let id = field("id: ").parse().unwrap();
        (id, serde_json::from_str(&field("data: ")).unwrap())
    });
    read.collect()
}

async fn streams_hold_across_two_fronts(backing: Backing) {
    // So long that a front which looks late sees the job while it runs.
    let system = start(backing, "6s");
    let id = system.apis[0]
        .submit(&unique_cv(1), json!({}))
        .await
        .unwrap();
    let streams = [
        follow(&system.apis[0], &id, None).await,
        follow(&system.apis[1], &id, None).await,
    ];
    let _worker = system.worker();
    let [first, second] = streams.map(told);
    let (first, second) = futures::future::join(first, second).await;
    for told in [&first, &second] {
        let ids: Vec<_> = told.iter().map(|(id, _)| *id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        let states: Vec<_> = told.iter().map(|(_, job)| job["state"].clone()).collect();
        assert_eq!(states.last(), Some(&json!("succeeded")), "{states:?}");
        assert!(states.contains(&json!("running")), "{states:?}");
    }
    assert_eq!(first.last(), second.last());
}

async fn a_stream_goes_on_at_another_front_after_a_stop(backing: Backing) {
    let system = start(backing, "300ms");
    let id = system.apis[0]
        .submit(&unique_cv(2), json!({}))
        .await
        .unwrap();
    let stream = follow(&system.apis[0], &id, None).await;
    system.fronts[0].terminate_now();
    let before = told(stream).await;
    let (last, _) = before.last().expect("the job as it was comes first");
    let _worker = system.worker();
    let after = told(follow(&system.apis[1], &id, Some(&last.to_string())).await).await;
    assert!(
        after.iter().all(|(id, _)| id > last),
        "nothing is told twice"
    );
    let (end, job) = after.last().unwrap();
    assert_eq!(job["state"], "succeeded");
    // Who has the end is told to stay away.
    let path = format!("/v1/jobs/{id}/events");
    let request = system.apis[1].request(Method::GET, &path);
    let done = request
        .header("last-event-id", end.to_string())
        .send()
        .await;
    assert_eq!(done.unwrap().status(), StatusCode::NO_CONTENT);
}
