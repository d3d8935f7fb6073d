//! What is stored goes away again: purged jobs for good, erased tenants, and what has been kept
//! long enough. One worker at a time does it, whichever has the lease.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use schemas::Tenant;
use schemas::job::ErasureState;
use storage::ambient::random;
use storage::erase::{Eraser, Erasing};
use storage::jobs::{Buried, JobStore};
use storage::port::Result;
use storage::sessions::SessionStore;
use storage::{lease, schedule};

use crate::Engine;

/// The name of the lease, and of the daily task.
const NAME: &str = "retention";

/// After a tombstone was due the provider is asked so long to delete its copy. Then it is left to
/// the provider, which deletes its copies by itself.
const PROVIDER: Duration = Duration::from_hours(24);

/// Looks for what is to go, round after round, until shutdown.
pub(crate) async fn run(engine: &Engine) {
    let keeper = Keeper::new(engine);
    let every = engine.settings.reconcile_every;
    loop {
        tokio::select! {
            biased;
            () = engine.shutdown.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        if let Err(e) = keeper.round().await {
            tracing::warn!(
                error = &e as &dyn std::error::Error,
                "a round of the retention failed; the next one tries again"
            );
        }
    }
}

/// One round, unless another worker is at it.
pub(crate) async fn round(engine: &Engine) -> Result<()> {
    Keeper::new(engine).round().await
}

struct Keeper<'a> {
    engine: &'a Engine,
    eraser: Eraser,
    holder: String,
    /// When the lease was last taken or renewed, on the monotonic clock.
    leased_at: Mutex<Option<Duration>>,
}

impl<'a> Keeper<'a> {
    fn new(engine: &'a Engine) -> Self {
        let (clock, entropy) = (engine.clock.clone(), engine.entropy.clone());
        let lives = engine.settings.session_lives;
        let sessions = SessionStore::new(engine.store.clone(), clock.clone(), entropy, lives);
        Self {
            engine,
            eraser: Eraser::new(sessions, clock),
            holder: schemas::hex(&random::<8>(&*engine.entropy)),
            leased_at: Mutex::default(),
        }
    }

    async fn round(&self) -> Result<()> {
        if !self.may_go_on().await? {
            return Ok(());
        }
        for erasing in self.eraser.open().await? {
            self.erase(erasing).await?;
        }
        for tenant in self.store().tenants().await? {
            if !self.may_go_on().await? {
                return Ok(());
            }
            self.bury(&tenant).await?;
        }
        self.sweep_if_due().await
    }

    /// Whether this worker is to do it, now or still. A lease lasts four rounds and is renewed once
    /// a round.
    async fn may_go_on(&self) -> Result<bool> {
        if self.engine.shutdown.is_cancelled() {
            return Ok(false);
        }
        let every = self.engine.settings.reconcile_every;
        let now = self.engine.clock.monotonic();
        let leased_at = || {
            self.leased_at
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if leased_at().is_some_and(|at| now < at + every) {
            return Ok(true);
        }
        let table = &*self.store().storage().table;
        let held = lease::acquire(table, NAME, &self.holder, every * 4).await?;
        *leased_at() = held.then_some(now);
        Ok(held)
    }

    /// Erases a tenant as far as it goes now.
    async fn erase(&self, mut erasing: Erasing) -> Result<()> {
        let tenant = erasing.tenant.clone();
        while self.may_go_on().await? {
            self.bury(&tenant).await?;
            let Some(next) = self.eraser.advance(erasing).await? else {
                return Ok(());
            };
            erasing = next;
            let erasure = &erasing.erasure;
            if erasure.state == ErasureState::Running {
                continue;
            }
            if erasure.state == ErasureState::Done {
                let (jobs, sessions) = (erasure.jobs, erasure.sessions);
                tracing::info!(%tenant, jobs, sessions, "tenant {tenant} is erased");
            }
            return Ok(());
        }
        Ok(())
    }

    /// Removes what purged jobs have left, once no call of theirs can be out any more.
    async fn bury(&self, tenant: &Tenant) -> Result<()> {
        let mut from = None;
        loop {
            let (buried, date, next) = self.store().tombstones(tenant, from.as_ref()).await?;
            for buried in buried {
                self.bury_one(tenant, &buried, date).await?;
            }
            from = next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    async fn bury_one(&self, tenant: &Tenant, buried: &Buried, date: Timestamp) -> Result<()> {
        let tombstone = &buried.tombstone;
        let Some(reply_id) = &tombstone.reply_id else {
            return if tombstone.due <= date {
                self.store().bury(tenant, buried).await
            } else {
                Ok(())
            };
        };
        let editor = &self.engine.editor;
        if tombstone.call_out {
            // What it answers is of no use to anybody any more.
            drop(editor.cancel(reply_id).await);
        }
        if editor.forget(reply_id).await {
            return self.store().forgotten(tenant, buried).await;
        }
        if tombstone.due + PROVIDER <= date {
            tracing::warn!(
                reply_id,
                "the provider's copy of reply {reply_id} may still be there"
            );
            return self.store().bury(tenant, buried).await;
        }
        Ok(())
    }

    /// The daily sweep.
    async fn sweep_if_due(&self) -> Result<()> {
        let retention = &self.engine.settings.retention;
        let store = self.store();
        let table = &*store.storage().table;
        let Some(due) = schedule::due(table, NAME, retention.sweep_at).await? else {
            return Ok(());
        };
        let now = self.engine.clock.now();
        for tenant in store.tenants().await? {
            if !self.may_go_on().await? {
                return Ok(());
            }
            if !retention.jobs.is_zero() {
                let purged = store.purge_ended(&tenant, now - retention.jobs).await?;
                if purged > 0 {
                    tracing::info!(%tenant, purged, "{purged} jobs of tenant {tenant} were kept long enough");
                }
            }
            store.drop_expired_keys(&tenant).await?;
        }
        let orphans = store.drop_orphans(now - retention.orphans_after).await?;
        if orphans > 0 {
            tracing::info!(orphans, "{orphans} blobs belonged to no job");
        }
        // Broken off, it is done again from the start: what is gone costs little to look for.
        if self.may_go_on().await? {
            schedule::done(table, NAME, due).await?;
        }
        Ok(())
    }

    fn store(&self) -> &JobStore {
        &self.engine.store
    }
}
