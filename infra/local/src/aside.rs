//! A queue of messages that wait for an operator, who looks at them and puts them back.

use std::time::Duration;

use anyhow::bail;
use storage::jobs::JobStore;
use storage::names::QueueName;
use storage::port::Received;

/// While an operator's command looks at messages, nobody else can: they come back by themselves
/// if it is killed.
const LOOK: Duration = Duration::from_secs(30);

/// The most messages that are looked at in one go.
const MOST: usize = 1_000;

/// Such a queue, and the command that looks at it.
pub(crate) struct Aside {
    pub(crate) store: JobStore,
    pub(crate) name: QueueName,
    pub(crate) command: &'static str,
}

impl Aside {
    /// All messages, oldest first. They are hidden until they are put back.
    pub(crate) async fn take(&self) -> anyhow::Result<Vec<Received>> {
        let queue = &self.store.storage().queue;
        let mut all = Vec::new();
        while all.len() < MOST {
            let messages = queue.receive(self.name, 32, LOOK).await?;
            if messages.is_empty() {
                break;
            }
            all.extend(messages);
        }
        all.sort_by_key(|message| message.inserted_at);
        Ok(all)
    }

    /// The messages that were asked for, and the others.
    pub(crate) async fn select(&self, id: &str) -> anyhow::Result<(Vec<Received>, Vec<Received>)> {
        let all = self.take().await?;
        let wanted = |message: &Received| id == "all" || message.lease.message_id == id;
        let (wanted, others): (Vec<_>, Vec<_>) = all.into_iter().partition(wanted);
        if wanted.is_empty() && id != "all" {
            self.put_back(others).await?;
            bail!(
                "no message {id} on queue {}: `presswork {} list` shows them",
                self.name.as_str(),
                self.command
            );
        }
        Ok((wanted, others))
    }

    pub(crate) async fn put_back(&self, messages: Vec<Received>) -> anyhow::Result<()> {
        let queue = &self.store.storage().queue;
        for message in messages {
            queue
                .extend(self.name, &message.lease, Duration::ZERO, None)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn delete(&self, message: &Received) -> anyhow::Result<()> {
        let queue = &self.store.storage().queue;
        Ok(queue.delete(self.name, &message.lease).await?)
    }
}

/// How many there are, in words.
pub(crate) fn summary(count: usize) -> String {
    match count {
        0 => "nothing is set aside".to_owned(),
        1 => "1 message".to_owned(),
        MOST.. => format!("the first {count} messages; there may be more"),
        n => format!("{n} messages"),
    }
}
