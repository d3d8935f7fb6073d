//! Messages: sent, received, extended and deleted.

use super::*;

#[tokio::test]
async fn sent_messages() {
    let bench = Bench::new(LONG).await;
    let send = "POST /jobs/messages";
    for (fault, expect) in [
        (Fault::LoseAnswer, 2),
        (Fault::DoneButFailed, 2),
        (Fault::DoneButBusy, 2),
        (Fault::Drop, 1),
        (Fault::Busy, 1),
    ] {
        bench.proxy.next(send, fault);
        bench.queue().send(QUEUE, "a", ZERO).await.unwrap();
        bench.proxy.all_met();
        let messages = bench.sure.queue.receive(QUEUE, 32, LONG).await.unwrap();
        assert_eq!(messages.len(), expect, "{fault:?}");
        for message in messages {
            bench
                .sure
                .queue
                .delete(QUEUE, &message.lease)
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn received_messages() {
    let bench = Bench::new(LONG).await;
    bench.sure.queue.send(QUEUE, "a", ZERO).await.unwrap();
    bench
        .proxy
        .next("GET /jobs/messages?numofmessages=32", Fault::LoseAnswer);
    let taken = bench.queue().receive(QUEUE, 32, SHORT).await.unwrap();
    bench.proxy.all_met();
    assert_eq!(taken, [], "the lost answer has it");
    tokio::time::sleep(SHORT * 2).await;
    let again = bench.queue().receive(QUEUE, 32, LONG).await.unwrap();
    assert_eq!(
        (again.len(), again[0].dequeue_count),
        (1, 2),
        "it comes back"
    );
}

#[tokio::test]
async fn deleted_messages() {
    let bench = Bench::new(LONG).await;
    for fault in [
        Fault::LoseAnswer,
        Fault::DoneButFailed,
        Fault::DoneButBusy,
        Fault::Drop,
        Fault::Busy,
    ] {
        let lease = bench.message("a").await;
        bench.proxy.next("DELETE /jobs/messages/", fault);
        bench.queue().delete(QUEUE, &lease).await.unwrap();
        bench.proxy.all_met();
        let gone = bench.sure.queue.delete(QUEUE, &lease).await;
        assert!(
            matches!(gone, Err(StorageError::NotFound)),
            "{fault:?}: {gone:?}"
        );
        // Nothing has failed before: then it was somebody else.
        let again = bench.queue().delete(QUEUE, &lease).await;
        assert!(matches!(again, Err(StorageError::NotFound)));
    }
    assert_eq!(bench.sure.queue.count(QUEUE).await.unwrap(), 0);
}

#[tokio::test]
async fn extended_messages() {
    let bench = Bench::new(LONG).await;
    let extend = "PUT /jobs/messages/";
    for (fault, unknown, done) in [
        (Fault::LoseAnswer, true, true),
        (Fault::DoneButFailed, true, true),
        (Fault::DoneButBusy, true, true),
        (Fault::Drop, true, false),
        (Fault::Busy, false, true),
    ] {
        let lease = bench.message("a").await;
        bench.proxy.next(extend, fault);
        let extended = bench.queue().extend(QUEUE, &lease, ZERO, None).await;
        bench.proxy.all_met();
        assert_eq!(is_unknown(&extended), unknown, "{fault:?}: {extended:?}");
        // Whatever became of it, the message is not lost.
        let stale = bench.sure.queue.extend(QUEUE, &lease, ZERO, None).await;
        assert_eq!(
            matches!(stale, Err(StorageError::StaleReceipt)),
            done,
            "{fault:?}: {stale:?}"
        );
        let again = bench.sure.queue.receive(QUEUE, 32, LONG).await.unwrap();
        assert_eq!(again.len(), 1, "{fault:?}");
        bench
            .sure
            .queue
            .delete(QUEUE, &again[0].lease)
            .await
            .unwrap();
    }
}
