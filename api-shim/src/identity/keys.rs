//! API keys: looked up in the store, and kept for a few seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use storage::keys::{KeyHash, KeyId, KeyRow, KeyStore, id_of};
use storage::{Clock, StorageError};

use super::Refusal;
use crate::caller::{Caller, Who};
use crate::problem::chain;

/// Age from which on a row is read again, in the background.
const FRESH: Duration = Duration::from_secs(2);

/// Age up to which a row counts: so long may a revoked key work at most.
const STALE: Duration = Duration::from_secs(4);

/// Least time between two notes that a key was used.
const NOTED_EVERY: Duration = Duration::from_mins(5);

/// Most keys that are kept; each takes about half a kilobyte.
const MOST: usize = 10_000;

/// The keys of a store.
pub(super) struct Keys {
    store: KeyStore,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<KeyId, Kept>>,
    /// Takes the place of the stored hash where there is no such key, so that both cost the same.
    nobody: KeyHash,
}

struct Kept {
    row: Option<Arc<KeyRow>>,
    read_at: Duration,
    is_being_read: bool,
    noted_at: Option<Duration>,
}

impl Keys {
    pub(super) fn new(store: KeyStore, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            kept: Mutex::default(),
            nobody: KeyHash::of(""),
        }
    }

    /// Whose key it is, if it counts.
    pub(super) async fn check(self: &Arc<Self>, text: &str) -> Result<Caller, Refusal> {
        let id = id_of(text).ok_or(Refusal::Invalid)?;
        let row = self.row(&id).await;
        let row = row.map_err(|e| Refusal::Unknown(e.into()))?;
        let stored = row.as_ref().map_or(&self.nobody, |row| &row.hash);
        let is_equal = stored.matches(&KeyHash::of(text));
        let row = row.filter(|_| is_equal).ok_or(Refusal::Invalid)?;
        if !row.counts(self.clock.now()) {
            return Err(Refusal::Invalid);
        }
        self.note_use(&row);
        Ok(Caller {
            tenant: row.tenant.clone(),
            scopes: row.scopes.clone(),
            tier: Some(row.tier),
            who: Who::Key(id),
        })
    }

    async fn row(self: &Arc<Self>, id: &KeyId) -> Result<Option<Arc<KeyRow>>, StorageError> {
        let now = self.clock.monotonic();
        if let Some(kept) = self.kept().get_mut(id) {
            let age = now.saturating_sub(kept.read_at);
            if age < STALE {
                if age >= FRESH && !kept.is_being_read {
                    kept.is_being_read = true;
                    let (keys, id) = (self.clone(), id.clone());
                    tokio::spawn(async move {
                        if let Err(e) = keys.read(&id).await {
                            tracing::warn!("an API key cannot be read again: {}", chain(&e));
                        }
                    });
                }
                return Ok(kept.row.clone());
            }
        }
        self.read(id).await
    }

    /// Reads a row and keeps it, with the time before the read as its age.
    async fn read(&self, id: &KeyId) -> Result<Option<Arc<KeyRow>>, StorageError> {
        let read_at = self.clock.monotonic();
        let row = self.store.read(id).await;
        let mut kept = self.kept();
        let noted_at = kept.get(id).and_then(|kept| kept.noted_at);
        let row = match row {
            Ok(row) => row.map(Arc::new),
            Err(e) => {
                kept.remove(id);
                return Err(e);
            }
        };
        if kept.len() >= MOST {
            kept.retain(|_, kept| read_at.saturating_sub(kept.read_at) < STALE);
        }
        if kept.len() >= MOST {
            // A flood of made-up ids must not push out the keys of others.
            kept.retain(|_, kept| kept.row.is_some());
        }
        if kept.len() < MOST {
            let is_being_read = false;
            kept.insert(
                id.clone(),
                Kept {
                    row: row.clone(),
                    read_at,
                    is_being_read,
                    noted_at,
                },
            );
        }
        Ok(row)
    }

    /// Notes now and then, in the background, that a key was used.
    fn note_use(self: &Arc<Self>, row: &Arc<KeyRow>) {
        let (now, at) = (self.clock.now(), self.clock.monotonic());
        let is_recent = |used: jiff::Timestamp| {
            Duration::try_from(now.duration_since(used)).unwrap_or_default() < NOTED_EVERY
        };
        if row.last_used_at.is_some_and(is_recent) {
            return;
        }
        if let Some(kept) = self.kept().get_mut(&row.id) {
            if kept
                .noted_at
                .is_some_and(|noted| at.saturating_sub(noted) < NOTED_EVERY)
            {
                return;
            }
            kept.noted_at = Some(at);
        }
        let (keys, id) = (self.clone(), row.id.clone());
        tokio::spawn(async move {
            if let Err(e) = keys.store.note_use(&id, now).await {
                tracing::debug!("the use of an API key is not noted: {}", chain(&e));
            }
        });
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<KeyId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use schemas::Tenant;
    use storage::ambient::System;
    use storage::fault::Bench;
    use storage::keys::{NewKey, Scope, Tier};

    use super::*;

    struct World {
        keys: Arc<Keys>,
        bench: Bench,
        /// Of a key that counts.
        text: String,
    }

    async fn world() -> World {
        let bench = Bench::new();
        let (clock, entropy) = bench.ambient();
        let store = KeyStore::new(bench.plain.table.clone(), clock.clone(), entropy);
        let new = NewKey {
            tenant: Tenant::from_claim("acme"),
            name: String::new(),
            scopes: vec![Scope::JobsRead],
            tier: Tier::Free,
            lives: None,
        };
        let made = store.create(new).await.unwrap();
        World {
            text: made.text.expose().to_owned(),
            keys: Arc::new(Keys::new(store, clock)),
            bench,
        }
    }

    #[tokio::test]
    async fn a_warm_check_reads_nothing_and_a_revoked_key_works_for_seconds_only() {
        let world = world().await;
        let keys = &world.keys;
        assert!(keys.check(&world.text).await.is_ok());
        let id = id_of(&world.text).unwrap();
        assert!(keys.store.revoke(&id).await.unwrap());
        // Who read the row now would find it revoked.
        let watch = System::new();
        let mut times = Vec::new();
        for _ in 0..2_000 {
            let start = watch.monotonic();
            assert!(keys.check(&world.text).await.is_ok());
            times.push(watch.monotonic().saturating_sub(start));
        }
        times.sort_unstable();
        let [median, late] = [1_000, 1_980].map(|place| times[place]);
        println!("a warm key check: median {median:?}, p99 {late:?}");

        world.bench.clock.pass(STALE);
        let late = keys.check(&world.text).await;
        assert!(matches!(late, Err(Refusal::Invalid)));
    }

    #[tokio::test]
    async fn a_flood_of_made_up_ids_is_bounded_and_pushes_out_nobody() {
        let World { keys, text, .. } = &world().await;
        assert!(keys.check(text).await.is_ok());
        for n in 0..MOST + 100 {
            let made_up = format!("pw_{n:012}_{}", &text[16..]);
            assert!(keys.check(&made_up).await.is_err());
        }
        let kept = keys.kept();
        assert!(kept.len() <= MOST, "{}", kept.len());
        assert!(kept.values().any(|kept| kept.row.is_some()));
    }
}
