//! Edits of a session: field paths, batches and patches, all or none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Session;
use crate::cv::path::{FieldPath, PathError, Segment, SetError};
use crate::cv::photo::{self, Photo, PhotoError};
use crate::cv::{Cv, CvError, Warning};

/// Most edits in one batch, the members of a patch counted too.
const MAX_EDITS: usize = 100;

/// One edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// Where, such as `work_experience[0].employer`. An index equal to the list's length appends.
    #[schemars(length(min = 1, max = 200))]
    pub field_path: String,
    /// The new value; `null` clears a field and removes an item of a list.
    #[serde(default)]
    pub value: Value,
}

/// A batch of edits: applied in order, all or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Single fields.
    pub edits: Vec<Edit>,
    /// Whole top-level fields by name.
    pub patch: Map<String, Value>,
}

/// What a batch came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// The fields that were set, as they were named.
    pub fields: Vec<String>,
    /// What was changed or left out of the new values.
    pub warnings: Vec<Warning>,
    /// What is to become of the photo, which a session does not hold itself.
    pub photo: Option<PhotoChange>,
}

/// What is to become of a session's photo.
#[derive(Clone, PartialEq, Eq)]
pub enum PhotoChange {
    /// It is this one from now on.
    Set(Photo),
    /// There is none any more.
    Remove,
}

impl std::fmt::Debug for PhotoChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Set(_) => "Set",
            Self::Remove => "Remove",
        })
    }
}

/// Why a batch was not applied. Nothing of it was.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The batch is empty.
    #[error("there is nothing to change: send field_path and value, edits, cv_patch or confirm")]
    Nothing,
    /// The batch has too many edits.
    #[error("the batch has {0} edits, at most {MAX_EDITS} are taken")]
    TooMany(usize),
    /// A path is wrong.
    #[error("{field_path} cannot be set: {source}")]
    Path {
        /// The path as it was sent, shortened.
        field_path: String,
        /// Which part of it is wrong.
        source: PathError,
    },
    /// A value is wrong.
    #[error("the value of {field_path} is not taken: {source}")]
    Value {
        /// The path.
        field_path: String,
        /// Why.
        source: CvError,
    },
    /// A photo cannot be used.
    #[error(transparent)]
    Photo(#[from] PhotoError),
}

impl Change {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.patch.is_empty()
    }
}

impl Session {
    /// Applies a batch. A field that is empty and that the document has is taken over from there
    /// before a path into it is followed, so that what was read can be corrected.
    pub fn apply(&mut self, change: &Change) -> Result<Applied, EditError> {
        let count = change.edits.len() + change.patch.len();
        if count == 0 {
            return Err(EditError::Nothing);
        }
        if count > MAX_EDITS {
            return Err(EditError::TooMany(count));
        }
        let mut cv = self.cv.clone();
        let mut applied = Applied::default();
        let members = change
            .patch
            .iter()
            .map(|(key, value)| (key.as_str(), value));
        let edits = change
            .edits
            .iter()
            .map(|edit| (edit.field_path.as_str(), &edit.value));
        for (text, value) in members.chain(edits) {
            let shown = || text.chars().take(60).collect::<String>();
            if text == "photo_url" {
                applied.photo = Some(photo_change(value)?);
                applied.fields.push(text.to_owned());
                continue;
            }
            let wrong = |source| EditError::Path {
                field_path: shown(),
                source,
            };
            let path: FieldPath = text.parse().map_err(wrong)?;
            if let (Some(prefill), [Segment::Key(key), _, ..]) = (&self.prefill, path.segments()) {
                fill_field(&mut cv, prefill, key);
            }
            let set = path.set(&cv, value.clone()).map_err(|error| match error {
                SetError::Path(source) => wrong(source),
                SetError::Value(source) => EditError::Value {
                    field_path: shown(),
                    source,
                },
            })?;
            cv = set.cv;
            applied.warnings.extend(set.warnings);
            applied.fields.push(path.to_string());
        }
        applied.warnings.truncate(MAX_EDITS);
        self.cv = cv;
        Ok(applied)
    }
}

fn photo_change(value: &Value) -> Result<PhotoChange, EditError> {
    match value {
        Value::Null => Ok(PhotoChange::Remove),
        Value::String(uri) if uri.trim().is_empty() => Ok(PhotoChange::Remove),
        Value::String(uri) => Ok(PhotoChange::Set(photo::decode(&without_spaces(uri))?)),
        _ => Err(PhotoError::NotADataUri.into()),
    }
}

/// Encoders break lines.
fn without_spaces(uri: &str) -> String {
    uri.split_whitespace().collect()
}

macro_rules! fields {
    ($cv:ident, $from:ident, $only:ident; texts: $($text:ident)*; options: $($option:ident)*; lists: $($list:ident)*) => {
        $(if $only.is_none_or(|key| key == stringify!($text)) && $cv.$text.trim().is_empty() {
            $cv.$text.clone_from(&$from.$text);
        })*
        $(if $only.is_none_or(|key| key == stringify!($option)) && $cv.$option.is_none() {
            $cv.$option.clone_from(&$from.$option);
        })*
        $(if $only.is_none_or(|key| key == stringify!($list)) && $cv.$list.is_empty() {
            $cv.$list.clone_from(&$from.$list);
        })*
    };
}

/// Fills the empty fields of `cv` from `from`; of one field alone where `only` names it.
fn fill_some(cv: &mut Cv, from: &Cv, only: Option<&str>) {
    fields!(cv, from, only;
        texts: full_name email phone;
        options: birth_date nationality profile interests data_privacy language;
        lists: address_lines work_experience education further_experience languages it_ai_skills
            certifications trainings publications references links);
}

/// Fills the empty fields of `cv` from `from`.
pub(super) fn fill(cv: &mut Cv, from: &Cv) {
    fill_some(cv, from, None);
}

fn fill_field(cv: &mut Cv, from: &Cv, key: &str) {
    fill_some(cv, from, Some(key));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cv::Work;

    fn session() -> Session {
        let mut session = Session::new();
        session.prefill = Some(Box::new(Cv {
            full_name: "Ida Morrow".to_owned(),
            work_experience: vec![Work {
                title: "Driver".to_owned(),
                employer: "Example Ltd".to_owned(),
                ..Work::default()
            }],
            ..Cv::default()
        }));
        session
    }

    fn edits(list: &[(&str, Value)]) -> Change {
        Change {
            edits: list
                .iter()
                .map(|(path, value)| Edit {
                    field_path: (*path).to_owned(),
                    value: value.clone(),
                })
                .collect(),
            ..Change::default()
        }
    }

    #[test]
    fn a_path_into_what_was_read_takes_that_field_over_and_no_other() {
        let mut session = session();
        let change = edits(&[("work_experience[0].employer", json!("Sample GmbH"))]);
        let applied = session.apply(&change).unwrap();
        assert_eq!(applied.fields, ["work_experience[0].employer"]);
        assert_eq!(session.cv.work_experience[0].employer, "Sample GmbH");
        assert_eq!(session.cv.work_experience[0].title, "Driver");
        assert_eq!(session.cv.full_name, "");
    }

    #[test]
    fn a_batch_is_applied_whole_or_not_at_all() {
        let mut session = session();
        let before = session.clone();
        let check = |session: &mut Session, list: &[(&str, Value)], want: &str| {
            let error = session.apply(&edits(list)).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        };
        let good = ("full_name", json!("A"));
        check(&mut session, &[], "nothing to change");
        check(
            &mut session,
            &[good.clone(), ("shoe_size", json!(1))],
            "no field shoe_size",
        );
        check(
            &mut session,
            &[good.clone(), ("work_experience[7].title", json!(1))],
            "[7]",
        );
        check(
            &mut session,
            &[good.clone(), ("full_name.first", json!("A"))],
            "is a text",
        );
        check(
            &mut session,
            &[good.clone(), ("email", json!({"a": 1}))],
            "email",
        );
        check(
            &mut session,
            &[
                good.clone(),
                ("photo_url", json!("https://example.com/a.png")),
            ],
            "web address",
        );
        check(&mut session, &vec![good; 101], "101");
        assert_eq!(session, before);
    }

    #[test]
    fn photos_are_told_apart_from_the_text() {
        let mut session = session();
        let png = "data:image/png;base64,iVBORw0KGgo=";
        let applied = session.apply(&edits(&[("photo_url", json!(png))])).unwrap();
        assert!(matches!(applied.photo, Some(PhotoChange::Set(_))));
        assert_eq!(session.cv.photo_url, None);
        let applied = session
            .apply(&edits(&[("photo_url", Value::Null)]))
            .unwrap();
        assert_eq!(applied.photo, Some(PhotoChange::Remove));
    }

    #[test]
    fn filling_covers_every_field_of_a_cv() {
        let sample = serde_json::from_str(crate::cv::SAMPLE).unwrap();
        let mut full = crate::cv::normalise(&sample).unwrap().cv;
        full.photo_url = None;
        let text = || Some("x".to_owned());
        (
            full.birth_date,
            full.nationality,
            full.data_privacy,
            full.language,
        ) = (text(), text(), text(), text());
        (full.publications, full.references) = (vec!["x".to_owned()], vec!["x".to_owned()]);
        full.trainings = vec!["x".to_owned()];
        let mut cv = Cv::default();
        fill(&mut cv, &full);
        assert_eq!(cv, full);
    }
}
