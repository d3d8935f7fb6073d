//! Paths of fields within a CV, such as `work_experience[0].bullets[2]`: parsed, read and set.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::canonical::to_value;
use super::error::CvError;
use super::keys::{self, Shape};
use super::normalise::{Normalised, normalise};
use super::types::{Cv, Language, Link};

/// A path that is well formed. Whether it fits a CV shows when it is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath(Vec<Segment>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A member of an object.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
}

/// Which part of a path is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing at all, or more than 200 bytes.
    #[error("a field path has 1 to {MAX_LENGTH} characters, such as work_experience[0].employer")]
    Length,
    /// A character that cannot stand where it stands.
    #[error(
        "the field path has a fault at character {position}; write it as in work_experience[0].bullets[2]"
    )]
    Syntax {
        /// The character's position, from 1.
        position: usize,
    },
    /// No such member.
    #[error("{parent} has no field {key}; it has {}", known.join(", "))]
    UnknownField {
        /// The path so far, or `the CV`.
        parent: String,
        /// The name that is not known, shortened.
        key: String,
        /// The names that are known.
        known: Vec<&'static str>,
    },
    /// A step that needs another kind of value.
    #[error("{path} is {is}, so {step} cannot follow it")]
    WrongKind {
        /// The path so far.
        path: String,
        /// `a text`, `a list` or `an entry`.
        is: &'static str,
        /// The step.
        step: String,
    },
    /// An item beyond the list's end.
    #[error("{path} has {len} items; [{index}] is none of them")]
    OutOfRange {
        /// The list.
        path: String,
        /// The index.
        index: usize,
        /// The list's length.
        len: usize,
    },
}

/// Why a field was not set.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SetError {
    /// The path does not fit.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The CV would not be one with this value.
    #[error(transparent)]
    Value(#[from] CvError),
}

const MAX_LENGTH: usize = 200;

impl FieldPath {
    /// The steps.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The value at the path; `null` for a field that is known and empty. Items of `languages` and
    /// `links` read as objects, whatever their form.
    pub fn get(&self, cv: &Cv) -> Result<Value, PathError> {
        let mut at = expanded(cv);
        self.fits(&at, false)?;
        for segment in &self.0 {
            at = match segment {
                Segment::Key(key) => at[key].take(),
                Segment::Index(index) => at[index].take(),
            };
        }
        Ok(at)
    }

    /// The CV with the value at the path, normalised. `null` clears a field and removes an item; an
    /// index equal to the list's length appends.
    pub fn set(&self, cv: &Cv, value: Value) -> Result<Normalised, SetError> {
        let mut root = expanded(cv);
        self.fits(&root, true)?;
        let Some((last, parents)) = self.0.split_last() else {
            return Err(PathError::Length.into());
        };
        let mut at = &mut root;
        for segment in parents {
            at = match segment {
                Segment::Key(key) => &mut at[key],
                Segment::Index(index) => &mut at[index],
            };
        }
        match last {
            Segment::Key(key) => at[key] = value,
            Segment::Index(index) => {
                // A list that is not there yet is `null`.
                let mut items = at.as_array_mut().map(std::mem::take).unwrap_or_default();
                match (value, *index < items.len()) {
                    (Value::Null, true) => drop(items.remove(*index)),
                    (Value::Null, false) => {}
                    (value, true) => items[*index] = value,
                    (value, false) => items.push(value),
                }
                *at = Value::Array(items);
            }
        }
        Ok(normalise(&root)?)
    }

    /// Whether the path names a place of the tree that is there. The last index may name the end of
    /// its list when `append` is set.
    fn fits(&self, root: &Value, append: bool) -> Result<(), PathError> {
        let cv = Shape::Object(keys::CV);
        let mut shape = &cv;
        let mut value = Some(root);
        for (step, segment) in self.0.iter().enumerate() {
            let so_far = || Self(self.0[..step].to_vec()).to_string();
            match (segment, shape) {
                (Segment::Key(key), Shape::Object(fields)) => {
                    let Some(field) = fields.iter().find(|field| field.name == key) else {
                        return Err(PathError::UnknownField {
                            parent: if step == 0 {
                                "the CV".to_owned()
                            } else {
                                so_far()
                            },
                            key: key.chars().take(40).collect(),
                            known: fields.iter().map(|field| field.name).collect(),
                        });
                    };
                    shape = &field.shape;
                    value = value.and_then(|value| value.get(key));
                }
                (Segment::Index(index), Shape::List(item)) => {
                    let len = value.and_then(Value::as_array).map_or(0, Vec::len);
                    let is_end = append && *index == len && step + 1 == self.0.len();
                    if *index >= len && !is_end {
                        return Err(PathError::OutOfRange {
                            path: so_far(),
                            index: *index,
                            len,
                        });
                    }
                    shape = item;
                    value = value.and_then(|value| value.get(index));
                }
                (segment, shape) => {
                    let is = match shape {
                        Shape::Text => "a text",
                        Shape::List(_) => "a list",
                        Shape::Object(_) => "an entry",
                    };
                    let path = if step == 0 {
                        "the CV".to_owned()
                    } else {
                        so_far()
                    };
                    return Err(PathError::WrongKind {
                        path,
                        is,
                        step: segment.to_string(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The CV as JSON in which every item of `languages` and `links` is an object, so that a path into
/// it does not depend on the form in which it was sent.
fn expanded(cv: &Cv) -> Value {
    let mut value = to_value(cv);
    let languages = cv
        .languages
        .iter()
        .map(|Language { name, level }| match level {
            None => json!({ "language": name }),
            Some(level) => json!({ "language": name, "level": level }),
        });
    let links = cv.links.iter().map(|Link { label, url }| match label {
        None => json!({ "url": url }),
        Some(label) => json!({ "label": label, "url": url }),
    });
    value["languages"] = languages.collect();
    value["links"] = links.collect();
    value
}

impl FromStr for FieldPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.is_empty() || text.len() > MAX_LENGTH {
            return Err(PathError::Length);
        }
        let position = |rest: &str| {
            let before = &text[..text.len() - rest.len()];
            PathError::Syntax {
                position: before.chars().count() + 1,
            }
        };
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let width = inner.bytes().take_while(u8::is_ascii_digit).count();
                let index = inner[..width].parse().map_err(|_| position(inner))?;
                rest = inner[width..]
                    .strip_prefix(']')
                    .ok_or_else(|| position(&inner[width..]))?;
                segments.push(Segment::Index(index));
                continue;
            }
            if !segments.is_empty() {
                rest = rest.strip_prefix('.').ok_or_else(|| position(rest))?;
            }
            let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
            let width = rest.bytes().take_while(is_word).count();
            if width == 0 {
                return Err(position(rest));
            }
            segments.push(Segment::Key(rest[..width].to_owned()));
            rest = &rest[width..];
        }
        Ok(Self(segments))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (step, segment) in self.0.iter().enumerate() {
            if step > 0 && matches!(segment, Segment::Key(_)) {
                f.write_str(".")?;
            }
            write!(f, "{segment}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cv() -> Cv {
        let value = json!({
            "full_name": "Ida Morrow",
            "work_experience": [
                { "title": "Dispatcher", "bullets": ["Planned routes.", "Led a shift."] },
                { "title": "Driver" },
            ],
            "languages": ["English", { "language": "German", "level": "B2" }],
        });
        normalise(&value).unwrap().cv
    }

    #[test]
    fn well_formed_paths_are_shown_as_they_were_written() {
        for path in [
            "full_name",
            "work_experience[0].bullets[2]",
            "a[0][1].b_c2",
            "[3].x",
        ] {
            assert_eq!(path.parse::<FieldPath>().unwrap().to_string(), path);
        }
    }

    #[test]
    fn faults_of_syntax_are_placed() {
        let check = |path: &str, want: Option<usize>| {
            let want = want.map_or(PathError::Length, |position| PathError::Syntax { position });
            assert_eq!(path.parse::<FieldPath>(), Err(want), "{path}");
        };
        check("", None);
        check(&"a".repeat(201), None);
        check(".a", Some(1));
        check("a.", Some(3));
        check("a..b", Some(3));
        check("a[", Some(3));
        check("a[x]", Some(3));
        check("a[-1]", Some(3));
        check("a[1", Some(4));
        check("a[1]b", Some(5));
        check("a b", Some(2));
        check("é", Some(1));
        check("a[99999999999999999999999]", Some(3));
    }

    #[test]
    fn values_are_read_and_a_wrong_part_is_named() {
        let check = |path: &str, want: Result<Value, &str>| {
            let got = path.parse::<FieldPath>().unwrap().get(&cv());
            assert_eq!(
                got.map_err(|e| e.to_string()),
                want.map_err(str::to_owned),
                "{path}"
            );
        };
        check("full_name", Ok(json!("Ida Morrow")));
        check("work_experience[0].bullets[1]", Ok(json!("Led a shift.")));
        check("work_experience[1].location", Ok(Value::Null));
        check("profile", Ok(Value::Null));
        check("languages[0].language", Ok(json!("English")));
        check("languages[0].level", Ok(Value::Null));
        check(
            "work_experience[2].title",
            Err("work_experience has 2 items; [2] is none of them"),
        );
        check("links[0]", Err("links has 0 items; [0] is none of them"));
        check(
            "work_experience[0].employr",
            Err(
                "work_experience[0] has no field employr; it has date_range, employer, location, \
                title, bullets",
            ),
        );
        check(
            "full_name[0]",
            Err("full_name is a text, so [0] cannot follow it"),
        );
        check(
            "education.title",
            Err("education is a list, so title cannot follow it"),
        );
        check(
            "work_experience[0][0]",
            Err("work_experience[0] is an entry, so [0] cannot follow it"),
        );
        check("[0]", Err("the CV is an entry, so [0] cannot follow it"));
    }

    #[test]
    fn values_are_set_cleared_and_appended() {
        let set = |path: &str, value: Value| {
            path.parse::<FieldPath>()
                .unwrap()
                .set(&cv(), value)
                .map(|normalised| normalised.cv)
        };
        let named = set("full_name", json!("  Ada   Q ")).unwrap();
        assert_eq!(named.full_name, "Ada Q");
        let cut = set("work_experience[0].bullets[0]", Value::Null).unwrap();
        assert_eq!(cut.work_experience[0].bullets, ["Led a shift."]);
        let longer = set("work_experience[0].bullets[2]", json!("Trained two.")).unwrap();
        assert_eq!(longer.work_experience[0].bullets.len(), 3);
        assert_eq!(
            set("certifications[0]", json!("ADR"))
                .unwrap()
                .certifications,
            ["ADR"]
        );
        let entry = set("work_experience[2]", json!({ "position": "Clerk" })).unwrap();
        assert_eq!(entry.work_experience[2].title, "Clerk");
        let level = set("languages[0].level", json!("C1")).unwrap();
        assert_eq!(level.languages[0].level.as_deref(), Some("C1"));
        assert_eq!(level.languages[1], cv().languages[1]);

        let beyond = set("work_experience[0].bullets[3]", json!("x")).unwrap_err();
        assert!(matches!(
            beyond,
            SetError::Path(PathError::OutOfRange { len: 2, .. })
        ));
        let kind = set("work_experience[0].title", json!(7)).unwrap_err();
        let SetError::Value(error) = kind else {
            panic!("{kind}")
        };
        assert_eq!(error.problems()[0].path, "work_experience[0].title");
    }
}
