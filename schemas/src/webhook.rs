//! Webhooks: what a tenant subscribes to, what it is told, and what became of each delivery.

mod id;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::job::{DocumentName, JobKind, State};
use crate::{FieldError, JobId, ProblemKind};

pub use id::{EventId, InvalidId, WebhookId};

/// Most metadata entries of a filter.
pub const MOST_FILTERS: usize = 16;
/// The longest URL that is taken, in bytes.
pub const LONGEST_URL: usize = 2_048;
/// The longest description, in characters.
pub const LONGEST_DESCRIPTION: usize = 256;

macro_rules! event_types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What a webhook can be told of.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        pub enum EventType {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl EventType {
            /// All of them, in the order of this file.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it goes over the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

event_types! {
    /// A job was accepted.
    JobQueued = "job.queued";
    /// A job was begun: its model is called.
    JobRunning = "job.running";
    /// A job has its documents.
    JobSucceeded = "job.succeeded";
    /// A job ended without a document.
    JobFailed = "job.failed";
    /// A job was stopped by its owner.
    JobCancelled = "job.cancelled";
    /// A job was not begun in time.
    JobExpired = "job.expired";
    /// A job is held: what became of its model call is unknown.
    JobOutcomeUnknown = "job.outcome_unknown";
    /// A job's documents were stored.
    DocumentCreated = "document.created";
    /// A session was removed after its time.
    SessionExpired = "session.expired";
    /// A webhook was disabled, because its endpoint is gone or failed for days.
    WebhookDisabled = "webhook.disabled";
    /// Sent on request, to this webhook alone.
    WebhookTest = "webhook.test";
}

impl EventType {
    /// The event of a job's state.
    pub fn of_state(state: State) -> Self {
        match state {
            State::Queued => Self::JobQueued,
            State::Running => Self::JobRunning,
            State::Succeeded => Self::JobSucceeded,
            State::Failed => Self::JobFailed,
            State::Cancelled => Self::JobCancelled,
            State::Expired => Self::JobExpired,
            State::OutcomeUnknown => Self::JobOutcomeUnknown,
        }
    }
}

/// `POST /v1/webhooks`: where to, and of what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CreateWebhook {
    /// Where events are posted: `https`, at most 2,048 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// In place of `url`: events are not posted but kept for the caller to fetch from the list of
    /// deliveries. Such a webhook is gone after a day without a fetch.
    pub pull: bool,
    /// Of what; empty is everything.
    pub events: Vec<EventType>,
    /// Only of jobs whose metadata has all of these entries. Events of no job have none.
    pub metadata: BTreeMap<String, String>,
    /// The caller's own note, at most 256 characters.
    pub description: Option<String>,
    /// A secret of the caller's own: `whsec_` and 24 to 64 bytes in base64. By default one is drawn.
    pub secret: Option<String>,
}

/// `PATCH /v1/webhooks/{id}`: what to change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeWebhook {
    /// See [`CreateWebhook::url`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// See [`CreateWebhook::events`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<EventType>>,
    /// See [`CreateWebhook::metadata`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// See [`CreateWebhook::description`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `false` stops it; `true` starts it again, also after it was disabled for its failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A webhook as its owner sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where events are posted; absent where they are fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Events are kept to be fetched.
    pub pull: bool,
    /// Of what it is told; empty is everything.
    pub events: Vec<EventType>,
    /// Only of jobs with these labels.
    pub metadata: BTreeMap<String, String>,
    /// Its owner's note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether events are delivered.
    pub enabled: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// Since when every delivery has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it is gone, unless its deliveries are fetched before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The signing secret: in the answers to create and to rotate only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Until when the secret before it signs too, after a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<Timestamp>,
}

/// Why and when a webhook was disabled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disabled {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: DisabledReason,
    /// The same in words.
    pub note: String,
}

/// Why a webhook was disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// Its owner did it.
    Owner,
    /// Its endpoint answered 410.
    Gone,
    /// Every delivery failed for days.
    Failing,
}

/// `GET /v1/webhooks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookPage {
    /// The webhooks of this page, by id.
    pub webhooks: Vec<Webhook>,
    /// Give this as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The secret that signs what is sent to the `callback_url` of jobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallbackSecret {
    /// `whsec_` and base64.
    pub secret: String,
    /// Until when the secret before it signs too, after a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<Timestamp>,
}

/// One event on its way to one webhook. There is one for each pair, and its id is the event's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDelivery {
    /// The event's id, and the header `webhook-id` of every attempt.
    pub id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Where it stands.
    pub state: DeliveryState,
    /// Where to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it happened.
    pub created_at: Timestamp,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// Why it ended, where no attempt says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The very bytes that are posted, as text.
    pub request_body: String,
    /// The last attempts, oldest first.
    pub attempts: Vec<DeliveryAttempt>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried, now or later.
    Pending,
    /// The endpoint answered 2xx.
    Succeeded,
    /// It was given up; it stands in the dead-letter queue.
    Failed,
    /// It waits to be fetched, for a webhook without URL.
    Kept,
}

/// One attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryAttempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// The status of the answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was none, in a word: such as `timeout`, `refused_address`, `connect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The first KB of the answer's body as text; what is no text is replaced.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub response: String,
}

/// `GET /v1/webhooks/{id}/deliveries`: newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryPage {
    /// The deliveries of this page.
    pub deliveries: Vec<WebhookDelivery>,
    /// Give this as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `POST /v1/webhooks/{id}/redeliver`: which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeliverSince {
    /// Events from this time on.
    pub since: Timestamp,
    /// Events up to this time; by default all that follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Also those that have succeeded.
    #[serde(default)]
    pub succeeded_too: bool,
}

/// What a redelivery of many came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Redelivered {
    /// Deliveries that will be tried again.
    pub redelivered: u64,
    /// There are older ones in the range: ask again with this as `until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_until: Option<Timestamp>,
}

/// What is posted: a CloudEvent 1.0 (structured JSON). Thin: ids, states and links, never content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// Always `1.0`.
    pub specversion: String,
    /// The event's id, the same in every attempt and for every webhook.
    pub id: EventId,
    /// Always `/presswork`.
    pub source: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// To what: `jobs/{id}`, `sessions/{id}` or `webhooks/{id}`.
    pub subject: String,
    /// When.
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// The details.
    pub data: NotificationData,
}

impl Notification {
    /// An event.
    pub fn new(
        id: EventId,
        kind: EventType,
        subject: String,
        time: Timestamp,
        data: NotificationData,
    ) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id,
            source: "/presswork".to_owned(),
            kind,
            subject,
            time,
            datacontenttype: "application/json".to_owned(),
            data,
        }
    }
}

/// The details of a notification, by its type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum NotificationData {
    /// Of `job.*` and `document.created`.
    Job(Box<JobFacts>),
    /// Of `session.expired`.
    Session {
        /// The session.
        session_id: String,
    },
    /// Of `webhook.disabled` and `webhook.test`.
    Webhook {
        /// The webhook.
        webhook_id: WebhookId,
        /// Why it was disabled.
        #[serde(skip_serializing_if = "Option::is_none")]
        disabled: Option<Disabled>,
    },
}

/// What is told of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobFacts {
    /// The job.
    pub job_id: JobId,
    /// What it makes.
    pub kind: JobKind,
    /// Its state when this happened.
    pub state: State,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Why it failed or is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ProblemKind>,
    /// Its documents, without the names of files, which may name a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentFacts>,
    /// Its owner's labels.
    pub metadata: BTreeMap<String, String>,
    /// Where to go from here; relative to the server.
    pub links: FactLinks,
}

/// Links of a told job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FactLinks {
    /// The job.
    #[serde(rename = "self")]
    pub this: String,
    /// Its main document, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// One document of a told job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentFacts {
    /// What it is.
    pub name: DocumentName,
    /// Where to fetch it.
    pub link: String,
    /// Its media type.
    pub media_type: String,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

impl CreateWebhook {
    /// Limits that the types cannot say. The URL itself is judged by the outgoing guard.
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = Faults::default();
        if self.pull == self.url.is_some() {
            let message = "Send url, or pull: true to fetch the events yourself.";
            faults.add(
                "url",
                if self.pull { "conflict" } else { "missing" },
                message,
            );
        }
        faults.common(
            self.url.as_deref(),
            &self.events,
            &self.metadata,
            self.description.as_deref(),
        );
        faults.0
    }
}

impl ChangeWebhook {
    /// Limits that the types cannot say.
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = Faults::default();
        let (none, empty) = (Vec::new(), BTreeMap::new());
        faults.common(
            self.url.as_deref(),
            self.events.as_ref().unwrap_or(&none),
            self.metadata.as_ref().unwrap_or(&empty),
            self.description.as_deref(),
        );
        faults.0
    }
}

#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, path: &str, code: &str, message: &str) {
        self.0.push(FieldError {
            path: path.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
            ..FieldError::default()
        });
    }

    fn over(&mut self, path: &str, size: usize, limit: usize, unit: &str) {
        if size > limit {
            self.0.push(FieldError {
                path: path.to_owned(),
                code: "too_long".to_owned(),
                message: format!("{path} has {size} {unit}, at most {limit} are taken"),
                current_value: Some(size as u64),
                limit: Some(limit as u64),
                excess: Some((size - limit) as u64),
                suggestion: None,
            });
        }
    }

    fn common(
        &mut self,
        url: Option<&str>,
        events: &[EventType],
        metadata: &BTreeMap<String, String>,
        description: Option<&str>,
    ) {
        self.over("url", url.map_or(0, str::len), LONGEST_URL, "bytes");
        self.over("events", events.len(), EventType::ALL.len(), "entries");
        if events.contains(&EventType::WebhookTest) {
            let message = "webhook.test is sent on request alone and cannot be subscribed to.";
            self.add("events", "invalid_value", message);
        }
        self.over("metadata", metadata.len(), MOST_FILTERS, "entries");
        for (name, value) in metadata.iter().take(MOST_FILTERS) {
            self.over("metadata names", name.chars().count(), 64, "characters");
            self.over("metadata values", value.chars().count(), 256, "characters");
        }
        let description = description.map_or(0, |text| text.chars().count());
        self.over(
            "description",
            description,
            LONGEST_DESCRIPTION,
            "characters",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_has_a_url_or_is_fetched_from() {
        let check = |json: &str, want: &[&str]| {
            let create: CreateWebhook = serde_json::from_str(json).unwrap();
            let codes: Vec<_> = create
                .faults()
                .into_iter()
                .map(|fault| fault.code)
                .collect();
            assert_eq!(codes, want, "{json}");
        };
        check(r#"{"url":"https://example.com"}"#, &[]);
        check(r#"{"pull":true,"events":["job.failed"]}"#, &[]);
        check("{}", &["missing"]);
        check(
            r#"{"url":"https://example.com","pull":true}"#,
            &["conflict"],
        );
        check(
            r#"{"pull":true,"events":["webhook.test"]}"#,
            &["invalid_value"],
        );
        let long = format!(
            r#"{{"url":"https://{}","description":"{}"}}"#,
            "x".repeat(2_048),
            "é".repeat(257)
        );
        check(&long, &["too_long", "too_long"]);
        assert!(serde_json::from_str::<CreateWebhook>(r#"{"events":["job.done"]}"#).is_err());
        assert!(serde_json::from_str::<CreateWebhook>(r#"{"link":"x"}"#).is_err());
    }

    #[test]
    fn types_have_the_names_that_json_gives_them() {
        for kind in EventType::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
