//! The queue port on Azure Queue Storage.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::{RequestContent, XmlFormat};
use azure_core::time::OffsetDateTime;
use azure_storage_queue::models::{
    QueueClientGetPropertiesResultHeaders as _, QueueClientPeekMessagesOptions,
    QueueClientReceiveMessagesOptions, QueueClientSendMessageOptions,
    QueueClientUpdateMessageOptions, QueueMessage,
};
use azure_storage_queue::{QueueClient, QueueServiceClient};
use jiff::Timestamp;

use super::failure::{Failure, header};
use super::tries::{Ended, Repeat, Tries};
use crate::limits;
use crate::names::QueueName;
use crate::port::{Lease, Peeked, Queue, Received, Result, StorageError};

type Tried<T> = std::result::Result<T, Failure>;

/// A message never expires (Put Message, `messagettl`).
const NEVER: i32 = -1;

/// The queues of an account.
pub(super) struct Queues {
    tries: Tries,
    /// In the order of [`QueueName::ALL`].
    clients: Vec<QueueClient>,
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("azure::Queues").finish_non_exhaustive()
    }
}

impl Queues {
    pub(super) fn new(service: &QueueServiceClient, tries: Tries) -> azure_core::Result<Self> {
        let clients = QueueName::ALL
            .into_iter()
            .map(|queue| service.queue_client(queue.as_str()));
        Ok(Self {
            tries,
            clients: clients.collect::<azure_core::Result<_>>()?,
        })
    }

    fn client(&self, queue: QueueName) -> &QueueClient {
        let at = QueueName::ALL.into_iter().position(|other| other == queue);
        &self.clients[at.expect("ALL holds all queues")]
    }

    async fn run<T, Op>(
        &self,
        queue: QueueName,
        repeat: Repeat,
        operation: impl Fn() -> Op,
    ) -> std::result::Result<T, Ended>
    where
        Op: Future<Output = Tried<T>>,
    {
        let client = self.client(queue);
        let make = || async {
            match client.create(None).await.map_err(Failure::from) {
                Err(failure) if failure.code() != "QueueAlreadyExists" => Err(failure),
                _ => Ok(()),
            }
        };
        self.tries.run(repeat, operation, make).await
    }
}

#[async_trait]
impl Queue for Queues {
    async fn send(&self, queue: QueueName, body: &str, delay: Duration) -> Result<()> {
        limits::body(body)?;
        limits::delay(delay)?;
        let (client, message) = (self.client(queue), message(body));
        let operation = || async {
            let options = QueueClientSendMessageOptions {
                message_time_to_live: Some(NEVER),
                visibility_timeout: Some(seconds(delay)),
                ..Default::default()
            };
            client.send_message(message.clone(), Some(options)).await?;
            Ok(())
        };
        Ok(self.run(queue, Repeat::Always, operation).await?)
    }

    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: Duration,
    ) -> Result<Vec<Received>> {
        limits::max(max, limits::MESSAGES)?;
        limits::visibility(visibility)?;
        let client = self.client(queue);
        let operation = || async {
            let options = QueueClientReceiveMessagesOptions {
                number_of_messages: i32::try_from(max).ok(),
                visibility_timeout: Some(seconds(visibility)),
                ..Default::default()
            };
            let answer = client.receive_messages(Some(options)).await?.into_model()?;
            answer
                .items
                .unwrap_or_default()
                .into_iter()
                .map(|message| {
                    Ok(Received {
                        lease: Lease {
                            message_id: present(message.message_id, "MessageId")?,
                            receipt: present(message.pop_receipt, "PopReceipt")?,
                        },
                        // An empty element is no text.
                        body: message.message_text.unwrap_or_default(),
                        dequeue_count: count(message.dequeue_count)?,
                        inserted_at: timestamp(message.insertion_time)?,
                    })
                })
                .collect()
        };
        Ok(self.run(queue, Repeat::Always, operation).await?)
    }

    async fn peek(&self, queue: QueueName, max: usize) -> Result<Vec<Peeked>> {
        limits::max(max, limits::MESSAGES)?;
        let client = self.client(queue);
        let operation = || async {
            let options = QueueClientPeekMessagesOptions {
                number_of_messages: i32::try_from(max).ok(),
                ..Default::default()
            };
            let answer = client.peek_messages(Some(options)).await?.into_model()?;
            answer
                .items
                .unwrap_or_default()
                .into_iter()
                .map(|message| {
                    Ok(Peeked {
                        message_id: present(message.message_id, "MessageId")?,
                        body: message.message_text.unwrap_or_default(),
                        dequeue_count: count(message.dequeue_count)?,
                        inserted_at: timestamp(message.insertion_time)?,
                    })
                })
                .collect()
        };
        Ok(self.run(queue, Repeat::Always, operation).await?)
    }

    async fn extend(
        &self,
        queue: QueueName,
        lease: &Lease,
        visibility: Duration,
        body: Option<&str>,
    ) -> Result<Lease> {
        limits::delay(visibility)?;
        body.map_or(Ok(()), limits::body)?;
        let (client, message) = (self.client(queue), body.map(message));
        let operation = || async {
            let options = QueueClientUpdateMessageOptions {
                queue_message: message.clone(),
                ..Default::default()
            };
            let (id, receipt) = (&lease.message_id, &lease.receipt);
            let answer = client
                .update_message(id, receipt, seconds(visibility), Some(options))
                .await?;
            let receipt = header(answer.headers(), "x-ms-popreceipt").map(str::to_owned);
            present(receipt, "x-ms-popreceipt")
        };
        let receipt = self.run(queue, Repeat::IfUntouched, operation).await;
        let receipt = receipt.map_err(stale)?;
        Ok(Lease {
            message_id: lease.message_id.clone(),
            receipt,
        })
    }

    async fn delete(&self, queue: QueueName, lease: &Lease) -> Result<()> {
        let client = self.client(queue);
        let operation = || async {
            client
                .delete_message(&lease.message_id, &lease.receipt, None)
                .await?;
            Ok(())
        };
        match self.run(queue, Repeat::Always, operation).await {
            // Our own earlier try has deleted it: with this receipt nobody else could.
            Err(ended) if ended.after_unclear && ended.failure.code() == "MessageNotFound" => {
                Ok(())
            }
            ended => ended.map_err(stale),
        }
    }

    async fn count(&self, queue: QueueName) -> Result<u64> {
        let client = self.client(queue);
        let operation = || async {
            let answer = client.get_properties(None).await?;
            let count = answer.approximate_messages_count()?;
            let count = count.and_then(|count| u64::try_from(count).ok());
            present(count, "x-ms-approximate-messages-count")
        };
        Ok(self.run(queue, Repeat::Always, operation).await?)
    }

    async fn wait(&self, _queue: QueueName, at_most: Duration) {
        tokio::time::sleep(at_most).await;
    }
}

/// Of an extend or a delete.
fn stale(ended: Ended) -> StorageError {
    match ended.failure.code() {
        "PopReceiptMismatch" => ended.conflict(StorageError::StaleReceipt),
        _ => ended.into(),
    }
}

/// Whole seconds, rounded up: a message must not come back before its time.
fn seconds(time: Duration) -> i32 {
    let up = u64::from(time.subsec_nanos() > 0);
    i32::try_from(time.as_secs() + up).unwrap_or(i32::MAX)
}

/// A message as it is sent. Written here, since a carriage return must be a character reference:
/// XML would make it a line feed (XML 1.0, section 2.11).
fn message(body: &str) -> RequestContent<QueueMessage, XmlFormat> {
    let mut xml = String::with_capacity(body.len() + 64);
    xml.push_str("<QueueMessage><MessageText>");
    for c in body.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\r' => xml.push_str("&#13;"),
            c => xml.push(c),
        }
    }
    xml.push_str("</MessageText></QueueMessage>");
    bytes::Bytes::from(xml).into()
}

fn present<T>(value: Option<T>, what: &str) -> Tried<T> {
    value.ok_or_else(|| Failure::misread(format!("no {what}")))
}

fn count(count: Option<i64>) -> Tried<u32> {
    present(
        count.and_then(|count| u32::try_from(count).ok()),
        "DequeueCount",
    )
}

fn timestamp(time: Option<OffsetDateTime>) -> Tried<Timestamp> {
    let time = time.and_then(|time| Timestamp::from_second(time.unix_timestamp()).ok());
    present(time, "InsertionTime")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_rounded_up() {
        let check = |millis: u64, expect: i32| {
            assert_eq!(
                seconds(Duration::from_millis(millis)),
                expect,
                "{millis} ms"
            );
        };
        check(0, 0);
        check(1, 1);
        check(1_000, 1);
        check(1_001, 2);
        check(7 * 24 * 3_600_000, 604_800);
    }
}
