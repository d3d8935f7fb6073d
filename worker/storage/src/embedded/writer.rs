//! The one writer of this process: a thread that commits what has gathered as one transaction.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::upkeep::Upkeep;
use super::wakes::Wakes;
use crate::Clock;
use crate::names::QueueName;
use crate::port::{Result, StorageError};

/// Callers beyond this wait.
const QUEUED: usize = 1_024;
/// Bounds of one group, so that the first of it does not wait long for the last.
const GROUP: usize = 256;
const GROUP_BYTES: usize = 4 << 20;

pub(super) struct Writer {
    commands: mpsc::Sender<Message>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

enum Message {
    Run(Box<dyn Command>),
    Close,
}

impl Writer {
    /// Starts the thread. It ends after [`Writer::close`], or when the writer is dropped, and
    /// finishes what was asked before.
    pub(super) fn start(
        connection: Connection,
        clock: Arc<dyn Clock>,
        wakes: Arc<Wakes>,
    ) -> io::Result<Self> {
        let (commands, inbox) = mpsc::channel(QUEUED);
        let thread = Thread {
            connection,
            inbox,
            clock,
            wakes,
            upkeep: Upkeep::default(),
        };
        let thread = thread::Builder::new()
            .name("storage-writer".to_owned())
            .spawn(move || thread.run())?;
        Ok(Self {
            commands,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs `work` in the next group, and gives its result once the group is on the disk. If the
    /// caller goes away, the work is done all the same.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let gone = || StorageError::unavailable("the store is closed");
        let (answer, answered) = oneshot::channel();
        let command = Work {
            bytes,
            todo: Some(work),
            result: None,
            answer,
        };
        self.commands
            .send(Message::Run(Box::new(command)))
            .await
            .map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    pub(super) async fn close(&self) {
        // An error means that the thread has ended already.
        let _ = self.commands.send(Message::Close).await;
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let ended = tokio::task::spawn_blocking(|| thread.join()).await;
            if !matches!(ended, Ok(Ok(()))) {
                tracing::error!("the store's writer thread ended by a panic");
            }
        }
    }
}

/// What a write sees: the transaction of its group.
pub(super) struct Batch<'a> {
    /// The connection, within the transaction.
    pub(super) connection: &'a Connection,
    clock: &'a dyn Clock,
    counter: Option<i64>,
    wakes: BTreeSet<QueueName>,
}

impl Batch<'_> {
    /// The store's time in milliseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// A number that this file never gives again.
    pub(super) fn version(&mut self) -> rusqlite::Result<i64> {
        let next = match self.counter {
            Some(next) => next,
            None => self
                .connection
                .prepare_cached("SELECT next FROM counter")?
                .query_row([], |row| row.get(0))?,
        };
        self.counter = Some(next + 1);
        Ok(next)
    }

    /// After the commit, whoever waits for this queue looks again.
    pub(super) fn wake(&mut self, queue: QueueName) {
        self.wakes.insert(queue);
    }
}

/// A write whose result type is known to its caller only.
trait Command: Send {
    fn bytes(&self) -> usize;
    /// Whether to keep what was written.
    fn run(&mut self, batch: &mut Batch<'_>) -> bool;
    fn answer(self: Box<Self>, failure: Option<&Arc<GroupError>>);
}

/// Why nothing of a group was written.
#[derive(Debug, thiserror::Error)]
enum GroupError {
    #[error("the transaction failed")]
    Sqlite(#[from] rusqlite::Error),
    /// SQLite does so on a full disk, among others. The write at fault has the error itself.
    #[error("the transaction was ended by a fault of another write in it")]
    Ended,
}

struct Work<F, T> {
    bytes: usize,
    todo: Option<F>,
    result: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<F, T> Command for Work<F, T>
where
    F: FnOnce(&mut Batch<'_>) -> Result<T> + Send,
    T: Send,
{
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn run(&mut self, batch: &mut Batch<'_>) -> bool {
        self.result = self.todo.take().map(|work| work(batch));
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, failure: Option<&Arc<GroupError>>) {
        let result = match (failure, self.result) {
            (Some(_), Some(Err(StorageError::Unavailable(own)))) => {
                Err(StorageError::Unavailable(own))
            }
            // Even a refusal may rest on what another write of the failed group had changed.
            (Some(error), _) => Err(StorageError::unavailable(error.clone())),
            (None, Some(result)) => result,
            (None, None) => Err(StorageError::unavailable("the write was not run")),
        };
        // A caller that went away needs no answer.
        let _ = self.answer.send(result);
    }
}

struct Thread {
    connection: Connection,
    inbox: mpsc::Receiver<Message>,
    clock: Arc<dyn Clock>,
    wakes: Arc<Wakes>,
    upkeep: Upkeep,
}

impl Thread {
    fn run(mut self) {
        while let Some(message) = self.inbox.blocking_recv() {
            match message {
                // What was sent before the inbox closed still comes out of it.
                Message::Close => self.inbox.close(),
                Message::Run(first) => {
                    self.group(first);
                    self.upkeep.run(&mut self.connection);
                }
            }
        }
    }

    fn group(&mut self, first: Box<dyn Command>) {
        let mut group = vec![first];
        let outcome = self.transaction(&mut group);
        let failure = match outcome {
            Ok(woken) => {
                for queue in woken {
                    self.wakes.of(queue).notify_waiters();
                }
                None
            }
            Err(error) => {
                self.roll_back();
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    writes = group.len(),
                    "storage transaction failed"
                );
                Some(Arc::new(error))
            }
        };
        for command in group {
            command.answer(failure.as_ref());
        }
    }

    /// Runs the first command and those that arrive meanwhile, and commits them together.
    fn transaction(
        &mut self,
        group: &mut Vec<Box<dyn Command>>,
    ) -> std::result::Result<BTreeSet<QueueName>, GroupError> {
        let connection = &self.connection;
        execute(connection, "BEGIN IMMEDIATE")?;
        let mut batch = Batch {
            connection,
            clock: &*self.clock,
            counter: None,
            wakes: BTreeSet::new(),
        };
        let mut bytes = 0;
        let mut next = 0;
        while let Some(command) = group.get_mut(next) {
            bytes += command.bytes();
            next += 1;
            execute(connection, "SAVEPOINT command")?;
            if !command.run(&mut batch) {
                if connection.is_autocommit() {
                    return Err(GroupError::Ended);
                }
                execute(connection, "ROLLBACK TO command")?;
            }
            execute(connection, "RELEASE command")?;
            if next < GROUP && bytes < GROUP_BYTES {
                match self.inbox.try_recv() {
                    Ok(Message::Run(command)) => group.push(command),
                    Ok(Message::Close) => self.inbox.close(),
                    Err(_) => {}
                }
            }
        }
        if let Some(next) = batch.counter {
            connection
                .prepare_cached("UPDATE counter SET next = ?1")?
                .execute([next])?;
        }
        let wakes = batch.wakes;
        execute(connection, "COMMIT")?;
        Ok(wakes)
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = execute(&self.connection, "ROLLBACK")
        {
            tracing::error!(error = &error as &dyn std::error::Error, "roll back failed");
        }
    }
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests;
