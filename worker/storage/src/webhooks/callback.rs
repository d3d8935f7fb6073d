//! The secret that signs what goes to the URLs that a tenant's jobs bring with them.

use jiff::Timestamp;
use schemas::Tenant;
use serde::{Deserialize, Serialize};

use super::{TRIES, WebhookStore, decode, encode};
use crate::names::{TableName, webhook_row as key};
use crate::port::{Result, StorageError, Write};

/// The secrets of callbacks.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Signing {
    /// What signs.
    pub secret: String,
    /// What signs too, after a rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_secret: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<Timestamp>,
}

impl Signing {
    /// The secrets that sign at a time, the present one first.
    pub fn secrets(&self, now: Timestamp) -> Vec<&str> {
        let old = self.old_secret.as_deref();
        let old = old.filter(|_| self.old_secret_until.is_some_and(|until| until > now));
        std::iter::once(self.secret.as_str()).chain(old).collect()
    }
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing")
            .field("old_secret_until", &self.old_secret_until)
            .finish_non_exhaustive()
    }
}

impl WebhookStore {
    /// A tenant's secret for callbacks. The first to ask brings a `fresh` one, which counts if
    /// there is none.
    pub async fn callback_secret(&self, tenant: &Tenant, fresh: &str) -> Result<Signing> {
        self.signing(tenant, fresh, false).await
    }

    /// Gives callbacks a new secret; the one before signs too for a while.
    pub async fn rotate_callback_secret(&self, tenant: &Tenant, fresh: &str) -> Result<Signing> {
        self.signing(tenant, fresh, true).await
    }

    async fn signing(&self, tenant: &Tenant, fresh: &str, rotate: bool) -> Result<Signing> {
        for _ in 0..TRIES {
            let table = &self.jobs.storage().table;
            let read = table
                .get(TableName::Webhooks, tenant.as_str(), key::CALLBACK_SECRET)
                .await?;
            let at = key::CALLBACK_SECRET.to_owned();
            let (signing, write) = match read.value {
                None => {
                    let signing = Signing {
                        secret: fresh.to_owned(),
                        old_secret: None,
                        old_secret_until: None,
                    };
                    let write = Write::Insert(at, encode(&signing)?);
                    (signing, write)
                }
                Some(entity) => {
                    let known: Signing = decode(entity.properties)?;
                    if !rotate || known.secret == fresh {
                        return Ok(known);
                    }
                    let signing = Signing {
                        secret: fresh.to_owned(),
                        old_secret: Some(known.secret),
                        old_secret_until: Some(self.clock.now() + self.settings.secret_overlap),
                    };
                    let write = Write::Update(at, encode(&signing)?, entity.etag);
                    (signing, write)
                }
            };
            match self.write(tenant, vec![write]).await {
                Ok(_) => return Ok(signing),
                // Read again: it tells whose counts, also after a lost acknowledgement.
                Err(StorageError::AlreadyExists | StorageError::Precondition) => {}
                Err(e) => return Err(e),
            }
        }
        Err(StorageError::unavailable("the secret changes too often"))
    }
}
