//! What a fake has been asked, in the figures of a provider's bill.

use serde::{Deserialize, Serialize};

/// Counts since the start or the last reset.
/// `received = accepted + not_processed + rejected`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Requests for a response.
    pub received: u64,
    /// Of those, the ones that a provider would bill, whether or not their reply arrived.
    pub accepted: u64,
    /// Of those, the ones that were turned away unprocessed: any 429, a labelled 503.
    pub not_processed: u64,
    /// Of those, the ones refused for what they say: any other 4xx, a redirect.
    pub rejected: u64,
    /// Accepted requests whose reply was withheld: hung, reset, truncated, or an ambiguous status.
    pub lost: u64,
    /// Accepted requests whose `metadata.reference` had been accepted before: paid twice.
    pub repeated: u64,
    /// Requests being answered now.
    pub in_flight: u64,
    /// The most that there have been at once.
    pub most_in_flight: u64,
    /// Stored responses that were fetched.
    pub retrieved: u64,
    /// Stored responses that were cancelled.
    pub cancelled: u64,
    /// Stored responses that were deleted.
    pub deleted: u64,
}
