//! The client: one call, one request.

use std::time::Duration;

use async_openai::error::OpenAIError;
use reqwest::header::HeaderValue;

use crate::classify::lost;
use crate::endpoint::Endpoint;
use crate::envelope::Envelope;
use crate::once::{Once, Stopped};
use crate::outcome::{AmbiguityKind, Called, Outcome};
use crate::request::Request;
use crate::settings::{Provider, Settings, SettingsError};

/// An idle connection is not used again after this time. Providers and the gateways on the way
/// close theirs after a minute or more; a request sent into a connection that is just being closed
/// would be lost without anyone knowing whether it arrived.
const IDLE: Duration = Duration::from_secs(15);

/// Calls the model. Cheap to clone; clones share one pool of connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    api: async_openai::Client<Endpoint>,
    endpoint: Endpoint,
    model: String,
}

impl Client {
    /// Checks the settings and prepares the connection pool. Nothing is sent.
    ///
    /// The proxy variables of the environment are not followed: a proxy answers 502 and 504 in the
    /// model's place, for requests that it did and did not pass on.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let endpoint = Endpoint::new(&settings.provider)?;
        if settings.timeout.is_zero() {
            return Err(SettingsError::Timeout);
        }
        let agent =
            HeaderValue::from_str(&settings.user_agent).map_err(|_| SettingsError::UserAgent)?;
        let http = reqwest::Client::builder()
            .user_agent(agent)
            .timeout(settings.timeout)
            .connect_timeout(settings.connect_timeout.min(settings.timeout / 2))
            .pool_idle_timeout(IDLE)
            .retry(reqwest::retry::never())
            // A 307 or 308 would send the same request once more, to another place.
            .redirect(reqwest::redirect::Policy::none())
            // One request to a connection: a broken one takes no other call with it.
            .http1_only()
            .no_proxy()
            .build()
            .map_err(SettingsError::Http)?;
        let model = match settings.provider {
            Provider::OpenAi { .. } => settings.model,
            Provider::Azure { deployment, .. } => deployment,
        };
        Ok(Self {
            api: async_openai::Client::build(http.clone(), endpoint.clone()),
            http,
            endpoint,
            model,
        })
    }

    /// Sends one request and says what came of it, within [`Settings::timeout`].
    ///
    /// A future that is dropped may have sent its request: take that for
    /// [`Outcome::Ambiguous`].
    pub async fn call(&self, request: &Request) -> Called {
        self.send(request, false).await
    }

    /// Submits one request that the provider works on in the background, within
    /// [`Settings::timeout`].
    ///
    /// What was taken comes back as [`Outcome::Ambiguous`] with a reply id: from then on the
    /// outcome can be learned by [`Client::retrieve`]. Only without an id is it lost. An answer
    /// that is settled already comes as it is.
    pub async fn submit(&self, request: &Request) -> Called {
        self.send(request, true).await
    }

    async fn send(&self, request: &Request, background: bool) -> Called {
        // `async-openai` retries by default. Its executor is replaced here and nowhere else, so
        // there is no client that could be used without this.
        let once = Once::new(self.http.clone());
        let api = self.api.clone().with_http_service(once.clone());
        let outcome = match api
            .responses()
            .create_byot::<_, Envelope>(request.body(&self.model, background))
            .await
        {
            Ok(envelope) => envelope.outcome(&request.schema.json),
            Err(error) => ended(error),
        };
        let aside = once.aside();
        tracing::debug!(
            outcome = outcome.name(),
            request_id = aside.request_id.as_deref(),
            "the model was called"
        );
        Called {
            outcome,
            rate_limits: aside.rate_limits,
            request_id: aside.request_id,
        }
    }
}

impl Client {
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

fn ended(error: OpenAIError) -> Outcome {
    match error {
        OpenAIError::Boxed(error) => match error.downcast::<Stopped>() {
            Ok(stopped) => stopped.0,
            Err(_) => lost(AmbiguityKind::Unreadable, None),
        },
        // Every error on the way to and from the provider comes as the one above. The library's
        // own would mean that this crate misunderstands it: then the safe reading is the one that
        // permits no second call.
        _ => lost(AmbiguityKind::Unreadable, None),
    }
}
