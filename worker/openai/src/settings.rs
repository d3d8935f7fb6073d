//! Where the model is, how to prove who we are, and how long to wait.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

/// Everything that a [`Client`](crate::Client) needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose API is called.
    pub provider: Provider,
    /// The model's name, such as `gpt-5-mini`. Not sent to Azure, where the deployment takes its
    /// place. Empty means: the model that the stored prompt names.
    pub model: String,
    /// Limit for one whole call, from the first connect to the last byte of the reply.
    pub timeout: Duration,
    /// Limit for name resolution, TCP and TLS together. At most half of [`Settings::timeout`] is
    /// used, so that a failure to connect is always recognised as one: it is the one kind of
    /// time-out after which nothing has been paid.
    pub connect_timeout: Duration,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// A provider of the Responses API.
#[derive(Debug, Clone)]
pub enum Provider {
    /// OpenAI, or any server that speaks its Responses API.
    OpenAi {
        /// The address that ends in the version, such as `https://api.openai.com/v1`.
        base_url: String,
        /// Sent as `Authorization: Bearer`. Empty sends no such header: some compatible servers
        /// have no keys.
        api_key: Secret,
    },
    /// Azure OpenAI, through its version 1 surface `{endpoint}/openai/v1`.
    Azure {
        /// The resource's address, such as `https://example.openai.azure.com`.
        endpoint: String,
        /// Sent as `api-key`.
        api_key: Secret,
        /// The deployment's name, which stands in the place of the model's name.
        deployment: String,
        /// `preview` or `latest`. A dated version belongs to the older surface with one path per
        /// deployment and has no meaning on this one: it is accepted, so that existing
        /// configuration goes on working, and not sent.
        api_version: Option<String>,
    },
}

/// A value that must never be shown: `Debug` prints `***`, and it has no `Display`.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value into safe keeping.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// True if there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(crate) fn inner(&self) -> &SecretString {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

/// What is wrong with the settings. The text says what to change and never shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The address cannot be used.
    #[error("the model's address {fault}; it should look like {example}")]
    Address {
        /// What is wrong with it.
        fault: &'static str,
        /// One that would do.
        example: &'static str,
    },
    /// The key holds a character that a header cannot carry, often a line break from a file.
    #[error(
        "the model's key holds a character that an HTTP header cannot carry (is there a line break at its end?)"
    )]
    Key,
    /// Azure needs a deployment.
    #[error("the Azure deployment's name is empty; it should look like gpt-5-mini")]
    Deployment,
    /// The user agent holds a character that a header cannot carry.
    #[error("the user agent holds a character that an HTTP header cannot carry")]
    UserAgent,
    /// A call needs time.
    #[error("the time limit of a call is zero; it should look like 90 s")]
    Timeout,
    /// The HTTP client could not be built, for want of root certificates for example.
    #[error("the HTTP client could not be set up")]
    Http(#[source] reqwest::Error),
}

/// Checks an address and gives it without a slash at its end.
///
/// Credentials, query and fragment are refused: the first would reach logs, and the others would
/// end up in the middle of the paths that are appended.
pub(crate) fn checked_address(text: &str, example: &'static str) -> Result<String, SettingsError> {
    let fault = |fault| SettingsError::Address { fault, example };
    let url = Url::parse(text.trim()).map_err(|_| fault("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault("holds a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fault("holds a query or a fragment"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let check =
            |text: &str| checked_address(text, "https://api.example/v1").map_err(|e| e.to_string());
        for (text, expect) in [
            ("https://api.example/v1", "https://api.example/v1"),
            (" http://127.0.0.1:8000/v1// ", "http://127.0.0.1:8000/v1"),
            ("https://api.example", "https://api.example"),
        ] {
            assert_eq!(check(text).as_deref(), Ok(expect), "{text}");
        }
        for (text, fault) in [
            ("", "is not a URL"),
            ("api.example/v1", "is not a URL"),
            ("ftp://api.example", "is neither http nor https"),
            (
                "https://user@api.example",
                "holds a user name or a password",
            ),
            (
                "https://user:hunter2@api.example",
                "holds a user name or a password",
            ),
            ("https://api.example/v1?x=1", "holds a query or a fragment"),
            ("https://api.example/v1#x", "holds a query or a fragment"),
        ] {
            let error = check(text).expect_err(text);
            assert!(error.contains(fault), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn secrets_are_masked() {
        let provider = Provider::OpenAi {
            base_url: "https://api.example/v1".into(),
            api_key: "sk-hunter2".into(),
        };
        let shown = format!("{provider:?}");
        assert!(
            shown.contains("***") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
