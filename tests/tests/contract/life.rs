//! The life of a session: expiry, cleanup, deletion.

use e2e::backing::Backing;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;
use storage::Storage;
use storage::names::{Container, TableName};
use storage::port::Write;

use super::{docx, start};

e2e::on_both_storages!(
    an_expired_session_is_gone_before_any_sweep_and_then_leaves_nothing,
    deleting_leaves_nothing,
);

const TENANT: &str = "anonymous";

/// Rows of the sessions' table and blobs of their containers.
async fn left(storage: &Storage) -> (Vec<String>, Vec<String>) {
    let rows = "!".."\u{7f}";
    let read = storage
        .table
        .query(TableName::Sessions, TENANT, rows, 1_000, None)
        .await
        .unwrap();
    let rows = read
        .value
        .entities
        .into_iter()
        .map(|entity| entity.row)
        .collect();
    let mut blobs = Vec::new();
    for container in [Container::CvSessions, Container::CvPhotos] {
        let page = storage
            .blobs
            .list(container, TENANT, 1_000, None)
            .await
            .unwrap();
        blobs.extend(page.blobs.into_iter().map(|(path, _)| path));
    }
    (rows, blobs)
}

/// Moves the expiry of a session into the past, as time would.
async fn age(storage: &Storage, id: &str) {
    let table = &storage.table;
    let entity = table
        .get(TableName::Sessions, TENANT, id)
        .await
        .unwrap()
        .value
        .unwrap();
    let mut row = entity.properties;
    let index = row["expiry_row"].as_str().unwrap().to_owned();
    let past = Timestamp::from_second(1_700_000_000).unwrap();
    let new = format!("x~{:012x}~{id}", past.as_millisecond());
    row.insert("expires_at".to_owned(), json!(past.to_string()));
    row.insert("expiry_row".to_owned(), json!(new));
    let writes = vec![
        Write::Upsert(id.to_owned(), row),
        Write::Delete(index, None),
        Write::Upsert(new, serde_json::Map::new()),
    ];
    table
        .write(TableName::Sessions, TENANT, writes)
        .await
        .unwrap();
}

async fn an_expired_session_is_gone_before_any_sweep_and_then_leaves_nothing(backing: Backing) {
    // The reconciler's own sweep would come first.
    let system = start(backing, &[("worker.reconcile_every", "60m")]);
    let storage = system.backing.storage().await;
    let large = json!({"docx_base64": docx("03_warehouse_shift_lead_pl"), "job_posting_text": "ż".repeat(19_000)});
    let old = system.ok("extract-and-store-cv", large.clone()).await["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let more = json!({"session_id": old, "cv_patch": {"publications": vec!["x".repeat(590); 30]}});
    system.ok("update-cv-field", more).await;
    let young = system.ready(1).await;
    assert_eq!(
        left(&storage).await.1.len(),
        3,
        "content and photo of the old one, photo of the young one"
    );
    age(&storage, &old).await;
    let gone = (404, json!({"error": "Session not found or expired"}));
    assert_eq!(
        system
            .post("get-cv-session", json!({"session_id": old}))
            .await,
        gone
    );
    assert_eq!(
        system
            .post(
                "update-cv-field",
                json!({"session_id": old, "field_path": "email", "value": "a@b.cd"})
            )
            .await,
        gone
    );
    assert_eq!(
        system
            .post("generate-cv-from-session", json!({"session_id": old}))
            .await,
        gone
    );
    assert_eq!(left(&storage).await.1.len(), 3, "nothing is swept yet");

    let swept = system.ok("cleanup-expired-sessions", json!({})).await;
    assert_eq!(swept, json!({"success": true, "deleted_count": 1}));
    let (rows, blobs) = left(&storage).await;
    assert!(
        rows.iter().chain(&blobs).all(|name| !name.contains(&old)),
        "{rows:?} {blobs:?}"
    );
    system.session(&young).await;
    assert_eq!(
        system.ok("cleanup-expired-sessions", json!({})).await["deleted_count"],
        0
    );
}

async fn deleting_leaves_nothing(backing: Backing) {
    let system = start(backing, &[("worker.reconcile_every", "60m")]);
    let storage = system.backing.storage().await;
    let id = system.ready(2).await;
    system.pdf(&id, json!({})).await;
    assert!(
        left(&storage).await.0.len() >= 3,
        "the session, its expiry, a generation"
    );
    for status in [204, 404] {
        let request = system
            .api
            .request(Method::DELETE, &format!("/v1/sessions/{id}"));
        assert_eq!(request.send().await.unwrap().status().as_u16(), status);
    }
    assert_eq!(left(&storage).await, (Vec::new(), Vec::new()));
}
