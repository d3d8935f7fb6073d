//! Sending, receiving, looking and counting.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinSet;

use super::harness::{Harness, LONG, PATIENCE, Stopwatch, unique};
use crate::names::QueueName;
use crate::port::StorageError;

const QUEUE: QueueName = QueueName::Jobs;
const ZERO: Duration = Duration::ZERO;

pub(super) async fn bodies_come_back_unchanged(h: &Harness) {
    let tag = unique();
    let full = format!("{tag}{}", "x".repeat((48 << 10) - tag.len()));
    let two_byte = format!("{tag}{}", "\u{e9}".repeat(((48 << 10) - tag.len()) / 2));
    let mut bodies = vec![full, two_byte];
    for end in [
        "",
        " ",
        "  spaces at both ends  ",
        r#"{"a":"b","quote":"\"'"}"#,
        "<a href='x'>&amp; ]]> &#10;</a>",
        "line\nfeed\ttab\r\nreturn\r",
        "Zo\u{eb} \u{5d0}\u{5d1} \u{1f600} \u{e000} %41 \u{200b}",
        "aGVsbG8=",
    ] {
        bodies.push(format!("{tag}{end}"));
    }
    for body in &bodies {
        h.queue().send(QUEUE, body, ZERO).await.unwrap();
    }
    let taken = h.take(QUEUE, &tag, bodies.len(), LONG).await;
    let mut came: Vec<_> = taken.iter().map(|message| message.body.clone()).collect();
    came.sort();
    bodies.sort();
    assert_eq!(came, bodies);
    let ids: std::collections::BTreeSet<_> = taken.iter().map(|m| &m.lease.message_id).collect();
    assert_eq!(ids.len(), bodies.len(), "each message has an id of its own");
    for message in &taken {
        assert_eq!(message.dequeue_count, 1);
        let age = taken[0]
            .inserted_at
            .duration_since(message.inserted_at)
            .unsigned_abs();
        assert!(
            age <= PATIENCE,
            "put within this case, by the store's clock"
        );
    }
    h.delete_all(QUEUE, &taken).await;
}

pub(super) async fn illegal_messages_are_refused(h: &Harness) {
    let tag = unique();
    let before = h.queue().count(QUEUE).await.unwrap();
    for end in [
        "\0",
        "\u{1}",
        "\u{b}",
        "\u{1b}[0m",
        "\u{7f}",
        "\u{85}",
        "\u{fffe}",
        "\u{ffff}",
    ] {
        let body = format!("{tag}{end}");
        assert_error!(
            h.queue().send(QUEUE, &body, ZERO).await,
            StorageError::Invalid(_)
        );
    }
    let large = format!("{tag}{}", "x".repeat((48 << 10) + 1 - tag.len()));
    assert_error!(
        h.queue().send(QUEUE, &large, ZERO).await,
        StorageError::Invalid(_)
    );
    let week = Duration::from_hours(7 * 24);
    let late = week + Duration::from_secs(1);
    assert_error!(
        h.queue().send(QUEUE, &tag, late).await,
        StorageError::Invalid(_)
    );
    assert_eq!(
        h.queue().count(QUEUE).await.unwrap(),
        before,
        "nothing was sent"
    );

    for max in [0, 33] {
        assert_error!(
            h.queue().receive(QUEUE, max, LONG).await,
            StorageError::Invalid(_)
        );
        assert_error!(h.queue().peek(QUEUE, max).await, StorageError::Invalid(_));
    }
    for visibility in [ZERO, late] {
        assert_error!(
            h.queue().receive(QUEUE, 1, visibility).await,
            StorageError::Invalid(_)
        );
    }

    h.queue().send(QUEUE, &tag, ZERO).await.unwrap();
    let lease = h.take_one(QUEUE, &tag, LONG).await.lease;
    let extend = async |visibility, body| h.queue().extend(QUEUE, &lease, visibility, body).await;
    assert_error!(extend(late, None).await, StorageError::Invalid(_));
    assert_error!(extend(LONG, Some("\0")).await, StorageError::Invalid(_));
    assert_error!(
        extend(LONG, Some(large.as_str())).await,
        StorageError::Invalid(_)
    );
    let lease = extend(week, Some(&tag)).await.unwrap();
    h.queue().delete(QUEUE, &lease).await.unwrap();
}

pub(super) async fn delayed_messages_come_later(h: &Harness) {
    let tag = unique();
    let watch = Stopwatch::start();
    h.queue().send(QUEUE, &tag, h.short * 3).await.unwrap();
    let count = h.queue().count(QUEUE).await.unwrap();
    assert!(count >= 1, "a delayed message counts");
    let taken = h.take(QUEUE, &tag, 1, LONG).await;
    // Whole seconds may be cut.
    assert!(
        watch.elapsed() >= h.short * 2,
        "after {:?}",
        watch.elapsed()
    );
    assert_eq!(taken[0].dequeue_count, 1, "not delivered before");
    h.delete_all(QUEUE, &taken).await;
}

pub(super) async fn peek_takes_nothing(h: &Harness) {
    let tag = unique();
    h.queue()
        .send(QUEUE, &format!("{tag}'\u{1f600}"), ZERO)
        .await
        .unwrap();
    for _ in 0..2 {
        let peeked = h.queue().peek(QUEUE, 32).await.unwrap();
        let message = peeked
            .iter()
            .find(|m| m.body.starts_with(&tag))
            .expect("visible");
        assert_eq!(message.body, format!("{tag}'\u{1f600}"));
        assert_eq!(message.dequeue_count, 0);
    }
    let peeked = h.queue().peek(QUEUE, 32).await.unwrap();
    let taken = h.take_one(QUEUE, &tag, LONG).await;
    assert_eq!(taken.dequeue_count, 1);
    let message = peeked
        .iter()
        .find(|m| m.message_id == taken.lease.message_id)
        .unwrap();
    assert_eq!(message.inserted_at, taken.inserted_at);
    assert!(!h.sees(QUEUE, &tag).await, "a leased message is not seen");
    h.queue().delete(QUEUE, &taken.lease).await.unwrap();
}

pub(super) async fn messages_are_counted(h: &Harness) {
    let tag = unique();
    let before = h.queue().count(QUEUE).await.unwrap();
    for _ in 0..3 {
        h.queue().send(QUEUE, &tag, ZERO).await.unwrap();
    }
    assert_eq!(h.queue().count(QUEUE).await.unwrap(), before + 3);
    let taken = h.take(QUEUE, &tag, 3, LONG).await;
    assert!(
        h.queue().count(QUEUE).await.unwrap() >= 3,
        "hidden messages count"
    );
    let hidden = h.queue().count(QUEUE).await.unwrap();
    h.delete_all(QUEUE, &taken).await;
    assert_eq!(h.queue().count(QUEUE).await.unwrap(), hidden - 3);
}

pub(super) async fn queues_are_apart(h: &Harness) {
    let tag = unique();
    for queue in QueueName::ALL {
        h.queue()
            .send(queue, &format!("{tag} {}", queue.as_str()), ZERO)
            .await
            .unwrap();
    }
    for queue in QueueName::ALL {
        let message = h.take_one(queue, &tag, LONG).await;
        assert_eq!(message.body, format!("{tag} {}", queue.as_str()));
        assert!(!h.sees(queue, &tag).await);
        for other in QueueName::ALL.into_iter().filter(|other| *other != queue) {
            assert_error!(
                h.queue().delete(other, &message.lease).await,
                StorageError::NotFound
            );
        }
        h.queue().delete(queue, &message.lease).await.unwrap();
    }
}

pub(super) async fn receive_gives_at_most_max(h: &Harness) {
    let tag = unique();
    for n in 0..40 {
        h.queue()
            .send(QUEUE, &format!("{tag} {n}"), ZERO)
            .await
            .unwrap();
    }
    let mut taken = 0;
    for max in [1, 2, 32, 32, 32] {
        let messages = h.queue().receive(QUEUE, max, LONG).await.unwrap();
        assert!(messages.len() <= max);
        assert!(!messages.is_empty() || taken >= 40);
        taken += messages.iter().filter(|m| m.body.starts_with(&tag)).count();
        h.delete_all(QUEUE, &messages).await;
    }
    assert_eq!(taken, 40);
}

pub(super) async fn concurrent_receivers_share_the_messages(h: &Harness) {
    let tag = unique();
    for n in 0..40 {
        h.queue()
            .send(QUEUE, &format!("{tag} {n:02}"), ZERO)
            .await
            .unwrap();
    }
    let mut receivers = JoinSet::new();
    for _ in 0..8 {
        let (queue, tag) = (h.storage.queue.clone(), tag.clone());
        receivers.spawn(async move {
            let mut taken = Vec::new();
            for _ in 0..5 {
                let mut messages = queue.receive(QUEUE, 5, LONG).await.unwrap();
                messages.retain(|message| message.body.starts_with(&tag));
                taken.append(&mut messages);
            }
            taken
        });
    }
    let taken = receivers.join_all().await.concat();
    let mut leases = BTreeMap::<_, Vec<_>>::new();
    for message in &taken {
        leases
            .entry(message.body.clone())
            .or_default()
            .push(message.dequeue_count);
    }
    assert_eq!(leases.len(), 40, "every message came");
    for (body, counts) in leases {
        assert_eq!(counts, [1], "{body} was leased once");
    }
    h.delete_all(QUEUE, &taken).await;
}
