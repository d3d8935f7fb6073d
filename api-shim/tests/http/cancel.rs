//! `POST /v1/jobs/{id}/cancel`.

use reqwest::StatusCode;
use schemas::ProblemKind;
use schemas::job::{JobStatus, State};
use storage::jobs::CallOutcome;

use crate::server::{Server, header, problem};

#[tokio::test]
async fn cancelling_depends_on_how_far_the_job_is() {
    let server = Server::start().await;
    let cancel = |job: &JobStatus| server.post(&format!("{}/cancel", job.links.this)).send();

    let queued = server.submit().await;
    for _ in 0..2 {
        let response = cancel(&queued).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(
            response.json::<JobStatus>().await.unwrap().state,
            State::Cancelled
        );
    }

    let calling = server.submit().await;
    server.call(calling.id).await;
    for _ in 0..2 {
        let response = cancel(&calling).await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(header(&response, "retry-after"), Some("1"));
        assert_eq!(
            response.json::<JobStatus>().await.unwrap().state,
            State::Running
        );
    }
    let asked = server.loaded(calling.id).await;
    assert!(asked.row.cancel_requested);

    server
        .jobs
        .to_rendering(&asked, None, CallOutcome::Replied)
        .await
        .unwrap();
    let late = problem(
        cancel(&calling).await.unwrap(),
        ProblemKind::Conflict,
        "rendering",
    )
    .await;
    assert!(late.detail.contains("too late"), "{}", late.detail);

    let done = server.submit().await;
    server.succeed(done.id, b"%PDF").await;
    let done = problem(cancel(&done).await.unwrap(), ProblemKind::Conflict, "done").await;
    assert!(done.detail.contains("ended"), "{}", done.detail);
}
