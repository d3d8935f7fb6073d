//! What a fake shall do with the requests that come.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::latency::Latency;

/// Steps for the requests that come first, and one behaviour for all that follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// The time before an answer, where a step names none.
    pub latency: Latency,
    /// Used up in order, one for each request that is received and well-formed.
    pub steps: Vec<Step>,
    /// What happens when the steps are used up.
    pub default: Step,
    /// How long a response in the background takes.
    pub background: Background,
    /// Used up in order, one for each stored response that is asked for, cancelled or deleted: an
    /// error, a reset or a close happens, and any other behaviour means that all is well.
    pub retrievals: Vec<Step>,
    /// Sent with every answer, in place of or beside the usual headers.
    pub headers: BTreeMap<String, String>,
    /// How many requests are remembered.
    pub keep_requests: usize,
}

/// One behaviour, for one request or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Step {
    /// What happens.
    #[serde(flatten)]
    pub behaviour: Behaviour,
    /// For how many requests; at least 1.
    pub times: u32,
    /// The time before the answer; the script's if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// What happens to a request. In a script it is named by the key `do`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Behaviour {
    /// A completed response.
    Reply {
        /// The output text in place of one that satisfies the schema.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A completed response with output items, parts and fields that nobody knows yet.
    UnknownItems,
    /// A completed response whose output is not JSON.
    NotJson,
    /// A completed response whose output is JSON and not of the schema.
    BreaksSchema,
    /// A completed response in which the model declines.
    Refusal,
    /// A response that was cut off.
    Incomplete {
        /// `max_output_tokens` or `content_filter`.
        #[serde(default = "max_output_tokens")]
        reason: String,
    },
    /// A response that failed while it was made.
    Failed {
        /// The provider's code.
        #[serde(default = "server_error")]
        code: String,
    },
    /// A status other than 200.
    Error(ErrorReply),
    /// No answer at all; the connection stays open.
    Hang,
    /// The connection is reset (RST).
    Reset {
        /// When.
        #[serde(default)]
        at: Moment,
    },
    /// The connection is closed (FIN).
    Close {
        /// When.
        #[serde(default)]
        at: Moment,
    },
    /// Half of the body, then the connection is closed; `Content-Length` promised the whole.
    Truncated,
    /// A 200 with a page of HTML.
    NotAResponse,
    /// A 200 that does not end before this many bytes.
    Oversized {
        /// How many.
        #[serde(default = "nine_mebibytes")]
        bytes: usize,
    },
}

/// A status other than 200 and what comes with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorReply {
    /// The HTTP status, 300 to 599.
    pub status: u16,
    /// `error.code`; the usual one of the status if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `error.message`; says that the script asked for it if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// More headers, such as `retry-after`, `retry-after-ms`, `date` or `location`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body is a page of HTML, as gateways send it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub html: bool,
    /// Whether the request counts as accepted. By default 408 and 5xx do, a 503 with `slow_down`
    /// or `server_is_overloaded` and everything else do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
}

/// When a connection breaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before the status line.
    #[default]
    BeforeHeaders,
    /// After the headers, before the body.
    AfterHeaders,
    /// In the middle of the body.
    MidBody,
}

/// How long a response in the background takes, state by state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Background {
    /// In state `queued`.
    pub queued: Latency,
    /// In state `in_progress`.
    pub in_progress: Latency,
}

/// What is wrong with a script.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It is not JSON of the right shape.
    #[error("the script is not valid JSON: {0}")]
    Json(serde_json::Error),
    /// It is not TOML of the right shape.
    #[error("the script is not valid TOML: {0}")]
    Toml(toml::de::Error),
}

impl Script {
    /// Reads a script: JSON if it begins with `{`, TOML otherwise.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(ScriptError::Json)
        } else {
            toml::from_str(text).map_err(ScriptError::Toml)
        }
    }

    /// The same for every request.
    pub fn always(step: impl Into<Step>) -> Self {
        Self {
            default: step.into(),
            ..Self::default()
        }
    }

    /// Adds a step.
    #[must_use]
    pub fn then(mut self, step: impl Into<Step>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// Sets the usual latency.
    #[must_use]
    pub fn with_latency(mut self, latency: impl Into<Latency>) -> Self {
        self.latency = latency.into();
        self
    }
}

impl Default for Script {
    fn default() -> Self {
        Self {
            latency: Latency::default(),
            steps: Vec::new(),
            default: Behaviour::reply().into(),
            background: Background::default(),
            retrievals: Vec::new(),
            headers: BTreeMap::new(),
            keep_requests: 256,
        }
    }
}

impl Default for Background {
    fn default() -> Self {
        Self {
            queued: Duration::from_millis(50).into(),
            in_progress: Duration::from_millis(100).into(),
        }
    }
}

impl Step {
    /// The same step for several requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// The same step with its own latency.
    #[must_use]
    pub fn after(self, latency: impl Into<Latency>) -> Self {
        Self {
            latency: Some(latency.into()),
            ..self
        }
    }
}

impl From<Behaviour> for Step {
    fn from(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            times: 1,
            latency: None,
        }
    }
}

impl TryFrom<Map<String, Value>> for Step {
    type Error = String;

    /// Takes the step's own keys out, so that the behaviour can refuse the keys that it does not
    /// know: a misspelt one must not be passed over in a test.
    fn try_from(mut map: Map<String, Value>) -> Result<Self, String> {
        let times = match map.remove("times") {
            None => 1,
            Some(times) => serde_json::from_value(times).map_err(|e| format!("times: {e}"))?,
        };
        if times == 0 {
            return Err("times: at least 1".to_owned());
        }
        let latency = match map.remove("latency") {
            None => None,
            Some(latency) => {
                Some(serde_json::from_value(latency).map_err(|e| format!("latency: {e}"))?)
            }
        };
        let behaviour: Behaviour =
            serde_json::from_value(Value::Object(map)).map_err(|e| e.to_string())?;
        match &behaviour {
            Behaviour::Error(error) if !(300..=599).contains(&error.status) => {
                Err(format!("status: {} is not within 300 to 599", error.status))
            }
            _ => Ok(Self {
                behaviour,
                times,
                latency,
            }),
        }
    }
}

impl Behaviour {
    /// A reply that satisfies the schema.
    pub fn reply() -> Self {
        Self::Reply { text: None }
    }

    /// An error with the usual code of its status.
    pub fn error(status: u16) -> Self {
        Self::Error(ErrorReply {
            status,
            ..ErrorReply::default()
        })
    }

    /// An error with this code.
    pub fn error_code(status: u16, code: &str) -> Self {
        Self::Error(ErrorReply {
            status,
            code: Some(code.to_owned()),
            ..ErrorReply::default()
        })
    }
}

impl ErrorReply {
    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The code that is sent.
    pub(super) fn code(&self) -> Option<&str> {
        self.code.as_deref().or(match self.status {
            401 => Some("invalid_api_key"),
            404 => Some("model_not_found"),
            429 => Some("rate_limit_exceeded"),
            500 | 502 => Some("server_error"),
            _ => None,
        })
    }

    /// Whether a provider would bill the request.
    pub(super) fn is_accepted(&self) -> bool {
        self.accepted.unwrap_or(match self.status {
            503 => !self.is_overloaded(),
            408 | 500.. => true,
            _ => false,
        })
    }

    /// Whether the request is turned away unprocessed, and not for what it says.
    pub(super) fn is_not_processed(&self) -> bool {
        !self.is_accepted() && (matches!(self.status, 408 | 429 | 500..))
    }

    fn is_overloaded(&self) -> bool {
        matches!(self.code(), Some("slow_down" | "server_is_overloaded"))
    }
}

fn max_output_tokens() -> String {
    "max_output_tokens".to_owned()
}

fn server_error() -> String {
    "server_error".to_owned()
}

fn nine_mebibytes() -> usize {
    9 << 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_read_back() {
        let script = Script::always(Behaviour::reply())
            .with_latency(Duration::from_millis(200))
            .then(Step::from(Behaviour::error(429)).times(3))
            .then(Behaviour::Reset {
                at: Moment::MidBody,
            })
            .then(Step::from(Behaviour::Hang).after("1.5s..2s".parse::<Latency>().unwrap()))
            .then(Behaviour::Error(
                ErrorReply {
                    status: 503,
                    html: true,
                    accepted: Some(false),
                    ..ErrorReply::default()
                }
                .header("retry-after", "2"),
            ));
        let text = serde_json::to_string(&script).unwrap();
        assert_eq!(Script::parse(&text).unwrap(), script, "{text}");
    }

    #[test]
    fn short_forms() {
        let script =
            Script::parse("steps = [{ do = 'reply' }, { do = 'error', status = 500, times = 2 }]")
                .unwrap();
        assert_eq!(
            script.steps,
            [
                Behaviour::reply().into(),
                Step::from(Behaviour::error(500)).times(2)
            ]
        );
        assert_eq!(Script::parse("").unwrap(), Script::default());
        assert_eq!(Script::parse("{}").unwrap(), Script::default());
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expect) in [
            ("step = []", "step"),
            ("steps = [{ do = 'sing' }]", "sing"),
            ("steps = [{ do = 'reply', txt = 'x' }]", "txt"),
            ("steps = [{ do = 'error' }]", "status"),
            (
                "steps = [{ do = 'error', status = 200 }]",
                "200 is not within",
            ),
            (
                "steps = [{ do = 'error', status = 500, retry = 1 }]",
                "retry",
            ),
            ("steps = [{ do = 'reply', times = 0 }]", "at least 1"),
            ("latency = '5'", "is not a time"),
            ("latency = '3s..1s'", "ends before it begins"),
            ("latency = 5", "string"),
            ("{", "JSON"),
            ("steps = [", "TOML"),
        ] {
            let error = Script::parse(text).expect_err(text).to_string();
            assert!(error.contains(expect), "{text}: {error}");
        }
    }

    #[test]
    fn who_pays() {
        for (status, code, accepted, not_processed) in [
            (400, None, false, false),
            (307, None, false, false),
            (408, None, true, false),
            (429, None, false, true),
            (500, None, true, false),
            (503, None, true, false),
            (503, Some("slow_down"), false, true),
            (503, Some("server_is_overloaded"), false, true),
            (504, Some("slow_down"), true, false),
        ] {
            let error = ErrorReply {
                status,
                code: code.map(Into::into),
                ..ErrorReply::default()
            };
            assert_eq!(
                (error.is_accepted(), error.is_not_processed()),
                (accepted, not_processed),
                "{status} {code:?}"
            );
        }
    }
}
