//! Reading events in the forms in which Event Grid delivers them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Event;

/// Most events in one batch; Event Grid sends 5,000 at most.
pub const MOST_EVENTS: usize = 5_000;

/// Larger bodies are not looked at. A delivery of Event Grid is at most 1 MB.
const LARGEST: usize = 1_500_000;

/// Senders differ over padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a body holds no events.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EventError {
    /// Over the limit.
    #[error("the body is larger than an event can be")]
    TooLarge,
    /// Neither JSON nor JSON in base64.
    #[error("the body is neither JSON nor JSON in base64")]
    NotJson,
    /// An empty batch, or one of too many.
    #[error("a batch holds 1 to {MOST_EVENTS} events")]
    Batch,
    /// JSON, but no event.
    #[error(
        "event {0} is neither a CloudEvent 1.0 nor one in Event Grid's schema: it lacks a member \
         that every event has, or has it in another form"
    )]
    Foreign(usize),
}

/// Reads the events of a body: a CloudEvent 1.0 (structured JSON) or one in Event Grid's own
/// schema, or an array of either, as JSON or in base64. All of them, or an error.
pub fn read(body: &str) -> Result<Vec<Event>, EventError> {
    if body.len() > LARGEST {
        return Err(EventError::TooLarge);
    }
    let text = body.trim_start_matches('\u{feff}').trim();
    let value: Value = if text.starts_with(['{', '[']) {
        serde_json::from_str(text).map_err(|_| EventError::NotJson)?
    } else {
        let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let bytes = BASE64.decode(plain).map_err(|_| EventError::NotJson)?;
        serde_json::from_slice(&bytes).map_err(|_| EventError::NotJson)?
    };
    let events = match value {
        Value::Array(events) => events,
        event @ Value::Object(_) => vec![event],
        _ => return Err(EventError::NotJson),
    };
    if events.is_empty() || events.len() > MOST_EVENTS {
        return Err(EventError::Batch);
    }
    let read = |(at, event)| one(event).ok_or(EventError::Foreign(at));
    events.into_iter().enumerate().map(read).collect()
}

/// CloudEvents 1.0, section 3.1: subject and time are optional, and so is data.
#[derive(Deserialize)]
struct CloudEvent {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    subject: String,
    time: Option<Timestamp>,
    #[serde(default)]
    data: Value,
}

/// Event Grid's own schema.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GridEvent {
    id: String,
    #[serde(default)]
    topic: String,
    subject: String,
    event_type: String,
    event_time: Timestamp,
    #[serde(default)]
    data: Value,
}

fn one(value: Value) -> Option<Event> {
    let event = if value.get("specversion").is_some() {
        let event: CloudEvent = serde_json::from_value(value).ok()?;
        if event.specversion != "1.0" {
            return None;
        }
        Event {
            specversion: event.specversion,
            id: event.id,
            source: event.source,
            kind: event.kind,
            subject: event.subject,
            time: event.time.unwrap_or(Timestamp::UNIX_EPOCH),
            data: event.data,
        }
    } else {
        let event: GridEvent = serde_json::from_value(value).ok()?;
        Event {
            specversion: "1.0".to_owned(),
            id: event.id,
            source: event.topic,
            kind: event.event_type,
            subject: event.subject,
            time: event.event_time,
            data: event.data,
        }
    };
    (!event.id.is_empty() && !event.kind.is_empty()).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &str = "/blobServices/default/containers/cv-pdfs/blobs/acme/x.pdf";

    fn cloud() -> String {
        format!(
            r#"{{"source":"/subscriptions/0/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/a",
            "subject":"{SUBJECT}","type":"Microsoft.Storage.BlobCreated","time":"2026-11-21T08:00:00.1234567Z",
            "id":"1","data":{{"api":"PutBlob","url":"https://a.blob.core.windows.net/cv-pdfs/acme/x.pdf"}},
            "specversion":"1.0"}}"#
        )
    }

    fn grid() -> String {
        format!(
            r#"{{"topic":"/subscriptions/0","subject":"{SUBJECT}","eventType":"Microsoft.Storage.BlobCreated",
            "eventTime":"2026-11-21T08:00:00Z","id":"1","data":{{}},"dataVersion":"","metadataVersion":"1"}}"#
        )
    }

    #[test]
    fn events_come_in_two_schemas_alone_or_in_batches_plain_or_in_base64() {
        let check = |body: &str, count: usize| {
            let events = read(body).unwrap();
            assert_eq!(events.len(), count, "{body}");
            for event in events {
                assert_eq!(event.kind, Event::BLOB_CREATED);
                assert_eq!(event.blob(), Some(("cv-pdfs", "acme/x.pdf")));
            }
        };
        let (cloud, grid) = (cloud(), grid());
        check(&cloud, 1);
        check(&grid, 1);
        check(&format!("\u{feff} [{cloud},{grid}]\n"), 2);
        check(&BASE64.encode(&cloud), 1);
        let wrapped = BASE64.encode(format!("[{grid}]"));
        check(&format!("{}\r\n{}", &wrapped[..40], &wrapped[40..]), 1);
        check(wrapped.trim_end_matches('='), 1);
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let check = |body: &str, want: EventError| {
            assert_eq!(read(body).unwrap_err(), want, "{body}");
        };
        check("", EventError::NotJson);
        check("hello", EventError::NotJson);
        check("7", EventError::NotJson);
        check(&BASE64.encode("7"), EventError::NotJson);
        check(&BASE64.encode([0xff, 0xfe]), EventError::NotJson);
        check(&"[".repeat(10_000), EventError::NotJson);
        check("[]", EventError::Batch);
        check("{}", EventError::Foreign(0));
        check(&format!("[{},7]", grid()), EventError::Foreign(1));
        check(
            &cloud().replace("\"1.0\"", "\"0.3\""),
            EventError::Foreign(0),
        );
        check(
            &cloud().replace("\"id\":\"1\"", "\"id\":\"\""),
            EventError::Foreign(0),
        );
        check(&grid().replace("eventTime", "when"), EventError::Foreign(0));
        check(&" ".repeat(LARGEST + 1), EventError::TooLarge);
        let many = vec![grid(); MOST_EVENTS + 1].join(",");
        let many = read(&format!("[{many}]"));
        assert!(matches!(
            many,
            Err(EventError::TooLarge | EventError::Batch)
        ));
    }
}
