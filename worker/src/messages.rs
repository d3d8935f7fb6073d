//! A message of the queue of jobs: what it says is handled, and then it ends in one way.

use std::sync::Arc;
use std::time::Duration;

use openai::Retrieved;
use schemas::message::{JobMessage, MessageError, QueueMessage, ReplyMessage, forgive_newer};
use storage::names::QueueName;

use crate::attempt::Disposition;
use crate::handling::Handling;
use crate::leased::Leased;
use crate::worker::Engine;
use crate::{failpoints, poison, reference, watch};

/// First pause before a hint of the provider is looked at again; each further one is twice as long.
const HINT_PAUSE: Duration = Duration::from_secs(5);

/// Handles one message.
pub(crate) async fn handle(engine: Arc<Engine>, leased: Leased) {
    match QueueMessage::from_body(&leased.body) {
        Ok(QueueMessage::Job(message)) => {
            let handling = Handling::run(&engine, &message, &leased, None);
            let disposition = watch::job(&*engine.clock, &message, handling).await;
            dispose(leased, disposition, QueueMessage::Job(message)).await;
        }
        Ok(QueueMessage::Reply(hint)) => handle_reply(&engine, hint, leased).await,
        Err(MessageError::Newer(schema)) => {
            tracing::info!(
                schema,
                "a message of a newer schema is left for a newer worker"
            );
            let body = forgive_newer(&leased.body, leased.dequeue_count);
            let after = engine.settings.lease.visibility;
            leased.release(after, body.as_deref()).await;
        }
        Err(e @ MessageError::Foreign) => {
            let (queue, to) = (&*engine.store.storage().queue, QueueName::JobsPoison);
            if poison::set_aside(queue, to, &leased, &e.to_string())
                .await
                .is_ok()
            {
                leased.ack().await;
            }
        }
    }
}

/// A response is done, the provider's webhook says: it is fetched, and the job that it names goes
/// on. Ids of nobody's jobs are passed over.
async fn handle_reply(engine: &Engine, hint: ReplyMessage, leased: Leased) {
    let id = &hint.response_id;
    let counted = leased.dequeue_count.saturating_sub(hint.forgiven);
    // How often a hint came back says nothing of its job: it must not make the job poison.
    if counted > engine.settings.rules.max_dequeues {
        tracing::warn!(
            reply_id = id,
            "the provider's hint at response {id} is given up"
        );
        return leased.ack().await;
    }
    let found = match engine.editor.retrieve(id).await {
        Retrieved::Settled(settled) => settled.reference().and_then(reference::read),
        Retrieved::Gone => None,
        // A hint that comes too early, or an API that is away. Where the reply's id was lost this
        // hint is the only one, so it is given some minutes.
        Retrieved::Pending | Retrieved::Unclear(_) => {
            let doubled = 1 << counted.saturating_sub(1).min(10);
            return leased.release(HINT_PAUSE * doubled, None).await;
        }
    };
    let Some((tenant, job_id)) = found else {
        tracing::debug!("a webhook named a response that is none of ours");
        return leased.ack().await;
    };
    let mut message = JobMessage::new(tenant, job_id);
    message.forgiven = hint.forgiven;
    let handling = Handling::run(engine, &message, &leased, Some(id.clone()));
    let disposition = watch::job(&*engine.clock, &message, handling).await;
    dispose(leased, disposition, QueueMessage::Reply(hint)).await;
}

/// Ends a handling. A deliberate wait is written into the message.
async fn dispose(leased: Leased, disposition: Disposition, message: QueueMessage) {
    match disposition {
        Disposition::Delete => {
            failpoints::before(failpoints::DELETE_MESSAGE);
            leased.ack().await;
            failpoints::after(failpoints::DELETE_MESSAGE);
        }
        Disposition::Release { after, forgiven } => {
            let body = forgiven.then(|| message.forgive(leased.dequeue_count));
            failpoints::before(failpoints::RELEASE_MESSAGE);
            leased.release(after, body.as_deref()).await;
            failpoints::after(failpoints::RELEASE_MESSAGE);
        }
    }
}
