//! The typed store of API keys: made, rotated, revoked, and found by their ids.
//!
//! All keys are rows of one partition, so that the two writes of a rotation are one transaction. It
//! takes 2,000 reads a second in Azure; whoever checks keys keeps them for a few seconds.

mod grant;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemas::Tenant;
use serde::{Deserialize, Serialize};

pub use grant::{Scope, Tier, UnknownName};
pub use text::{InvalidHash, InvalidKeyId, KEY_PREFIX, KeyHash, KeyId, KeyText, id_of};

use crate::ambient::{Clock, Entropy};
use crate::jobs::row::{decode, encode, json_text};
use crate::names::{KEYS_PARTITION, TableName};
use crate::pages::Rows;
use crate::port::{ETag, Result, StorageError, Table, Write};

/// Rotations in one transaction: each writes two rows, and 100 are allowed.
const ROTATED_AT_ONCE: usize = 50;

/// Tries of a write that others' writes come before.
const TRIES: usize = 4;

/// The store of keys.
#[derive(Clone)]
pub struct KeyStore {
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// What is stored of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyRow {
    /// The version of this shape.
    pub schema: u32,
    /// The public part of the key.
    pub id: KeyId,
    /// Whose requests it makes.
    pub tenant: Tenant,
    /// What its owner calls it; may be empty.
    pub name: String,
    /// What it allows.
    #[serde(with = "json_text")]
    pub scopes: Vec<Scope>,
    /// Which limits it has.
    pub tier: Tier,
    /// The hash of the whole key.
    pub hash: KeyHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it does not count.
    pub expires_at: Option<Timestamp>,
    /// Since when it does not count, by its owner's will.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, some minutes coarse.
    pub last_used_at: Option<Timestamp>,
    /// The key that took its place.
    pub replaced_by: Option<KeyId>,
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It counts.
    Active,
    /// It counts until its grace period ends: another has taken its place.
    Rotated,
    /// Its time is over.
    Expired,
    /// Somebody took it back.
    Revoked,
}

impl KeyRow {
    /// Where it stands at a moment.
    pub fn state(&self, now: Timestamp) -> KeyState {
        if self.revoked_at.is_some() {
            KeyState::Revoked
        } else if self.expires_at.is_some_and(|at| at <= now) {
            KeyState::Expired
        } else if self.replaced_by.is_some() {
            KeyState::Rotated
        } else {
            KeyState::Active
        }
    }

    /// Whether it counts at a moment.
    pub fn counts(&self, now: Timestamp) -> bool {
        matches!(self.state(now), KeyState::Active | KeyState::Rotated)
    }
}

/// What a key is to be.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Whose requests it makes.
    pub tenant: Tenant,
    /// What its owner calls it.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// Which limits it has.
    pub tier: Tier,
    /// How long it counts; `None` is until it is revoked.
    pub lives: Option<Duration>,
}

/// A new key: the only time that its text is to be had.
#[derive(Clone, Debug)]
pub struct MadeKey {
    /// What is stored of it.
    pub row: KeyRow,
    /// The key.
    pub text: KeyText,
    /// The key that it takes the place of.
    pub replaces: Option<KeyId>,
}

type Versioned = (KeyRow, ETag);

impl KeyStore {
    /// The keys of a table.
    pub fn new(table: Arc<dyn Table>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            table,
            clock,
            entropy,
        }
    }

    /// Makes a key.
    pub async fn create(&self, new: NewKey) -> Result<MadeKey> {
        let made = self.make(new, None);
        let write = Write::Insert(made.row.id.to_string(), encode(&made.row)?);
        self.write_made(vec![write], &made.row.id).await?;
        Ok(made)
    }

    /// The key of an id, whether it counts or not.
    pub async fn read(&self, id: &KeyId) -> Result<Option<KeyRow>> {
        Ok(self.versioned(id).await?.map(|(row, _)| row))
    }

    /// All keys, or those of one tenant, by their ids.
    pub async fn list(&self, tenant: Option<&Tenant>) -> Result<Vec<KeyRow>> {
        let all = self.all(tenant).await?;
        Ok(all.into_iter().map(|(row, _)| row).collect())
    }

    /// Makes a key in place of another, which counts for `grace` more, or for as long as it would
    /// have anyway. `None` where there is no such key, or it counts no more, or has a successor.
    pub async fn rotate(&self, id: &KeyId, grace: Duration) -> Result<Option<MadeKey>> {
        for _ in 0..TRIES {
            let Some(old) = self.versioned(id).await? else {
                return Ok(None);
            };
            match self.rotate_these(vec![old], grace).await {
                Ok(mut made) => return Ok(made.pop()),
                Err(StorageError::Precondition) => {}
                Err(e) => return Err(e),
            }
        }
        Err(StorageError::Precondition)
    }

    /// The same for all active keys of a tenant. A failure may leave some of more than 50 undone; a
    /// repeat rotates those only, since the others have their successors.
    pub async fn rotate_all(&self, tenant: &Tenant, grace: Duration) -> Result<Vec<MadeKey>> {
        let mut made = Vec::new();
        for _ in 0..TRIES {
            let now = self.clock.now();
            let mut left = self.all(Some(tenant)).await?;
            left.retain(|(row, _)| row.state(now) == KeyState::Active);
            left.retain(|(row, _)| !made.iter().any(|new: &MadeKey| new.row.id == row.id));
            if left.is_empty() {
                return Ok(made);
            }
            for some in left.chunks(ROTATED_AT_ONCE) {
                match self.rotate_these(some.to_vec(), grace).await {
                    Ok(new) => made.extend(new),
                    Err(StorageError::Precondition) => {}
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(made)
    }

    async fn rotate_these(&self, old: Vec<Versioned>, grace: Duration) -> Result<Vec<MadeKey>> {
        let now = self.clock.now();
        let (mut writes, mut made) = (Vec::new(), Vec::new());
        for (mut row, etag) in old {
            if row.state(now) != KeyState::Active {
                continue;
            }
            let lived = row.expires_at.map(|at| at.duration_since(row.created_at));
            let like = NewKey {
                tenant: row.tenant.clone(),
                name: row.name.clone(),
                scopes: row.scopes.clone(),
                tier: row.tier,
                lives: lived.and_then(|lives| lives.try_into().ok()),
            };
            let new = self.make(like, Some(row.id.clone()));
            let ends = now + grace;
            row.expires_at = Some(row.expires_at.map_or(ends, |at| at.min(ends)));
            row.replaced_by = Some(new.row.id.clone());
            writes.push(Write::Insert(new.row.id.to_string(), encode(&new.row)?));
            writes.push(Write::Update(row.id.to_string(), encode(&row)?, etag));
            made.push(new);
        }
        if let Some(first) = made.first() {
            self.write_made(writes, &first.row.id).await?;
        }
        Ok(made)
    }

    /// Makes a key count no more; tells whether it counted before.
    pub async fn revoke(&self, id: &KeyId) -> Result<bool> {
        let now = self.clock.now();
        self.change(id, |row| {
            let counted = row.counts(now);
            row.revoked_at.get_or_insert(now);
            counted
        })
        .await
        .map(|counted| counted.unwrap_or(false))
    }

    /// Notes that a key was used. Only for those who read lists: another's write in between wins.
    pub async fn note_use(&self, id: &KeyId, at: Timestamp) -> Result<()> {
        let later = |row: &mut KeyRow| row.last_used_at = row.last_used_at.max(Some(at));
        self.change(id, later).await.map(|_| ())
    }

    async fn change<T>(
        &self,
        id: &KeyId,
        mut change: impl FnMut(&mut KeyRow) -> T,
    ) -> Result<Option<T>> {
        for _ in 0..TRIES {
            let Some((mut row, etag)) = self.versioned(id).await? else {
                return Ok(None);
            };
            let done = change(&mut row);
            let write = Write::Update(id.to_string(), encode(&row)?, etag);
            match self.write(vec![write]).await {
                Ok(()) => return Ok(Some(done)),
                Err(StorageError::Precondition) => {}
                Err(e) => return Err(e),
            }
        }
        Err(StorageError::Precondition)
    }

    fn make(&self, new: NewKey, replaces: Option<KeyId>) -> MadeKey {
        let (id, text) = KeyText::new(&*self.entropy);
        let now = self.clock.now();
        let row = KeyRow {
            schema: 1,
            id,
            tenant: new.tenant,
            name: new.name,
            scopes: new.scopes,
            tier: new.tier,
            hash: KeyHash::of(text.expose()),
            created_at: now,
            expires_at: new.lives.map(|lives| now + lives),
            revoked_at: None,
            last_used_at: None,
            replaced_by: None,
        };
        MadeKey {
            row,
            text,
            replaces,
        }
    }

    async fn versioned(&self, id: &KeyId) -> Result<Option<Versioned>> {
        let table = &self.table;
        let read = table
            .get(TableName::Tenants, KEYS_PARTITION, id.as_str())
            .await?;
        read.value
            .map(|entity| Ok((decode(entity.properties)?, entity.etag)))
            .transpose()
    }

    async fn all(&self, tenant: Option<&Tenant>) -> Result<Vec<Versioned>> {
        let mut keys: Vec<Versioned> = Vec::new();
        let (name, rows) = (TableName::Tenants, "0".."\u{7f}");
        let mut pages = Rows::of(&*self.table, name, KEYS_PARTITION, rows);
        while let Some(page) = pages.next_page().await? {
            for entity in page.value {
                let row: KeyRow = decode(entity.properties)?;
                if tenant.is_none_or(|tenant| row.tenant == *tenant) {
                    keys.push((row, entity.etag));
                }
            }
        }
        Ok(keys)
    }

    /// Writes that make a key. One whose answer was lost counts as done where its key is there.
    async fn write_made(&self, writes: Vec<Write>, made: &KeyId) -> Result<()> {
        match self.write(writes).await {
            Err(e) if self.read(made).await?.is_none() => Err(e),
            _ => Ok(()),
        }
    }

    async fn write(&self, writes: Vec<Write>) -> Result<()> {
        let table = &self.table;
        table
            .write(TableName::Tenants, KEYS_PARTITION, writes)
            .await
            .map(|_| ())
    }
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStore").finish_non_exhaustive()
    }
}
