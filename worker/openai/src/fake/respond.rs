//! Answers one request for a response: properly, or in the way that the script asks for.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::Value;

use super::script::{Behaviour, Moment};
use super::socket::Line;
use super::state::{Received, State, response_id};
use super::{strict, wire};

/// The first second of the clock that the fake pretends to have.
const EPOCH: u64 = 1_750_000_000;

/// The time that the peer gets to read what came before a connection breaks. A reset makes the
/// peer's system throw away what it has not read.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) async fn create(
    state: Arc<State>,
    line: Line,
    received: Received,
    body: Bytes,
) -> Response {
    let request = received.body.clone();
    let _in_flight = state.receive(received);
    if let Some(fault) = strict::fault(&request) {
        state.reject();
        return wire::fault(&fault);
    }
    let turn = state.turn(&request);
    if let Behaviour::Error(error) = &turn.behaviour {
        return match state.wait(turn.latency).await {
            Ok(()) => wire::error(error),
            Err(_) => hang_up(&line),
        };
    }

    // From here on the model is at work, whether or not its answer will arrive.
    let flag = |key: &str| request.get(key).and_then(Value::as_bool);
    let background = flag("background") == Some(true);
    let id = response_id(&body, turn.n);
    let response = wire::response(&request, &turn.behaviour, &id, EPOCH + turn.n);
    let answer = if background {
        wire::unfinished(&response, "queued")
    } else {
        response.clone()
    };
    if flag("store") != Some(false) {
        let times = if background {
            turn.background
        } else {
            (Duration::ZERO, turn.latency)
        };
        state.store(response, background, times);
    }
    if state.wait(turn.latency).await.is_err() {
        return hang_up(&line);
    }
    let json = || Bytes::from(answer.to_string());
    match turn.behaviour {
        Behaviour::Hang => {
            state.wait_for_stop().await;
            hang_up(&line)
        }
        Behaviour::Reset { at } => broken(&json(), at, move || line.reset()),
        Behaviour::Close { at } => broken(&json(), at, move || line.close()),
        Behaviour::Truncated => broken(&json(), Moment::MidBody, move || line.close()),
        Behaviour::NotAResponse => wire::html(StatusCode::OK),
        Behaviour::Oversized { bytes } => oversized(&json(), bytes),
        _ => ([(CONTENT_TYPE, "application/json")], json()).into_response(),
    }
}

/// Closes the connection in place of an answer.
fn hang_up(line: &Line) -> Response {
    line.close();
    StatusCode::OK.into_response()
}

/// Begins an answer and breaks the connection at the moment given.
fn broken(body: &Bytes, at: Moment, break_off: impl FnOnce() + Send + 'static) -> Response {
    let sent = match at {
        Moment::BeforeHeaders => {
            break_off();
            return StatusCode::OK.into_response();
        }
        Moment::AfterHeaders => 0,
        Moment::MidBody => body.len() / 2,
    };
    let begun = stream::iter((sent > 0).then(|| Ok(body.slice(..sent))));
    let rest = stream::once(async move {
        tokio::time::sleep(PAUSE).await;
        break_off();
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CONTENT_LENGTH, body.len().to_string()),
    ];
    (headers, Body::from_stream(begun.chain(rest))).into_response()
}

/// The answer with white space before its end, which JSON permits.
fn oversized(json: &Bytes, bytes: usize) -> Response {
    const CHUNK: usize = 64 << 10;
    let end = json.len() - 1;
    let spaces = Bytes::from(vec![b' '; CHUNK]);
    let parts = std::iter::once(json.slice(..end))
        .chain(std::iter::repeat_n(spaces, bytes.div_ceil(CHUNK)))
        .chain(std::iter::once(json.slice(end..)));
    let body = Body::from_stream(stream::iter(parts.map(Ok::<_, io::Error>)));
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
