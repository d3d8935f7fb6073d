//! Who edits the text of a job: a model, at most once, or the offline editor.

use std::sync::Arc;
use std::time::Duration;

use openai::{Client, FailureKind, Outcome, StoredPrompt};
use schemas::job::{Editor as EditorName, JobInput, Usage};
use schemas::{Problem, ProblemKind};

use crate::jobs::{self, Source, StoredReply};

/// Who edits.
pub enum Editor {
    /// A language model.
    Model(Box<Model>),
    /// Deterministic tidying; costs nothing and calls nobody.
    Offline,
}

/// A language model and what it is called with.
pub struct Model {
    /// Makes one request, never two.
    pub client: Client,
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
}

impl Model {
    async fn edit(&self, input: Arc<JobInput>, reference: String) -> Edited {
        let mut request = jobs::request(&input, reference, self.max_output_tokens);
        drop(input);
        request.stored_prompt.clone_from(&self.stored_prompt);
        let called = self.client.call(&request).await;
        match called.outcome {
            Outcome::Reply(reply) => Edited::Reply(StoredReply {
                source: Source::Model,
                json: reply.json,
                usage: Some(usage(reply.model, reply.usage)),
                reply_id: Some(reply.id),
                warnings: Vec::new(),
            }),
            Outcome::NotProcessed(not) => {
                let reason = not.reason;
                tracing::warn!(?reason, "the model did not process the request");
                let after = not.retry_after.unwrap_or(self.retry_after);
                Edited::NotProcessed {
                    after,
                    pause_all: true,
                }
            }
            Outcome::Final(failure) => {
                let kind = &failure.kind;
                tracing::warn!(?kind, "the model gave no usable reply");
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
                tracing::warn!(?kind, "the outcome of the model call is unknown");
                Edited::Ambiguous(outcome_unknown())
            }
        }
    }
}

/// What the owner of a held job reads.
pub(crate) fn outcome_unknown() -> Problem {
    let detail = "The request went to the model, and its outcome could not be learned. It may have \
                  been paid for, so it is not repeated by itself. Submit the job again to pay for \
                  another call.";
    Problem::new(ProblemKind::OutcomeUnknown, detail)
}

fn usage(model: String, usage: openai::Usage) -> Usage {
    Usage {
        model,
        input_tokens: usage.input_tokens,
        cached_input_tokens: usage.cached_input_tokens,
        output_tokens: usage.output_tokens,
    }
}
