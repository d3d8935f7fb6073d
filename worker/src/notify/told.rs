//! Which events the row of a job comes to, and what is posted of each. Thin: ids, states, links and
//! the owner's labels, never text of a document, nor the name of a file, which may name a person.
//!
//! Pure, and made of what the row keeps: whoever tells of the same row again tells the same events.

use jiff::Timestamp;
use schemas::job::{Links, State};
use schemas::session::SessionId;
use schemas::webhook::{
    DocumentFacts, EventId, EventType, FactLinks, JobFacts, Notification, NotificationData,
};
use storage::jobs::JobRow;
use storage::webhooks::{Told, WebhookRow};

/// That a job was accepted, and that it was begun, as far as the row still knows.
pub(super) fn beginnings(row: &JobRow) -> Vec<Told> {
    let job = row.id;
    let id = EventId::new(row.created_at, &format!("{job}_queued"));
    let queued = of_job(row, id, State::Queued, row.created_at);
    let running = row.call.as_ref().map(|call| {
        let what = format!("{job}_running_{}", row.attempt);
        of_job(row, EventId::new(call.at, &what), State::Running, call.at)
    });
    std::iter::once(queued).chain(running).collect()
}

/// How a job ended, and that its documents are there if they are. Of a job that is final.
pub(super) fn ends(row: &JobRow) -> Vec<Told> {
    let (at, version) = (row.updated_at, row.version);
    let state = row.status().state;
    let kind = EventType::of_state(state);
    let word = kind.as_str().trim_start_matches("job.");
    let id = EventId::new(at, &format!("{}_{word}_{version}", row.id));
    let ended = of_job(row, id, state, at);
    let document = row.result.is_some().then(|| {
        let id = EventId::new(at, &format!("{}_document_{version}", row.id));
        let data = NotificationData::Job(Box::new(facts(row, state)));
        let subject = format!("jobs/{}", row.id);
        Told {
            traceparent: row.traceparent.clone(),
            ..told(id, EventType::DocumentCreated, subject, at, data)
        }
    });
    document.into_iter().chain([ended]).collect()
}

/// That a session has expired.
pub(super) fn session_expired(id: SessionId, at: Timestamp) -> Told {
    let data = NotificationData::Session {
        session_id: id.to_string(),
    };
    let event = EventId::new(at, &format!("{id}_expired"));
    let subject = format!("sessions/{id}");
    told(event, EventType::SessionExpired, subject, at, data)
}

/// That a webhook was disabled.
pub(super) fn disabled(row: &WebhookRow, at: Timestamp) -> Told {
    let what = format!("{}_disabled_{}", row.id, row.disabled_count);
    let data = NotificationData::Webhook {
        webhook_id: row.id.clone(),
        disabled: row.disabled.clone(),
    };
    let subject = format!("webhooks/{}", row.id);
    let event = EventId::new(at, &what);
    told(event, EventType::WebhookDisabled, subject, at, data)
}

fn of_job(row: &JobRow, id: EventId, state: State, at: Timestamp) -> Told {
    let data = NotificationData::Job(Box::new(facts(row, state)));
    let kind = EventType::of_state(state);
    Told {
        traceparent: row.traceparent.clone(),
        ..told(id, kind, format!("jobs/{}", row.id), at, data)
    }
}

fn facts(row: &JobRow, state: State) -> JobFacts {
    let links = Links::of(row.id);
    let result = row.result.as_ref().filter(|_| state.is_final());
    let documents = result.map_or(&[][..], |result| &result.documents);
    JobFacts {
        job_id: row.id,
        kind: row.kind,
        state,
        created_at: row.created_at,
        error: row
            .error
            .as_ref()
            .filter(|_| state.is_final())
            .map(|problem| problem.kind),
        documents: documents
            .iter()
            .map(|document| DocumentFacts {
                name: document.name,
                link: document.link.clone(),
                media_type: document.media_type.clone(),
                size_bytes: document.size_bytes,
                sha256: document.sha256.clone(),
            })
            .collect(),
        metadata: row.metadata.clone(),
        links: FactLinks {
            this: links.this,
            result: result.map(|_| links.result),
        },
    }
}

fn told(
    id: EventId,
    kind: EventType,
    subject: String,
    at: Timestamp,
    data: NotificationData,
) -> Told {
    let notification = Notification::new(id.clone(), kind, subject, at, data);
    let body = serde_json::to_string(&notification).expect("a notification is always JSON");
    Told {
        id,
        kind,
        at,
        body,
        traceparent: None,
    }
}
