//! Each fault does what it says, and a seed says it all.

use std::collections::BTreeSet;

use tokio::time::timeout;

use super::*;
use crate::ambient::System;
use crate::embedded::Store;
use crate::names::{QueueName, TableName};
use crate::port::{Properties, Write};

const WRITE: Operation = Operation::Write(TableName::Jobs);
const LATER: Duration = Duration::from_mins(1);

struct Fixture {
    faults: Arc<Faults>,
    storage: Storage,
    plain: Storage,
    _dir: tempfile::TempDir,
}

fn fixture(seed: u64) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let system = Arc::new(System::new());
    let plain = Store::open(dir.path(), system.clone(), system)
        .unwrap()
        .storage();
    let faults = Faults::new(seed);
    Fixture {
        storage: faults.over(plain.clone()),
        faults,
        plain,
        _dir: dir,
    }
}

impl Fixture {
    async fn write(&self, row: &str) -> Result<()> {
        let writes = vec![Write::Insert(row.to_owned(), Properties::new())];
        self.storage
            .table
            .write(TableName::Jobs, "p", writes)
            .await
            .map(drop)
    }

    async fn is_there(&self, row: &str) -> bool {
        self.plain
            .table
            .get(TableName::Jobs, "p", row)
            .await
            .unwrap()
            .value
            .is_some()
    }
}

#[tokio::test]
async fn scripted_faults_do_what_they_say() {
    let f = fixture(1);
    f.write("before").await.unwrap();
    f.faults.script(WRITE, 1, Fault::Refuse);
    f.faults.script(WRITE, 2, Fault::Throttle);
    f.faults.script(WRITE, 4, Fault::LoseAnswer);
    f.faults.script(WRITE, 5, Fault::Delay(LATER));
    f.faults.script(WRITE, 6, Fault::DelayAnswer(LATER));

    let refused = f.write("1").await;
    assert!(
        matches!(&refused, Err(StorageError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(matches!(
        f.write("2").await,
        Err(StorageError::Throttled { .. })
    ));
    f.write("3").await.unwrap();
    let lost = f.write("4").await;
    let Err(StorageError::Unavailable(source)) = lost else {
        panic!("{lost:?}")
    };
    assert_eq!(
        source.to_string(),
        "injected fault: write jobs, call 5: answer lost"
    );
    // Real time: the store answers from a thread of its own. It was asked by the first poll, and
    // keeps the order.
    for row in ["5", "6"] {
        let write = timeout(Duration::from_millis(50), f.write(row));
        assert!(write.await.is_err(), "row {row}");
    }
    f.write("7").await.unwrap();
    for (row, there) in [
        ("1", false),
        ("2", false),
        ("3", true),
        ("4", true),
        ("5", false),
        ("6", true),
    ] {
        assert_eq!(f.is_there(row).await, there, "row {row}");
    }

    let calls: Vec<_> = f
        .faults
        .history()
        .iter()
        .map(|injected| injected.call)
        .collect();
    assert_eq!(calls, [2, 3, 5, 6, 7]);
    assert_eq!(f.faults.calls(WRITE), 8);
    assert_eq!(f.faults.calls(Operation::Write(TableName::Tenants)), 0);
}

#[tokio::test]
async fn rates_can_be_changed_and_turned_off() {
    let f = fixture(1);
    let send = || f.storage.queue.send(QueueName::Jobs, "x", Duration::ZERO);
    f.faults.set_all(Rates {
        refuse: 1.0,
        ..Rates::default()
    });
    f.faults.set(WRITE, Rates::default());
    f.write("a").await.unwrap();
    assert!(send().await.is_err());
    f.faults.script(WRITE, 1, Fault::Refuse);
    f.faults.off();
    f.write("b").await.unwrap();
    send().await.unwrap();
    assert_eq!(f.faults.history().len(), 1);
}

#[tokio::test]
async fn the_seed_decides_whatever_the_order() {
    let rates = Rates {
        refuse: 0.2,
        lose_answer: 0.2,
        throttle: 0.1,
        ..Rates::default()
    };
    let mut runs = Vec::new();
    for (seed, backwards) in [(5, false), (5, true), (6, false)] {
        let f = fixture(seed);
        f.faults.set_all(rates);
        for n in 0..40 {
            let write = async { f.write(&n.to_string()).await.is_ok() };
            let send = async {
                f.storage
                    .queue
                    .send(QueueName::Jobs, "x", Duration::ZERO)
                    .await
                    .is_ok()
            };
            if backwards {
                send.await;
                write.await;
            } else {
                write.await;
                send.await;
            }
        }
        let history = f.faults.history().into_iter();
        let set: BTreeSet<_> = history.map(|injected| format!("{injected:?}")).collect();
        assert!(
            (20..=60).contains(&set.len()),
            "about half of 80: {}",
            set.len()
        );
        runs.push(set);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
