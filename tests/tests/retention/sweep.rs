//! The daily sweep: what has been kept long enough, and what belongs to nothing.

use std::time::Duration;

use e2e::backing::Backing;
use e2e::eventually;
use e2e::system::serve;
use serde_json::json;
use storage::Clock as _;
use storage::ambient::System as Ambient;
use storage::names::{Container, TableName};
use storage::port::{Metadata, PutMode, Write};

use super::{System, scan};

e2e::on_both_storages!(what_was_kept_long_enough_goes_and_the_rest_stays);

/// Kept for a second after their end.
const SHORT: [(&str, &str); 2] = [("retention.jobs", "1s"), ("retention.orphans_after", "1s")];

async fn what_was_kept_long_enough_goes_and_the_rest_stays(backing: Backing) {
    let mut system = System::start(backing, json!({}), &[]).await;
    let old = system.submit(json!({})).await;
    system.api.ended(&old).await.unwrap();
    let time = Ambient::new().now() + Duration::from_hours(1);
    let waits = system.submit(json!({"not_before": time})).await;
    // A front that was killed between blob and row leaves this, of a tenant that nobody knows.
    let orphan = "nobody/01900000-0000-7000-8000-000000000001.json";
    let (blobs, labels) = (&system.storage.blobs, Metadata::new());
    let put = blobs.put(
        Container::JobInputs,
        orphan,
        b"{}".as_slice().into(),
        "application/json",
        &labels,
        PutMode::CreateOnly,
    );
    put.await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_100)).await;

    // As if the last sweep had been on another day; by then the program was stopped.
    system.server.kill_now();
    system.server.gone().await;
    let day = Write::Delete("retention".to_owned(), None);
    let table = &system.storage.table;
    table
        .write(TableName::Tenants, "schedules", vec![day])
        .await
        .unwrap();
    let (server, api) = serve(&system.backing, &system.model, &SHORT);
    (system.server, system.api) = (server, api);

    let inputs = async || scan::blobs(&system.storage, Container::JobInputs).await;
    let left = format!("anonymous/{waits}.json");
    let what = "only the job that waits has its input";
    eventually(what, inputs, |found| *found == [left.clone()]).await;
    assert_eq!(
        system.api.get(&format!("/v1/jobs/{old}")).await.unwrap().0,
        404
    );
    let (_, job) = system.api.get(&format!("/v1/jobs/{waits}")).await.unwrap();
    assert_eq!(job["state"], "queued");
    let pdfs = async || scan::blobs(&system.storage, Container::CvPdfs).await;
    eventually("no PDF is left", pdfs, Vec::is_empty).await;

    // Done for the day: the row says so, and a restart does not do it again.
    let rows = async || scan::rows(&system.storage, TableName::Tenants, "schedules").await;
    eventually("the sweep is noted as done", rows, |rows| {
        rows.iter().any(|(row, _)| row == "retention")
    })
    .await;
}
