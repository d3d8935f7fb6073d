//! From sources to settings: merge the layers, read the types, check the rules, tell where each
//! value came from.

use std::collections::BTreeSet;
use std::fmt;

use figment::Figment;

use crate::error::{ConfigError, Fault};
use crate::keys::{self, KEYS, Key};
use crate::layers::{self, Layer};
use crate::secret::MASK;
use crate::settings::Config;
use crate::sources::Sources;
use crate::{check, defaults};

/// What a successful load gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Every setting with its source, in the order of `default.toml`; secrets are masked.
    pub report: Vec<Setting>,
    /// What is worth a warning: unknown names, names without effect, conflicts, advice.
    pub notes: Vec<Note>,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Dotted path.
    pub key: &'static str,
    /// The value as it was written, masked if secret; empty if not set.
    pub value: String,
    /// `default`, `file presswork.toml`, `env LOG_LEVEL`, `command line`, or the key it follows.
    pub source: String,
    /// What the setting is for, one line.
    pub doc: &'static str,
}

/// Something about the sources that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The variable or key.
    pub name: String,
    /// What it is about.
    pub kind: NoteKind,
    /// A sentence that continues the name; nothing in it is secret.
    pub text: String,
}

/// What a [`Note`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// A variable with one of our prefixes that means nothing here.
    Unknown,
    /// A setting that is understood and not used in this version.
    Ignored,
    /// Two names of one setting with different values; the text says which is used.
    Conflict,
    /// A variable that is set but empty, and so counts as not set.
    Empty,
    /// Settings that are allowed together and look unwise.
    Advice,
}

impl Note {
    pub(crate) fn new(name: &str, kind: NoteKind, text: String) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            text,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.text)
    }
}

impl Config {
    /// Reads all settings, or lists all faults.
    ///
    /// Layers, the later wins: defaults, file, environment, command line. Unknown keys in the file
    /// or on the command line are faults; unknown variables with our prefixes are notes.
    pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
        let mut load = Load {
            figment: defaults::figment(),
            faults: Vec::new(),
        };
        if let Some(file) = &sources.file {
            load.add(layers::from_file(&file.name, &file.text));
        }
        let (variables, mut notes) = layers::from_env(&sources.env);
        load.add((variables, Vec::new()));
        load.add(layers::from_overrides(&sources.overrides));
        load.let_blobs_follow_queues();

        let (config, report) = load.finish()?;
        notes.extend(check::advice(&config));
        Ok(Loaded {
            config,
            report,
            notes,
        })
    }
}

struct Load {
    figment: Figment,
    faults: Vec<Fault>,
}

impl Load {
    fn add(&mut self, (layers, faults): (Vec<Layer>, Vec<Fault>)) {
        self.figment = layers
            .into_iter()
            .fold(std::mem::take(&mut self.figment), Figment::merge);
        self.faults.extend(faults);
    }

    /// Blobs live with queues and tables unless somebody said otherwise.
    fn let_blobs_follow_queues(&mut self) {
        const QUEUES: &str = "storage.azure.queue_table_connection";
        const BLOBS: &str = "storage.azure.blob_connection";
        let queues = self.value(QUEUES);
        if self.value(BLOBS).is_empty() && !queues.is_empty() {
            let layer = Layer {
                key: BLOBS,
                value: queues,
                source: QUEUES.to_owned(),
                written: self.written(QUEUES),
            };
            self.add((vec![layer], Vec::new()));
        }
    }

    fn finish(mut self) -> Result<(Config, Vec<Setting>), ConfigError> {
        let mut faults = Vec::new();
        let report = report(&self);
        let config = self.extract(&mut faults);
        let mut rules = check::out_of_bounds(&config);
        // With values missing, or replaced below, a rule between values could blame the wrong one.
        if self.faults.is_empty() {
            rules.extend(check::at_odds(&config));
        }
        let replaced: BTreeSet<&str> = faults.iter().map(|(key, _)| *key).collect();
        rules.retain(|rule| !rule.keys.iter().any(|key| replaced.contains(key)));
        faults.extend(rules.iter().filter_map(|rule| self.blame(rule)));
        let order = |name: &str| KEYS.iter().position(|key| key.name == name);
        faults.sort_by_key(|(key, _)| order(key));
        self.faults
            .extend(faults.into_iter().map(|(_, fault)| fault));
        if self.faults.is_empty() {
            Ok((config, report))
        } else {
            Err(ConfigError {
                faults: self.faults,
            })
        }
    }

    /// Reads the types. A value that cannot be read is a fault, and its default takes its place, so
    /// that the next fault comes to light too.
    fn extract(&mut self, faults: &mut Vec<(&'static str, Fault)>) -> Config {
        for _ in KEYS {
            let error = match self.figment.extract() {
                Ok(config) => return config,
                Err(error) => error,
            };
            let Some(key) = keys::find(&error.path.join(".")) else {
                break;
            };
            faults.push((key.name, self.fault(key, error.kind.to_string())));
            let layer = Layer {
                key: key.name,
                value: default_of(key),
                source: "default".to_owned(),
                written: self.written(key.name),
            };
            self.add((vec![layer], Vec::new()));
        }
        Config::default()
    }

    /// The fault of a broken rule, under the first of its keys that somebody set.
    fn blame(&self, rule: &check::Broken) -> Option<(&'static str, Fault)> {
        let set = rule.keys.iter().find(|key| self.source(key) != "default");
        let key = keys::find(set.or(rule.keys.first())?)?;
        Some((key.name, self.fault(key, rule.problem.clone())))
    }

    fn fault(&self, key: &Key, problem: String) -> Fault {
        let value = self.value(key.name);
        Fault::of_value(
            self.written(key.name),
            key,
            &value,
            problem,
            &default_of(key),
        )
    }

    fn value(&self, key: &str) -> String {
        self.figment.extract_inner(key).unwrap_or_default()
    }

    fn source(&self, key: &str) -> String {
        self.figment
            .find_metadata(key)
            .map(|from| from.name.to_string())
            .unwrap_or_default()
    }

    fn written(&self, key: &str) -> String {
        let written = self
            .figment
            .find_metadata(key)
            .and_then(|from| from.source.as_ref()?.custom());
        written.unwrap_or(key).to_owned()
    }
}

fn default_of(key: &Key) -> String {
    defaults::figment()
        .extract_inner(key.name)
        .unwrap_or_default()
}

fn report(load: &Load) -> Vec<Setting> {
    let entries = defaults::entries();
    KEYS.iter()
        .zip(&entries)
        .map(|(key, entry)| {
            let value = load.value(key.name);
            Setting {
                key: key.name,
                value: if key.secret && !value.is_empty() {
                    MASK.to_owned()
                } else {
                    value
                },
                source: load.source(key.name),
                doc: entry.comment.first().copied().unwrap_or_default(),
            }
        })
        .collect()
}
