//! The provider as `async-openai` wants it described: address, headers, query.

use std::sync::Arc;

use async_openai::config::Config;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;

use crate::settings::{Provider, SettingsError, checked_address};

const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// Where requests go and what they carry.
///
/// The library's own configuration types read environment variables for whatever they are not
/// told, and panic on a key that a header cannot carry. This one does neither.
#[derive(Clone)]
pub(crate) struct Endpoint(Arc<Inner>);

struct Inner {
    base: String,
    headers: HeaderMap,
    api_version: Option<String>,
    key: SecretString,
}

impl Endpoint {
    pub(crate) fn new(provider: &Provider) -> Result<Self, SettingsError> {
        let mut headers = HeaderMap::new();
        let (base, key, api_version) = match provider {
            Provider::OpenAi { base_url, api_key } => {
                if !api_key.is_empty() {
                    headers.insert(
                        AUTHORIZATION,
                        sensitive(&format!("Bearer {}", api_key.expose()))?,
                    );
                }
                (
                    checked_address(base_url, "https://api.openai.com/v1")?,
                    api_key,
                    None,
                )
            }
            Provider::Azure {
                endpoint,
                api_key,
                deployment,
                api_version,
            } => {
                if deployment.trim().is_empty() {
                    return Err(SettingsError::Deployment);
                }
                headers.insert(API_KEY, sensitive(api_key.expose())?);
                let address = checked_address(endpoint, "https://example.openai.azure.com")?;
                let resource = address.strip_suffix("/openai/v1").unwrap_or(&address);
                let version = api_version.as_deref().map(str::trim);
                (
                    format!("{resource}/openai/v1"),
                    api_key,
                    version.filter(|v| is_current(v)).map(str::to_owned),
                )
            }
        };
        Ok(Self(Arc::new(Inner {
            base,
            headers,
            api_version,
            key: key.inner().clone(),
        })))
    }
}

/// False for the dated versions of the surface that this crate does not call.
fn is_current(version: &str) -> bool {
    !version.is_empty() && !version.starts_with(|c: char| c.is_ascii_digit())
}

/// A header value that `Debug` does not show and HPACK does not index.
fn sensitive(value: &str) -> Result<HeaderValue, SettingsError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| SettingsError::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Config for Endpoint {
    fn headers(&self) -> HeaderMap {
        self.0.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        self.0
            .api_version
            .iter()
            .map(|version| ("api-version", version.as_str()))
            .collect()
    }

    fn api_base(&self) -> &str {
        &self.0.base
    }

    fn api_key(&self) -> &SecretString {
        &self.0.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn azure(endpoint: &str, api_version: Option<&str>) -> Provider {
        Provider::Azure {
            endpoint: endpoint.into(),
            api_key: "k".into(),
            deployment: "d".into(),
            api_version: api_version.map(Into::into),
        }
    }

    #[test]
    fn azure_addresses() {
        for given in [
            "https://x.openai.azure.com",
            "https://x.openai.azure.com/",
            "https://x.openai.azure.com/openai/v1/",
        ] {
            let endpoint = Endpoint::new(&azure(given, None)).unwrap();
            assert_eq!(
                endpoint.url("/responses"),
                "https://x.openai.azure.com/openai/v1/responses",
                "{given}"
            );
        }
    }

    #[test]
    fn only_current_api_versions_are_sent() {
        for (given, expect) in [
            (None, vec![]),
            (Some(""), vec![]),
            (Some("2024-10-21"), vec![]),
            (Some("2025-04-01-preview"), vec![]),
            (Some("preview"), vec![("api-version", "preview")]),
            (Some(" latest "), vec![("api-version", "latest")]),
        ] {
            let endpoint = Endpoint::new(&azure("https://x.example", given)).unwrap();
            assert_eq!(endpoint.query(), expect, "{given:?}");
        }
    }

    #[test]
    fn keys() {
        let open = |key: &str| {
            Endpoint::new(&Provider::OpenAi {
                base_url: "https://x.example/v1".into(),
                api_key: key.into(),
            })
        };
        assert!(open("").unwrap().headers().is_empty());
        let headers = open("sk-hunter2").unwrap().headers();
        assert_eq!(headers[AUTHORIZATION], "Bearer sk-hunter2");
        assert!(!format!("{headers:?}").contains("hunter2"));
        assert!(matches!(open("sk-hunter2\n"), Err(SettingsError::Key)));
    }
}
