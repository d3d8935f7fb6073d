//! What stands beside a job's PDF: stored before it, found with it, copied along.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::sync::Arc;

use bytes::Bytes;
use schemas::job::DocumentName;
use schemas::{JobId, Tenant};
use storage::ambient::System;
use storage::embedded::Store;
use storage::jobs::{JobStore, PdfFacts, StoredDocument};
use storage::{Clock as _, StorageError};

fn store(dir: &tempfile::TempDir) -> JobStore {
    let system = Arc::new(System::new());
    let store = Store::open(dir.path(), system.clone(), system.clone()).unwrap();
    let config = config::Config::for_tests().worker;
    JobStore::new(store.storage(), system.clone(), system, &config)
}

fn id(seed: u8) -> JobId {
    JobId::new(System::new().now(), [seed; 10])
}

fn letter(text: &'static str) -> (Bytes, StoredDocument) {
    let facts = StoredDocument {
        name: DocumentName::CoverLetter,
        size_bytes: text.len() as u64,
        sha256: "ab".repeat(32),
        file_name: format!("{text}.pdf"),
        pages: Some(1),
    };
    (Bytes::from_static(text.as_bytes()), facts)
}

fn main_pdf() -> (Bytes, PdfFacts) {
    let facts = PdfFacts {
        pages: 2,
        sha256: "cd".repeat(32),
        file_name: "CV.pdf".to_owned(),
        ..PdfFacts::default()
    };
    (Bytes::from_static(b"%PDF"), facts)
}

#[tokio::test]
async fn whoever_finds_the_pdf_finds_what_stands_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, tenant, job) = (store(&dir), Tenant::anonymous(), id(1));
    let stored = store
        .put_result(&tenant, job, true, main_pdf(), vec![letter("first")])
        .await
        .unwrap();
    assert!(!stored.adopted);
    // Another try, of a renderer that makes other bytes: what was there first counts.
    let again = store
        .put_result(&tenant, job, true, main_pdf(), vec![letter("second")])
        .await
        .unwrap();
    assert!(again.adopted);
    assert_eq!(again.facts.beside, vec![letter("first").1]);
    let beside = store
        .document(&again.path, DocumentName::CoverLetter)
        .await
        .unwrap();
    assert_eq!(beside.data, "first");
}

#[tokio::test]
async fn a_letter_that_outlived_its_try_keeps_its_own_facts() {
    let dir = tempfile::tempdir().unwrap();
    let (store, tenant, job) = (store(&dir), Tenant::anonymous(), id(2));
    // Killed after the letter: the main PDF of another job stands for "nothing at this job's path".
    let lost = store
        .put_result(&tenant, job, false, main_pdf(), vec![letter("first")])
        .await
        .unwrap();
    let polished = store
        .put_result(&tenant, job, true, main_pdf(), vec![letter("second")])
        .await
        .unwrap();
    assert_eq!(lost.facts.beside, vec![letter("first").1]);
    assert_eq!(
        polished.facts.beside,
        vec![letter("second").1],
        "each PDF has its own company"
    );
}

#[tokio::test]
async fn a_copy_takes_everything_along() {
    let dir = tempfile::tempdir().unwrap();
    let (store, tenant) = (store(&dir), Tenant::anonymous());
    let made = store
        .put_result(&tenant, id(3), true, main_pdf(), vec![letter("first")])
        .await
        .unwrap();
    let copy = store.copy_pdf(&made.path, &tenant, id(4)).await.unwrap();
    assert_eq!(copy.facts, made.facts);
    let beside = store
        .document(&copy.path, DocumentName::CoverLetter)
        .await
        .unwrap();
    assert_eq!(beside.data, "first");
    let gone = store.copy_pdf("anonymous/none.pdf", &tenant, id(5)).await;
    assert!(matches!(gone, Err(StorageError::NotFound)));
}
