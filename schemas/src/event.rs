//! Events on the `notifications` queue, in the form of CloudEvents 1.0.
//!
//! [`read`] takes them as Azure Event Grid delivers them: in its own schema or as CloudEvents, one
//! or a batch, as JSON or in base64. What is read is a hint and no more: rows say what is true.

mod read;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use read::{EventError, MOST_EVENTS, read};

/// A CloudEvent (CloudEvents 1.0, structured JSON) as Azure Event Grid delivers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique per source; the same event may come more than once.
    pub id: String,
    /// Where it happened.
    pub source: String,
    /// What happened, see the constants of this type.
    #[serde(rename = "type")]
    pub kind: String,
    /// To what: for a blob `/blobServices/default/containers/{container}/blobs/{path}`,
    /// for a job `/tenants/{tenant}/jobs/{id}`.
    pub subject: String,
    /// When.
    pub time: Timestamp,
    /// Details of the kind.
    #[serde(default)]
    pub data: serde_json::Value,
}

impl Event {
    /// A blob was written.
    pub const BLOB_CREATED: &str = "Microsoft.Storage.BlobCreated";
    /// A job reached a final state or was held.
    pub const JOB_ENDED: &str = "presswork.job.ended";
    /// A job was accepted or begun, and somebody wants to hear of that.
    pub const JOB_CHANGED: &str = "presswork.job.changed";
    /// A session has expired and is about to be removed; its time is that of its expiry.
    pub const SESSION_EXPIRED: &str = "presswork.session.expired";
    /// A delivery to a webhook is due.
    pub const DELIVERY_DUE: &str = "presswork.delivery.due";
    /// Event Grid asks whether a subscription is wanted.
    pub const VALIDATION: &str = "Microsoft.EventGrid.SubscriptionValidationEvent";

    /// Container and path of a blob event's subject.
    pub fn blob(&self) -> Option<(&str, &str)> {
        self.subject
            .strip_prefix("/blobServices/default/containers/")?
            .split_once("/blobs/")
    }

    /// Tenant and job of a job event's subject, as text.
    pub fn job(&self) -> Option<(&str, &str)> {
        self.subject.strip_prefix("/tenants/")?.split_once("/jobs/")
    }

    /// Tenant and session of a session event's subject, as text.
    pub fn session(&self) -> Option<(&str, &str)> {
        let rest = self.subject.strip_prefix("/tenants/")?;
        rest.split_once("/sessions/")
    }

    /// Tenant, endpoint and event of a delivery's subject, as text.
    pub fn delivery(&self) -> Option<(&str, &str, &str)> {
        let rest = self.subject.strip_prefix("/tenants/")?;
        let (tenant, rest) = rest.split_once("/webhooks/")?;
        let (endpoint, event) = rest.split_once("/deliveries/")?;
        Some((tenant, endpoint, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_name_their_blob_or_job() {
        let event = |subject: &str| Event {
            specversion: "1.0".into(),
            id: "1".into(),
            source: "test".into(),
            kind: Event::BLOB_CREATED.into(),
            subject: subject.into(),
            time: Timestamp::UNIX_EPOCH,
            data: serde_json::Value::Null,
        };
        let blob = event("/blobServices/default/containers/cv-pdfs/blobs/acme/x.pdf");
        assert_eq!(blob.blob(), Some(("cv-pdfs", "acme/x.pdf")));
        assert_eq!(blob.job(), None);
        assert_eq!(event("/tenants/acme/jobs/x").job(), Some(("acme", "x")));
        assert_eq!(event("elsewhere").blob(), None);
    }
}
