//! `POST /v1/jobs` that succeeds, and what keeps it from succeeding twice.

use futures::future::join_all;
use reqwest::StatusCode;
use schemas::job::{JobStatus, State};
use schemas::message::JobMessage;
use schemas::{ProblemKind, Tenant};
use serde_json::{Value, json};
use storage::fault::{Fault, Operation};
use storage::names::{Container, QueueName, TableName};

use crate::server::{Server, header, ms, problem, sample};

#[tokio::test]
async fn a_job_is_accepted_stored_and_enqueued() {
    let server = Server::start().await;
    let mut request = sample();
    request["options"] = json!({ "language": "de", "pages": "auto" });
    request["metadata"] = json!({ "ticket": "A-1" });
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let response = server
        .post("/v1/jobs")
        .header("traceparent", trace)
        .json(&request)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(header(&response, "retry-after"), Some("1"));
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    assert_eq!(header(&response, "content-type"), Some("application/json"));
    assert_eq!(header(&response, "idempotency-replayed"), None);
    let location = header(&response, "location").unwrap().to_owned();
    let status: JobStatus = response.json().await.unwrap();
    assert_eq!(location, format!("/v1/jobs/{}", status.id));
    assert_eq!(
        (status.state, status.progress, status.model_calls),
        (State::Queued, 0, 0)
    );
    assert_eq!(status.metadata["ticket"], "A-1");

    let input = server
        .jobs
        .input(&Tenant::anonymous(), status.id)
        .await
        .unwrap();
    assert_eq!(input.options.language, Some(schemas::job::Language::De));
    assert!(!input.cv.full_name.is_empty());
    let messages = server
        .jobs
        .storage()
        .queue
        .peek(QueueName::Jobs, 2)
        .await
        .unwrap();
    assert_eq!(messages.len(), 1);
    let message = JobMessage::from_body(&messages[0].body).unwrap();
    assert_eq!(
        (message.job_id, message.traceparent.as_deref()),
        (status.id, Some(trace))
    );
    let again: JobStatus = server
        .get(&location)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(again, status);
}

#[tokio::test]
async fn warnings_about_the_cv_come_with_the_job() {
    let server = Server::start().await;
    let mut request = sample();
    request["input"]["cv"]["shoe_size"] = json!("44");
    let response = server.post("/v1/jobs").json(&request).send().await.unwrap();
    let status: JobStatus = response.json().await.unwrap();
    let warning = status.warnings.iter().find(|w| w.code == "unknown_key");
    assert!(
        warning.is_some_and(|w| w.path == "shoe_size"),
        "{:?}",
        status.warnings
    );

    // However much there is to say, the row holds it.
    for n in 0..300 {
        request["input"]["cv"][format!("key {n} {}", "x".repeat(300))] = json!(n);
    }
    let response = server.post("/v1/jobs").json(&request).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let status: JobStatus = response.json().await.unwrap();
    assert_eq!(status.warnings.last().unwrap().code, "more");
}

#[tokio::test]
async fn a_repeat_with_its_key_finds_the_first_job() {
    let server = Server::start().await;
    let body = sample().to_string();
    let send = |key: &str, body: &str| {
        let request = server
            .post("/v1/jobs")
            .header("content-type", "application/json");
        request
            .header("Idempotency-Key", key)
            .body(body.to_owned())
            .send()
    };
    let first: JobStatus = send("\"k-1\"", &body).await.unwrap().json().await.unwrap();

    // The bare form is the same key.
    let again = send("k-1", &body).await.unwrap();
    assert_eq!(again.status(), StatusCode::ACCEPTED);
    assert_eq!(header(&again, "idempotency-replayed"), Some("true"));
    assert_eq!(header(&again, "location"), Some(first.links.this.as_str()));
    assert_eq!(again.json::<JobStatus>().await.unwrap(), first);

    // A repeat tells the job's present state, and there is nothing to come back for at its end.
    server.succeed(first.id, b"%PDF-1.7").await;
    let ended = send("k-1", &body).await.unwrap();
    assert_eq!(
        (ended.status(), header(&ended, "retry-after")),
        (StatusCode::ACCEPTED, None)
    );
    assert_eq!(
        ended.json::<JobStatus>().await.unwrap().state,
        State::Succeeded
    );

    let other = send("k-1", &format!("{body} ")).await.unwrap();
    problem(other, ProblemKind::IdempotencyKeyReused, "another body").await;
    let fresh: JobStatus = send("k-2", &body).await.unwrap().json().await.unwrap();
    assert_ne!(fresh.id, first.id);
    let (rows, _, inputs) = server.stored().await;
    assert_eq!(rows.iter().filter(|row| row.starts_with("j~")).count(), 2);
    assert_eq!(inputs, 2);
}

#[tokio::test]
async fn sixteen_at_once_with_one_key_make_one_job() {
    let server = Server::start().await;
    for round in 0..4 {
        let before = server.stored().await;
        let key = format!("race-{round}");
        let body = sample();
        let send = || {
            server
                .post("/v1/jobs")
                .header("Idempotency-Key", &key)
                .json(&body)
                .send()
        };
        let answers = join_all((0..16).map(|_| send())).await;
        let mut ids = std::collections::BTreeSet::new();
        let mut made = 0;
        for answer in answers {
            let answer = answer.unwrap();
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
            made += usize::from(header(&answer, "idempotency-replayed").is_none());
            ids.insert(answer.json::<JobStatus>().await.unwrap().id);
        }
        assert_eq!((ids.len(), made), (1, 1));
        let after = server.stored().await;
        // Job, marker, key; and the losers took their input blobs away again.
        assert_eq!((after.0.len() - before.0.len(), after.2 - before.2), (3, 1));
    }
}

#[tokio::test]
async fn bad_keys_are_refused_before_anything_is_stored() {
    let server = Server::start().await;
    for key in ["\"open", "a,b", "\"\"", &"k".repeat(256)] {
        let request = server.post("/v1/jobs").header("Idempotency-Key", key);
        let response = request.json(&sample()).send().await.unwrap();
        let problem = problem(response, ProblemKind::InvalidRequest, key).await;
        assert_eq!(problem.errors[0].path, "Idempotency-Key");
    }
    server.assert_nothing_stored("bad keys").await;
}

#[tokio::test]
async fn a_message_that_is_lost_does_not_lose_the_job() {
    let server = Server::start().await;
    server
        .faults
        .script(Operation::Send(QueueName::Jobs), 1, Fault::Refuse);
    let status = server.submit().await;
    let (rows, messages, _) = server.stored().await;
    assert_eq!(messages, 0);
    assert!(rows.contains(&format!("o~{}", status.id)), "{rows:?}");
}

#[tokio::test]
async fn storage_that_fails_is_a_503_and_leaves_no_job() {
    let server = Server::start().await;
    // A write without a clear answer may happen yet: its input stays until it is swept.
    for (operation, inputs) in [
        (Operation::PutBlob(Container::JobInputs), 0),
        (Operation::Write(TableName::Jobs), 1),
    ] {
        server.faults.script(operation, 1, Fault::Refuse);
        let response = server
            .post("/v1/jobs")
            .json(&sample())
            .send()
            .await
            .unwrap();
        assert_eq!(header(&response, "retry-after"), Some("2"), "{operation}");
        problem(response, ProblemKind::Unavailable, "storage refuses").await;
        let left = (Vec::new(), 0, inputs);
        assert_eq!(server.stored().await, left, "{operation}");
    }
    // The transaction went through and its answer was lost: the job is accepted all the same.
    server
        .faults
        .script(Operation::Write(TableName::Jobs), 1, Fault::LoseAnswer);
    server.submit().await;
    assert_eq!(server.stored().await.2, 1 + 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_a_whole_job() {
    let server = Server::start().await;
    let write = Operation::Write(TableName::Jobs);
    let late = Fault::DelayAnswer(ms(1_500));
    server.faults.script(write, 1, late);
    let before = server.calls(write);
    let request = tokio::spawn(server.post("/v1/jobs").json(&sample()).send());
    server.called(write, before).await;
    request.abort();
    assert!(request.await.is_err_and(|e| e.is_cancelled()));
    let mut messages = 0;
    for _ in 0..1_000 {
        messages = server.stored().await.1;
        if messages == 1 {
            break;
        }
        tokio::time::sleep(ms(20)).await;
    }
    assert_eq!(
        messages, 1,
        "the message is sent although nobody waits for the answer"
    );
}

#[tokio::test]
async fn a_large_but_good_body_is_taken() {
    let server = Server::start().await;
    let mut request = sample();
    // A JPEG head and noise: pixels are the worker's concern.
    let photo = format!(
        "data:image/jpeg;base64,/9j/4AAQSkZJRg{}",
        "A".repeat(2_000_000)
    );
    request["input"]["cv"]["photo_url"] = json!(photo);
    let response = server.post("/v1/jobs").json(&request).send().await.unwrap();
    assert_eq!(
        response.status(),
        StatusCode::ACCEPTED,
        "{}",
        response.text().await.unwrap()
    );
}

#[tokio::test]
async fn a_letter_is_dated_by_the_day_of_its_job() {
    let server = Server::start().await;
    let check = async |options: Value, want: &str| {
        let mut request = sample();
        request["options"] = options;
        let response = server.post("/v1/jobs").json(&request).send().await.unwrap();
        let job: JobStatus = response.json().await.unwrap();
        let input = server
            .jobs
            .input(&Tenant::anonymous(), job.id)
            .await
            .unwrap();
        let date = input
            .options
            .letter
            .and_then(|letter| letter.date)
            .unwrap_or_default();
        assert!(
            date.contains(want) && date.is_empty() == want.is_empty(),
            "{date}"
        );
    };
    check(json!({}), "").await;
    check(json!({"outputs": ["cv", "cover_letter"]}), "20").await;
    let own = json!({"outputs": ["cv", "cover_letter"], "letter": {"date": "in May"}});
    check(own, "in May").await;
}
