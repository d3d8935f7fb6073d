//! The rows of webhooks and deliveries.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemas::webhook::{
    DeliveryAttempt, DeliveryState, Disabled, EventId, EventType, InvalidId, Webhook,
    WebhookDelivery, WebhookId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::jobs::UnreadableRow;
use crate::jobs::row::{decode, encode, json_text};
use crate::names::webhook_row::CALLBACK;
use crate::port::{Properties, Result, StorageError};

/// The version of the rows of this table. A program leaves those of a later version alone.
pub(super) const SCHEMA: u32 = 1;

/// Attempts that a delivery remembers. As JSON one takes some 120 UTF-16 units beside what it quotes,
/// so that all of them fit one column, which holds 32 Ki.
const REMEMBERED: usize = 12;
/// UTF-16 units, as JSON, of an attempt's answer: ordinary text of 1 KB stays whole.
const ANSWER: usize = 2_000;
/// The same of why there was none.
const REASON: usize = 500;

/// UTF-16 units of what is posted that stand in one column; the rest stands in a second one. A job's
/// labels alone may fill one.
const COLUMN: usize = 24 << 10;

/// Where a delivery goes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// To a webhook.
    Webhook(WebhookId),
    /// To a URL that a job brought with it.
    Callback,
}

impl Target {
    /// As keys and paths have it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Webhook(id) => id.as_str(),
            Self::Callback => CALLBACK,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Target {
    type Err = InvalidId;

    fn from_str(text: &str) -> std::result::Result<Self, InvalidId> {
        if text == CALLBACK {
            return Ok(Self::Callback);
        }
        text.parse().map(Self::Webhook)
    }
}

impl TryFrom<String> for Target {
    type Error = InvalidId;

    fn try_from(text: String) -> std::result::Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.as_str().to_owned()
    }
}

/// A webhook.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookRow {
    /// The version of this shape.
    pub schema: u32,
    /// Its id.
    pub id: WebhookId,
    /// Where to; `None`: events are kept to be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of what; empty is everything.
    #[serde(default, with = "json_text")]
    pub events: Vec<EventType>,
    /// Only of jobs with these labels.
    #[serde(default, with = "json_text")]
    pub metadata: BTreeMap<String, String>,
    /// Its owner's note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What signs.
    pub secret: String,
    /// What signs too, after a rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_secret: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its owner, or a disabling, last changed it.
    pub updated_at: Timestamp,
    /// Nothing is delivered, and why.
    #[serde(default, with = "json_text", skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// How often it was disabled.
    #[serde(default)]
    pub disabled_count: u32,
    /// Since when every delivery has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// When it is gone; of those without URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl WebhookRow {
    /// Whether it is to hear of an event. `metadata` are the labels of the event's job.
    pub fn wants(&self, kind: EventType, metadata: &BTreeMap<String, String>) -> bool {
        let labelled = |(name, value): (&String, &String)| metadata.get(name) == Some(value);
        self.disabled.is_none()
            && (self.events.is_empty() || self.events.contains(&kind))
            && self.metadata.iter().all(labelled)
    }

    /// The secrets that sign at a time, the present one first.
    pub fn secrets(&self, now: Timestamp) -> Vec<&str> {
        let old = self.old_secret.as_deref();
        let old = old.filter(|_| self.old_secret_until.is_some_and(|until| until > now));
        std::iter::once(self.secret.as_str()).chain(old).collect()
    }

    /// As its owner sees it, without the secret.
    pub fn shown(&self, now: Timestamp) -> Webhook {
        Webhook {
            id: self.id.clone(),
            url: self.url.clone(),
            pull: self.url.is_none(),
            events: self.events.clone(),
            metadata: self.metadata.clone(),
            description: self.description.clone(),
            enabled: self.disabled.is_none(),
            disabled: self.disabled.clone(),
            failing_since: self.failing_since,
            created_at: self.created_at,
            updated_at: self.updated_at,
            expires_at: self.expires_at,
            secret: None,
            old_secret_until: self.old_secret_until.filter(|until| *until > now),
        }
    }

    pub(super) fn lives(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|until| until > now)
    }
}

impl fmt::Debug for WebhookRow {
    /// Without secrets, and without the URL, which may hold one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRow")
            .field("id", &self.id)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

/// One event on its way to one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// The version of this shape.
    pub schema: u32,
    /// Where to.
    pub target: Target,
    /// Which event.
    pub event: EventId,
    /// What happened.
    pub kind: EventType,
    /// When.
    pub at: Timestamp,
    /// The URL, where the target is a job's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The very bytes to post.
    pub body: String,
    /// W3C trace context of the request that it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it was begun, or begun anew.
    pub begun_at: Timestamp,
    /// Attempts since then: the schedule counts them.
    pub tries: u32,
    /// When it is tried next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// When the reconciler is to look at it: the time of its due marker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Why it ended, where no attempt says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The last attempts.
    #[serde(default, with = "json_text", skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<DeliveryAttempt>,
}

impl DeliveryRow {
    /// Remembers an attempt, with as much of its answer as there is room for. One that is remembered
    /// already changes nothing: `false`.
    pub fn attempted(&mut self, attempt: DeliveryAttempt) -> bool {
        let attempt = shortened(attempt);
        if self.attempts.contains(&attempt) {
            return false;
        }
        // Those of a row of before may be longer.
        let before = std::mem::take(&mut self.attempts).into_iter();
        self.attempts = before.map(shortened).chain([attempt]).collect();
        if self.attempts.len() > REMEMBERED {
            self.attempts.remove(0);
        }
        self.tries += 1;
        true
    }

    /// As the webhook's owner sees it.
    pub fn shown(&self) -> WebhookDelivery {
        WebhookDelivery {
            id: self.event.clone(),
            kind: self.kind,
            state: self.state,
            url: self.url.clone(),
            created_at: self.at,
            next_attempt_at: self.next_at,
            note: self.note.clone(),
            request_body: self.body.clone(),
            attempts: self.attempts.clone(),
        }
    }
}

pub(super) fn webhook(properties: Properties) -> Result<WebhookRow> {
    check_schema(&properties)?;
    decode(properties)
}

pub(super) fn delivery(mut properties: Properties) -> Result<DeliveryRow> {
    check_schema(&properties)?;
    let more = properties.remove(MORE);
    if let (Some(Value::String(body)), Some(Value::String(more))) = (properties.get_mut(BODY), more)
    {
        body.push_str(&more);
    }
    decode(properties)
}

/// The columns of a delivery.
pub(super) fn encode_delivery(row: &DeliveryRow) -> Result<Properties> {
    let mut properties = encode(row)?;
    if let Some(Value::String(body)) = properties.get_mut(BODY) {
        let end = prefix(body, COLUMN, char::len_utf16);
        if end < body.len() {
            let more = body.split_off(end);
            properties.insert(MORE.to_owned(), more.into());
        }
    }
    Ok(properties)
}

/// The column of what is posted, and the one of what has no room there.
const BODY: &str = "body";
const MORE: &str = "body_more";

fn shortened(mut attempt: DeliveryAttempt) -> DeliveryAttempt {
    // As JSON escapes.
    let units = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf16(),
    };
    let response = &mut attempt.response;
    response.truncate(prefix(response, ANSWER, units));
    if let Some(error) = &mut attempt.error {
        error.truncate(prefix(error, REASON, units));
    }
    attempt
}

/// The length in bytes of the longest beginning of a text that takes at most so many units.
fn prefix(text: &str, most: usize, units: impl Fn(char) -> usize) -> usize {
    let mut taken = 0;
    let mut over = text.char_indices().filter(|(_, c)| {
        taken += units(*c);
        taken > most
    });
    over.next().map_or(text.len(), |(at, _)| at)
}

fn check_schema(properties: &Properties) -> Result<()> {
    let schema = properties.get("schema").and_then(Value::as_u64);
    if schema.is_some_and(|schema| schema > u64::from(SCHEMA)) {
        return Err(StorageError::unavailable(UnreadableRow::Newer));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> DeliveryRow {
        let at: Timestamp = "2026-11-21T10:00:00.123Z".parse().unwrap();
        DeliveryRow {
            schema: SCHEMA,
            target: Target::Callback,
            event: EventId::new(at, "a"),
            kind: EventType::JobSucceeded,
            at,
            url: None,
            body: "{}".to_owned(),
            traceparent: None,
            state: DeliveryState::Pending,
            begun_at: at,
            tries: 0,
            next_at: None,
            due: None,
            note: None,
            attempts: Vec::new(),
        }
    }

    fn units(columns: &Properties, name: &str) -> usize {
        let text = columns.get(name).and_then(Value::as_str);
        text.map_or(0, |text| text.encode_utf16().count())
    }

    #[test]
    fn attempts_fit_their_column_whatever_the_endpoint_answers() {
        let check = |answer: &str, error: &str, kept: usize| {
            let mut row = row();
            for n in 0..20 {
                let attempt = DeliveryAttempt {
                    at: row.at,
                    duration_ms: u64::MAX - n,
                    status: Some(500),
                    error: Some(error.to_owned()),
                    response: answer.to_owned(),
                };
                assert!(row.attempted(attempt.clone()));
                // Its acknowledgement was lost.
                assert!(!row.attempted(attempt));
                let columns = encode_delivery(&row).unwrap();
                let taken = units(&columns, "attempts");
                assert!(taken <= 32 << 10, "{taken} units of {answer:.20?}");
            }
            assert_eq!((row.tries, row.attempts.len()), (20, REMEMBERED));
            assert_eq!(row.attempts[11].response.len(), kept, "{answer:.20?}");
        };
        check("", "refused: HTTP 500", 0);
        // What is ordinary stays whole.
        check(&"{\"error\": \"no\"}\n".repeat(60), "", 960);
        check(&"\u{20ac}".repeat(341), "", 1_023);
        // As a control character is shown, and as it is.
        check(&"\\u{1}".repeat(1_024), "refused: HTTP 500", 1_666);
        check(&"\u{1}".repeat(1_024), &"\u{1}".repeat(300), 333);
        check(&"\"".repeat(1_024), &"\\".repeat(300), 1_000);
        check(&"\u{1f600}".repeat(2_000), &"x".repeat(3_000), 4_000);
    }

    #[test]
    fn what_is_posted_may_be_longer_than_a_column() {
        let check = |body: String, more: usize| {
            let row = DeliveryRow { body, ..row() };
            let columns = encode_delivery(&row).unwrap();
            assert!(units(&columns, BODY) <= 32 << 10);
            assert_eq!(units(&columns, MORE), more);
            assert_eq!(delivery(columns).unwrap(), row);
        };
        check("{}".to_owned(), 0);
        check("x".repeat(COLUMN), 0);
        check("x".repeat(40_000), 40_000 - COLUMN);
        check("\u{1f600}".repeat(15_000), 30_000 - COLUMN);
    }
}
