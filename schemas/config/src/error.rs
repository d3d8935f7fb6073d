//! What stops the start: every wrong setting, named as its author wrote it.

use std::fmt;

use crate::Key;
use crate::secret::MASK;

/// Characters of a wrong value that are shown; more would bury the message.
const SHOWN: usize = 60;

/// One wrong setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where its author finds it: `LOG_FORMAT`, `presswork.toml:12: worker.heartbeat`,
    /// `worker.heartbeat (command line)`.
    pub name: String,
    /// The wrong value, masked where it may be secret; `None` if the value is not at fault.
    pub value: Option<String>,
    /// What is wrong, as a sentence that continues the name.
    pub problem: String,
    /// A value that works.
    pub example: Option<String>,
}

impl Fault {
    /// A fault that no value is to blame for, such as an unknown key.
    pub(crate) fn new(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: None,
            problem: problem.into(),
            example: None,
        }
    }

    /// A fault of a value.
    pub(crate) fn of_value(
        name: impl Into<String>,
        key: &Key,
        value: &str,
        problem: String,
        default: &str,
    ) -> Self {
        Self {
            name: name.into(),
            value: Some(shown(key, value)),
            problem,
            example: Some(key.example(default).to_owned()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        write!(f, "\n    {}", self.problem)?;
        if let Some(example) = &self.example {
            write!(f, "\n    example: {example}")?;
        }
        Ok(())
    }
}

/// All faults of one load, in the order of `default.toml`, those of the file as such first.
///
/// `Display` is a message of several lines for the operator; nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", message(.faults))]
pub struct ConfigError {
    /// At least one.
    pub faults: Vec<Fault>,
}

fn message(faults: &[Fault]) -> String {
    let count = match faults.len() {
        1 => "1 setting is wrong:".to_owned(),
        n => format!("{n} settings are wrong:"),
    };
    faults
        .iter()
        .fold(count, |text, fault| format!("{text}\n\n  {fault}"))
}

/// A value as it may be shown: quoted, cut, and masked if it is or looks like a secret.
fn shown(key: &Key, value: &str) -> String {
    if key.secret || looks_secret(value) {
        return MASK.to_owned();
    }
    let cut: String = value.chars().take(SHOWN).collect();
    if cut.len() < value.len() {
        format!("{cut:?}...")
    } else {
        format!("{cut:?}")
    }
}

/// A secret set under the wrong name is a common slip, and the message ends up in a log.
fn looks_secret(value: &str) -> bool {
    const MARKS: [&str; 7] = [
        "key=",
        "sig=",
        "signature=",
        "password",
        "sk-",
        "bearer ",
        "@",
    ];
    let lower = value.to_ascii_lowercase();
    let long_word = value.len() >= 32 && value.chars().all(|c| c.is_ascii_alphanumeric());
    long_word || MARKS.iter().any(|mark| lower.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    #[test]
    fn what_looks_secret_is_masked() {
        let check = |key: &str, value: &str, expect: &str| {
            assert_eq!(shown(keys::find(key).unwrap(), value), expect, "{value}");
        };
        check("worker.heartbeat", "70x", "\"70x\"");
        check("worker.heartbeat", "a\nb", r#""a\nb""#);
        check("model.api_key", "short", MASK);
        check("model.editor", "sk-abcdef", MASK);
        check("model.base_url", "https://user:word@host/", MASK);
        check(
            "storage.azure.account_name",
            "AccountName=a;AccountKey=b==",
            MASK,
        );
        check("model.editor", "0123456789abcdef0123456789abcdef", MASK);
        let long = "x y ".repeat(50);
        check("log.level", &long, &format!("{:?}...", &long[..60]));
    }
}
