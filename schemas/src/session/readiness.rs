//! Whether a document can be made of a session: required fields, and what its owner has confirmed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Confirmed, Session};
use crate::cv::{CheckOptions, check};

/// What is there, and what is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Readiness {
    /// Nothing is missing.
    pub can_generate: bool,
    /// Each required field, and whether it has content; what was read and is not confirmed counts.
    pub required_present: BTreeMap<String, bool>,
    /// Whether the fields of the strict template are required too.
    pub strict_template: bool,
    /// What the owner has confirmed.
    pub confirmed_flags: Confirmed,
    /// Paths of required fields without content, `contact_not_confirmed` and
    /// `education_not_confirmed`.
    pub missing: Vec<String>,
}

/// The top-level fields that are required, and those that the strict template adds.
const REQUIRED: [&str; 5] = [
    "full_name",
    "email",
    "phone",
    "work_experience",
    "education",
];
const STRICT: [&str; 4] = ["address_lines", "profile", "languages", "it_ai_skills"];

/// The readiness of a session.
pub fn readiness(session: &Session, strict_template: bool) -> Readiness {
    let report = check(&session.effective(), &CheckOptions { strict_template });
    let mut missing: Vec<String> = report
        .errors
        .into_iter()
        .filter(|error| error.code == "missing")
        .map(|error| error.path)
        .collect();
    let strict = STRICT
        .iter()
        .take(if strict_template { STRICT.len() } else { 0 });
    let required_present = REQUIRED
        .iter()
        .chain(strict)
        .map(|name| ((*name).to_owned(), !missing.iter().any(|path| path == name)))
        .collect();
    let flags = session.confirmed;
    for (confirmed, name) in [
        (flags.contact_confirmed, "contact_not_confirmed"),
        (flags.education_confirmed, "education_not_confirmed"),
    ] {
        if !confirmed {
            missing.push(name.to_owned());
        }
    }
    Readiness {
        can_generate: missing.is_empty(),
        required_present,
        strict_template,
        confirmed_flags: flags,
        missing,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn an_empty_session_lacks_everything_and_a_confirmed_full_one_nothing() {
        let empty = readiness(&Session::new(), false);
        assert!(!empty.can_generate);
        let all = [
            "full_name",
            "email",
            "phone",
            "work_experience",
            "education",
            "contact_not_confirmed",
            "education_not_confirmed",
        ];
        assert_eq!(empty.missing, all);
        assert_eq!(empty.required_present.len(), 5);
        assert_eq!(readiness(&Session::new(), true).required_present.len(), 9);

        let sample = serde_json::from_str(crate::cv::SAMPLE).unwrap();
        let mut session = Session::new();
        session.prefill = Some(Box::new(crate::cv::normalise(&sample).unwrap().cv));
        let unconfirmed = readiness(&session, false);
        assert_eq!(
            unconfirmed.missing,
            ["contact_not_confirmed", "education_not_confirmed"]
        );
        assert!(
            unconfirmed
                .required_present
                .values()
                .all(|present| *present)
        );
        session.confirm(Some(true), Some(true), Timestamp::UNIX_EPOCH);
        assert!(readiness(&session, false).can_generate);
        session.cv.work_experience[0].employer.clear();
        assert_eq!(
            readiness(&session, false).missing,
            ["work_experience[0].employer"]
        );
    }
}
