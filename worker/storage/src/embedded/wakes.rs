//! Wakes those who wait for a message.

use tokio::sync::Notify;

use crate::names::QueueName;

/// One bell for each queue.
#[derive(Debug)]
pub(super) struct Wakes(Vec<(QueueName, Notify)>);

impl Default for Wakes {
    fn default() -> Self {
        Self(
            QueueName::ALL
                .into_iter()
                .map(|queue| (queue, Notify::new()))
                .collect(),
        )
    }
}

impl Wakes {
    pub(super) fn of(&self, queue: QueueName) -> &Notify {
        let (_, bell) = self
            .0
            .iter()
            .find(|(name, _)| *name == queue)
            .expect("QueueName::ALL names every queue");
        bell
    }
}
