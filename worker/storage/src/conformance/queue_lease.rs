//! Leases: hidden messages, receipts old and new.

use std::time::Duration;

use super::harness::{Harness, LONG, unique};
use crate::names::QueueName;
use crate::port::{Lease, StorageError};

const QUEUE: QueueName = QueueName::JobsPoison;
const ZERO: Duration = Duration::ZERO;

pub(super) async fn leased_messages_are_hidden(h: &Harness) {
    let tag = unique();
    h.queue().send(QUEUE, &tag, ZERO).await.unwrap();
    let taken = h.take(QUEUE, &tag, 1, LONG).await;
    assert!(!h.sees(QUEUE, &tag).await);
    let more = h.queue().receive(QUEUE, 32, LONG).await.unwrap();
    assert!(!more.iter().any(|message| message.body.starts_with(&tag)));
    h.delete_all(QUEUE, &more).await;
    h.delete_all(QUEUE, &taken).await;
}

pub(super) async fn expired_leases_end_with_the_next_receive(h: &Harness) {
    let tag = unique();
    for name in ["extended", "deleted", "received again"] {
        h.queue()
            .send(QUEUE, &format!("{tag} {name}"), ZERO)
            .await
            .unwrap();
    }
    let taken = h.take(QUEUE, &tag, 3, h.short).await;
    let lease = |name: &str| -> Lease {
        let message = taken.iter().find(|message| message.body.ends_with(name));
        message.expect(name).lease.clone()
    };
    tokio::time::sleep(h.short * 2).await;
    let extended = h
        .queue()
        .extend(QUEUE, &lease("extended"), LONG, None)
        .await
        .unwrap();
    h.queue().delete(QUEUE, &lease("deleted")).await.unwrap();

    let again = h.take_one(QUEUE, &tag, LONG).await;
    assert_eq!(again.body, format!("{tag} received again"));
    let before = taken
        .iter()
        .find(|m| m.body == again.body)
        .expect("taken before");
    assert_eq!(again.dequeue_count, before.dequeue_count + 1);
    let old = lease("received again");
    assert_eq!(again.lease.message_id, old.message_id);
    assert_ne!(again.lease.receipt, old.receipt);
    assert_error!(
        h.queue().delete(QUEUE, &old).await,
        StorageError::StaleReceipt
    );
    assert_error!(
        h.queue().extend(QUEUE, &old, LONG, None).await,
        StorageError::StaleReceipt
    );
    h.queue().delete(QUEUE, &again.lease).await.unwrap();
    h.queue().delete(QUEUE, &extended).await.unwrap();
}

pub(super) async fn extending_gives_a_new_receipt(h: &Harness) {
    let tag = unique();
    h.queue().send(QUEUE, &tag, ZERO).await.unwrap();
    let mut lease = h.take_one(QUEUE, &tag, LONG).await.lease;
    for _ in 0..3 {
        let old = lease;
        lease = h.queue().extend(QUEUE, &old, LONG, None).await.unwrap();
        assert_eq!(lease.message_id, old.message_id);
        assert_ne!(lease.receipt, old.receipt);
        assert_error!(
            h.queue().extend(QUEUE, &old, ZERO, None).await,
            StorageError::StaleReceipt
        );
        assert_error!(
            h.queue().delete(QUEUE, &old).await,
            StorageError::StaleReceipt
        );
        assert!(!h.sees(QUEUE, &tag).await, "still hidden");
    }
    h.queue().delete(QUEUE, &lease).await.unwrap();
}

pub(super) async fn extending_to_zero_shows_the_message(h: &Harness) {
    let tag = unique();
    h.queue().send(QUEUE, &tag, ZERO).await.unwrap();
    let first = h.take_one(QUEUE, &tag, LONG).await;
    let shown = h
        .queue()
        .extend(QUEUE, &first.lease, ZERO, None)
        .await
        .unwrap();
    assert!(h.sees(QUEUE, &tag).await);
    let second = h.take_one(QUEUE, &tag, LONG).await;
    assert_eq!(second.dequeue_count, 2);
    assert_eq!(second.inserted_at, first.inserted_at);
    assert_eq!(
        second.body, first.body,
        "an extend without a body keeps the old one"
    );
    assert_error!(
        h.queue().delete(QUEUE, &shown).await,
        StorageError::StaleReceipt
    );
    h.queue().delete(QUEUE, &second.lease).await.unwrap();
}

pub(super) async fn extending_can_replace_the_body(h: &Harness) {
    let tag = unique();
    h.queue().send(QUEUE, &tag, ZERO).await.unwrap();
    let lease = h.take_one(QUEUE, &tag, LONG).await.lease;
    let body = format!("{tag} <&'\"> \u{1f600}");
    let old = lease.clone();
    let lease = h
        .queue()
        .extend(QUEUE, &lease, LONG, Some(&body))
        .await
        .unwrap();
    let stale = h.queue().extend(QUEUE, &old, ZERO, Some("lost")).await;
    assert_error!(stale, StorageError::StaleReceipt);
    h.queue().extend(QUEUE, &lease, ZERO, None).await.unwrap();
    let message = h.take_one(QUEUE, &tag, LONG).await;
    assert_eq!(message.body, body);
    h.queue().delete(QUEUE, &message.lease).await.unwrap();
}

pub(super) async fn deleted_messages_are_gone(h: &Harness) {
    let tag = unique();
    h.queue().send(QUEUE, &tag, ZERO).await.unwrap();
    let lease = h.take_one(QUEUE, &tag, LONG).await.lease;
    h.queue().delete(QUEUE, &lease).await.unwrap();
    assert_error!(
        h.queue().delete(QUEUE, &lease).await,
        StorageError::NotFound
    );
    assert_error!(
        h.queue().extend(QUEUE, &lease, LONG, None).await,
        StorageError::NotFound
    );
    assert!(!h.sees(QUEUE, &tag).await);
}
