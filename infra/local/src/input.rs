//! What a command is given as a CV: a Word document, a text, a PDF of ours or JSON. All commands
//! read it here.

use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, bail};
use convert::{Extracted, Limits, Source, docx, json_resume, pdf, text};
use schemas::FieldError;
use schemas::cv::{Normalised, Warning};
use schemas::job::Input;
use serde_json::Value;

use crate::target::is_dash;

/// The most that is read of a document: more than any reader takes, so that its own limit speaks.
const MAX_DOCUMENT: u64 = 64 << 20;

/// The most that is read of a posting.
const MAX_POSTING: u64 = 1 << 20;

/// The most members that an error names.
const NAMED: usize = 10;

/// A file that was named on the command line.
#[derive(Debug)]
pub(crate) struct Document {
    name: String,
    bytes: Vec<u8>,
}

/// What a document is, by its first bytes, since names lie.
enum Form<'a> {
    Word,
    Pdf,
    Json(Value),
    Text(&'a str),
}

impl Document {
    /// Reads a file, or standard input for `-`.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = shown(path);
        let bytes = bytes(path, &name, MAX_DOCUMENT)?;
        Ok(Self { name, bytes })
    }

    /// The CV and how it was read, whatever is missing.
    pub(crate) fn extract(&self) -> anyhow::Result<Extracted> {
        let limits = Limits::default();
        Ok(match self.form()? {
            Form::Word => docx::read(&self.bytes, &limits)?,
            Form::Pdf => as_data(pdf::read(&self.bytes)?, "the data in the PDF"),
            Form::Text(text) => text::read(text, &limits)?,
            Form::Json(value) if json_resume::is_json_resume(&value) => {
                let read = json_resume::read(&value).map_err(not_a_resume);
                as_data(self.taken(read)?, "the JSON Resume")
            }
            Form::Json(value) => {
                let read = schemas::cv::normalise(&value).map_err(|e| explain(&e, &e.problems()));
                as_data(self.taken(read)?, "the JSON")
            }
        })
    }

    /// The CV, with its photo. Much may be missing of it, but not the name: a file without one was
    /// something else, whose content nobody has read.
    pub(crate) fn cv(&self) -> anyhow::Result<Normalised> {
        let extracted = self.extract()?;
        let cv = extracted.with_photo();
        let mut warnings = extracted.warnings;
        if cv.full_name.trim().is_empty() {
            let named = warnings.iter().take(NAMED);
            let named = named.map(|warning| format!("\n  {}", warning.message));
            bail!(
                "{} holds no CV: full_name is required{}",
                self.name,
                named.collect::<String>()
            );
        }
        let left = extracted.unplaced.len();
        if left > 0 {
            let message = format!(
                "{left} lines of the document have no place in the CV: `presswork extract --report` \
                 lists them"
            );
            warnings.push(Warning::new("", "unplaced", message));
        }
        Ok(Normalised { cv, warnings })
    }

    /// As the input of a job, and what to know of it. JSON goes to the server as it is, which says
    /// what is wrong with it; all else is read here.
    pub(crate) fn to_input(&self) -> anyhow::Result<(Input, Vec<Warning>)> {
        Ok(match self.form()? {
            Form::Json(value) if json_resume::is_json_resume(&value) => {
                (Input::JsonResume(value), Vec::new())
            }
            Form::Json(value) => (Input::Cv(value), Vec::new()),
            Form::Word | Form::Pdf | Form::Text(_) => {
                let read = self.cv()?;
                (Input::Cv(serde_json::to_value(&read.cv)?), read.warnings)
            }
        })
    }

    fn form(&self) -> anyhow::Result<Form<'_>> {
        let bytes = self.bytes.as_slice();
        // A package (ZIP), and the compound file of older and of encrypted documents.
        if bytes.starts_with(b"PK") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Ok(Form::Word);
        }
        if bytes.starts_with(b"%PDF-") {
            return Ok(Form::Pdf);
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if let [b'{' | b'[', ..] = bytes.trim_ascii_start() {
            let value = serde_json::from_slice(bytes);
            let value = value.with_context(|| format!("{} is not JSON", self.name))?;
            return Ok(Form::Json(unwrapped(value)));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Form::Text(text)),
            Err(_) => bail!(
                "{} is neither a Word document (.docx), nor a PDF, nor text or JSON in UTF-8",
                self.name
            ),
        }
    }

    fn taken(&self, read: anyhow::Result<Normalised>) -> anyhow::Result<Normalised> {
        read.with_context(|| format!("{} is not a CV", self.name))
    }
}

/// The text of a job posting.
pub(crate) fn posting(path: &Path) -> anyhow::Result<String> {
    let name = shown(path);
    let text = String::from_utf8(bytes(path, &name, MAX_POSTING)?);
    text.with_context(|| format!("{name} is not text in UTF-8"))
}

fn shown(path: &Path) -> String {
    if is_dash(path) {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

fn bytes(path: &Path, name: &str, most: u64) -> anyhow::Result<Vec<u8>> {
    let source: Box<dyn Read> = if is_dash(path) {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot open {name}"))?;
        Box::new(file)
    };
    let mut bytes = Vec::new();
    let read = source.take(most + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 > most {
        bail!("{name} is larger than {} MiB", most >> 20);
    }
    Ok(bytes)
}

/// The CV itself: the API's input and what `extract` prints have it in `cv`.
fn unwrapped(mut value: Value) -> Value {
    let is_cv = ["full_name", "name"]
        .iter()
        .any(|key| value.get(key).is_some());
    match value.get_mut("cv") {
        Some(inner) if inner.is_object() && !is_cv => inner.take(),
        _ => value,
    }
}

/// A CV that was data already: every value is certain.
fn as_data(normalised: Normalised, origin: &str) -> Extracted {
    let value = serde_json::to_value(&normalised.cv).unwrap_or_default();
    let mut sources = Vec::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        // Not what the person wrote: extraction tells of these two apart.
        if key != "photo_url" && key != "language" {
            leaves(value, key.clone(), &mut |path| {
                sources.push(Source {
                    path,
                    origin: origin.to_owned(),
                    confidence: 1.0,
                });
            });
        }
    }
    Extracted {
        language: normalised.cv.language.clone(),
        cv: normalised.cv,
        sources,
        warnings: normalised.warnings,
        ..Extracted::default()
    }
}

/// The paths of all values that say something.
fn leaves(value: &Value, path: String, found: &mut impl FnMut(String)) {
    match value {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, format!("{path}[{index}]"), found);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                leaves(member, format!("{path}.{key}"), found);
            }
        }
        _ => found(path),
    }
}

fn not_a_resume(error: json_resume::Error) -> anyhow::Error {
    match &error {
        json_resume::Error::NotAResume => error.into(),
        json_resume::Error::WrongTypes(faults) => explain(&error, faults),
        json_resume::Error::Cv(cv) => explain(cv, &cv.problems()),
    }
}

/// An error with a line for each fault.
fn explain(error: &impl std::fmt::Display, faults: &[FieldError]) -> anyhow::Error {
    let faults = faults
        .iter()
        .map(|fault| format!("\n  {}: {}", fault.path, fault.message));
    anyhow::anyhow!("{error}{}", faults.collect::<String>())
}
