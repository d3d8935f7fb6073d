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
use storage::{Troubles, lease, schedule};

use crate::worker::Engine;

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

    /// What fails for one tenant is passed over, and an error when all others have been looked after.
    async fn round(&self) -> Result<()> {
        if !self.may_go_on().await? {
            return Ok(());
        }
        let mut troubles = Troubles::default();
        for erasing in self.eraser.open(&mut troubles).await? {
            let tenant = erasing.tenant.clone();
            if let Err(e) = self.erase(erasing).await {
                troubles.pass_over(&tenant, "the erasing", e);
            }
        }
        for tenant in self.store().tenants().await? {
            if !self.may_go_on().await? {
                return troubles.end();
            }
            if let Err(e) = self.bury(&tenant).await {
                troubles.pass_over(&tenant, "what purged jobs have left", e);
            }
        }
        self.sweep_if_due().await?;
        troubles.end()
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
        let mut troubles = Troubles::default();
        for tenant in store.tenants().await? {
            if !self.may_go_on().await? {
                return troubles.end();
            }
            if let Err(e) = self.purge_ended(&tenant, now).await {
                troubles.pass_over(&tenant, "old jobs", e);
            }
            if let Err(e) = store.drop_expired_keys(&tenant).await {
                troubles.pass_over(&tenant, "idempotency keys", e);
            }
        }
        let orphans = store.drop_orphans(now - retention.orphans_after).await?;
        if orphans > 0 {
            tracing::info!(orphans, "{orphans} blobs belonged to no job");
        }
        // Broken off, it is done again from the start: what is gone costs little to look for.
        if !troubles.may_pass() && self.may_go_on().await? {
            schedule::done(table, NAME, due).await?;
        }
        troubles.end()
    }

    async fn purge_ended(&self, tenant: &Tenant, now: Timestamp) -> Result<()> {
        let kept = self.engine.settings.retention.jobs;
        if kept.is_zero() {
            return Ok(());
        }
        let purged = self.store().purge_ended(tenant, now - kept).await?;
        if purged > 0 {
            tracing::info!(%tenant, purged, "{purged} jobs of tenant {tenant} were kept long enough");
        }
        Ok(())
    }

    fn store(&self) -> &JobStore {
        &self.engine.store
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use schemas::JobId;
    use storage::fault::{Bench, Fault};
    use storage::names::{TableName, row as key};
    use storage::port::{Properties, StorageError, Write};
    use storage::{Operation, jobs::UnreadableRow};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::Worker;
    use crate::editor::Editor;

    const DAY: Duration = Duration::from_hours(24);

    struct World {
        worker: Worker,
        bench: Bench,
    }

    impl World {
        fn new() -> Self {
            let bench = Bench::new();
            let (clock, entropy) = bench.ambient();
            let mut config = config::Config::for_tests();
            config.retention.jobs = DAY;
            let storage = bench.storage.clone();
            let worker = Worker::new(
                JobStore::new(storage, clock.clone(), entropy.clone(), &config.worker),
                Editor::Offline,
                Arc::new(crate::Press::built_in().unwrap()),
                crate::Settings::new(&config),
                (clock, entropy),
                CancellationToken::new(),
            );
            Self { worker, bench }
        }

        fn store(&self) -> &JobStore {
            &self.worker.0.store
        }

        async fn write(&self, table: TableName, partition: &str, row: String, columns: Properties) {
            let table_of = &self.store().storage().table;
            let write = Write::Upsert(row, columns);
            table_of.write(table, partition, vec![write]).await.unwrap();
        }

        /// A tenant with a job that has ended.
        async fn ended(&self, name: &str) -> (Tenant, JobId) {
            let tenant = Tenant::from_claim(name);
            let submission = crate::reconciler::tests::submission(&tenant);
            let id = self.store().submit(submission).await.unwrap().row().id;
            self.store().cancel(&tenant, id).await.unwrap();
            (tenant, id)
        }

        async fn is_there(&self, (tenant, id): &(Tenant, JobId)) -> bool {
            match self.store().read(tenant, *id).await {
                Ok(read) => read.is_some(),
                Err(e) => UnreadableRow::of(&e).is_some(),
            }
        }

        /// One by a worker that comes when the lease of the one before has run out.
        async fn round(&self) -> Result<()> {
            self.bench.clock.pass(Duration::from_secs(1));
            round(&self.worker.0).await
        }
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_read_keeps_nothing_else_from_going() {
        let world = World::new();
        let (damaged, other) = (world.ended("a").await, world.ended("a").await);
        let of_b = world.ended("b").await;
        let columns = Properties::new;
        let at = key::job(damaged.1);
        world.write(TableName::Jobs, "a", at, columns()).await;
        world.bench.clock.pass(2 * DAY);
        let error = world.round().await.unwrap_err();
        assert!(UnreadableRow::of(&error).is_some(), "{error:?}");
        assert!(world.is_there(&damaged).await);
        assert!(!world.is_there(&other).await && !world.is_there(&of_b).await);
        // To look again today would help nobody.
        world.round().await.unwrap();

        // An erasing that cannot be read, and one that meets what cannot be read.
        world
            .write(TableName::Tenants, "erasures", "0".to_owned(), columns())
            .await;
        let eraser = Keeper::new(&world.worker.0).eraser;
        eraser.request(&damaged.0).await.unwrap();
        world.bench.clock.pass(DAY);
        assert!(world.round().await.is_err());
        assert!(!world.is_there(&damaged).await);
        let erasure = eraser.progress(&damaged.0).await.unwrap().unwrap();
        assert_eq!(erasure.state, ErasureState::Settling);
    }

    #[tokio::test]
    async fn a_tenant_that_storage_does_not_answer_for_holds_up_nobody_else() {
        let world = World::new();
        let jobs = [world.ended("a").await, world.ended("b").await];
        for (tenant, id) in &jobs {
            world.store().purge(tenant, *id).await.unwrap();
        }
        world.bench.clock.pass(DAY);
        let query = Operation::Query(TableName::Jobs);
        world.bench.faults.script(query, 1, Fault::Refuse);
        let error = world.round().await.unwrap_err();
        assert!(matches!(error, StorageError::Unavailable(_)), "{error:?}");
        let mut left = Vec::new();
        for (tenant, _) in &jobs {
            left.push(
                world
                    .store()
                    .tombstones(tenant, None)
                    .await
                    .unwrap()
                    .0
                    .len(),
            );
        }
        assert_eq!(left, [1, 0]);
        world.round().await.unwrap();
        let (tombstones, ..) = world.store().tombstones(&jobs[0].0, None).await.unwrap();
        assert!(tombstones.is_empty());
    }

    #[tokio::test]
    async fn a_daily_sweep_that_storage_broke_off_is_done_again() {
        let world = World::new();
        let (of_a, of_b) = (world.ended("a").await, world.ended("b").await);
        world.bench.clock.pass(2 * DAY);
        // After those for the tombstones of both.
        let query = Operation::Query(TableName::Jobs);
        world.bench.faults.script(query, 3, Fault::Refuse);
        assert!(world.round().await.is_err());
        assert!(world.is_there(&of_a).await && !world.is_there(&of_b).await);
        world.round().await.unwrap();
        assert!(!world.is_there(&of_a).await);
    }
}
