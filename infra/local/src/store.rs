//! The store that an operator's command works on.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::Args;
use config::{Backend, Loaded, SettingsArgs};
use schemas::Tenant;
use storage::ambient::System;
use storage::jobs::JobStore;
use storage::{Clock, Entropy, embedded};

/// Where the store is.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StoreArgs {
    /// The directory of the embedded store [default: ./presswork-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

impl StoreArgs {
    /// The settings, with this store in them.
    pub(crate) fn load(&self, settings: SettingsArgs) -> Result<Loaded, config::ConfigError> {
        let data = self.data.as_ref();
        let own = data.map(|dir| ("storage.data_dir".to_owned(), dir.display().to_string()));
        settings.load(own.into_iter().collect())
    }

    /// The settings of a store that must be there: an empty one would answer that all is well.
    pub(crate) fn find(&self, settings: SettingsArgs) -> anyhow::Result<Loaded> {
        let loaded = self.load(settings)?;
        let storage = &loaded.config.storage;
        if storage.backend == Backend::Embedded {
            let dir = storage.data_dir.display();
            let there = embedded::is_in(&storage.data_dir);
            let there = there.with_context(|| {
                format!("cannot see whether there is a store in {dir}: may this user look into it?")
            })?;
            ensure!(
                there,
                "there is no store in {dir}: say where it is with --data"
            );
        }
        Ok(loaded)
    }

    /// The settings and the store, which must be there.
    pub(crate) async fn open(&self, settings: SettingsArgs) -> anyhow::Result<(Loaded, JobStore)> {
        let loaded = self.find(settings)?;
        let store = open(&loaded).await?;
        Ok((loaded, store))
    }

    /// The settings and the store, which is made if it is not there.
    pub(crate) async fn open_or_make(
        &self,
        settings: SettingsArgs,
    ) -> anyhow::Result<(Loaded, JobStore)> {
        let loaded = self.load(settings)?;
        let store = open(&loaded).await?;
        Ok((loaded, store))
    }
}

/// The store of these settings.
pub(crate) async fn open(loaded: &Loaded) -> Result<JobStore, storage::OpenError> {
    let ambient = Arc::new(System::new());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
    let storage = storage::open(&loaded.config.storage, &clock, &entropy).await?;
    let store = JobStore::new(storage, clock, entropy, &loaded.config.worker);
    Ok(store)
}

/// All tenants, or the one that was asked for.
pub(crate) async fn tenants(store: &JobStore, one: Option<&str>) -> anyhow::Result<Vec<Tenant>> {
    if let Some(name) = one {
        return Ok(vec![Tenant::from_claim(name)]);
    }
    Ok(store.tenants().await?)
}
