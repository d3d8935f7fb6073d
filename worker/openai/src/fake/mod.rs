//! A server that speaks the Responses API and can be told to misbehave.
//!
//! It is for tests, for load runs, and for `presswork fake-openai`. It answers with the API's own
//! shapes (a test holds it to the published description), refuses what the API refuses (a schema
//! outside the strict subset, for one), and counts what a provider would bill.
//!
//! | route, below `/v1` and `/openai/v1` | |
//! |---|---|
//! | `POST /responses` | answers as the [`Script`] says |
//! | `GET /responses/{id}` | a stored response (`store` was not false, or `background` was true) |
//! | `POST /responses/{id}/cancel` | cancels one that runs in the background |
//! | `DELETE /responses/{id}` | forgets one |
//!
//! | route | |
//! |---|---|
//! | `GET /_calls` | [`Counters`] as JSON |
//! | `GET /_requests` | the last bodies received, oldest first, as a JSON array |
//! | `GET /_stored` | the responses that are stored, oldest first, as a JSON array |
//! | `POST /_script` | takes a new script, JSON or TOML, and starts at its beginning |
//! | `POST /_reset` | sets all counters to zero, forgets all requests and responses, and starts the script again |
//!
//! **The reply.** By default it satisfies the strict schema that the request carries: if the input
//! is a JSON object with a key `cv`, the fields that the schema asks for are taken from there (or
//! else from the input itself) where they fit, and what is left is filled with the least that the
//! schema permits.
//!
//! It keeps no clock and draws no random numbers: the same requests in the same order get the same
//! answers, but for the real time that a latency takes.

mod answer;
mod counters;
mod latency;
mod respond;
mod routes;
mod script;
mod socket;
mod state;
mod strict;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use counters::Counters;
pub use latency::Latency;
pub use script::{Background, Behaviour, ErrorReply, Moment, Script, ScriptError, Step};
pub use state::Received;

use state::State;

/// A running fake. Dropping it stops it, without waiting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    serving: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Binds `listen` (port 0 picks a free one) and answers from then on, on the Tokio runtime that
    /// this is called in.
    ///
    /// # Errors
    /// The address cannot be bound.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn start(listen: SocketAddr, script: Script) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let listener = socket::Listener(tokio::net::TcpListener::from_std(listener)?);
        let address = listener.0.local_addr()?;
        let stop = CancellationToken::new();
        let state = Arc::new(State::new(script, stop.clone()));
        let app =
            routes::router(state.clone()).into_make_service_with_connect_info::<socket::Line>();
        let serving =
            axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
        Ok(Self {
            address,
            state,
            stop,
            serving: Some(tokio::spawn(async move { serving.await })),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `OPENAI_BASE_URL` should be: `http://ADDRESS/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What `AZURE_OPENAI_ENDPOINT` should be: `http://ADDRESS`.
    pub fn azure_endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has been asked of it so far.
    pub fn counters(&self) -> Counters {
        self.state.counters()
    }

    /// The bodies of the last requests for a response, oldest first.
    pub fn requests(&self) -> Vec<Value> {
        self.received()
            .into_iter()
            .map(|received| received.body)
            .collect()
    }

    /// The last requests for a response, oldest first, with path and headers.
    pub fn received(&self) -> Vec<Received> {
        self.state.received()
    }

    /// The responses that are stored, oldest first, as they are now.
    pub fn stored(&self) -> Vec<Value> {
        self.state.stored()
    }

    /// Takes a new script and starts at its beginning. Requests under way keep their behaviour.
    pub fn set_script(&self, script: Script) {
        self.state.set_script(script);
    }

    /// Does what `POST /_reset` does.
    pub fn reset(&self) {
        self.state.reset();
    }

    /// Stops listening, breaks off the answers that are still waiting, and ends when the last
    /// connection is closed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(serving) = self.serving.take()
            && let Err(error) = serving.await
        {
            tracing::error!(%error, "the fake did not stop in good order");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
