//! `GET /v1/jobs/{id}/events`.

use futures::StreamExt as _;
use reqwest::{Method, Response, StatusCode};
use schemas::ProblemKind;
use schemas::job::{JobStatus, State};

use storage::fault::Operation;
use storage::names::TableName;

use crate::server::{Server, header, ms, problem, settings};

/// One block of a stream, as a client reads it.
#[derive(Debug, Default, PartialEq)]
struct Event {
    id: Option<String>,
    name: String,
    data: String,
    retry: Option<u32>,
    comment: bool,
}

/// Reads a stream block by block.
struct Reader {
    response: Response,
    rest: String,
}

impl Reader {
    async fn open(server: &Server, path: &str, last: Option<&str>) -> Self {
        let mut request = server.get(path).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "content-type"), Some("text/event-stream"));
        assert_eq!(header(&response, "cache-control"), Some("no-store"));
        Self {
            response,
            rest: String::new(),
        }
    }

    /// The next block; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let event = block.lines().fold(Event::default(), |mut event, line| {
                    let (field, value) = line.split_once(':').unwrap();
                    let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
                    match field {
                        "" => event.comment = true,
                        "id" => event.id = Some(value),
                        "event" => event.name = value,
                        "data" => event.data = value,
                        "retry" => event.retry = Some(value.parse().unwrap()),
                        other => panic!("no field of an event stream: {other}"),
                    }
                    event
                });
                self.rest = String::from(rest);
                return Some(event);
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next that is no heartbeat and no `retry`, with the job that it tells of.
    async fn told(&mut self) -> Option<(String, JobStatus)> {
        loop {
            let event = self.next().await?;
            if !event.name.is_empty() {
                let job: JobStatus = serde_json::from_str(&event.data).unwrap();
                assert!(event.id.is_some());
                return Some((event.name, job));
            }
        }
    }
}

#[tokio::test]
async fn a_stream_tells_each_change_and_ends_with_the_job() {
    let server = Server::start().await;
    let job = server.submit().await;
    let mut reader = Reader::open(&server, &job.links.events, None).await;
    let first = reader.next().await.unwrap();
    assert!((1_000..=3_100).contains(&first.retry.unwrap()), "{first:?}");
    let (name, told) = reader.told().await.unwrap();
    assert_eq!((name.as_str(), told), ("state", job.clone()));

    server.call(job.id).await;
    let (name, told) = reader.told().await.unwrap();
    assert_eq!((name.as_str(), told.state), ("state", State::Running));
    assert_eq!(told.progress, 20);

    let calling = server.loaded(job.id).await;
    let outcome = storage::jobs::CallOutcome::Replied;
    let rendering = server.jobs.to_rendering(&calling, None, outcome).await;
    let (name, told) = reader.told().await.unwrap();
    assert_eq!((name.as_str(), told.progress), ("progress", 80));

    let ending = storage::jobs::Ending::Failed(schemas::Problem::new(
        ProblemKind::RenderFailed,
        "No document came of it.",
    ));
    let finish = server.jobs.finish(&rendering.unwrap(), ending, None).await;
    finish.unwrap();
    let (name, told) = reader.told().await.unwrap();
    assert_eq!((name.as_str(), told.state), ("state", State::Failed));
    let now: JobStatus = server
        .get(&job.links.this)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(told, now, "an event's data is the job as a read gives it");
    assert_eq!(reader.next().await, None, "the stream ends with the job");
}

#[tokio::test]
async fn a_client_goes_on_where_it_was() {
    let server = Server::start().await;
    let job = server.submit().await;
    let path = job.links.events.as_str();
    let mut reader = Reader::open(&server, path, None).await;
    reader.next().await.unwrap();
    let seen = reader.next().await.unwrap().id.unwrap();
    drop(reader);

    // What it has is not told again; what it has not is told at once.
    let mut same = Reader::open(&server, path, Some(&seen)).await;
    assert!(same.next().await.unwrap().retry.is_some());
    server.call(job.id).await;
    let (_, told) = same.told().await.unwrap();
    assert_eq!(told.state, State::Running);
    for last in [Some(seen.as_str()), Some("nonsense"), Some("99999999999")] {
        let mut again = Reader::open(&server, path, last).await;
        let (name, told) = again.told().await.unwrap();
        assert_eq!((name.as_str(), told.state), ("state", State::Running));
    }

    server.succeed_from(job.id, b"%PDF-1.7").await;
    let version = server.loaded(job.id).await.row.version.to_string();
    let mut late = Reader::open(&server, path, Some(&seen)).await;
    assert_eq!(late.told().await.unwrap().1.state, State::Succeeded);
    assert_eq!(late.next().await, None);
    // It has the end: 204 stops its tries.
    let done = server.get(path).header("last-event-id", &version);
    let done = done.send().await.unwrap();
    assert_eq!(done.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_quiet_stream_lives_past_the_time_limit_of_requests() {
    let mut settings = settings();
    settings.stream_heartbeat = ms(30);
    settings.request_timeout = ms(3_000);
    let server = Server::with(settings, |storage| storage).await;
    let job = server.submit().await;
    let mut reader = Reader::open(&server, &job.links.events, None).await;
    reader.told().await.unwrap();
    let begun = server.now();
    while server.since(begun) < ms(3_500) {
        let event = reader.next().await.unwrap();
        assert!(event.comment, "{event:?}");
    }
    server
        .jobs
        .cancel(&schemas::Tenant::anonymous(), job.id)
        .await
        .unwrap();
    assert_eq!(reader.told().await.unwrap().1.state, State::Cancelled);
}

#[tokio::test]
async fn many_listeners_share_one_reader_of_the_row() {
    let server = Server::start().await;
    let job = server.submit().await;
    let mut readers = Vec::new();
    for _ in 0..50 {
        let mut reader = Reader::open(&server, &job.links.events, None).await;
        reader.told().await.unwrap();
        readers.push(reader);
    }
    let before = server.faults.calls(Operation::GetEntity(TableName::Jobs));
    tokio::time::sleep(ms(500)).await;
    let reads = server.faults.calls(Operation::GetEntity(TableName::Jobs)) - before;
    // 50 listeners for half a second at a pause of 5 to 50 ms: one reader needs far under 100.
    assert!(reads < 100, "{reads} calls of storage for 50 listeners");
    server.call(job.id).await;
    for reader in &mut readers {
        assert_eq!(reader.told().await.unwrap().1.state, State::Running);
    }
}

#[tokio::test]
async fn streams_end_when_the_job_is_deleted_or_the_server_stops() {
    let mut server = Server::start().await;
    let (deleted, open) = (server.submit().await, server.submit().await);
    let mut of_deleted = Reader::open(&server, &deleted.links.events, None).await;
    of_deleted.told().await.unwrap();
    let delete = server.request(Method::DELETE, &deleted.links.this);
    assert_eq!(
        delete.send().await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    let last = loop {
        let event = of_deleted.next().await.unwrap();
        if !event.comment {
            break event;
        }
    };
    assert_eq!((last.name.as_str(), last.data.as_str()), ("deleted", "{}"));
    assert_eq!(of_deleted.next().await, None);
    let gone = server.get(&deleted.links.events).send().await.unwrap();
    problem(gone, ProblemKind::NotFound, "deleted").await;

    let mut of_open = Reader::open(&server, &open.links.events, None).await;
    of_open.told().await.unwrap();
    let begun = server.now();
    server.shutdown.cancel();
    while of_open.next().await.is_some() {}
    server.stopped().await;
    assert!(
        server.since(begun) < ms(9_000),
        "the stop waits for no stream"
    );
}

#[tokio::test]
async fn streams_have_a_limit() {
    let mut settings = settings();
    settings.max_streams_per_tenant = 2;
    let server = Server::with(settings, |storage| storage).await;
    let job = server.submit().await;
    let path = job.links.events.as_str();
    let first = Reader::open(&server, path, None).await;
    let _second = Reader::open(&server, path, None).await;
    let refused = server.get(path).send().await.unwrap();
    assert_eq!(header(&refused, "retry-after"), Some("10"));
    problem(refused, ProblemKind::TooManyRequests, "third").await;
    drop(first);
    for _ in 0..1_000 {
        let response = server.get(path).send().await.unwrap();
        if response.status() == StatusCode::OK {
            let mut body = response.bytes_stream();
            assert!(body.next().await.is_some());
            return;
        }
        tokio::time::sleep(ms(20)).await;
    }
    panic!("a stream that its client closed does not give its place back");
}
