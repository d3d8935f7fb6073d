//! Waiting for messages. A hint only, but one that must not be late where it is given.

use std::time::Duration;

use tokio::task::JoinSet;

use super::harness::{Harness, LONG, PATIENCE, Stopwatch, unique};
use crate::names::QueueName;

const QUEUE: QueueName = QueueName::NotificationsPoison;
const ZERO: Duration = Duration::ZERO;
/// Below [`PATIENCE`], far above what a wake takes.
const SOON: Duration = Duration::from_secs(25);

pub(super) async fn waiting_ends_in_time(h: &Harness) {
    let watch = Stopwatch::start();
    h.queue().wait(QUEUE, ZERO).await;
    assert!(watch.elapsed() < SOON);
    let watch = Stopwatch::start();
    let at_most = Duration::from_millis(60);
    h.queue().wait(QUEUE, at_most).await;
    assert!(watch.elapsed() >= at_most, "nothing came");
    assert!(watch.elapsed() < SOON);
}

pub(super) async fn sends_wake_all_who_wait(h: &Harness) {
    if !h.wakes {
        return;
    }
    let tag = unique();
    let watch = Stopwatch::start();
    let mut waiters = JoinSet::new();
    for _ in 0..3 {
        let queue = h.storage.queue.clone();
        waiters.spawn(async move { queue.wait(QUEUE, PATIENCE).await });
    }
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(waiters.try_join_next().is_none(), "nothing to wake for yet");
    h.queue().send(QueueName::Jobs, &tag, ZERO).await.unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(
        waiters.try_join_next().is_none(),
        "another queue does not wake"
    );
    h.queue().send(QUEUE, &tag, ZERO).await.unwrap();
    waiters.join_all().await;
    assert!(watch.elapsed() < SOON, "woken after {:?}", watch.elapsed());
    for queue in [QUEUE, QueueName::Jobs] {
        let taken = h.take(queue, &tag, 1, LONG).await;
        h.delete_all(queue, &taken).await;
    }
}

pub(super) async fn sends_before_the_wait_are_not_missed(h: &Harness) {
    if !h.wakes {
        return;
    }
    let tag = unique();
    let watch = Stopwatch::start();
    for _ in 0..20 {
        let queue = h.storage.queue.clone();
        let (body, sender) = (tag.clone(), h.storage.queue.clone());
        // The send falls before, into or after the wait.
        let sending = tokio::spawn(async move { sender.send(QUEUE, &body, ZERO).await });
        queue.wait(QUEUE, PATIENCE).await;
        sending.await.unwrap().unwrap();
        // Now there is a message for certain: several who come late are all let through.
        queue.wait(QUEUE, PATIENCE).await;
        queue.wait(QUEUE, PATIENCE).await;
        let taken = h.take(QUEUE, &tag, 1, LONG).await;
        h.delete_all(QUEUE, &taken).await;
    }
    assert!(watch.elapsed() < SOON, "woken after {:?}", watch.elapsed());
}

pub(super) async fn due_messages_wake(h: &Harness) {
    if !h.wakes {
        return;
    }
    let tag = unique();
    let watch = Stopwatch::start();
    // Delayed; sent while somebody waits already.
    let (body, sender, delay) = (tag.clone(), h.storage.queue.clone(), h.short);
    let sending = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        sender.send(QUEUE, &body, delay).await
    });
    h.queue().wait(QUEUE, PATIENCE).await;
    sending.await.unwrap().unwrap();
    // Leased, and the lease runs out.
    h.take_one(QUEUE, &tag, h.short).await;
    h.queue().wait(QUEUE, PATIENCE).await;
    // Leased, and given back.
    let lease = h.take_one(QUEUE, &tag, LONG).await.lease;
    let giver = h.storage.queue.clone();
    let giving = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        giver.extend(QUEUE, &lease, ZERO, None).await
    });
    h.queue().wait(QUEUE, PATIENCE).await;
    giving.await.unwrap().unwrap();
    assert!(watch.elapsed() < SOON, "woken after {:?}", watch.elapsed());
    let taken = h.take(QUEUE, &tag, 1, LONG).await;
    h.delete_all(QUEUE, &taken).await;
}
