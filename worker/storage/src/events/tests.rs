//! Which puts tell of themselves, and what they tell.

use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::ambient::Manual;
use crate::embedded::Store;
use crate::fault::{Fault, Faults, Operation};
use crate::{Storage, StorageError};

/// Bytes that count up.
#[derive(Debug, Default)]
struct Steps(AtomicU8);

impl Entropy for Steps {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

struct Fixture {
    faults: Arc<Faults>,
    queue: Arc<dyn Queue>,
    blobs: Emitting,
    _dir: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let at = Timestamp::from_second(1_790_000_000).unwrap();
    let (clock, entropy) = (Arc::new(Manual::at(at)), Arc::new(Steps::default()));
    let store = Store::open(dir.path(), clock.clone(), entropy.clone()).unwrap();
    let faults = Faults::new(1);
    let Storage { queue, blobs, .. } = faults.over(store.storage());
    let blobs = Emitting::new(blobs, queue.clone(), clock, entropy);
    Fixture {
        faults,
        queue,
        blobs,
        _dir: dir,
    }
}

impl Fixture {
    async fn put(&self, container: Container, path: &str) -> Result<ETag> {
        let (data, mode) = (Bytes::from_static(b"%PDF-1.7"), PutMode::CreateOnly);
        self.blobs
            .put(
                container,
                path,
                data,
                "application/pdf",
                &Metadata::new(),
                mode,
            )
            .await
    }

    async fn events(&self) -> Vec<Event> {
        let messages = self.queue.peek(QueueName::Notifications, 32).await.unwrap();
        messages
            .iter()
            .map(|message| serde_json::from_str(&message.body).unwrap())
            .collect()
    }
}

#[tokio::test]
async fn a_new_pdf_tells_of_itself() {
    let f = fixture();
    let etag = f.put(Container::CvPdfs, "acme/x.pdf").await.unwrap();
    let event = Event {
        specversion: "1.0".to_owned(),
        // Version and variant of a random UUID (RFC 9562, section 5.4) on top of zeros.
        id: "00000000-0000-4000-8000-000000000000".to_owned(),
        source: "/presswork/storage".to_owned(),
        kind: "Microsoft.Storage.BlobCreated".to_owned(),
        subject: "/blobServices/default/containers/cv-pdfs/blobs/acme/x.pdf".to_owned(),
        time: Timestamp::from_second(1_790_000_000).unwrap(),
        data: json!({
            "api": "PutBlob",
            "eTag": etag.0,
            "contentType": "application/pdf",
            "contentLength": 8,
            "blobType": "BlockBlob",
            "url": "/cv-pdfs/acme/x.pdf",
        }),
    };
    assert_eq!(event.blob(), Some(("cv-pdfs", "acme/x.pdf")));
    assert_eq!(f.events().await, [event]);
}

#[tokio::test]
async fn nothing_else_does() {
    let f = fixture();
    for (container, path) in [
        (Container::CvPdfs, "acme/x.json"),
        (Container::CvPdfs, "pdf"),
        (Container::ModelReplies, "acme/x.pdf"),
        (Container::JobInputs, "acme/x.pdf"),
    ] {
        f.put(container, path).await.unwrap();
    }
    f.faults
        .script(Operation::PutBlob(Container::CvPdfs), 1, Fault::Refuse);
    assert!(f.put(Container::CvPdfs, "acme/x.pdf").await.is_err());
    assert_eq!(f.events().await, []);
    f.put(Container::CvPdfs, "acme/x.pdf").await.unwrap();
    let again = f.put(Container::CvPdfs, "acme/x.pdf").await;
    assert!(
        matches!(again, Err(StorageError::AlreadyExists)),
        "{again:?}"
    );
    assert_eq!(f.events().await.len(), 1);
}

#[tokio::test]
async fn a_lost_event_does_not_fail_the_put() {
    let f = fixture();
    f.faults
        .script(Operation::Send(QueueName::Notifications), 1, Fault::Refuse);
    f.put(Container::CvPdfs, "acme/x.pdf").await.unwrap();
    assert_eq!(f.events().await, []);
    assert_eq!(
        f.blobs
            .head(Container::CvPdfs, "acme/x.pdf")
            .await
            .unwrap()
            .size,
        8
    );
}
