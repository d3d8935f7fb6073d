//! The names of log lines that somebody may search for or build an alert on: they stay as they are.
//!
//! Such a line has the name in its field `event`. Its other fields are named in [`EVENTS`]; the
//! message is for people and may change.

use config::Share;

/// A log line with a stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The value of the field `event`.
    pub name: &'static str,
    /// Its level.
    pub level: &'static str,
    /// The fields that are always there.
    pub fields: &'static [&'static str],
    /// When it is written.
    pub when: &'static str,
}

macro_rules! events {
    ($($constant:ident = $name:literal, $level:literal, [$($field:literal),*], $when:literal;)*) => {
        $(#[doc = $when] pub const $constant: &str = $name;)*

        /// All of them.
        pub const EVENTS: &[Event] = &[
            $(Event { name: $name, level: $level, fields: &[$($field),*], when: $when },)*
        ];
    };
}

events! {
    HTTP_REQUEST = "http.request", "info", ["status", "duration_ms"],
        "A request was answered; the span has its method, route and id.";
    HTTP_TIMEOUT = "http.timeout", "error", ["limit_ms"],
        "A request was ended since it took too long.";
    HTTP_PANIC = "http.panic", "error", [],
        "A handler panicked; its caller got a 500.";
    JOB_ENDED = "job.ended", "info", ["job_id", "state"],
        "A job reached a final state or was held.";
    JOB_HELD = "job.held", "error", ["job_id"],
        "A job was held: the outcome of its model call is unknown.";
    JOB_STRANDED = "job.stranded", "info", ["job_id", "state"],
        "The reconciler put a job back that had no message any more.";
    JOB_UNCLEAR = "job.unclear", "warn", ["job_id"],
        "Storage gave no clear answer while a job was handled; its row is read again.";
    ROUND_PASSED_OVER = "round.passed_over", "warn", ["tenant", "what"],
        "Something of one tenant failed in a round over all tenants, which went on.";
    ROW_PASSED_OVER = "row.passed_over", "warn", ["tenant", "row"],
        "A stored row cannot be read, and was left out of a list.";
    MESSAGE_SET_ASIDE = "message.set_aside", "error", ["queue", "reason"],
        "A message went to a poison queue.";
    MESSAGE_PANIC = "message.panic", "error", ["queue"],
        "A handler of messages panicked; its message comes back.";
    QUEUE_FAILED = "queue.failed", "warn", ["queue"],
        "Nothing could be received from a queue.";
    LEASE_LOST = "lease.lost", "warn", [],
        "A message's lease was lost: another worker may have it.";
    MODEL_NOT_PROCESSED = "model.not_processed", "warn", ["reason"],
        "The model's provider did not process a request; all calls wait.";
    MODEL_FAILED = "model.failed", "warn", ["kind"],
        "The model gave no usable reply.";
    MODEL_UNKNOWN = "model.unknown", "warn", ["kind"],
        "The outcome of a model call is unknown.";
    PDF_METRICS_SAMPLE = "PDF_METRICS_SAMPLE", "info", ["job_id", "state", "total_ms"],
        "Figures of one job: a share of the successful ones, and every other.";
    DOWNLOAD_FAILED = "download.failed", "error", [],
        "A result that should be there could not be sent.";
    TELEMETRY_FAILED = "telemetry.failed", "warn", ["host"],
        "Traces or metrics cannot be sent; they are dropped until that works again.";
    TELEMETRY_RECOVERED = "telemetry.recovered", "info", ["host", "failures"],
        "Traces and metrics can be sent again.";
}

/// Whether the figures of a successful job are logged. The same job gets the same answer in every
/// process and at every try.
pub fn in_sample(share: Share, job_id: &str) -> bool {
    // FNV-1a: ids of jobs end in random digits, so any hash will do that is the same everywhere.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in job_id.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // Its low digits are the weaker ones.
    share.takes(hash ^ (hash >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = EVENTS.iter().map(|event| event.name).collect();
        assert_eq!(names.len(), EVENTS.len());
    }

    #[test]
    fn about_a_tenth_of_ids_is_in_the_default_sample() {
        let share = config::Config::default().telemetry.pdf_metrics_sample;
        let id = |n: u32| format!("01890a5d-ac96-774b-bcce-{n:012x}");
        let taken = (0..10_000).filter(|n| in_sample(share, &id(*n))).count();
        assert!((850..1_150).contains(&taken), "{taken}");
        assert_eq!(in_sample(share, &id(1)), in_sample(share, &id(1)));
        assert!(in_sample(Share::ALL, "anything"));
    }
}
