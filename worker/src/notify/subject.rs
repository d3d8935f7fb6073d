//! What an event is about: a job, a session or a delivery of ours, or nothing.

use jiff::Timestamp;
use schemas::event::Event;
use schemas::session::SessionId;
use schemas::webhook::EventId;
use schemas::{JobId, Tenant};
use storage::names::{Container, job_of_pdf_path};
use storage::webhooks::Target;

/// What a message is about.
#[derive(Debug, PartialEq)]
pub(super) enum Subject {
    /// A job has ended, or its PDF was written.
    Ended(Tenant, JobId),
    /// A job was accepted or begun.
    Changed(Tenant, JobId),
    /// A session has expired, at this time.
    Expired(Tenant, SessionId, Timestamp),
    /// A delivery is due.
    Due(Tenant, Target, EventId),
}

impl Subject {
    /// What an event is about; `None` where it is none of ours.
    pub(super) fn of(event: &Event) -> Option<Self> {
        if let Some((container, path)) = event.blob() {
            let is_pdf = event.kind == Event::BLOB_CREATED
                && Container::from_name(container) == Some(Container::CvPdfs);
            let (tenant, id) = is_pdf.then(|| job_of_pdf_path(path))??;
            return Some(Subject::Ended(tenant, id));
        }
        let named = |tenant: &str| Tenant::try_from(tenant.to_owned()).ok();
        if let Some((tenant, target, id)) = event.delivery() {
            let due = event.kind == Event::DELIVERY_DUE;
            let (target, id) = due.then(|| Some((target.parse().ok()?, id.parse().ok()?)))??;
            return Some(Subject::Due(named(tenant)?, target, id));
        }
        if let Some((tenant, id)) = event.session() {
            let expired = event.kind == Event::SESSION_EXPIRED;
            let id = expired.then(|| id.parse().ok())??;
            return Some(Subject::Expired(named(tenant)?, id, event.time));
        }
        let (tenant, id) = event.job()?;
        let (tenant, id) = (named(tenant)?, id.parse().ok()?);
        match event.kind.as_str() {
            Event::JOB_ENDED => Some(Subject::Ended(tenant, id)),
            Event::JOB_CHANGED => Some(Subject::Changed(tenant, id)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use schemas::event;

    use super::*;

    #[test]
    fn events_lead_to_their_job_or_delivery_and_others_do_not() {
        let id = "01900000-0000-7000-8000-000000000001";
        let check = |kind: &str, about: &str, found: bool| {
            let body = format!(
                r#"{{"specversion":"1.0","id":"1","source":"s","type":"{kind}","subject":"{about}","time":"2026-01-01T00:00:00Z"}}"#
            );
            let events = event::read(&body).unwrap();
            assert_eq!(Subject::of(&events[0]).is_some(), found, "{kind} {about}");
        };
        let blob = |container: &str, path: &str| {
            format!("/blobServices/default/containers/{container}/blobs/{path}")
        };
        let pdf = blob("cv-pdfs", &format!("acme/{id}.pdf"));
        check(Event::BLOB_CREATED, &pdf, true);
        check("Microsoft.Storage.BlobDeleted", &pdf, false);
        check(
            Event::BLOB_CREATED,
            &blob("job-inputs", &format!("acme/{id}.pdf")),
            false,
        );
        check(
            Event::BLOB_CREATED,
            &blob("cv-pdfs", "acme/../x.pdf"),
            false,
        );
        let job = format!("/tenants/acme/jobs/{id}");
        check(Event::JOB_ENDED, &job, true);
        check(Event::JOB_CHANGED, &job, true);
        check("presswork.job.other", &job, false);
        check(Event::JOB_ENDED, "/tenants/Not A Tenant/jobs/1", false);
        let due = "/tenants/acme/webhooks/callback/deliveries/evt_000000000001_x";
        check(Event::DELIVERY_DUE, due, true);
        check(Event::JOB_ENDED, due, false);
        check(
            Event::DELIVERY_DUE,
            "/tenants/acme/webhooks/x/deliveries/evt_000000000001_x",
            false,
        );
    }
}
