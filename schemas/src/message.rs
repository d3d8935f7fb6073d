//! The body of a message on the `jobs` queue: ids only, never content.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{JobId, Tenant};

/// The version of this message's shape. A worker leaves messages of a later version alone.
pub const SCHEMA: u32 = 1;

/// "Look at this job": everything else stands in the job's row. At most 1 KiB as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobMessage {
    /// The version of this shape, see [`SCHEMA`].
    pub schema: u32,
    /// Whose job it is.
    pub tenant: Tenant,
    /// Which job.
    pub job_id: JobId,
    /// Dequeues that were deliberate waits: they do not count towards the poison limit.
    #[serde(default)]
    pub forgiven: u32,
    /// W3C trace context of the request that submitted the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// Why a message's body is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MessageError {
    /// Not a message of ours: goes to the poison queue.
    #[error("the body is not a job message")]
    Foreign,
    /// A later version: left for a newer worker.
    #[error("the message has schema {0}, which is newer than this worker")]
    Newer(u32),
}

impl JobMessage {
    /// A first message for a job.
    pub fn new(tenant: Tenant, job_id: JobId) -> Self {
        Self {
            schema: SCHEMA,
            tenant,
            job_id,
            forgiven: 0,
            traceparent: None,
        }
    }

    /// The body as sent.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always serialise")
    }

    /// Reads a body. The version is read first, so that a newer shape is not taken for foreign.
    pub fn from_body(body: &str) -> Result<Self, MessageError> {
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        let Version { schema } = serde_json::from_str(body).map_err(|_| MessageError::Foreign)?;
        if schema > SCHEMA {
            return Err(MessageError::Newer(schema));
        }
        serde_json::from_str(body).map_err(|_| MessageError::Foreign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_leaves_newer_and_refuses_foreign() {
        let id = JobId::new(jiff::Timestamp::UNIX_EPOCH, [1; 10]);
        let message = JobMessage::new(Tenant::anonymous(), id);
        assert_eq!(JobMessage::from_body(&message.to_body()), Ok(message));
        let check = |body: &str, want: MessageError| {
            assert_eq!(JobMessage::from_body(body), Err(want), "{body}");
        };
        check(r#"{"schema":2,"jobs":[]}"#, MessageError::Newer(2));
        check(
            r#"{"schema":1,"tenant":"A b","job_id":"x"}"#,
            MessageError::Foreign,
        );
        check("{}", MessageError::Foreign);
        check("", MessageError::Foreign);
        check("hello", MessageError::Foreign);
    }
}
