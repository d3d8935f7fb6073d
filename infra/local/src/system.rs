//! The whole system in one process: HTTP shim, worker and storage.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use config::Config;
use schemas::job::Editor;
use storage::ambient::System as Ambient;
use storage::jobs::JobStore;
use storage::{Clock, Entropy};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::Worker;

/// A running system.
#[derive(Debug)]
pub struct System {
    address: SocketAddr,
    editor: Editor,
    shutdown: CancellationToken,
    shim: JoinHandle<std::io::Result<()>>,
    worker: JoinHandle<()>,
}

impl System {
    /// Starts it; it answers from here on. Stops when `shutdown` is cancelled.
    pub async fn start(config: &Config, shutdown: CancellationToken) -> anyhow::Result<Self> {
        let ambient = Arc::new(Ambient::new());
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
        let editor = worker::editor(config, true)?;
        let name = editor.name();
        let storage = storage::open(&config.storage, &clock, &entropy).await?;
        let storage = worker::observed(storage, &clock);
        let store = JobStore::new(storage, clock.clone(), entropy.clone(), &config.worker);
        let renderer = Arc::new(worker::Press::configured(&config.render)?);
        let listener = TcpListener::bind(config.server.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.server.listen))?;
        let address = listener.local_addr()?;

        let app = api_shim::App::new(
            store.clone(),
            clock.clone(),
            entropy.clone(),
            api_shim::Settings::new(config)?,
        );
        let grace = config.server.shutdown_grace;
        let shim = tokio::spawn(api_shim::serve(listener, app, shutdown.clone(), grace));

        let settings = worker::Settings::new(config);
        let worker = Worker::new(
            store,
            editor,
            renderer,
            settings,
            (clock, entropy),
            shutdown.clone(),
        );
        let worker = tokio::spawn(worker.run());
        Ok(Self {
            address,
            editor: name,
            shutdown,
            shim,
            worker,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who edits.
    pub fn editor(&self) -> Editor {
        self.editor
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.finished().await
    }

    /// Waits until it has stopped: after a shutdown, or because a part failed.
    pub async fn finished(self) -> anyhow::Result<()> {
        let Self {
            mut shim,
            mut worker,
            shutdown,
            ..
        } = self;
        // One part alone is of no use: the other is asked to finish too.
        let (served, worked) = tokio::select! {
            served = &mut shim => {
                shutdown.cancel();
                (served, worker.await)
            }
            worked = &mut worker => {
                shutdown.cancel();
                (shim.await, worked)
            }
        };
        worked.context("the worker crashed")?;
        served
            .context("the HTTP server crashed")?
            .context("the HTTP server failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system whose parts do as told.
    fn system(
        shim: impl Future<Output = std::io::Result<()>> + Send + 'static,
        worker: impl Future<Output = ()> + Send + 'static,
        shutdown: CancellationToken,
    ) -> System {
        System {
            address: ([127, 0, 0, 1], 0).into(),
            editor: Editor::Offline,
            shutdown,
            shim: tokio::spawn(shim),
            worker: tokio::spawn(worker),
        }
    }

    #[tokio::test]
    async fn a_part_that_crashes_stops_the_other_and_is_named() {
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let shim = async {
            stopped.await;
            Ok(())
        };
        let ended = system(shim, async { panic!("for a test") }, stop).finished();
        let error = ended.await.unwrap_err();
        assert_eq!(error.to_string(), "the worker crashed");

        let stop = CancellationToken::new();
        let worker = stop.clone().cancelled_owned();
        let shim = async { panic!("for a test") };
        let error = system(shim, worker, stop).finished().await.unwrap_err();
        assert_eq!(error.to_string(), "the HTTP server crashed");

        let stop = CancellationToken::new();
        let worker = stop.clone().cancelled_owned();
        let shim = async { Err(std::io::Error::other("no more sockets")) };
        let error = system(shim, worker, stop).finished().await.unwrap_err();
        assert_eq!(error.to_string(), "the HTTP server failed");
    }
}
