//! A message of the queue of jobs: what it says is handled, and then it ends in one way.

use std::sync::Arc;
use std::time::Duration;

use openai::Retrieved;
use schemas::message::{JobMessage, MessageError, QueueMessage, ReplyMessage, forgive_newer};
use storage::names::QueueName;

use crate::attempt::Disposition;
use crate::delivery::Delivery;
use crate::handling::Handling;
use crate::worker::Engine;
use crate::{failpoints, poison, reference, watch};

/// First pause before a hint of the provider is looked at again; each further one is twice as long.
const HINT_PAUSE: Duration = Duration::from_secs(5);

/// Handles one message.
pub(crate) async fn handle(engine: Arc<Engine>, delivery: Delivery) {
    match QueueMessage::from_body(&delivery.body) {
        Ok(QueueMessage::Job(message)) => {
            let handling = Handling::run(&engine, &message, &delivery, None);
            let disposition = watch::job(&*engine.clock, &message, handling).await;
            dispose(delivery, disposition, QueueMessage::Job(message)).await;
        }
        Ok(QueueMessage::Reply(hint)) => handle_reply(&engine, hint, delivery).await,
        Err(MessageError::Newer(schema)) => {
            tracing::info!(
                schema,
                "a message of a newer schema is left for a newer worker"
            );
            let body = forgive_newer(&delivery.body, delivery.dequeue_count);
            let after = engine.settings.lease.visibility;
            delivery.release(after, body.as_deref()).await;
        }
        Err(e @ MessageError::Foreign) => {
            let (queue, to) = (&*engine.store.storage().queue, QueueName::JobsPoison);
            if poison::set_aside(queue, to, &delivery, &e.to_string())
                .await
                .is_ok()
            {
                delivery.ack().await;
            }
        }
    }
}

/// A response is done, the provider's webhook says: it is fetched, and the job that it names goes
/// on. Ids of nobody's jobs are passed over.
async fn handle_reply(engine: &Engine, hint: ReplyMessage, delivery: Delivery) {
    let id = &hint.response_id;
    let counted = delivery.dequeue_count.saturating_sub(hint.forgiven);
    // How often a hint came back says nothing of its job: it must not make the job poison.
    if counted > engine.settings.rules.max_dequeues {
        tracing::warn!(
            reply_id = id,
            "the provider's hint at response {id} is given up"
        );
        return delivery.ack().await;
    }
    let found = match engine.editor.retrieve(id).await {
        Retrieved::Settled(settled) => settled.reference().and_then(reference::read),
        Retrieved::Gone => None,
        // A hint that comes too early, or an API that is away. Where the reply's id was lost this
        // hint is the only one, so it is given some minutes.
        Retrieved::Pending | Retrieved::Unclear(_) => {
            let doubled = 1 << counted.saturating_sub(1).min(10);
            return delivery.release(HINT_PAUSE * doubled, None).await;
        }
    };
    let Some((tenant, job_id)) = found else {
        tracing::debug!("a webhook named a response that is none of ours");
        return delivery.ack().await;
    };
    let mut message = JobMessage::new(tenant, job_id);
    message.forgiven = hint.forgiven;
    let handling = Handling::run(engine, &message, &delivery, Some(id.clone()));
    let disposition = watch::job(&*engine.clock, &message, handling).await;
    dispose(delivery, disposition, QueueMessage::Reply(hint)).await;
}

/// Ends a handling. A deliberate wait is written into the message.
async fn dispose(delivery: Delivery, disposition: Disposition, message: QueueMessage) {
    match disposition {
        Disposition::Delete => {
            failpoints::before(failpoints::DELETE_MESSAGE);
            delivery.ack().await;
            failpoints::after(failpoints::DELETE_MESSAGE);
        }
        Disposition::Release { after, forgiven } => {
            let body = forgiven.then(|| message.forgive(delivery.dequeue_count));
            failpoints::before(failpoints::RELEASE_MESSAGE);
            delivery.release(after, body.as_deref()).await;
            failpoints::after(failpoints::RELEASE_MESSAGE);
        }
    }
}
