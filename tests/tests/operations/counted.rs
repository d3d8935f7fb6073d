//! Counts the calls of all ports, and holds queues back, so that one part of a job's way can be
//! counted after the other.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use storage::ambient::System;
use storage::events::Emitting;
use storage::names::{QueueName, TableName};
use storage::port::{
    Continuation, ETag, Entity, EntityPage, Lease, Peeked, Queue, Read, Received, Result, Table,
    Write,
};
use storage::{Clock, Operation, Storage, observe};

/// The parts of a job's way.
pub(crate) const PARTS: [&str; 4] = ["submit", "work", "tell", "read"];

/// What was called so far, by part.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    calls: Mutex<BTreeMap<String, [u64; PARTS.len()]>>,
    entities: AtomicUsize,
    part: AtomicUsize,
    jobs: AtomicBool,
    notifications: AtomicBool,
}

impl Counter {
    /// Forgets all calls, and holds both queues back.
    pub(crate) fn begin(&self) {
        *self.calls() = BTreeMap::new();
        self.entities.store(0, Ordering::SeqCst);
        self.part.store(0, Ordering::SeqCst);
        self.jobs.store(false, Ordering::SeqCst);
        self.notifications.store(false, Ordering::SeqCst);
    }

    /// Begins the next part, which may receive from this queue too.
    pub(crate) fn next(&self, opens: Option<QueueName>) {
        self.part.fetch_add(1, Ordering::SeqCst);
        match opens {
            Some(QueueName::Jobs) => self.jobs.store(true, Ordering::SeqCst),
            Some(_) => self.notifications.store(true, Ordering::SeqCst),
            None => {}
        }
    }

    /// Lets all queues flow, whatever part it is.
    pub(crate) fn open_all(&self) {
        self.jobs.store(true, Ordering::SeqCst);
        self.notifications.store(true, Ordering::SeqCst);
    }

    /// How many calls there were.
    pub(crate) fn total(&self) -> u64 {
        self.calls().values().flatten().sum()
    }

    /// How many entities queries gave.
    pub(crate) fn entities(&self) -> usize {
        self.entities.load(Ordering::SeqCst)
    }

    /// A line for each kind of call: how many in each part, then what.
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        let mut sums = [0; PARTS.len()];
        let mut line = |what: &str, counts: &[u64]| {
            let all = counts.iter().sum::<u64>();
            for count in counts.iter().chain([&all]) {
                let _ = write!(table, "{count:>6} ");
            }
            let _ = writeln!(table, "{what}");
        };
        for (what, counts) in &*self.calls() {
            line(what, counts);
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        line("all", &sums);
        table
    }

    fn count(&self, what: impl Into<String>) {
        let part = self.part.load(Ordering::SeqCst);
        self.calls().entry(what.into()).or_default()[part] += 1;
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, [u64; PARTS.len()]>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_held(&self, queue: QueueName) -> bool {
        let open = match queue {
            QueueName::Jobs => &self.jobs,
            _ => &self.notifications,
        };
        !open.load(Ordering::SeqCst)
    }
}

/// The storage with its calls counted, and with its events: they are counted too.
pub(crate) fn counted(storage: Storage, counter: &Arc<Counter>) -> Storage {
    let system = Arc::new(System::new());
    let port = Arc::new(Counted {
        inner: storage.clone(),
        counter: counter.clone(),
    });
    let told = counter.clone();
    let blobs = observe::observed(storage, system.clone(), move |seen| {
        // A URL is signed here, without a request.
        if !matches!(seen.operation, Operation::SignedUrl(_)) {
            told.count(seen.operation.to_string());
        }
    });
    let blobs = Emitting::new(blobs.blobs, port.clone(), system.clone(), system);
    Storage {
        queue: port.clone(),
        table: port,
        blobs: Arc::new(blobs),
    }
}

struct Counted {
    inner: Storage,
    counter: Arc<Counter>,
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted").finish_non_exhaustive()
    }
}

impl Counted {
    fn count(&self, operation: Operation) {
        self.counter.count(operation.to_string());
    }
}

#[async_trait]
impl Queue for Counted {
    async fn send(&self, queue: QueueName, body: &str, delay: Duration) -> Result<()> {
        self.count(Operation::Send(queue));
        self.inner.queue.send(queue, body, delay).await
    }

    /// A look at an empty queue is not counted: how many there are is a matter of time.
    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: Duration,
    ) -> Result<Vec<Received>> {
        if self.counter.is_held(queue) {
            return Ok(Vec::new());
        }
        let received = self.inner.queue.receive(queue, max, visibility).await?;
        if !received.is_empty() {
            self.count(Operation::Receive(queue));
        }
        Ok(received)
    }

    async fn peek(&self, queue: QueueName, max: usize) -> Result<Vec<Peeked>> {
        self.count(Operation::Peek(queue));
        self.inner.queue.peek(queue, max).await
    }

    async fn extend(
        &self,
        queue: QueueName,
        lease: &Lease,
        visibility: Duration,
        body: Option<&str>,
    ) -> Result<Lease> {
        self.count(Operation::Extend(queue));
        self.inner
            .queue
            .extend(queue, lease, visibility, body)
            .await
    }

    async fn delete(&self, queue: QueueName, lease: &Lease) -> Result<()> {
        self.count(Operation::DeleteMessage(queue));
        self.inner.queue.delete(queue, lease).await
    }

    async fn count(&self, queue: QueueName) -> Result<u64> {
        self.count(Operation::Count(queue));
        self.inner.queue.count(queue).await
    }

    async fn wait(&self, _: QueueName, at_most: Duration) {
        tokio::time::sleep(at_most).await;
    }
}

#[async_trait]
impl Table for Counted {
    async fn get(
        &self,
        table: TableName,
        partition: &str,
        row: &str,
    ) -> Result<Read<Option<Entity>>> {
        self.count(Operation::GetEntity(table));
        self.inner.table.get(table, partition, row).await
    }

    async fn query(
        &self,
        table: TableName,
        partition: &str,
        rows: Range<&str>,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<Read<EntityPage>> {
        self.count(Operation::Query(table));
        let read = self.inner.table.query(table, partition, rows, max, from);
        let read = read.await?;
        let found = read.value.entities.len();
        self.counter.entities.fetch_add(found, Ordering::SeqCst);
        Ok(read)
    }

    async fn write(
        &self,
        table: TableName,
        partition: &str,
        writes: Vec<Write>,
    ) -> Result<Vec<Option<ETag>>> {
        let write = Operation::Write(table);
        match writes.len() {
            1 => self.count(write),
            _ => self.counter.count(format!("{write} (transaction)")),
        }
        self.inner.table.write(table, partition, writes).await
    }
}

/// A clock whose monotonic time stands still unless it is set on, so that nothing is renewed because
/// a machine is slow.
#[derive(Debug)]
pub(crate) struct Clockwork {
    system: System,
    secs: AtomicUsize,
}

impl Clockwork {
    pub(crate) fn new() -> Self {
        Self {
            system: System::new(),
            secs: AtomicUsize::new(0),
        }
    }

    /// Sets the monotonic time on, so that what was remembered for a while is forgotten.
    pub(crate) fn set_on(&self, secs: usize) {
        self.secs.fetch_add(secs, Ordering::SeqCst);
    }
}

impl Clock for Clockwork {
    fn now(&self) -> jiff::Timestamp {
        self.system.now()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.secs.load(Ordering::SeqCst) as u64)
    }
}
