//! What settings are read from, gathered in one place.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::error::{ConfigError, Fault};
use crate::keys;

/// The file that is read if nobody names one and it exists.
const USUAL_FILE: &str = "presswork.toml";

/// Largest file, in bytes: several times the commented default.
const LARGEST_FILE: u64 = 64 * 1024;

/// Everything that [`Config::load`](crate::Config::load) reads besides the built-in defaults.
///
/// It holds secrets as plain text, so it has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The operator's file, if there is one.
    pub file: Option<ConfigFile>,
    /// Variables of the environment; those that concern nobody here may be left out or kept.
    pub env: BTreeMap<String, String>,
    /// Dotted key and value from the command line; the later wins.
    pub overrides: Vec<(String, String)>,
}

/// A file of settings, read.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its path, as messages shall name it.
    pub name: String,
    /// Its content, TOML.
    pub text: String,
}

impl Sources {
    /// Reads the file and the environment of this process.
    ///
    /// The file is `file` (from `--config`), else that named by `PRESSWORK_CONFIG`, else
    /// `./presswork.toml` if it exists. A file that was named has to exist, be readable, be UTF-8
    /// and hold at most 64 KiB. Variables that concern nobody here are left out.
    pub fn from_process(
        file: Option<PathBuf>,
        overrides: Vec<(String, String)>,
    ) -> Result<Self, ConfigError> {
        #[allow(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment, so that every setting is known here"
        )]
        let variables = std::env::vars_os();
        Self::gather(file, variables, overrides)
    }

    fn gather(
        file: Option<PathBuf>,
        variables: impl Iterator<Item = (OsString, OsString)>,
        overrides: Vec<(String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let mut env = BTreeMap::new();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| keys::concerns_us(name)) else {
                continue;
            };
            match value.into_string() {
                Ok(value) => drop(env.insert(name.to_owned(), value)),
                Err(_) => faults.push(Fault::new(name, "is not UTF-8")),
            }
        }
        let file = read_chosen(file, env.get(keys::FILE_VARIABLE)).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        if faults.is_empty() {
            Ok(Self {
                file,
                env,
                overrides,
            })
        } else {
            Err(ConfigError { faults })
        }
    }
}

fn read_chosen(
    argument: Option<PathBuf>,
    variable: Option<&String>,
) -> Result<Option<ConfigFile>, Fault> {
    let (path, named_by) = match (argument, variable.filter(|value| !value.trim().is_empty())) {
        (Some(path), _) => (path, "--config"),
        (None, Some(value)) => (PathBuf::from(value.trim()), keys::FILE_VARIABLE),
        (None, None) => match read(Path::new(USUAL_FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Fault::new(USUAL_FILE, unreadable(&error))),
            Ok(file) => return Ok(Some(file)),
        },
    };
    read(&path).map(Some).map_err(|error| Fault {
        name: named_by.to_owned(),
        value: Some(path.display().to_string()),
        problem: unreadable(&error),
        example: Some(USUAL_FILE.to_owned()),
    })
}

fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}

fn read(path: &Path) -> io::Result<ConfigFile> {
    let mut text = String::new();
    File::open(path)?
        .take(LARGEST_FILE + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(io::Error::other(format!(
            "it is larger than {LARGEST_FILE} bytes"
        )));
    }
    Ok(ConfigFile {
        name: path.display().to_string(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt as _;

    fn gather(file: Option<&str>, env: Vec<(&str, OsString)>) -> Result<Sources, ConfigError> {
        let env = env
            .into_iter()
            .map(|(name, value)| (OsString::from(name), value));
        Sources::gather(file.map(PathBuf::from), env, Vec::new())
    }

    #[test]
    fn the_variable_names_the_file_unless_the_argument_does() {
        let directory = tempfile::tempdir().unwrap();
        let [a, b] = ["a.toml", "b.toml"].map(|name| {
            let path = directory.path().join(name);
            std::fs::write(&path, name).unwrap();
            path.to_str().unwrap().to_owned()
        });
        let text = |sources: Result<Sources, ConfigError>| sources.ok().unwrap().file.unwrap().text;
        let variable = || vec![(keys::FILE_VARIABLE, OsString::from(&b))];
        assert_eq!(text(gather(None, variable())), "b.toml");
        assert_eq!(text(gather(Some(&a), variable())), "a.toml");

        let missing = vec![(keys::FILE_VARIABLE, OsString::from("/nowhere/x.toml"))];
        let error = gather(None, missing).err().unwrap();
        assert_eq!(error.faults[0].name, keys::FILE_VARIABLE);
    }

    #[test]
    fn only_variables_that_concern_us_are_kept() {
        let not_text = || OsString::from_vec(vec![0xff]);
        let env = vec![
            ("HOME", OsString::from("/home")),
            ("LS_COLORS", not_text()),
            ("LOG_LEVEL", OsString::from("info")),
            ("CV_ANYTHING", OsString::from("1")),
        ];
        let sources = gather(None, env).ok().unwrap();
        assert!(sources.env.keys().eq(["CV_ANYTHING", "LOG_LEVEL"]));

        let error = gather(None, vec![("OPENAI_API_KEY", not_text())])
            .err()
            .unwrap();
        assert_eq!(error.faults, [Fault::new("OPENAI_API_KEY", "is not UTF-8")]);
    }
}
