//! Every queue, table, container, key and path, in one place.

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
}

impl QueueName {
    /// All queues.
    pub const ALL: [Self; 4] = [
        Self::Jobs,
        Self::JobsPoison,
        Self::Notifications,
        Self::NotificationsPoison,
    ];

    /// The name in the store: 3 to 63 of a-z, 0-9 and `-`, as Azure asks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::JobsPoison => "jobs-poison",
            Self::Notifications => "notifications",
            Self::NotificationsPoison => "notifications-poison",
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
}

impl TableName {
    /// All tables.
    pub const ALL: [Self; 2] = [Self::Jobs, Self::Tenants];

    /// The name in the store: 3 to 63 letters and digits, as Azure asks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Tenants => "tenants",
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
}

impl Container {
    /// All containers.
    pub const ALL: [Self; 3] = [Self::JobInputs, Self::ModelReplies, Self::CvPdfs];

    /// The name in the store: 3 to 63 of a-z, 0-9 and `-`, as Azure asks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobInputs => "job-inputs",
            Self::ModelReplies => "model-replies",
            Self::CvPdfs => "cv-pdfs",
        }
    }

    /// The container of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|container| container.as_str() == name)
    }
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

/// Whose job a PDF of container `cv-pdfs` belongs to.
pub fn job_of_pdf_path(path: &str) -> Option<(Tenant, JobId)> {
    let (tenant, file) = path.split_once('/')?;
    let id = file.strip_suffix(".pdf")?;
    let id = id.strip_suffix(".unpolished").unwrap_or(id);
    Some((Tenant::try_from(tenant.to_owned()).ok()?, id.parse().ok()?))
}

/// The partition of the table `tenants`.
pub const TENANTS_PARTITION: &str = "tenants";

/// Row keys of the table `jobs`. `~` sorts after letters and digits and is legal in keys.
pub mod row {
    use schemas::JobId;

    /// Prefix of job rows.
    pub const JOB: &str = "j~";
    /// Prefix of idempotency rows.
    pub const IDEMPOTENCY: &str = "k~";
    /// Prefix of open markers.
    pub const MARKER: &str = "o~";

    /// A job's row: newest first, found from the id alone, since the id carries its time.
    pub fn job(id: JobId) -> String {
        let inverted = 0xffff_ffff_ffff - id.unix_millis();
        format!("{JOB}{inverted:012x}~{id}")
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
        format!("l~{content_hash}")
    }

    /// The ledger's row for one attempt.
    pub fn ledger(id: JobId, attempt: u32) -> String {
        format!("c~{id}~{attempt:04}")
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
    fn paths_lead_back_to_their_job() {
        let tenant = Tenant::from_claim("acme");
        let job = id(5);
        assert_eq!(
            job_of_pdf_path(&pdf_path(&tenant, job)),
            Some((tenant.clone(), job))
        );
        let unpolished = unpolished_pdf_path(&tenant, job);
        assert_eq!(job_of_pdf_path(&unpolished), Some((tenant, job)));
        assert_eq!(job_of_pdf_path("acme/elsewhere.pdf"), None);
        assert_eq!(row::job_of_marker(&row::marker(job)), Some(job));
    }
}
