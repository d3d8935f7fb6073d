//! Groups of routes that are switched off.

use reqwest::{Method, StatusCode};
use schemas::ProblemKind;

use crate::server::{Server, header, problem, sample, settings};

#[tokio::test]
async fn a_group_that_is_switched_off_says_when_to_come_back() {
    let mut settings = settings();
    settings.maintenance = ["jobs", "hooks"].into();
    let server = Server::with(settings, |storage| storage).await;
    let id = "01900000-0000-7000-8000-000000000001";
    for (method, path) in [
        (Method::POST, "/v1/jobs".to_owned()),
        (Method::GET, "/v1/jobs".to_owned()),
        (Method::GET, format!("/v1/jobs/{id}")),
        (Method::DELETE, format!("/v1/jobs/{id}")),
        (Method::GET, format!("/v1/jobs/{id}/events")),
        (Method::POST, "/v1/jobs/batch".to_owned()),
        (Method::POST, "/v1/hooks/openai".to_owned()),
    ] {
        let request = server.request(method, &path).json(&sample());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(header(&response, "retry-after"), Some("60"), "{path}");
        problem(response, ProblemKind::Unavailable, &path).await;
    }
    server.assert_nothing_stored("maintenance").await;
    for path in ["/healthz", "/readyz", "/", "/v1/sessions/x"] {
        let response = server.get(path).send().await.unwrap();
        let status = response.status();
        assert_ne!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}

#[test]
fn every_group_but_the_first_can_be_switched_off() {
    let mut groups: Vec<_> = api_shim::operations()
        .into_iter()
        .map(|operation| operation.group.name())
        .filter(|name| *name != "about")
        .collect();
    groups.sort_unstable();
    groups.dedup();
    let mut known = config::ROUTE_GROUPS.to_vec();
    known.sort_unstable();
    for group in &groups {
        assert!(known.contains(group), "{group} has no switch");
    }
}
