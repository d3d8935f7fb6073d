//! Every queue, table, container, key and path, in one place.

use schemas::job::DocumentName;
use schemas::session::SessionId;
use schemas::{JobId, Tenant};

/// Queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueueName {
    /// Jobs to look at.
    Jobs,
    /// Job messages set aside, with their reason.
    JobsPoison,
    /// Events: blobs written, jobs ended.
    Notifications,
    /// Events set aside, with their reason.
    NotificationsPoison,
    /// Deliveries to webhooks that were given up.
    DeadLetters,
    /// Messages of `presswork doctor` to itself.
    Doctor,
}

impl QueueName {
    /// All queues.
    pub const ALL: [Self; 6] = [
        Self::Jobs,
        Self::JobsPoison,
        Self::Notifications,
        Self::NotificationsPoison,
        Self::DeadLetters,
        Self::Doctor,
    ];

    /// The name in the store: 3 to 63 of a-z, 0-9 and `-`, as Azure asks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::JobsPoison => "jobs-poison",
            Self::Notifications => "notifications",
            Self::NotificationsPoison => "notifications-poison",
            Self::DeadLetters => "webhook-deadletter",
            Self::Doctor => "doctor",
        }
    }
}

/// Tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableName {
    /// Everything of a job; the partition is the tenant.
    Jobs,
    /// One row for each tenant, all in one partition.
    Tenants,
    /// Editing sessions and what was made of them; the partition is the tenant.
    Sessions,
    /// Webhooks and their deliveries; the partition is the tenant.
    Webhooks,
}

impl TableName {
    /// All tables.
    pub const ALL: [Self; 4] = [Self::Jobs, Self::Tenants, Self::Sessions, Self::Webhooks];

    /// The name in the store: 3 to 63 letters and digits, as Azure asks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Tenants => "tenants",
            Self::Sessions => "cvsessions",
            Self::Webhooks => "webhooks",
        }
    }
}

/// Blob containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Container {
    /// What jobs are made from.
    JobInputs,
    /// Raw replies of the model.
    ModelReplies,
    /// Finished PDFs.
    CvPdfs,
    /// What stands beside a finished PDF. Apart from it, because each blob that lands in
    /// [`Container::CvPdfs`] is an event.
    JobDocuments,
    /// Contents of sessions that are too large for a row.
    CvSessions,
    /// Photos of sessions.
    CvPhotos,
    /// Rows of all tables, as `presswork export --stored` writes them each night.
    Exports,
}

impl Container {
    /// All containers.
    pub const ALL: [Self; 7] = [
        Self::JobInputs,
        Self::ModelReplies,
        Self::CvPdfs,
        Self::JobDocuments,
        Self::CvSessions,
        Self::CvPhotos,
        Self::Exports,
    ];

    /// The containers whose paths begin with a tenant. Servers have no right to any other.
    pub const OF_TENANTS: [Self; 6] = [
        Self::JobInputs,
        Self::ModelReplies,
        Self::CvPdfs,
        Self::JobDocuments,
        Self::CvSessions,
        Self::CvPhotos,
    ];

    /// The name in the store: 3 to 63 of a-z, 0-9 and `-`, as Azure asks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobInputs => "job-inputs",
            Self::ModelReplies => "model-replies",
            Self::CvPdfs => "cv-pdfs",
            Self::JobDocuments => "job-documents",
            Self::CvSessions => "cv-sessions",
            Self::CvPhotos => "cv-photos",
            Self::Exports => "exports",
        }
    }

    /// The containers that hold what is of jobs: every path begins with [`job_prefix`].
    pub const OF_JOBS: [Self; 4] = [
        Self::JobInputs,
        Self::ModelReplies,
        Self::CvPdfs,
        Self::JobDocuments,
    ];

    /// The container of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|container| container.as_str() == name)
    }
}

/// Where the paths of all blobs of a job begin, in each of [`Container::OF_JOBS`]. No job's prefix is
/// that of another: ids have one length.
pub fn job_prefix(tenant: &Tenant, job: JobId) -> String {
    format!("{tenant}/{job}")
}

/// Whose blob a path of [`Container::OF_JOBS`] names.
pub fn job_of_blob(path: &str) -> Option<(Tenant, JobId)> {
    /// A UUID with its hyphens.
    const ID: usize = 36;
    let (tenant, rest) = path.split_once('/')?;
    let id = rest.get(..ID)?.parse().ok()?;
    Some((Tenant::try_from(tenant.to_owned()).ok()?, id))
}

/// The blob that holds a job's input.
pub fn input_path(tenant: &Tenant, job: JobId) -> String {
    format!("{tenant}/{job}.json")
}

/// The blob that holds the raw reply to a job's call.
pub fn reply_path(tenant: &Tenant, job: JobId) -> String {
    format!("{tenant}/{job}.json")
}

/// The blob that holds a job's PDF.
pub fn pdf_path(tenant: &Tenant, job: JobId) -> String {
    format!("{tenant}/{job}.pdf")
}

/// The blob that holds the caller's own text as a PDF while the model's outcome is unknown.
/// Apart from [`pdf_path`], because a late reply still earns its own, polished PDF.
pub fn unpolished_pdf_path(tenant: &Tenant, job: JobId) -> String {
    format!("{tenant}/{job}.unpolished.pdf")
}

/// The blob that holds a document beside a job's PDF, in [`Container::JobDocuments`]. `pdf` is where
/// the PDF is: polished and unpolished PDFs each have their own company.
pub fn document_path(pdf: &str, document: DocumentName) -> String {
    let stem = pdf.strip_suffix(".pdf").unwrap_or(pdf);
    format!("{stem}/{}", document.as_str())
}

/// Whose job a PDF of container `cv-pdfs` belongs to.
pub fn job_of_pdf_path(path: &str) -> Option<(Tenant, JobId)> {
    let (tenant, file) = path.split_once('/')?;
    let id = file.strip_suffix(".pdf")?;
    let id = id.strip_suffix(".unpolished").unwrap_or(id);
    Some((Tenant::try_from(tenant.to_owned()).ok()?, id.parse().ok()?))
}

/// Where the blobs of a session begin, in both of its containers.
pub fn session_prefix(tenant: &Tenant, session: SessionId) -> String {
    format!("{tenant}/{session}/")
}

/// A blob of a session. Each write has a name of its own, so that the row decides which one counts.
pub fn session_blob(tenant: &Tenant, session: SessionId, write: &str) -> String {
    format!("{tenant}/{session}/{write}")
}

/// The session that a blob belongs to.
pub fn session_of_blob(path: &str) -> Option<SessionId> {
    path.split('/').nth(1)?.parse().ok()
}

/// The partition of the table `tenants`.
pub const TENANTS_PARTITION: &str = "tenants";

/// The partition of the table `tenants` that holds API keys, by their ids.
pub const KEYS_PARTITION: &str = "keys";

/// The partition of the table `tenants` that holds how much of its limits a caller has used.
pub const QUOTA_PARTITION: &str = "quota";

/// The partition of the table `tenants` that holds what calls cost.
pub const BUDGET_PARTITION: &str = "budget";

/// The partition of the table `tenants` that holds which tenants are being erased.
pub const ERASURES_PARTITION: &str = "erasures";

/// The partitions of the table of tenants that an export takes along. What is left out, such as
/// leases and counters of requests, is made anew.
pub const KEPT_PARTITIONS: [&str; 4] = [
    TENANTS_PARTITION,
    KEYS_PARTITION,
    BUDGET_PARTITION,
    ERASURES_PARTITION,
];

/// Row keys of the table `cvsessions`. A session's own key is its id.
pub mod session_row {
    use jiff::Timestamp;
    use schemas::JobId;
    use schemas::session::SessionId;

    /// Prefix of the rows that say when to look at a session again.
    pub const EXPIRY: &str = "x~";
    /// Prefix of generations.
    pub const GENERATION: &str = "g~";

    /// When to see whether a session has expired.
    pub fn expiry(at: Timestamp, session: SessionId) -> String {
        format!("{}{session}", expiry_from(at))
    }

    /// Where the rows of a time begin.
    pub fn expiry_from(at: Timestamp) -> String {
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        format!("{EXPIRY}{millis:012x}~")
    }

    /// The session of such a row.
    pub fn session_of_expiry(row: &str) -> Option<SessionId> {
        row.strip_prefix(EXPIRY)?.split_once('~')?.1.parse().ok()
    }

    /// Where the generations of a session, or of equal content, begin.
    pub fn generations(group: &str) -> String {
        format!("{GENERATION}{group}~")
    }

    /// A generation: newest first.
    pub fn generation(group: &str, job: JobId) -> String {
        let inverted = 0xffff_ffff_ffff - job.unix_millis();
        format!("{GENERATION}{group}~{inverted:012x}~{job}")
    }

    /// The group of such a row.
    pub fn group_of_generation(row: &str) -> Option<&str> {
        Some(row.strip_prefix(GENERATION)?.split_once('~')?.0)
    }
}

/// Row keys of the table `webhooks`. A *target* is a webhook's id, or [`webhook_row::CALLBACK`].
pub mod webhook_row {
    use jiff::Timestamp;
    use schemas::webhook::EventId;

    /// Prefix of webhooks.
    pub const WEBHOOK: &str = "e~";
    /// Prefix of deliveries.
    pub const DELIVERY: &str = "d~";
    /// Prefix of due markers.
    pub const DUE: &str = "w~";
    /// The target that stands for the URLs that jobs bring with them.
    pub const CALLBACK: &str = "callback";
    /// The secret that signs what goes there.
    pub const CALLBACK_SECRET: &str = "s~callback";

    /// A webhook.
    pub fn webhook(id: &str) -> String {
        format!("{WEBHOOK}{id}")
    }

    /// Where the deliveries to a target begin.
    pub fn deliveries(target: &str) -> String {
        format!("{DELIVERY}{target}~")
    }

    /// A delivery: newest first, found from target and event alone.
    pub fn delivery(target: &str, event: &EventId) -> String {
        let inverted = 0xffff_ffff_ffff - event.unix_millis();
        format!("{DELIVERY}{target}~{inverted:012x}~{event}")
    }

    /// Behind the deliveries of events that happened at a time or later.
    pub fn deliveries_since(target: &str, at: Timestamp) -> String {
        let inverted = 0xffff_ffff_ffff - millis(at);
        format!("{DELIVERY}{target}~{inverted:012x}~\u{7f}")
    }

    /// Where the deliveries of events begin that happened at a time; those of earlier ones follow.
    pub fn deliveries_from(target: &str, at: Timestamp) -> String {
        let inverted = 0xffff_ffff_ffff - millis(at);
        format!("{DELIVERY}{target}~{inverted:012x}~")
    }

    /// Before the deliveries of events that happened at a time or earlier.
    pub fn deliveries_until(target: &str, at: Timestamp) -> String {
        let inverted = 0xffff_ffff_ffff - millis(at);
        format!("{DELIVERY}{target}~{inverted:012x}~")
    }

    /// When to look at a delivery.
    pub fn due(at: Timestamp, target: &str, event: &EventId) -> String {
        format!("{DUE}{:012x}~{target}~{event}", millis(at))
    }

    /// Behind the markers that are due at a time.
    pub fn due_until(at: Timestamp) -> String {
        format!("{DUE}{:012x}~\u{7f}", millis(at))
    }

    /// Target and event of such a marker.
    pub fn of_due(row: &str) -> Option<(&str, EventId)> {
        let rest = row.strip_prefix(DUE)?;
        let (_, rest) = rest.split_once('~')?;
        let (target, event) = rest.split_once('~')?;
        Some((target, event.parse().ok()?))
    }

    /// The target of a delivery's key.
    pub fn target_of_delivery(row: &str) -> Option<&str> {
        Some(row.strip_prefix(DELIVERY)?.split_once('~')?.0)
    }

    fn millis(at: Timestamp) -> u64 {
        u64::try_from(at.as_millisecond()).unwrap_or(0)
    }
}

/// Row keys of the table `jobs`. `~` sorts after letters and digits and is legal in keys.
pub mod row {
    use jiff::Timestamp;
    use schemas::JobId;

    /// Prefix of job rows.
    pub const JOB: &str = "j~";
    /// Prefix of idempotency rows.
    pub const IDEMPOTENCY: &str = "k~";
    /// Prefix of open markers.
    pub const MARKER: &str = "o~";
    /// Prefix of content latches.
    pub const CONTENT: &str = "l~";
    /// Prefix of the ledger's rows.
    pub const LEDGER: &str = "c~";
    /// Prefix of tombstones.
    pub const TOMBSTONE: &str = "t~";

    /// A job's row: newest first, found from the id alone, since the id carries its time.
    pub fn job(id: JobId) -> String {
        format!("{}{id}", jobs_of(id.unix_millis()))
    }

    /// Where the rows of jobs begin that were submitted at this millisecond since 1970; those of
    /// earlier ones follow.
    pub fn jobs_of(millis: u64) -> String {
        let inverted = 0xffff_ffff_ffff_u64.saturating_sub(millis);
        format!("{JOB}{inverted:012x}~")
    }

    /// The job of a job's row.
    pub fn job_of_row(row: &str) -> Option<JobId> {
        let id = row.strip_prefix(JOB)?.split_once('~')?.1.parse().ok()?;
        (job(id) == row).then_some(id)
    }

    /// What is left of a purged job for a while.
    pub fn tombstone(id: JobId) -> String {
        format!("{TOMBSTONE}{id}")
    }

    /// The job that a tombstone's key names.
    pub fn job_of_tombstone(row: &str) -> Option<JobId> {
        row.strip_prefix(TOMBSTONE)?.parse().ok()
    }

    /// The row that remembers an idempotency key, by the key's hash.
    pub fn idempotency(key_hash: &str) -> String {
        format!("{IDEMPOTENCY}{key_hash}")
    }

    /// The open marker: there while the job is not final.
    pub fn marker(id: JobId) -> String {
        format!("{MARKER}{id}")
    }

    /// The job that a marker's key names.
    pub fn job_of_marker(row: &str) -> Option<JobId> {
        row.strip_prefix(MARKER)?.parse().ok()
    }

    /// The latch of equal content.
    pub fn content_latch(content_hash: &str) -> String {
        format!("{CONTENT}{content_hash}")
    }

    /// The ledger's row for one attempt.
    pub fn ledger(id: JobId, attempt: u32) -> String {
        format!("{LEDGER}{id}~{attempt:04}")
    }

    /// The first key that a ledger's row can have whose job was submitted at this time or later.
    pub fn ledger_from(submitted: Timestamp) -> String {
        let millis = u64::try_from(submitted.as_millisecond()).unwrap_or(0);
        format!("{LEDGER}{:08x}-{:04x}", millis >> 16, millis & 0xffff)
    }

    /// What one process spent on a day, for a tenant or (empty) for all. In partition `budget` of
    /// table `tenants`.
    pub fn spend(day: jiff::civil::Date, tenant: &str, holder: &str) -> String {
        format!("{day}~{tenant}~{holder}")
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn id(millis: i64) -> JobId {
        JobId::new(Timestamp::from_millisecond(millis).unwrap(), [3; 10])
    }

    #[test]
    fn newer_jobs_sort_first() {
        assert!(row::job(id(2_000)) < row::job(id(1_000)));
        assert!(row::job(id(1_790_000_000_001)) < row::job(id(1_790_000_000_000)));
    }

    #[test]
    fn the_ledger_begins_where_its_time_begins() {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        for (job, from, inside) in [
            (1_790_000_000_000, 1_790_000_000_000, true),
            (1_790_000_000_001, 1_790_000_000_000, true),
            (1_789_999_999_999, 1_790_000_000_000, false),
            (1_790_000_065_536, 1_790_000_065_535, true),
        ] {
            let row = row::ledger(id(job), 1);
            assert_eq!(row >= row::ledger_from(at(from)), inside, "{job} {from}");
        }
    }

    #[test]
    fn paths_lead_back_to_their_job() {
        let tenant = Tenant::from_claim("acme");
        let job = id(5);
        assert_eq!(
            job_of_pdf_path(&pdf_path(&tenant, job)),
            Some((tenant.clone(), job))
        );
        let unpolished = unpolished_pdf_path(&tenant, job);
        assert_eq!(job_of_pdf_path(&unpolished), Some((tenant.clone(), job)));
        assert_eq!(job_of_pdf_path("acme/elsewhere.pdf"), None);
        let letter = document_path(&unpolished, DocumentName::CoverLetter);
        assert_eq!(letter, format!("acme/{job}.unpolished/cover-letter"));
        assert_eq!(row::job_of_marker(&row::marker(job)), Some(job));
        assert_eq!(row::job_of_row(&row::job(job)), Some(job));
        assert_eq!(row::job_of_tombstone(&row::tombstone(job)), Some(job));
        for path in [input_path(&tenant, job), unpolished.clone(), letter] {
            assert_eq!(job_of_blob(&path), Some((tenant.clone(), job)), "{path}");
            assert!(path.starts_with(&job_prefix(&tenant, job)), "{path}");
        }
        assert_eq!(job_of_blob("acme/x/y"), None);
        assert_eq!(row::job_of_row("j~0~x"), None);
    }
}
