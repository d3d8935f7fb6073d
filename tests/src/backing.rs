//! The storage beneath a test: the embedded store, or Azure Storage as Azurite plays it. The same
//! tests run on both, see [`on_both_storages`](crate::on_both_storages).

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use schemas::Tenant;
use storage::ambient::System;
use storage::azurite::{self, Azurite, KEY, Ports};
use storage::jobs::JobStore;
use storage::names::QueueName;
use storage::{Clock, Entropy, Storage};

use crate::process::command;

/// A store of its own for one test. Gone when dropped.
#[derive(Debug)]
pub struct Backing {
    directory: tempfile::TempDir,
    azurite: Option<Azurite>,
    /// The connection string of an account in somebody else's Azurite.
    account: Option<String>,
    /// What the programs connect to in place of Azurite itself.
    between: Option<Ports>,
}

/// A stranded job is found in a second. Whatever ends a call or a lease is longer than a machine that
/// is busy elsewhere stands still: it takes seconds over what is done in milliseconds otherwise.
const BASE: [(&str, &str); 9] = [
    ("model.timeout", "20s"),
    ("model.connect_timeout", "8s"),
    ("worker.deadline_margin", "6s"),
    ("worker.latch_freshness", "5s"),
    ("worker.visibility", "10s"),
    ("worker.heartbeat", "2s"),
    ("worker.reconcile_every", "250ms"),
    ("worker.idle_before_requeue", "1s"),
    ("worker.shutdown_grace", "30s"),
];

/// Over those, for a test in which a worker dies with messages in hand: they come back soon.
pub const BACK_SOON: [(&str, &str); 2] =
    [("worker.visibility", "2s"), ("worker.heartbeat", "500ms")];

/// Over those, for a test that waits until the deadline of a call has passed.
pub const DEADLINE: [(&str, &str); 3] = [
    ("model.timeout", "6s"),
    ("worker.deadline_margin", "3s"),
    ("worker.latch_freshness", "2500ms"),
];

impl Backing {
    /// One SQLite file in a directory of its own.
    pub fn embedded() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        Self {
            directory,
            azurite: None,
            account: None,
            between: None,
        }
    }

    /// A copy of an embedded store, as a backup of its files makes one.
    ///
    /// # Panics
    /// If a file cannot be copied.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::embedded();
        let files = std::fs::read_dir(self.directory.path()).expect("the store has a directory");
        for file in files {
            let file = file.expect("the directory can be listed");
            std::fs::copy(file.path(), copy.directory.path().join(file.file_name()))
                .expect("a file can be copied");
        }
        copy
    }

    /// An Azurite of its own.
    pub fn azurite() -> Self {
        Self {
            azurite: Some(Azurite::start()),
            ..Self::embedded()
        }
    }

    /// An Azurite that keeps its data, so that it can be stopped and started again.
    pub fn lasting_azurite() -> Self {
        let embedded = Self::embedded();
        let azurite = Some(Azurite::start_in(embedded.directory.path()));
        Self {
            azurite,
            ..embedded
        }
    }

    /// An account, by its connection string, in an Azurite that others use too.
    pub fn in_account(connection_string: String) -> Self {
        Self {
            account: Some(connection_string),
            ..Self::embedded()
        }
    }

    /// Lets the programs connect to these ports; the test itself goes on to talk to Azurite.
    pub fn through(&mut self, ports: Ports) {
        self.between = Some(ports);
    }

    /// The Azurite of this backing.
    ///
    /// # Panics
    /// If it is embedded.
    pub fn azurite_mut(&mut self) -> &mut Azurite {
        self.azurite.as_mut().expect("this backing is an Azurite")
    }

    /// `presswork serve` on it and on a free port, with durations of seconds.
    pub fn serve(&self, settings: &[(&str, &str)]) -> Command {
        let settings: Vec<_> = BASE.iter().chain(settings).copied().collect();
        self.program("presswork", &["serve"], &settings)
    }

    /// A program of the split deployment on it, with durations of seconds.
    pub fn part(&self, name: &str, settings: &[(&str, &str)]) -> Command {
        let settings: Vec<_> = BASE.iter().chain(settings).copied().collect();
        self.program(name, &[], &settings)
    }

    /// A command of `presswork` on it.
    pub fn presswork(&self, arguments: &[&str]) -> Command {
        self.program("presswork", arguments, &[])
    }

    /// A program on it, listening on a free port if it listens; all else as by default.
    pub fn program(&self, name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
        let mut command = command(name);
        command.args(arguments);
        if let Some(azurite) = &self.azurite {
            let ports = self.between.unwrap_or(azurite.ports());
            let string = azurite::connection_string(ports, &format!("AccountKey={KEY}"));
            command.env("STORAGE_CONNECTION_STRING", string);
        }
        if let Some(string) = &self.account {
            command.env("STORAGE_CONNECTION_STRING", string);
        }
        let data = self.directory.path().display().to_string();
        let own = [
            ("storage.data_dir", data.as_str()),
            ("storage.backend", self.backend()),
            ("server.listen", "127.0.0.1:0"),
        ];
        for (key, value) in own.iter().chain(settings) {
            command.args(["--set", &format!("{key}={value}")]);
        }
        command
    }

    /// Whether it is one SQLite file.
    pub fn is_embedded(&self) -> bool {
        self.azurite.is_none() && self.account.is_none()
    }

    fn backend(&self) -> &'static str {
        if self.is_embedded() {
            "embedded"
        } else {
            "azure"
        }
    }

    /// The store itself, beside the programs that use it.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn storage(&self) -> Storage {
        let (clock, entropy) = ambient();
        self.storage_by(&clock, &entropy).await
    }

    /// The same, with another clock.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn storage_by(&self, clock: &Arc<dyn Clock>, entropy: &Arc<dyn Entropy>) -> Storage {
        let mut settings = config::Config::default().storage;
        settings.data_dir = self.directory.path().to_owned();
        if let Some(azurite) = &self.azurite {
            settings.backend = config::Backend::Azure;
            settings.azure = azurite.settings();
        }
        if let Some(string) = &self.account {
            settings.backend = config::Backend::Azure;
            settings.azure = azurite::settings(string);
        }
        storage::open(&settings, clock, entropy)
            .await
            .expect("the store can be opened")
    }

    /// The typed store on it; its markers fall due after a second.
    pub async fn jobs(&self) -> JobStore {
        let mut settings = config::Config::default().worker;
        settings.idle_before_requeue = Duration::from_secs(1);
        let (clock, entropy) = ambient();
        JobStore::new(self.storage().await, clock, entropy, &settings)
    }
}

/// What the programs have still to do.
#[derive(Debug, Default, PartialEq)]
pub struct Left {
    /// Messages about jobs.
    pub jobs: u64,
    /// Messages about what has happened.
    pub notifications: u64,
    /// Messages that were given up.
    pub set_aside: u64,
    /// Markers of jobs that are open, or whose end is not told.
    pub open: usize,
}

/// Looks for what is left in a store of jobs of nobody in particular.
///
/// # Panics
/// If the store cannot be read.
pub async fn left(store: &JobStore) -> Left {
    let queue = &store.storage().queue;
    let count = async |name| queue.count(name).await.expect("a queue can be counted");
    let open = store.open_jobs(&Tenant::anonymous(), None).await;
    let (open, ..) = open.expect("markers can be read");
    Left {
        jobs: count(QueueName::Jobs).await,
        notifications: count(QueueName::Notifications).await,
        set_aside: count(QueueName::JobsPoison).await
            + count(QueueName::NotificationsPoison).await
            + count(QueueName::DeadLetters).await,
        open: open.len(),
    }
}

fn ambient() -> (Arc<dyn Clock>, Arc<dyn Entropy>) {
    let ambient = Arc::new(System::new());
    (ambient.clone(), ambient)
}

/// Makes tests of async functions that take a [`Backing`]: each one runs on both storages.
#[macro_export]
macro_rules! on_both_storages {
    ($($name:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::backing::Backing::embedded()).await;
            })+
        }

        mod azurite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::backing::Backing::azurite()).await;
            })+
        }
    };
}
