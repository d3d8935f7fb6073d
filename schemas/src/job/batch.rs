//! What concerns many jobs at once: batches, and the erasing of a tenant.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JobRequest, JobStatus};
use crate::Problem;

/// Most jobs of one batch.
pub const LARGEST_BATCH: usize = 100;

/// `POST /v1/jobs/batch`: 1 to [`LARGEST_BATCH`] requests, each as `POST /v1/jobs` takes it. One that
/// is refused refuses none of the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// The requests.
    #[schemars(length(min = 1, max = 100))]
    pub jobs: Vec<JobRequest>,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchOutcomes {
    /// How many were accepted.
    pub accepted: usize,
    /// How many were refused.
    pub refused: usize,
    /// One for each request, in their order.
    pub outcomes: Vec<BatchOutcome>,
}

/// What became of one request of a batch: `job` or `error`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchOutcome {
    /// Its place among the requests, from 0.
    pub index: usize,
    /// The status that `POST /v1/jobs` would have answered.
    pub status: u16,
    /// The job was made by an earlier request with the same idempotency key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// The job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobStatus>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// How far the erasing of a tenant is: `POST` and `GET /v1/tenant/erase`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Erasure {
    /// Where it stands.
    pub state: ErasureState,
    /// Everything from before this time is erased.
    pub requested_at: Timestamp,
    /// When its progress was last noted.
    pub updated_at: Timestamp,
    /// When nothing was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Jobs erased so far.
    pub jobs: u64,
    /// Sessions erased so far.
    pub sessions: u64,
    /// Further rows removed so far: deliveries, webhooks, idempotency keys, ledger.
    pub rows: u64,
    /// Blobs removed so far that belonged to no job and no session any more.
    pub blobs: u64,
}

/// Where the erasing of a tenant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErasureState {
    /// Under way.
    Running,
    /// What is left is waited for: calls that were out when their job was erased may still come
    /// back, and are swept away once their deadline has passed.
    Settling,
    /// Nothing is left.
    Done,
}
