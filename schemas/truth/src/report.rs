//! What a check says.

use serde::Serialize;

/// The languages of a comparison, as language tags (BCP 47); only the primary subtag counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Languages<'a> {
    /// Of the source.
    pub from: &'a str,
    /// Of the reply.
    pub to: &'a str,
}

/// One value of the reply that the source does not carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where in the reply, as in `schemas::cv::path`: `work_experience[0].bullets[1]`; in a cover
    /// letter `paragraphs[0]`.
    pub path: String,
    /// The reply's text.
    pub reply: String,
    /// The source's text that it was compared with; empty where the source has none.
    pub source: String,
    /// What is claimed beyond the source, in English.
    pub reason: String,
}

/// What the source does not support, and what code cannot decide. Ordered as the CV's fields are;
/// at most one finding for a path in each list.
///
/// Holds text of the CV: not for logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Claims beyond the source.
    pub unsupported: Vec<Finding>,
    /// Values that may be fair translations, but have no known match.
    pub undecided: Vec<Finding>,
}
