//! Who edits the text of a job: a model, at most once, or the offline editor.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use openai::{Called, Client, FailureKind, Outcome, Request, Retrieved, Settled, StoredPrompt};
use schemas::job::{Editor as EditorName, JobInput, Usage};
use schemas::{Problem, ProblemKind};
use telemetry::event;

use crate::jobs::{self, Source, StoredReply};

/// Who edits.
pub enum Editor {
    /// A language model.
    Model(Box<Model>),
    /// Deterministic tidying; costs nothing and calls nobody.
    Offline,
}

/// The API of a model's provider.
#[async_trait]
pub trait ModelApi: Send + Sync {
    /// One request, never two; the answer is awaited.
    async fn call(&self, request: &Request) -> Called;
    /// One request, never two; what is taken to be worked on comes back as an outcome that is
    /// ambiguous and has an id.
    async fn submit(&self, request: &Request) -> Called;
    /// What the provider says of a submitted request.
    async fn retrieve(&self, id: &str) -> Retrieved;
    /// Asks the provider to stop work on it.
    async fn cancel(&self, id: &str) -> Retrieved;
    /// Deletes the provider's copy of it. `true`: there is none any more.
    async fn delete(&self, id: &str) -> bool;
}

#[async_trait]
impl ModelApi for Client {
    async fn call(&self, request: &Request) -> Called {
        Self::call(self, request).await
    }

    async fn submit(&self, request: &Request) -> Called {
        Self::submit(self, request).await
    }

    async fn retrieve(&self, id: &str) -> Retrieved {
        Self::retrieve(self, id).await
    }

    async fn cancel(&self, id: &str) -> Retrieved {
        Self::cancel(self, id).await
    }

    async fn delete(&self, id: &str) -> bool {
        Self::delete(self, id).await
    }
}

/// A language model and what it is called with.
pub struct Model {
    /// Where it is called.
    pub api: Arc<dyn ModelApi>,
    /// The provider works on a call in the background: its reply is fetched by its id.
    pub background: bool,
    /// Who provides it, as OpenTelemetry names providers (`gen_ai.provider.name`).
    pub provider: &'static str,
    /// The model's name: part of the content hash.
    pub name: String,
    /// A prompt stored at the provider, in place of ours.
    pub stored_prompt: Option<StoredPrompt>,
    /// The most tokens a reply may have.
    pub max_output_tokens: u32,
    /// How long a call may take, all in all.
    pub timeout: Duration,
    /// How long to wait after a request that was not processed, where the provider does not say.
    pub retry_after: Duration,
}

/// What an edit came to.
#[derive(Debug)]
pub enum Edited {
    /// Something to keep.
    Reply(StoredReply),
    /// The provider works on it, under this id.
    Pending(String),
    /// The request was not processed: nothing was paid.
    NotProcessed {
        /// When to try again.
        after: Duration,
        /// All calls should wait, not only this one.
        pause_all: bool,
    },
    /// The answer is final and of no use.
    Failed {
        /// What the owner reads.
        problem: Problem,
        /// What it cost, if the provider said so.
        usage: Option<Usage>,
        /// The provider refused the request before the model was run.
        unpaid: bool,
    },
    /// Nobody knows whether the model worked.
    Ambiguous(Problem),
}

impl Editor {
    /// The public name.
    pub fn name(&self) -> EditorName {
        match self {
            Self::Model(_) => EditorName::Model,
            Self::Offline => EditorName::Offline,
        }
    }

    /// The model that is asked, if one is.
    pub fn model_name(&self) -> Option<String> {
        match self {
            Self::Model(model) => Some(model.name.clone()),
            Self::Offline => None,
        }
    }

    /// Calls are made in the background of the provider.
    pub fn is_background(&self) -> bool {
        matches!(self, Self::Model(model) if model.background)
    }

    /// Who edits and with which version: part of the content hash.
    pub fn identity(&self) -> String {
        match self {
            Self::Offline => jobs::OFFLINE_VERSION.to_owned(),
            Self::Model(model) => match &model.stored_prompt {
                None => model.name.clone(),
                Some(prompt) => {
                    let version = prompt.version.as_deref().unwrap_or("latest");
                    format!("{} {} {version}", model.name, prompt.id)
                }
            },
        }
    }

    /// The longest time from the begin of a call to its end.
    pub fn timeout(&self) -> Duration {
        match self {
            Self::Model(model) => model.timeout,
            Self::Offline => Duration::ZERO,
        }
    }

    /// Edits once. With a model: one request goes out, and never a second one. The input is let
    /// go before that, since a thousand calls may be out at once and a photo is large.
    pub async fn edit(&self, input: Arc<JobInput>, reference: String) -> Edited {
        match self {
            Self::Offline => Edited::Reply(jobs::edit_offline(&input)),
            Self::Model(model) => model.edit(input, reference).await,
        }
    }

    /// What the provider says of a call in the background.
    pub async fn retrieve(&self, reply_id: &str) -> Retrieved {
        match self {
            Self::Offline => Retrieved::Gone,
            Self::Model(model) => model.api.retrieve(reply_id).await,
        }
    }

    /// Asks the provider to stop work on a call in the background.
    pub async fn cancel(&self, reply_id: &str) -> Retrieved {
        match self {
            Self::Offline => Retrieved::Gone,
            Self::Model(model) => model.api.cancel(reply_id).await,
        }
    }

    /// Reads a settled call of this input.
    pub fn read(&self, settled: Settled, input: &JobInput) -> Edited {
        match self {
            Self::Offline => Edited::Ambiguous(outcome_unknown()),
            Self::Model(model) => {
                let request = jobs::request(input, String::new(), model.max_output_tokens);
                model.edited(settled.outcome(&request.schema.json))
            }
        }
    }

    /// Deletes the provider's copy of a reply. `false`: it may still be there.
    pub async fn forget(&self, reply_id: &str) -> bool {
        match self {
            // It has no key: whoever has one must ask.
            Self::Offline => false,
            Self::Model(model) => model.api.delete(reply_id).await,
        }
    }
}

impl Model {
    async fn edit(&self, input: Arc<JobInput>, reference: String) -> Edited {
        let mut request = jobs::request(&input, reference, self.max_output_tokens);
        drop(input);
        request.stored_prompt.clone_from(&self.stored_prompt);
        let called = if self.background {
            self.api.submit(&request).await
        } else {
            self.api.call(&request).await
        };
        match called.outcome {
            // A copy is kept, and this is its name: whatever happened to the answer, the outcome
            // can be asked for.
            Outcome::Ambiguous(openai::Ambiguity {
                reply_id: Some(id), ..
            }) if self.background => Edited::Pending(id),
            outcome => self.edited(outcome),
        }
    }

    fn edited(&self, outcome: Outcome) -> Edited {
        match outcome {
            Outcome::Reply(reply) => Edited::Reply(StoredReply {
                source: Source::Model,
                json: reply.json,
                usage: Some(usage(reply.model, reply.usage)),
                reply_id: Some(reply.id),
                warnings: Vec::new(),
            }),
            Outcome::NotProcessed(not) => {
                let reason = not.reason;
                tracing::warn!(
                    event = event::MODEL_NOT_PROCESSED,
                    ?reason,
                    "the model did not process the request"
                );
                let after = not.retry_after.unwrap_or(self.retry_after);
                Edited::NotProcessed {
                    after,
                    pause_all: true,
                }
            }
            Outcome::Final(failure) => {
                let kind = &failure.kind;
                tracing::warn!(
                    event = event::MODEL_FAILED,
                    ?kind,
                    "the model gave no usable reply"
                );
                let usage = failure
                    .usage
                    .map(|u| usage(failure.model.clone().unwrap_or_default(), u));
                let unpaid = matches!(kind, FailureKind::Rejected { .. });
                let problem = Problem::new(ProblemKind::ModelFailed, failure.message);
                Edited::Failed {
                    problem,
                    usage,
                    unpaid,
                }
            }
            Outcome::Ambiguous(ambiguity) => {
                let kind = ambiguity.kind;
                tracing::warn!(
                    event = event::MODEL_UNKNOWN,
                    ?kind,
                    "the outcome of the model call is unknown"
                );
                Edited::Ambiguous(outcome_unknown())
            }
        }
    }
}

/// What the owner of a held job reads.
pub(crate) fn outcome_unknown() -> Problem {
    let detail = "The request went to the model, and its outcome could not be learned. It may have \
                  been paid for, so it is not repeated by itself. POST /v1/jobs/{id}/retry agrees to \
                  pay for another call.";
    Problem::new(ProblemKind::OutcomeUnknown, detail)
}

fn usage(model: String, usage: openai::Usage) -> Usage {
    Usage {
        model,
        input_tokens: usage.input_tokens,
        cached_input_tokens: usage.cached_input_tokens,
        output_tokens: usage.output_tokens,
        cost_usd: None,
    }
}
