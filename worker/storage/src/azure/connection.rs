//! Where a storage account is and what proves that we may use it: connection strings and names.
//!
//! The forms are those of Microsoft's "Configure Azure Storage connection strings".

use std::collections::BTreeMap;
use std::fmt;

use azure_core::http::Url;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::Secret;

/// The account of every Azurite, and its key, which is public (Microsoft's documentation of
/// Azurite, "Well-known storage account and key").
pub(super) const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const PUBLIC_CLOUD: &str = "core.windows.net";

/// What a connection string may hold.
const PARTS: [&str; 13] = [
    "AccountKey",
    "AccountName",
    "BlobEndpoint",
    "BlobSecondaryEndpoint",
    "DefaultEndpointsProtocol",
    "DevelopmentStorageProxyUri",
    "EndpointSuffix",
    "FileEndpoint",
    "QueueEndpoint",
    "QueueSecondaryEndpoint",
    "SharedAccessSignature",
    "TableEndpoint",
    "UseDevelopmentStorage",
];

/// One of the three services of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Queue,
    Table,
    Blob,
}

impl Service {
    fn part(self) -> &'static str {
        match self {
            Self::Queue => "QueueEndpoint",
            Self::Table => "TableEndpoint",
            Self::Blob => "BlobEndpoint",
        }
    }

    fn host_label(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Table => "table",
            Self::Blob => "blob",
        }
    }

    fn emulator_port(self) -> u16 {
        match self {
            Self::Blob => 10_000,
            Self::Queue => 10_001,
            Self::Table => 10_002,
        }
    }
}

/// Such as `Queue Storage`.
impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queue => "Queue Storage",
            Self::Table => "Table Storage",
            Self::Blob => "Blob Storage",
        })
    }
}

/// What is wrong with a connection string. Says which part, and never shows a value: any of them
/// may be a key, or a piece of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionFault {
    /// A part is not `Name=value`.
    #[error("part {0} is not Name=value; parts are separated by semicolons")]
    Shape(usize),
    /// A part has a name that means nothing.
    #[error("the name of part {0} means nothing in a connection string")]
    Unknown(usize),
    /// Two parts have one name.
    #[error("{0} is there twice")]
    Twice(&'static str),
    /// A part is needed.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Neither a key nor a signature.
    #[error("it holds neither AccountKey nor SharedAccessSignature")]
    NoProof,
    /// A part has a value that it cannot have.
    #[error("{0} must be {1}")]
    Value(&'static str, &'static str),
}

/// A storage account, as a connection string or a name tells of it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    parts: BTreeMap<&'static str, Secret>,
}

/// Proof that stands in a connection string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Base64, as hexadecimal digits are of no use here.
    Key(Secret),
    /// A query string without its question mark.
    Signature(Secret),
}

impl Place {
    /// The account of this name in Azure's public cloud.
    pub(super) fn named(account: &str) -> Self {
        Self {
            parts: [("AccountName", Secret::new(account))].into(),
        }
    }

    /// Reads a connection string.
    pub(super) fn parse(text: &str) -> Result<Self, ConnectionFault> {
        let mut parts = BTreeMap::new();
        let written = text.split(';').map(str::trim).enumerate();
        for (n, part) in written.filter(|(_, part)| !part.is_empty()) {
            // Only the first: base64 ends with it.
            let (name, value) = part.split_once('=').ok_or(ConnectionFault::Shape(n + 1))?;
            let name = PARTS
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(name.trim()))
                .ok_or(ConnectionFault::Unknown(n + 1))?;
            if parts.insert(name, Secret::new(value.trim())).is_some() {
                return Err(ConnectionFault::Twice(name));
            }
        }
        let place = Self { parts };
        if let Some(value) = place.get("UseDevelopmentStorage")
            && !value.eq_ignore_ascii_case("true")
        {
            return Err(ConnectionFault::Value("UseDevelopmentStorage", "true"));
        }
        if let Some(key) = place.get("AccountKey")
            && (key.is_empty() || STANDARD.decode(key).is_err())
        {
            return Err(ConnectionFault::Value(
                "AccountKey",
                "base64, as the portal shows it",
            ));
        }
        if let Some(signature) = place.get("SharedAccessSignature")
            && !signature.split('&').any(|pair| pair.starts_with("sig="))
        {
            let expected = "a query string with sig=...";
            return Err(ConnectionFault::Value("SharedAccessSignature", expected));
        }
        Ok(place)
    }

    /// The key or signature that the connection string holds.
    pub(super) fn proof(&self) -> Result<Proof, ConnectionFault> {
        if self.is_development_storage() {
            return Ok(Proof::Key(Secret::new(EMULATOR_KEY)));
        }
        if let Some(key) = self.get("AccountKey") {
            return match self.get("AccountName") {
                Some(_) => Ok(Proof::Key(Secret::new(key))),
                None => Err(ConnectionFault::Missing("AccountName")),
            };
        }
        let signature = self
            .get("SharedAccessSignature")
            .ok_or(ConnectionFault::NoProof)?;
        Ok(Proof::Signature(Secret::new(
            signature.trim_start_matches('?'),
        )))
    }

    /// The account's name; where only endpoints are given, the one that stands in this URL.
    pub(super) fn account(&self, endpoint: &Url) -> String {
        if self.is_development_storage() {
            return EMULATOR_ACCOUNT.to_owned();
        }
        if let Some(name) = self.get("AccountName") {
            return name.to_owned();
        }
        let in_path = endpoint.path_segments().and_then(|mut path| path.next());
        let in_host = endpoint
            .domain()
            .and_then(|domain| domain.split('.').next());
        in_path
            .filter(|name| !name.is_empty())
            .or(in_host)
            .unwrap_or_default()
            .to_owned()
    }

    /// The URL of a service, without a slash at its end.
    pub(super) fn endpoint(&self, service: Service) -> Result<Url, ConnectionFault> {
        let part = service.part();
        if let Some(given) = self.get(part) {
            return url(part, given);
        }
        if self.is_development_storage() {
            let proxy = self
                .get("DevelopmentStorageProxyUri")
                .unwrap_or("http://127.0.0.1");
            let proxy = proxy.trim_end_matches('/');
            let given = format!("{proxy}:{}/{EMULATOR_ACCOUNT}", service.emulator_port());
            return url("DevelopmentStorageProxyUri", &given);
        }
        let Some(account) = self.get("AccountName") else {
            return Err(ConnectionFault::Missing(part));
        };
        let protocol = self.get("DefaultEndpointsProtocol").unwrap_or("https");
        if !matches!(protocol, "https" | "http") {
            return Err(ConnectionFault::Value(
                "DefaultEndpointsProtocol",
                "https or http",
            ));
        }
        let suffix = self.get("EndpointSuffix").unwrap_or(PUBLIC_CLOUD);
        let host = format!("{account}.{}.{suffix}", service.host_label());
        let part = if suffix == PUBLIC_CLOUD {
            "AccountName"
        } else {
            "EndpointSuffix"
        };
        let endpoint = url(part, &format!("{protocol}://{host}"))?;
        // A name with a slash, a port or the like would send our requests elsewhere.
        if endpoint.host_str() == Some(&host) && endpoint.path() == "/" {
            Ok(endpoint)
        } else {
            Err(ConnectionFault::Value(part, "part of a host name"))
        }
    }

    fn is_development_storage(&self) -> bool {
        self.parts.contains_key("UseDevelopmentStorage")
    }

    fn get(&self, part: &str) -> Option<&str> {
        self.parts.get(part).map(Secret::expose)
    }
}

/// Whether this is Azurite, as far as its address tells: the emulator's account, or this machine.
pub(super) fn is_emulator(account: &str, endpoint: &Url) -> bool {
    let here = matches!(
        endpoint.host_str(),
        Some("127.0.0.1" | "localhost" | "[::1]")
    );
    here || account == EMULATOR_ACCOUNT
}

fn url(part: &'static str, text: &str) -> Result<Url, ConnectionFault> {
    let fault = ConnectionFault::Value(part, "a plain URL that begins with https:// or http://");
    let plain = |url: &Url| {
        matches!(url.scheme(), "https" | "http")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(text.trim_end_matches('/'))
        .ok()
        .filter(plain)
        .ok_or(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "a2V5IG9mIHRoaXMgdGVzdA==";

    fn endpoints(text: &str) -> Result<[String; 3], ConnectionFault> {
        let place = Place::parse(text)?;
        let endpoint = |service| place.endpoint(service).map(|url| url.to_string());
        Ok([
            endpoint(Service::Queue)?,
            endpoint(Service::Table)?,
            endpoint(Service::Blob)?,
        ])
    }

    #[test]
    fn endpoints_of_every_form() {
        let check = |text: &str, expect: [&str; 3]| {
            assert_eq!(endpoints(text).unwrap(), expect, "{text}");
        };
        check(
            "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=a2V5;\
             EndpointSuffix=core.windows.net",
            [
                "https://acme.queue.core.windows.net/",
                "https://acme.table.core.windows.net/",
                "https://acme.blob.core.windows.net/",
            ],
        );
        check(
            "accountname=acme; AccountKey=a2V5; EndpointSuffix=core.chinacloudapi.cn;",
            [
                "https://acme.queue.core.chinacloudapi.cn/",
                "https://acme.table.core.chinacloudapi.cn/",
                "https://acme.blob.core.chinacloudapi.cn/",
            ],
        );
        check(
            "AccountName=acme;AccountKey=a2V5;BlobEndpoint=https://files.example.com/",
            [
                "https://acme.queue.core.windows.net/",
                "https://acme.table.core.windows.net/",
                "https://files.example.com/",
            ],
        );
        check(
            "UseDevelopmentStorage=true",
            [
                "http://127.0.0.1:10001/devstoreaccount1",
                "http://127.0.0.1:10002/devstoreaccount1",
                "http://127.0.0.1:10000/devstoreaccount1",
            ],
        );
        check(
            "UseDevelopmentStorage=TRUE;DevelopmentStorageProxyUri=http://azurite/",
            [
                "http://azurite:10001/devstoreaccount1",
                "http://azurite:10002/devstoreaccount1",
                "http://azurite:10000/devstoreaccount1",
            ],
        );
        check(
            "BlobEndpoint=https://b.example.com;QueueEndpoint=https://q.example.com;\
             TableEndpoint=https://t.example.com;SharedAccessSignature=sv=1&sig=x%3D",
            [
                "https://q.example.com/",
                "https://t.example.com/",
                "https://b.example.com/",
            ],
        );
    }

    #[test]
    fn proofs_of_every_form() {
        let check = |text: &str, expect: Proof| {
            assert_eq!(Place::parse(text).unwrap().proof(), Ok(expect), "{text}");
        };
        let key = |key| Proof::Key(Secret::new(key));
        check(&format!("AccountName=acme;AccountKey={KEY}"), key(KEY));
        check("UseDevelopmentStorage=true", key(EMULATOR_KEY));
        let signature = Proof::Signature(Secret::new("sv=1&sig=x%3D"));
        check(
            "AccountName=acme;SharedAccessSignature=?sv=1&sig=x%3D",
            signature.clone(),
        );
        check(
            "AccountName=acme;SharedAccessSignature=sv=1&sig=x%3D",
            signature,
        );
        let both = format!("AccountName=acme;AccountKey={KEY};SharedAccessSignature=sig=x");
        check(&both, key(KEY));
    }

    #[test]
    fn faults_say_which_part_and_show_no_value() {
        let check = |text: &str, expect: &str| {
            let place = Place::parse(text);
            let fault = match place.and_then(|place| place.proof().map(|_| place)) {
                Ok(place) => place.endpoint(Service::Blob).unwrap_err(),
                Err(fault) => fault,
            };
            assert_eq!(fault.to_string(), expect, "{text}");
        };
        let shape = "part 2 is not Name=value; parts are separated by semicolons";
        check("AccountName=acme;c2VjcmV0", shape);
        let unknown = "the name of part 2 means nothing in a connection string";
        check("AccountName=acme;AcountKey=a2V5", unknown);
        check("AccountName=a;AccountName=b", "AccountName is there twice");
        check("AccountKey=a2V5", "AccountName is missing");
        check(
            "AccountName=acme",
            "it holds neither AccountKey nor SharedAccessSignature",
        );
        let base64 = "AccountKey must be base64, as the portal shows it";
        check("AccountName=acme;AccountKey=secret!", base64);
        check("AccountName=acme;AccountKey=", base64);
        check(
            "UseDevelopmentStorage=false",
            "UseDevelopmentStorage must be true",
        );
        let query = "SharedAccessSignature must be a query string with sig=...";
        check("AccountName=acme;SharedAccessSignature=secret", query);
        check(
            "QueueEndpoint=https://x;SharedAccessSignature=sig=x",
            "BlobEndpoint is missing",
        );
        let url = "BlobEndpoint must be a plain URL that begins with https:// or http://";
        check("BlobEndpoint=acme;SharedAccessSignature=sig=x", url);
        check(
            "BlobEndpoint=https://x/?sig=secret;SharedAccessSignature=sig=x",
            url,
        );
        let protocol = "DefaultEndpointsProtocol must be https or http";
        check(
            "DefaultEndpointsProtocol=ftp;AccountName=acme;AccountKey=a2V5",
            protocol,
        );
        let host = "AccountName must be part of a host name";
        check("AccountName=evil.example/acme;AccountKey=a2V5", host);
        check("AccountName=evil.example:443/acme;AccountKey=a2V5", host);
    }

    #[test]
    fn names_of_accounts() {
        let check = |text: &str, account: &str, emulator: bool| {
            let place = Place::parse(text).unwrap();
            let endpoint = place.endpoint(Service::Blob).unwrap();
            assert_eq!(place.account(&endpoint), account, "{text}");
            assert_eq!(is_emulator(account, &endpoint), emulator, "{text}");
        };
        check("UseDevelopmentStorage=true", EMULATOR_ACCOUNT, true);
        check(
            "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://a",
            EMULATOR_ACCOUNT,
            true,
        );
        check(
            "BlobEndpoint=http://localhost:9/devstoreaccount1",
            EMULATOR_ACCOUNT,
            true,
        );
        check(
            "BlobEndpoint=http://azurite:9/devstoreaccount1",
            EMULATOR_ACCOUNT,
            true,
        );
        check(
            "BlobEndpoint=https://acme.blob.core.windows.net",
            "acme",
            false,
        );
        check(
            "AccountName=acme;BlobEndpoint=https://files.example.com",
            "acme",
            false,
        );
        assert_eq!(
            Place::named("acme").account(&Url::parse("https://x").unwrap()),
            "acme"
        );
    }

    #[test]
    fn no_secret_is_shown() {
        let text = format!("AccountName=acme;AccountKey={KEY};SharedAccessSignature=sig=abc");
        let place = Place::parse(&text).unwrap();
        let shown = format!("{place:?} {:?}", place.proof());
        assert!(
            !shown.contains(KEY) && !shown.contains("sig=abc"),
            "{shown}"
        );
    }
}
