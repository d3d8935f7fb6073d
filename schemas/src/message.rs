//! The bodies of messages on the `jobs` queue: ids only, never content.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{JobId, Tenant};

/// The version of [`JobMessage`]'s shape.
pub const SCHEMA: u32 = 1;

/// The version of [`ReplyMessage`]'s shape, and the latest that this program knows. A worker
/// leaves messages of a later version alone.
pub const REPLY_SCHEMA: u32 = 2;

/// The longest id of a response that is passed on, in bytes.
pub const LONGEST_RESPONSE_ID: usize = 256;

/// "Look at this job": everything else stands in the job's row. At most 1 KiB as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobMessage {
    /// The version of this shape, see [`SCHEMA`].
    pub schema: u32,
    /// Whose job it is.
    pub tenant: Tenant,
    /// Which job.
    pub job_id: JobId,
    /// Dequeues up to the last deliberate wait: only those after it count towards the poison limit.
    #[serde(default)]
    pub forgiven: u32,
    /// W3C trace context of the request that submitted the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// "The model's provider says that this response is done": the provider's webhook, passed on.
///
/// It is a hint from outside: a worker fetches the response and learns from it whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplyMessage {
    /// The version of this shape, see [`REPLY_SCHEMA`].
    pub schema: u32,
    /// The provider's id, of at most [`LONGEST_RESPONSE_ID`] bytes.
    pub response_id: String,
    /// Dequeues up to the last deliberate wait: only those after it count towards giving up.
    #[serde(default)]
    pub forgiven: u32,
}

/// Any message on the `jobs` queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueMessage {
    /// Look at a job.
    Job(JobMessage),
    /// A response is done.
    Reply(ReplyMessage),
}

/// Why a message's body is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MessageError {
    /// Not a message of ours: goes to the poison queue.
    #[error("the body is not a message of ours")]
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
        match QueueMessage::from_body(body)? {
            QueueMessage::Job(message) => Ok(message),
            QueueMessage::Reply(_) => Err(MessageError::Foreign),
        }
    }
}

impl ReplyMessage {
    /// A message for a response.
    pub fn new(response_id: String) -> Self {
        Self {
            schema: REPLY_SCHEMA,
            response_id,
            forgiven: 0,
        }
    }

    /// The body as sent.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always serialise")
    }
}

impl QueueMessage {
    /// The same with all its dequeues so far forgiven, as sent.
    pub fn forgive(self, dequeue_count: u32) -> String {
        match self {
            Self::Job(message) => JobMessage {
                forgiven: dequeue_count,
                ..message
            }
            .to_body(),
            Self::Reply(message) => ReplyMessage {
                forgiven: dequeue_count,
                ..message
            }
            .to_body(),
        }
    }

    /// Reads a body. The version is read first, so that a newer shape is not taken for foreign.
    pub fn from_body(body: &str) -> Result<Self, MessageError> {
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        let Version { schema } = serde_json::from_str(body).map_err(|_| MessageError::Foreign)?;
        let message = match schema {
            SCHEMA => serde_json::from_str(body).map(Self::Job),
            REPLY_SCHEMA => serde_json::from_str(body).map(Self::Reply),
            0 => return Err(MessageError::Foreign),
            newer => return Err(MessageError::Newer(newer)),
        };
        message.map_err(|_| MessageError::Foreign)
    }
}

/// The body of a message of a later version as a worker puts it back that does not know it: all its
/// dequeues so far are forgiven, so that waiting for a newer worker does not count as failing. `None`
/// for a body that has no such counter to be.
pub fn forgive_newer(body: &str, dequeue_count: u32) -> Option<String> {
    let mut message: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(body).ok()?;
    let forgiven = message.entry("forgiven").or_insert(0.into());
    *forgiven = forgiven.is_u64().then_some(dequeue_count)?.into();
    serde_json::to_string(&message).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_leaves_newer_and_refuses_foreign() {
        let id = JobId::new(jiff::Timestamp::UNIX_EPOCH, [1; 10]);
        let message = JobMessage::new(Tenant::anonymous(), id);
        assert_eq!(JobMessage::from_body(&message.to_body()), Ok(message));
        let reply = ReplyMessage::new("x".repeat(LONGEST_RESPONSE_ID));
        assert!(reply.to_body().len() < 1024);
        let read = QueueMessage::from_body(&reply.to_body());
        assert_eq!(read, Ok(QueueMessage::Reply(reply)));
        // As workers of before put it.
        let bare = QueueMessage::from_body(r#"{"schema":2,"response_id":"resp_1"}"#);
        let expect = QueueMessage::Reply(ReplyMessage::new("resp_1".to_owned()));
        assert_eq!(bare, Ok(expect.clone()));
        let forgiven = r#"{"schema":2,"response_id":"resp_1","forgiven":3}"#;
        assert_eq!(expect.forgive(3), forgiven);
        let check = |body: &str, want: MessageError| {
            assert_eq!(JobMessage::from_body(body), Err(want), "{body}");
        };
        check(r#"{"schema":3,"jobs":[]}"#, MessageError::Newer(3));
        check(r#"{"schema":0,"jobs":[]}"#, MessageError::Foreign);
        check(
            r#"{"schema":2,"response_id":"resp_1"}"#,
            MessageError::Foreign,
        );
        check(r#"{"schema":2,"response_id":7}"#, MessageError::Foreign);
        check(
            r#"{"schema":1,"tenant":"A b","job_id":"x"}"#,
            MessageError::Foreign,
        );
        check("{}", MessageError::Foreign);
        check("", MessageError::Foreign);
        check("hello", MessageError::Foreign);
    }

    #[test]
    fn a_newer_message_is_put_back_with_its_dequeues_forgiven() {
        let check = |body: &str, want: Option<&str>| {
            assert_eq!(forgive_newer(body, 5).as_deref(), want, "{body}");
        };
        check(
            r#"{"a":[1],"schema":9}"#,
            Some(r#"{"a":[1],"forgiven":5,"schema":9}"#),
        );
        check(
            r#"{"forgiven":4,"schema":9}"#,
            Some(r#"{"forgiven":5,"schema":9}"#),
        );
        check(r#"{"forgiven":"x","schema":9}"#, None);
        check("[]", None);
    }
}
