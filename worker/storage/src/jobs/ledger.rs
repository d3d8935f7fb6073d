//! The ledger: one row for each call to the model, written when the call is latched and again
//! when it is known what became of it.

use jiff::Timestamp;
use schemas::job::Editor;
use schemas::{JobId, Tenant, Usd};
use serde::{Deserialize, Serialize};

use super::JobStore;
use super::row::{self, JobRow};
use crate::names::{TableName, row as key};
use crate::port::{Continuation, Result, Write};

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// The job.
    pub job_id: JobId,
    /// Which attempt of the job.
    pub attempt: u32,
    /// How often the owner had agreed to pay again before this call.
    #[serde(default)]
    pub consents: u32,
    /// It repeats one of unknown outcome, as policy `retry_once` permits one time.
    #[serde(default)]
    pub repeat: bool,
    /// When it was latched, by the table's clock.
    #[serde(alias = "at")]
    pub began_at: Timestamp,
    /// When it was known what became of it, by the worker's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What became of it.
    pub outcome: CallOutcome,
    /// The model that replied; until then, the one that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The provider worked on it in the background.
    #[serde(default)]
    pub background: bool,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Of these, tokens that the provider had cached.
    #[serde(default)]
    pub cached_input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// What it cost, in millionths of a US dollar; `None` where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micro_usd: Option<u64>,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// Not known yet: it may be out.
    Open,
    /// A usable reply.
    Replied,
    /// An answer that is final and of no use; the model may have charged for it.
    Failed,
    /// The provider refused the request before the model was run.
    Rejected,
    /// The provider did not process the request, or it was never sent.
    NotProcessed,
    /// Unknown: it may have been paid for.
    Unknown,
}

impl CallOutcome {
    /// Whether the model may have worked, so that the call counts against the promise of one.
    pub fn may_be_paid(self) -> bool {
        !matches!(self, Self::NotProcessed | Self::Rejected)
    }
}

/// What is known of a call when it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBegun {
    /// By the table's clock.
    pub at: Timestamp,
    /// The model that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The provider is to work in the background.
    pub background: bool,
    /// It repeats one of unknown outcome.
    pub repeat: bool,
}

/// A page of the ledger.
pub type LedgerPage = (Vec<LedgerRow>, Option<Continuation>);

impl JobStore {
    /// A tenant's calls, at most 1,000 a page, by the time at which their jobs were submitted: from
    /// `since` and before `until`. All calls of one job follow one another.
    pub async fn ledger(
        &self,
        tenant: &Tenant,
        since: Timestamp,
        until: Timestamp,
        from: Option<&Continuation>,
    ) -> Result<LedgerPage> {
        let (start, end) = (key::ledger_from(since), key::ledger_from(until));
        let table = &self.storage.table;
        let rows = start.as_str()..end.as_str();
        let read = table
            .query(TableName::Jobs, tenant.as_str(), rows, 1_000, from)
            .await?;
        let rows = read.value.entities.into_iter();
        let rows = rows.map(|entity| row::decode(entity.properties));
        Ok((rows.collect::<Result<_>>()?, read.value.next))
    }
}

/// The ledger row of the row's present attempt; none for the offline editor, which costs nothing.
///
/// An upsert: a held job that is adopted later replaces `unknown` by what became of it.
pub(super) fn entry(row: &JobRow, outcome: CallOutcome, now: Timestamp) -> Result<Option<Write>> {
    let Some(begun) = &row.call else {
        return Ok(None);
    };
    if row.attempt == 0 || row.editor != Some(Editor::Model) {
        return Ok(None);
    }
    // Tokens of an earlier call are not those of one that is out.
    let ended = outcome != CallOutcome::Open;
    let usage = row.usage.clone().filter(|_| ended);
    let cost = match outcome {
        CallOutcome::NotProcessed | CallOutcome::Rejected => Some(0),
        _ => usage
            .as_ref()
            .and_then(|usage| usage.cost_usd.map(Usd::micros)),
    };
    let answered = usage.as_ref().map(|usage| usage.model.clone());
    let usage = usage.unwrap_or_default();
    let entry = row::encode(&LedgerRow {
        job_id: row.id,
        attempt: row.attempt,
        consents: row.consents,
        repeat: begun.repeat,
        began_at: begun.at,
        ended_at: ended.then_some(now.max(begun.at)),
        outcome,
        model: answered.filter(|m| !m.is_empty()).or(begun.model.clone()),
        background: begun.background,
        input_tokens: usage.input_tokens,
        cached_input_tokens: usage.cached_input_tokens,
        output_tokens: usage.output_tokens,
        cost_micro_usd: cost,
    })?;
    Ok(Some(Write::Upsert(key::ledger(row.id, row.attempt), entry)))
}
