//! Notifications: an event says that something may have happened; the job's row says what.
//!
//! Nobody can subscribe yet, so telling is one log line. What is complete is the way there: the
//! event is a hint, may come twice, late, early or never, and `notified_version` on the row says
//! what has been told.

use std::time::Duration;

use schemas::event::Event;
use schemas::{JobId, Tenant};
use storage::names::{Container, QueueName, job_of_pdf_path};
use storage::port::StorageError;

use crate::Engine;
use crate::delivery::Delivery;

/// A blob is written a moment before its job's row says so: reading again soon is cheaper than
/// going through the queue once more.
const SOON: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
];

/// After so many dequeues a job that is not final is left to its own end, which tells anew.
const MAX_DEQUEUES: u32 = 10;

/// Handles one message of the `notifications` queue.
pub(crate) async fn handle(engine: &Engine, delivery: Delivery) {
    let Some((tenant, job_id)) = subject(&delivery.body) else {
        let reason = "not an event about a job or a PDF";
        let queue = &*engine.store.storage().queue;
        let to = QueueName::NotificationsPoison;
        if crate::poison::set_aside(queue, to, &delivery, reason)
            .await
            .is_ok()
        {
            delivery.ack().await;
        }
        return;
    };
    match tell(engine, &tenant, job_id).await {
        Ok(true) => delivery.ack().await,
        Ok(false) if delivery.dequeue_count >= MAX_DEQUEUES => delivery.ack().await,
        Ok(false) => delivery.release(Duration::from_secs(1), None).await,
        Err(e) => {
            tracing::warn!(%job_id, error = &e as &dyn std::error::Error, "the notification for job {job_id} has to wait");
            delivery.release(Duration::from_secs(5), None).await;
        }
    }
}

/// Whose job an event is about.
fn subject(body: &str) -> Option<(Tenant, JobId)> {
    let event: Event = serde_json::from_str(body).ok()?;
    if let Some((container, path)) = event.blob() {
        let is_pdf = Container::from_name(container) == Some(Container::CvPdfs);
        return is_pdf.then(|| job_of_pdf_path(path))?;
    }
    let (tenant, job) = event.job()?;
    Some((Tenant::try_from(tenant.to_owned()).ok()?, job.parse().ok()?))
}

/// Tells of a job that has ended, once. `false`: it has not ended yet.
async fn tell(engine: &Engine, tenant: &Tenant, job_id: JobId) -> Result<bool, StorageError> {
    for pause in SOON {
        let Some(loaded) = engine.store.read(tenant, job_id).await? else {
            return Ok(true);
        };
        let row = &loaded.row;
        if !row.state.is_final() {
            tokio::time::sleep(pause).await;
            continue;
        }
        if row.notified_version >= row.version {
            return Ok(true);
        }
        let (state, version) = (row.status().state, row.version);
        tracing::info!(%job_id, %tenant, ?state, version, "notification: job {job_id} is {state:?}");
        match engine.store.notified(&loaded, version).await {
            Ok(_) => return Ok(true),
            // Somebody else wrote the row: what it says now decides.
            Err(StorageError::Precondition) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_lead_to_their_job_and_others_do_not() {
        let id = "01900000-0000-7000-8000-000000000001";
        let event = |subject: &str| {
            format!(
                r#"{{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"{subject}","time":"2026-01-01T00:00:00Z"}}"#
            )
        };
        let check = |subject_text: &str, found: bool| {
            assert_eq!(
                subject(&event(subject_text)).is_some(),
                found,
                "{subject_text}"
            );
        };
        check(
            &format!("/blobServices/default/containers/cv-pdfs/blobs/acme/{id}.pdf"),
            true,
        );
        check(&format!("/tenants/acme/jobs/{id}"), true);
        check(
            &format!("/blobServices/default/containers/job-inputs/blobs/acme/{id}.pdf"),
            false,
        );
        check("/tenants/Not A Tenant/jobs/1", false);
        assert_eq!(subject("hello"), None);
    }
}
