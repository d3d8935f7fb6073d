//! The storage beneath a test: the embedded store, or Azure Storage as Azurite plays it. The same
//! tests run on both, see [`on_both_storages`](crate::on_both_storages).

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use storage::ambient::System;
use storage::azurite::Azurite;
use storage::jobs::JobStore;
use storage::{Clock, Entropy, Storage};

use crate::process::command;

/// A store of its own for one test. Gone when dropped.
#[derive(Debug)]
pub struct Backing {
    directory: tempfile::TempDir,
    azurite: Option<Azurite>,
}

/// Durations that let a test see a lease, a call deadline or a stranded job pass in seconds.
const SHORT: [(&str, &str); 9] = [
    ("model.timeout", "3s"),
    ("model.connect_timeout", "1s"),
    ("worker.deadline_margin", "1s"),
    ("worker.latch_freshness", "900ms"),
    ("worker.visibility", "2s"),
    ("worker.heartbeat", "500ms"),
    ("worker.reconcile_every", "250ms"),
    ("worker.idle_before_requeue", "1s"),
    ("worker.shutdown_grace", "10s"),
];

impl Backing {
    /// One SQLite file in a directory of its own.
    pub fn embedded() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        Self {
            directory,
            azurite: None,
        }
    }

    /// An Azurite of its own.
    pub fn azurite() -> Self {
        Self {
            azurite: Some(Azurite::start()),
            ..Self::embedded()
        }
    }

    /// `presswork serve` on it and on a free port, with durations of seconds at most.
    pub fn serve(&self, settings: &[(&str, &str)]) -> Command {
        let mut command = self.program("presswork");
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        self.configure(&mut command, settings);
        command
    }

    /// A program of the split deployment on it.
    pub fn part(&self, name: &str, settings: &[(&str, &str)]) -> Command {
        let mut command = self.program(name);
        command.args(["--set", "server.listen=127.0.0.1:0"]);
        self.configure(&mut command, settings);
        command
    }

    /// A command of `presswork` on it.
    pub fn presswork(&self, arguments: &[&str]) -> Command {
        let mut command = self.program("presswork");
        command.args(arguments);
        self.configure(&mut command, &[]);
        command
    }

    fn program(&self, name: &str) -> Command {
        let mut command = command(name);
        if let Some(azurite) = &self.azurite {
            command.env("STORAGE_CONNECTION_STRING", azurite.connection_string());
        }
        command
    }

    fn configure(&self, command: &mut Command, settings: &[(&str, &str)]) {
        let data = self.directory.path().display().to_string();
        let own = [
            ("storage.data_dir", data.as_str()),
            ("storage.backend", self.backend()),
        ];
        for (key, value) in SHORT.iter().chain(&own).chain(settings) {
            command.args(["--set", &format!("{key}={value}")]);
        }
    }

    fn backend(&self) -> &'static str {
        if self.azurite.is_some() {
            "azure"
        } else {
            "embedded"
        }
    }

    /// The store itself, beside the programs that use it.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn storage(&self) -> Storage {
        let mut settings = config::Config::default().storage;
        settings.data_dir = self.directory.path().to_owned();
        if let Some(azurite) = &self.azurite {
            settings.backend = config::Backend::Azure;
            settings.azure = azurite.settings();
        }
        let (clock, entropy) = ambient();
        storage::open(&settings, &clock, &entropy)
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
