//! The typed store of jobs: every read and every move of a job, on top of the ports.
//!
//! A move is an If-Match update in one transaction with whatever belongs to it (idempotency row,
//! open marker, content latch, ledger). A move that is not acknowledged may still have happened:
//! read the row again and decide from what is there.

mod cancel;
mod documents;
mod ledger;
mod list;
mod markers;
mod purge;
mod recovery;
mod restored;
mod retention;
pub(crate) mod row;
mod submit;
#[cfg(test)]
mod tests;
mod warnings;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use schemas::event::Event;
use schemas::job::{Editor, Usage, Waiting};
use schemas::message::JobMessage;
use schemas::{JobId, Problem, Tenant};

pub use cancel::Cancelled;
pub use documents::{PdfFacts, StoredDocument, StoredPdf};
pub use ledger::{CallBegun, CallOutcome, LedgerPage, LedgerRow};
pub use list::{JobFilter, Listed};
pub use markers::{OpenJob, OpenJobs};
pub(crate) use purge::next_target;
pub use purge::{Buried, Tombstone, Tombstones};
pub use recovery::Consent;
pub use restored::{HeldJobs, Suspects};
pub use row::{ContentLatch, JobRow, Marker, RowState, SCHEMA as ROW_SCHEMA, Token, UnreadableRow};
pub use submit::{IdempotencyKey, Submission, SubmitError, Submitted};

use crate::ambient::random;
use crate::names::{QueueName, TableName, row as key};
use crate::pages::Rows;
use crate::port::{ETag, Result, StorageError, Write};
use crate::{Clock, Entropy, Storage};

/// Reads and moves jobs. Cheap to clone.
#[derive(Clone)]
pub struct JobStore {
    storage: Storage,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
    /// Tenants whose row in table `tenants` is known to exist.
    known_tenants: Arc<Mutex<BTreeSet<Tenant>>>,
}

/// How long an idempotency key is remembered.
const KEY_LIFETIME: Duration = Duration::from_hours(24);

/// Bytes that are kept of why a job failed. As JSON, where each may take six, they fit one column.
const LONGEST_DETAIL: usize = 2_000;

/// Durations of the store.
#[derive(Clone, Copy, Debug)]
struct Settings {
    key_lifetime: Duration,
    /// How long a job may stand still before the reconciler puts it back on the queue.
    idle_before_requeue: Duration,
    /// How long a late reply to a held job is waited for.
    held_marker: Duration,
    /// How long after its call's deadline a worker may still have a purged job in hand.
    burial: Duration,
}

/// A job as read: its row, the version to write against, and the table's time of the read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The row.
    pub row: JobRow,
    /// For If-Match.
    pub etag: ETag,
    /// The table's clock at the read.
    pub date: Timestamp,
}

/// The row of a job was written by a newer version, which is to look after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the row of job {0} was written by a newer version")]
pub struct NewerRow(pub JobId);

impl NewerRow {
    /// The reason of a failed read, if it is this one.
    pub fn of(error: &StorageError) -> Option<Self> {
        match error {
            StorageError::Unavailable(source) => source.downcast_ref().copied(),
            _ => None,
        }
    }
}

/// What a latch writes.
#[derive(Clone, Debug)]
pub struct Latch {
    /// Drawn for this try alone.
    pub token: Token,
    /// After this, by the table's clock, no call of this token can still be out.
    pub deadline: Timestamp,
    /// Who will edit; the offline editor costs nothing.
    pub editor: Editor,
    /// The model that will be asked for; for the ledger.
    pub model: Option<String>,
    /// The provider is to work in the background; for the ledger.
    pub background: bool,
    /// The content's hash, and the version of the latch to replace, if there is one.
    /// `None` leaves equal content of other jobs alone.
    pub content: Option<(String, Option<ETag>)>,
    /// The last call's outcome is unknown, and this one repeats it.
    pub after_ambiguous: bool,
}

/// How a job ends.
#[derive(Clone, Debug)]
pub enum Ending {
    /// With a PDF.
    Succeeded {
        /// The document.
        pdf: StoredPdf,
        /// The job that it was copied from.
        cached_from: Option<JobId>,
        /// What the owner should know.
        warnings: Vec<schemas::cv::Warning>,
    },
    /// Without one.
    Failed(Problem),
    /// By its owner's wish.
    Cancelled,
    /// Not begun in time.
    Expired(Problem),
    /// Held; perhaps with the owner's own text as a PDF.
    OutcomeUnknown(Problem, Option<StoredPdf>),
}

impl JobStore {
    /// A store over an account.
    pub fn new(
        storage: Storage,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: &config::Worker,
    ) -> Self {
        let settings = Settings {
            key_lifetime: KEY_LIFETIME,
            idle_before_requeue: settings.idle_before_requeue,
            held_marker: settings.marker_hold,
            burial: settings.visibility + settings.deadline_margin,
        };
        Self {
            storage,
            clock,
            entropy,
            settings,
            known_tenants: Arc::default(),
        }
    }

    /// The account beneath.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// A walk over rows of a tenant's partition of table `jobs`.
    fn rows<'a>(&'a self, tenant: &'a Tenant, rows: Range<&'a str>) -> Rows<'a> {
        Rows::of(&*self.storage.table, TableName::Jobs, tenant.as_str(), rows)
    }

    /// Reads a job. A row of a later schema is an error, [`NewerRow`], so that an old worker
    /// leaves it alone.
    pub async fn read(&self, tenant: &Tenant, id: JobId) -> Result<Option<Loaded>> {
        let read = self
            .storage
            .table
            .get(TableName::Jobs, tenant.as_str(), &key::job(id))
            .await?;
        let Some(entity) = read.value else {
            return Ok(None);
        };
        Ok(Some(Loaded {
            row: row::decode_job(id, entity.properties)?,
            etag: entity.etag,
            date: read.date,
        }))
    }

    /// Puts a message for a job.
    pub async fn enqueue(&self, message: &JobMessage, delay: Duration) -> Result<()> {
        self.storage
            .queue
            .send(QueueName::Jobs, &message.to_body(), delay)
            .await
    }

    /// Puts an event that a job has ended on the queue `notifications`.
    pub async fn enqueue_ended(&self, tenant: &Tenant, id: JobId) -> Result<()> {
        let subject = format!("/tenants/{tenant}/jobs/{id}");
        let event = self.event(Event::JOB_ENDED, subject, self.clock.now());
        self.notify(&event).await
    }

    /// Puts an event on the queue `notifications`.
    pub(crate) async fn notify(&self, event: &Event) -> Result<()> {
        let body = serde_json::to_string(event).expect("an event is always JSON");
        let queue = &self.storage.queue;
        queue
            .send(QueueName::Notifications, &body, Duration::ZERO)
            .await
    }

    /// An event of ours, without details.
    pub(crate) fn event(&self, kind: &str, subject: String, time: Timestamp) -> Event {
        let id = uuid::Builder::from_random_bytes(random(&*self.entropy)).into_uuid();
        Event {
            specversion: "1.0".to_owned(),
            id: id.to_string(),
            source: "/presswork".to_owned(),
            kind: kind.to_owned(),
            subject,
            time,
            data: serde_json::Value::Null,
        }
    }

    /// Who holds some content, and the version of that latch.
    pub async fn content_latch(
        &self,
        tenant: &Tenant,
        content_hash: &str,
    ) -> Result<Option<(ContentLatch, ETag)>> {
        let row = key::content_latch(content_hash);
        let read = self
            .storage
            .table
            .get(TableName::Jobs, tenant.as_str(), &row)
            .await?;
        read.value
            .map(|e| Ok((row::decode(e.properties)?, e.etag)))
            .transpose()
    }

    /// `queued -> calling`, or one call after another of unknown outcome. From here until the
    /// deadline only the holder of the token may call the model.
    pub async fn latch(&self, loaded: &Loaded, latch: Latch) -> Result<Loaded> {
        let mut row = loaded.row.clone();
        row.attempt += 1;
        row.token = Some(latch.token);
        row.call_deadline = Some(latch.deadline);
        row.editor = Some(latch.editor);
        row.reply_id = None;
        if latch.editor == Editor::Model {
            row.model_calls += 1;
        }
        if latch.after_ambiguous {
            row.ambiguous_attempts += 1;
            row.possible_duplicate_call = true;
            row.warnings.push(schemas::cv::Warning {
                path: String::new(),
                code: "possible_duplicate_call".to_owned(),
                message: "The outcome of the first call to the model is unknown, and a second \
                          one was made: both may have been paid for."
                    .to_owned(),
            });
        }
        let mut writes = Vec::new();
        if let Some((hash, replaces)) = latch.content {
            let content = row::encode(&ContentLatch {
                job_id: row.id,
                token: latch.token,
            })?;
            let at = key::content_latch(&hash);
            writes.push(match replaces {
                Some(etag) => Write::Update(at, content, etag),
                None => Write::Insert(at, content),
            });
            row.content_hash = Some(hash);
        }
        let now = self.clock.now();
        if latch.after_ambiguous {
            writes.extend(ledger::entry(&loaded.row, CallOutcome::Unknown, now)?);
        }
        row.usage = None;
        row.call = Some(CallBegun {
            at: loaded.date,
            model: latch.model,
            background: latch.background,
            repeat: latch.after_ambiguous,
        });
        writes.extend(ledger::entry(&row, CallOutcome::Open, now)?);
        row.move_to(RowState::Calling, now);
        self.move_row(loaded, row, writes).await
    }

    /// `calling -> queued`: the model did not process the request, so nothing was paid.
    pub async fn roll_back(&self, loaded: &Loaded) -> Result<Loaded> {
        let mut row = loaded.row.clone();
        let now = self.clock.now();
        let mut writes = Vec::new();
        writes.extend(ledger::entry(&row, CallOutcome::NotProcessed, now)?);
        row.token = None;
        row.call_deadline = None;
        if row.editor == Some(Editor::Model) {
            row.model_calls = row.model_calls.saturating_sub(1);
        }
        row.move_to(RowState::Queued, now);
        self.move_row(loaded, row, writes).await
    }

    /// Says why a job stays `queued`, and keeps its marker from falling due before that is over.
    pub async fn note_waiting(&self, loaded: &Loaded, waiting: Waiting) -> Result<Loaded> {
        let mut row = loaded.row.clone();
        let marker = self.marker(row.id, waiting.until)?;
        row.move_to(row.state, self.clock.now());
        row.waiting = Some(waiting);
        self.move_row(loaded, row, vec![marker]).await
    }

    /// To `rendering`: a reply is stored, or the owner's own text in its place; `call` is what
    /// became of the call. Also the way out of `outcome_unknown` for a late reply.
    pub async fn to_rendering(
        &self,
        loaded: &Loaded,
        usage: Option<Usage>,
        call: CallOutcome,
    ) -> Result<Loaded> {
        let mut row = loaded.row.clone();
        let mut writes = Vec::new();
        if row.state.is_final() {
            // The marker of a held job may be gone: a job that is not final always has one.
            writes.push(self.marker(row.id, loaded.date)?);
        }
        let now = self.clock.now();
        row.token = None;
        row.call_deadline = None;
        row.usage = usage;
        row.error = None;
        row.result = None;
        row.result_path = None;
        writes.extend(ledger::entry(&row, call, now)?);
        row.move_to(RowState::Rendering, now);
        self.move_row(loaded, row, writes).await
    }

    /// To a final state: the row, its marker and its ledger row together. The marker stays until
    /// the end has been told.
    pub async fn finish(
        &self,
        loaded: &Loaded,
        ending: Ending,
        call: Option<CallOutcome>,
    ) -> Result<Loaded> {
        let mut row = loaded.row.clone();
        let mut writes = Vec::new();
        if let Some(call) = call {
            writes.extend(ledger::entry(&row, call, self.clock.now())?);
        }
        row.token = None;
        row.call_deadline = None;
        let state = match ending {
            Ending::Succeeded {
                pdf,
                cached_from,
                warnings,
            } => {
                row.cached_from = cached_from;
                row.warnings.extend(warnings);
                row.warnings = warnings::bounded(row.warnings, warnings::ALL);
                set_document(&mut row, pdf);
                RowState::Succeeded
            }
            Ending::Failed(problem) => {
                row.error = Some(problem);
                RowState::Failed
            }
            Ending::Cancelled => RowState::Cancelled,
            Ending::Expired(problem) => {
                row.error = Some(problem);
                RowState::Expired
            }
            Ending::OutcomeUnknown(problem, own_text) => {
                if call == Some(CallOutcome::Unknown) {
                    row.ambiguous_attempts += 1;
                }
                row.error = Some(problem);
                if let Some(pdf) = own_text {
                    set_document(&mut row, pdf);
                }
                RowState::OutcomeUnknown
            }
        };
        row.move_to(state, self.clock.now());
        writes.push(self.marker(row.id, loaded.date)?);
        self.move_row(loaded, row, writes).await
    }

    /// An operator's requeue of a poisoned job: `failed -> queued`, or `rendering` where a reply
    /// is stored. It has as much time to begin as a new one.
    pub async fn reopen(&self, loaded: &Loaded, reply_stored: bool) -> Result<Loaded> {
        let mut row = loaded.row.clone();
        row.reopened_at = Some(loaded.date);
        row.error = None;
        let state = if reply_stored {
            RowState::Rendering
        } else {
            RowState::Queued
        };
        row.move_to(state, self.clock.now());
        let marker = self.marker(row.id, loaded.date)?;
        self.move_row(loaded, row, vec![marker]).await
    }

    /// Records that the end of a job has been told. Its marker goes with that, but for a held job,
    /// which may still get a reply.
    pub async fn notified(&self, loaded: &Loaded, version: u32) -> Result<Loaded> {
        let mut row = loaded.row.clone();
        row.notified_version = version;
        let over = row.state.is_final() && row.state != RowState::OutcomeUnknown;
        let marker = over.then(|| Write::Delete(key::marker(row.id), None));
        self.move_row(loaded, row, marker.into_iter().collect())
            .await
    }

    async fn move_row(
        &self,
        loaded: &Loaded,
        mut row: JobRow,
        mut writes: Vec<Write>,
    ) -> Result<Loaded> {
        let at = key::job(row.id);
        if let Some(problem) = &mut row.error {
            let end = problem.detail.floor_char_boundary(LONGEST_DETAIL);
            problem.detail.truncate(end);
        }
        writes.insert(
            0,
            Write::Update(at, row::encode(&row)?, loaded.etag.clone()),
        );
        let etags = self
            .storage
            .table
            .write(TableName::Jobs, row.tenant.as_str(), writes)
            .await?;
        let etag = etags.into_iter().next().flatten();
        let etag = etag.ok_or_else(|| StorageError::unavailable("a write gave no version"))?;
        Ok(Loaded {
            row,
            etag,
            date: loaded.date,
        })
    }
}

fn set_document(row: &mut JobRow, pdf: StoredPdf) {
    row.result = Some(pdf.result(row.id));
    row.result_path = Some(pdf.path);
}
