//! Submitting a job: input blob, one transaction, message; repeatable by idempotency key.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use schemas::cv::Warning;
use schemas::job::JobInput;
use schemas::message::JobMessage;
use schemas::{JobId, Tenant};

use super::row::{self, JobRow, KeyRow, RowState};
use super::{JobStore, ROW_SCHEMA, warnings};
use crate::ambient::random;
use crate::failpoints::around;
use crate::names::{Container, TENANTS_PARTITION, TableName, input_path, row as key};
use crate::port::{ETag, Metadata, Properties, PutMode, Result, StorageError, Write};

/// A checked request, ready to become a job.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Whose job.
    pub tenant: Tenant,
    /// What it is made from.
    pub input: JobInput,
    /// The owner's labels.
    pub metadata: BTreeMap<String, String>,
    /// Where the owner wants to hear of this job, checked.
    pub callback_url: Option<String>,
    /// Before this it is not begun; at most six days ahead, as queues hold messages back.
    pub not_before: Option<Timestamp>,
    /// Under what the job is remembered among the sessions, where it is.
    pub group: Option<String>,
    /// What the owner should know already: what was changed or looks odd in the request.
    pub warnings: Vec<Warning>,
    /// Makes a repeat of the request find the first one's job.
    pub idempotency: Option<IdempotencyKey>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

impl Submission {
    /// A request for a job, and nothing said beside it.
    pub fn new(tenant: Tenant, input: JobInput) -> Self {
        Self {
            tenant,
            input,
            metadata: BTreeMap::new(),
            callback_url: None,
            not_before: None,
            group: None,
            warnings: Vec::new(),
            idempotency: None,
            traceparent: None,
        }
    }
}

/// A client's idempotency key, and what it was sent with. Both hashed: keys may hold anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// SHA-256 of the key, hexadecimal.
    pub key_hash: String,
    /// SHA-256 of the request's body, hexadecimal.
    pub body_hash: String,
}

/// What a submission led to.
#[derive(Clone, Debug)]
pub enum Submitted {
    /// A new job.
    Created(JobRow),
    /// The job that the same key made before.
    Replayed(JobRow),
}

impl Submitted {
    /// The job, new or not.
    pub fn row(&self) -> &JobRow {
        match self {
            Self::Created(row) | Self::Replayed(row) => row,
        }
    }
}

/// Why there is no job.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The key was used with another body.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Storage failed before the job was accepted; the client may repeat.
    #[error("the job could not be stored")]
    Storage(#[from] StorageError),
}

enum Known {
    No,
    Expired(ETag),
    Job(Box<JobRow>),
}

impl JobStore {
    /// Stores a job and enqueues it.
    ///
    /// Once the transaction is through the job is accepted, even if the message is lost: its open
    /// marker lets the reconciler put it back. A crash before it leaves an input blob of no job
    /// behind, which nothing refers to: a repeat stores its own.
    pub async fn submit(
        &self,
        submission: Submission,
    ) -> std::result::Result<Submitted, SubmitError> {
        let Submission {
            tenant,
            input,
            metadata,
            callback_url,
            not_before,
            group,
            warnings,
            idempotency,
            traceparent,
        } = submission;
        let mut replaces = None;
        if let Some(key) = &idempotency {
            match self.known(&tenant, key).await? {
                Known::Job(row) => return Ok(self.replay(*row, traceparent).await),
                Known::Expired(etag) => replaces = Some(etag),
                Known::No => {}
            }
        }
        let now = self.clock.now();
        let id = JobId::new(now, random(&*self.entropy));
        let row = JobRow {
            schema: ROW_SCHEMA,
            id,
            tenant: tenant.clone(),
            kind: input.kind,
            state: RowState::Queued,
            version: 1,
            notified_version: 0,
            created_at: now,
            updated_at: now,
            finished_at: None,
            attempt: 0,
            token: None,
            call_deadline: None,
            ambiguous_attempts: 0,
            reply_id: None,
            content_hash: None,
            force: input.options.force,
            on_model_failure: input.options.on_model_failure,
            cancel_requested: false,
            editor: None,
            model_calls: 0,
            possible_duplicate_call: false,
            consents: 0,
            reopened_at: None,
            call: None,
            waiting: None,
            restored: false,
            cached_from: None,
            usage: None,
            warnings: warnings::bounded(warnings, warnings::SUBMITTED),
            error: None,
            result: None,
            result_path: None,
            metadata,
            traceparent: traceparent.clone(),
            callback_url,
            not_before: not_before.filter(|time| *time > now),
            key_hash: idempotency.as_ref().map(|key| key.key_hash.clone()),
            group,
        };
        // Nobody need look for it before it may begin.
        let due = row.not_before.unwrap_or(now);
        // Nothing may be stored for a job whose row would be refused.
        let mut writes = vec![
            Write::Insert(key::job(id), row::encode(&row)?),
            self.marker(id, due)?,
        ];
        if let Some(idempotency) = &idempotency {
            let expires_at = now + self.settings.key_lifetime;
            let body_hash = idempotency.body_hash.clone();
            let entry = row::encode(&KeyRow {
                job_id: id,
                body_hash,
                expires_at,
            })?;
            let at = key::idempotency(&idempotency.key_hash);
            writes.push(match replaces {
                None => Write::Insert(at, entry),
                Some(etag) => Write::Update(at, entry, etag),
            });
        }
        around("submit:put_input", self.put_input(&tenant, id, &input)).await?;
        self.know_tenant(&tenant).await?;
        let table = &self.storage.table;
        let insert = table.write(TableName::Jobs, tenant.as_str(), writes);
        if let Err(e) = around("submit:insert", insert).await {
            // The write may have happened; the row tells. Otherwise another request with the
            // same key may have been faster.
            if self.read(&tenant, id).await?.is_none() {
                // What storage gave no clear answer to may happen yet, and then needs its input. One
                // that nobody comes to need is swept, long after any write can be under way.
                if e.is_refusal() {
                    self.drop_input(&tenant, id).await;
                }
                if let Some(key) = &idempotency
                    && let Known::Job(row) = self.known(&tenant, key).await?
                {
                    return Ok(self.replay(*row, traceparent).await);
                }
                return Err(e.into());
            }
        }
        self.try_enqueue(&row, traceparent).await;
        Ok(Submitted::Created(row))
    }

    /// The job that a repeat of a request finds by its key, if it is remembered: it makes no new one.
    pub async fn replayed(
        &self,
        tenant: &Tenant,
        key: &IdempotencyKey,
        traceparent: Option<String>,
    ) -> std::result::Result<Option<Submitted>, SubmitError> {
        match self.known(tenant, key).await? {
            Known::Job(row) => Ok(Some(self.replay(*row, traceparent).await)),
            Known::Expired(_) | Known::No => Ok(None),
        }
    }

    /// The job that this key made before, if it is remembered.
    async fn known(
        &self,
        tenant: &Tenant,
        key: &IdempotencyKey,
    ) -> std::result::Result<Known, SubmitError> {
        let at = key::idempotency(&key.key_hash);
        let read = self
            .storage
            .table
            .get(TableName::Jobs, tenant.as_str(), &at)
            .await?;
        let Some(entity) = read.value else {
            return Ok(Known::No);
        };
        let entry: KeyRow = row::decode(entity.properties)?;
        if entry.expires_at <= read.date {
            return Ok(Known::Expired(entity.etag));
        }
        if entry.body_hash != key.body_hash {
            return Err(SubmitError::KeyReused);
        }
        match self.read(tenant, entry.job_id).await? {
            Some(loaded) => Ok(Known::Job(Box::new(loaded.row))),
            None => Ok(Known::Expired(entity.etag)),
        }
    }

    /// A repeat is also a chance to put back a message that was lost.
    async fn replay(&self, row: JobRow, traceparent: Option<String>) -> Submitted {
        if row.state == RowState::Queued {
            self.try_enqueue(&row, traceparent).await;
        }
        Submitted::Replayed(row)
    }

    async fn try_enqueue(&self, row: &JobRow, traceparent: Option<String>) {
        let mut message = JobMessage::new(row.tenant.clone(), row.id);
        message.traceparent = traceparent;
        let delay = row.not_before.map_or(Duration::ZERO, |time| {
            Duration::try_from(time.duration_since(self.clock.now())).unwrap_or_default()
        });
        let enqueued = around("submit:enqueue", self.enqueue(&message, delay));
        if let Err(e) = enqueued.await {
            tracing::warn!(job_id = %row.id, error = &e as &dyn std::error::Error, "job {} is not on the queue yet; the reconciler will put it there", row.id);
        }
    }

    async fn put_input(&self, tenant: &Tenant, id: JobId, input: &JobInput) -> Result<()> {
        let data = serde_json::to_vec(input).map_err(|e| StorageError::Invalid(e.to_string()))?;
        let path = input_path(tenant, id);
        let (data, kind) = (Bytes::from(data), "application/json");
        let mode = PutMode::Overwrite;
        let blobs = &self.storage.blobs;
        blobs
            .put(
                Container::JobInputs,
                &path,
                data,
                kind,
                &Metadata::new(),
                mode,
            )
            .await?;
        Ok(())
    }

    /// A job that was not accepted leaves nothing behind, as far as storage answers.
    async fn drop_input(&self, tenant: &Tenant, id: JobId) {
        let path = input_path(tenant, id);
        if let Err(e) = self.storage.blobs.delete(Container::JobInputs, &path).await {
            tracing::warn!(job_id = %id, error = &e as &dyn std::error::Error, "the input blob of refused job {id} stays behind");
        }
    }

    /// The tenant's row comes before its first marker, so that the reconciler finds the marker.
    pub(crate) async fn know_tenant(&self, tenant: &Tenant) -> Result<()> {
        let known = |set: &std::sync::Mutex<std::collections::BTreeSet<Tenant>>| {
            set.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .contains(tenant)
        };
        if !known(&self.known_tenants) {
            let write = Write::Upsert(tenant.as_str().to_owned(), Properties::new());
            self.storage
                .table
                .write(TableName::Tenants, TENANTS_PARTITION, vec![write])
                .await?;
            let mut set = self
                .known_tenants
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            set.insert(tenant.clone());
        }
        Ok(())
    }
}
