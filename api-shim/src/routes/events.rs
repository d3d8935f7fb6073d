//! A job's changes as they happen: server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use schemas::job::State;
use schemas::{JobId, Tenant};
use storage::ambient::random;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::caller::Caller;
use crate::problem::{Answer, Failure};
use crate::routes::path::JobPath;
use crate::streams::Slot;
use crate::view::View;

/// Where a client goes on: the id of the last event that it has.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Proxies of the nginx kind hold back what they pass on unless they are told not to.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A line that says that the stream lives. Clients pass over comments.
const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// The job has been deleted; a client that comes back gets `404`, and stays away.
const DELETED: Bytes = Bytes::from_static(b"event: deleted\ndata: {}\n\n");

/// `GET /v1/jobs/{id}/events`: the job as it is, then again with each change, until its end.
///
/// Events: `state` where the state has changed, `progress` where something else has, `deleted`. Their
/// data is the job as `GET /v1/jobs/{id}` has it, their id counts its changes. Changes that follow one
/// another faster than the row is read are told as one. `204`, which ends a client's tries, where it
/// has the job's end already.
pub(crate) async fn follow(
    Shared(app): Shared<App>,
    caller: Caller,
    JobPath(id): JobPath,
    headers: HeaderMap,
) -> Answer {
    let seen = last_event_id(&headers);
    let loaded = app.jobs.read(&caller.tenant, id).await?;
    let view = View::of(&loaded.ok_or_else(Failure::no_such_job)?.row);
    if view.is_final && seen == Some(view.version) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let slot = app.streams.take(&caller.tenant)?;
    let stream = Stream {
        states: (!view.is_final).then(|| app.watches.follow(&caller.tenant, id, &view)),
        heartbeat: app.settings.stream_heartbeat,
        closing: app.closing.clone(),
        sent: seen.filter(|seen| *seen == view.version),
        state: None,
        begin: Some((retry(&app), view)),
        app,
        tenant: caller.tenant,
        id,
        _slot: slot,
    };
    let stream = futures::stream::unfold(stream, Stream::next);
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/event-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// What cannot be an id of ours is as none: the stream begins with the job as it is.
fn last_event_id(headers: &HeaderMap) -> Option<u32> {
    headers
        .get(LAST_EVENT_ID)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// When clients come back after a stream that broke off: 1 to 3 seconds, so that those of a server
/// that was stopped do not come all at once.
fn retry(app: &App) -> u32 {
    let [byte] = random::<1>(&*app.entropy);
    1_000 + u32::from(byte) * 8
}

/// One open stream.
struct Stream {
    /// `None`: nothing more comes.
    states: Option<watch::Receiver<View>>,
    heartbeat: Duration,
    closing: CancellationToken,
    /// The version that the client has.
    sent: Option<u32>,
    /// The state that the client has, where that is known.
    state: Option<State>,
    /// What comes first: when to come back, and the job as it is.
    begin: Option<(u32, View)>,
    app: App,
    tenant: Tenant,
    id: JobId,
    _slot: Slot,
}

impl Stream {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let bytes = match self.begin.take() {
            Some((retry, view)) => {
                let mut bytes = format!("retry: {retry}\n\n").into_bytes();
                self.state = Some(view.state);
                if self.sent != Some(view.version) {
                    self.sent = Some(view.version);
                    bytes.extend(event("state", &view));
                }
                Bytes::from(bytes)
            }
            None => self.change().await?,
        };
        Some((Ok(bytes), self))
    }

    /// The next thing to say; `None` at the end.
    async fn change(&mut self) -> Option<Bytes> {
        let states = self.states.as_mut()?;
        let sent = self.sent;
        // By version: what the reader read last may be older than what was sent.
        let newer = states.wait_for(|view| sent.is_none_or(|sent| view.version > sent));
        let changed = tokio::select! {
            biased;
            () = self.closing.cancelled() => return None,
            changed = newer => changed.map(|view| view.clone()),
            () = tokio::time::sleep(self.heartbeat) => return Some(HEARTBEAT),
        };
        match changed {
            Ok(view) => Some(self.tell(&view)),
            Err(_) => self.look().await,
        }
    }

    fn tell(&mut self, view: &View) -> Bytes {
        let same = self.state == Some(view.state);
        let name = if same { "progress" } else { "state" };
        if view.is_final {
            self.states = None;
        }
        (self.sent, self.state) = (Some(view.version), Some(view.state));
        event(name, view).into()
    }

    /// Nobody reads the row any more: the job is gone, or storage does not answer. Then the stream
    /// ends, and its client comes back.
    async fn look(&mut self) -> Option<Bytes> {
        self.states = None;
        let loaded = self.app.jobs.read(&self.tenant, self.id).await.ok()?;
        let Some(loaded) = loaded else {
            return Some(DELETED);
        };
        let view = View::of(&loaded.row);
        let newer = self.sent.is_none_or(|sent| view.version > sent);
        newer.then(|| self.tell(&view))
    }
}

/// The JSON of a job has no line breaks, so it is one line of data.
fn event(name: &str, view: &View) -> Vec<u8> {
    let mut event = format!("id: {}\nevent: {name}\ndata: ", view.version).into_bytes();
    event.extend_from_slice(view.body());
    event.extend_from_slice(b"\n\n");
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_ours_are_gone_on_from() {
        let check = |value: &'static str, want: Option<u32>| {
            let mut headers = HeaderMap::new();
            headers.insert(LAST_EVENT_ID, HeaderValue::from_static(value));
            assert_eq!(last_event_id(&headers), want, "{value}");
        };
        check("3", Some(3));
        check(" 3 ", Some(3));
        check("", None);
        check("-1", None);
        check("99999999999", None);
        check("resp_1", None);
        assert_eq!(last_event_id(&HeaderMap::new()), None);
    }
}
