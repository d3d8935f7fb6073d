//! A tenant's jobs, newest first, by what they are.

use jiff::Timestamp;
use schemas::Tenant;
use schemas::job::{JobKind, JobStatus, State};

use super::JobStore;
use super::row;
use crate::names::row as key;
use crate::port::Result;
use crate::troubles::pass_over_row;

/// Which jobs are listed; what is empty takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// In one of these states.
    pub states: Vec<State>,
    /// Of this kind.
    pub kind: Option<JobKind>,
    /// Accepted at this time or later.
    pub from: Option<Timestamp>,
    /// Accepted before this time.
    pub to: Option<Timestamp>,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The jobs.
    pub jobs: Vec<JobStatus>,
    /// Pass this to go on; `None` at the end. Opaque, and checked when it comes back.
    pub next: Option<String>,
}

/// Rows that are looked at for one page: a filter that little passes gives a short page.
const SCANNED: usize = 1_000;

/// Rows that are read at once where a filter may pass few.
const CHUNK: usize = 250;

impl JobFilter {
    fn takes(&self, job: &JobStatus) -> bool {
        (self.states.is_empty() || self.states.contains(&job.state))
            && self.kind.is_none_or(|kind| kind == job.kind)
            && self.from.is_none_or(|from| job.created_at >= from)
            && self.to.is_none_or(|to| job.created_at < to)
    }

    /// Where the rows that can pass begin and end.
    fn rows(&self) -> (String, String) {
        let millis = |at: Timestamp| u64::try_from(at.as_millisecond()).unwrap_or(0);
        let start = self.to.map(|to| key::jobs_of(millis(to)));
        let end = self
            .from
            .map(|from| format!("{}\u{7f}", key::jobs_of(millis(from))));
        (
            start.unwrap_or_else(|| key::JOB.to_owned()),
            end.unwrap_or_else(|| "j\u{7f}".to_owned()),
        )
    }
}

impl JobStore {
    /// A tenant's jobs, newest first, at most `max` (1 to 100) a page. `None` where `after` is not
    /// the `next` of a page.
    ///
    /// At most 1,000 rows are read, so a page may be short, or empty, and still go on. Rows that
    /// cannot be read, or were written by a newer version, are left out.
    pub async fn list(
        &self,
        tenant: &Tenant,
        filter: &JobFilter,
        max: usize,
        after: Option<&str>,
    ) -> Result<Option<Listed>> {
        let (mut start, end) = filter.rows();
        if let Some(after) = after {
            if key::job_of_row(after).is_none() {
                return Ok(None);
            }
            // Nothing sorts between a key and this.
            start = start.max(format!("{after}!"));
        }
        let chunk = if filter.states.is_empty() && filter.kind.is_none() {
            max
        } else {
            CHUNK
        };
        let mut pages = self
            .rows(tenant, start.as_str()..end.as_str())
            .at_most(chunk);
        let (mut jobs, mut scanned) = (Vec::new(), 0);
        while let Some(page) = pages.next_page().await? {
            let mut entities = page.value.into_iter().peekable();
            while let Some(entity) = entities.next() {
                scanned += 1;
                if let Some(id) = key::job_of_row(&entity.row) {
                    match row::decode_job(id, entity.properties) {
                        Ok(job) => jobs.extend(Some(job.status()).filter(|job| filter.takes(job))),
                        Err(e) => pass_over_row(tenant, &entity.row, e)?,
                    }
                }
                let more = !pages.is_over() || entities.peek().is_some();
                if more && (jobs.len() == max || scanned == SCANNED) {
                    let next = Some(entity.row);
                    return Ok(Some(Listed { jobs, next }));
                }
            }
        }
        Ok(Some(Listed { jobs, next: None }))
    }
}
