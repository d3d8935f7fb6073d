//! Which URLs may be asked for, before any name is looked up.
//!
//! The text is parsed as browsers parse it (WHATWG URL), since the HTTP client does too: decimal,
//! octal and hexadecimal forms of an IPv4 address, full-width digits and percent signs have become
//! the plain address before it is judged.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use reqwest::{Certificate, Url};

use crate::address::AddressKind;

/// Longer URLs than this are refused, in bytes.
const LONGEST_URL: usize = 2_048;

/// The longest name that DNS can hold, in characters (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 253;

/// Endings of names that mean something inside a network only (RFC 6761, RFC 6762, RFC 7686,
/// RFC 8375, RFC 9476; `internal` is reserved by ICANN, the rest is custom).
const LOCAL_NAMES: [&str; 14] = [
    "alt",
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "svc",
];

/// What may be reached, and how long it may take. The default is for strangers' URLs.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Plain `http://` too. Anybody on the way can then read along.
    pub allow_http: bool,
    /// Loopback, private, shared and unique local addresses, and local names, too: for
    /// development, or where all tenants are the operator's own. Metadata services, link-local
    /// and all other special addresses stay out of reach.
    pub allow_private: bool,
    /// From the call to the last byte of the answer that is read. 20 s: Standard Webhooks asks
    /// for 15 to 30.
    pub timeout: Duration,
    /// Looking the name up, TCP and TLS. 5 s, and never more than the whole.
    pub connect_timeout: Duration,
    /// Authorities trusted besides the system's: for endpoints inside a company.
    pub certificates: Vec<Certificate>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allow_http: false,
            allow_private: false,
            timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(5),
            certificates: Vec::new(),
        }
    }
}

/// Why a URL is not asked for. `Display` says what to change, and is fit for the one who gave the
/// URL: it names no address that a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// More than 2,048 bytes.
    #[error("the URL is longer than 2048 bytes")]
    TooLong,
    /// Blanks, line breaks, other control characters or backslashes, which a parser would drop or
    /// replace.
    #[error("the URL holds a blank, a control character or a backslash: percent-encode it")]
    Characters,
    /// Neither `https://` nor `http://`, or `http://` where it is not allowed.
    #[error("the URL must begin with {0}")]
    Scheme(&'static str),
    /// It cannot be parsed.
    #[error("the URL cannot be parsed: it must look like https://example.com/hook")]
    Syntax,
    /// A name or a password before the host.
    #[error("the URL must hold no user name and no password: every delivery is signed")]
    UserInfo,
    /// A part after `#`, which is never sent.
    #[error("the URL must hold no # and nothing after it: it would not be sent")]
    Fragment,
    /// A port that another protocol is at home on.
    #[error("port {0} is not allowed: use 443, or one over 1023 that no other protocol has")]
    Port(u16),
    /// A name that no stranger's server has.
    #[error("the host is {0}: use a public name")]
    Host(HostFault),
    /// The address, or every address that the name stands for, is not a public one.
    #[error("the host's address is not public ({0})")]
    Address(AddressKind),
}

/// Why a host name is not looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// No dot in it: only a search list would complete it.
    SingleLabel,
    /// It ends in what means something inside a network only, such as `localhost` or `internal`.
    Local,
    /// No name that DNS could hold: too long, or an empty part.
    Malformed,
}

impl fmt::Display for HostFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SingleLabel => "a name without a dot",
            Self::Local => "a name of a local network",
            Self::Malformed => "no name of the DNS",
        })
    }
}

/// Checks a URL that a tenant gave and returns it as it will be asked for: normalised, without a
/// dot at the end of its host.
///
/// That is half of the guard. The other half judges the addresses that the name stands for at the
/// time of each connection, since they may change.
pub fn check_url(text: &str, policy: &Policy) -> Result<Url, UrlFault> {
    if text.len() > LONGEST_URL {
        return Err(UrlFault::TooLong);
    }
    // A parser drops some of these and turns others into slashes: what is judged and what others
    // read in the text must not differ.
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(UrlFault::Characters);
    }
    let rest = after_scheme(text, policy)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(UrlFault::UserInfo);
    }
    if authority.is_empty() {
        return Err(UrlFault::Syntax);
    }
    let mut url = Url::parse(text).map_err(|_| UrlFault::Syntax)?;
    if url.fragment().is_some() {
        return Err(UrlFault::Fragment);
    }
    check_host(&mut url, policy)?;
    let port = url.port_or_known_default().ok_or(UrlFault::Syntax)?;
    if !port_is_allowed(port) {
        return Err(UrlFault::Port(port));
    }
    Ok(url)
}

/// Whether a connection may go to the address.
pub fn check_address(address: IpAddr, policy: &Policy) -> Result<(), AddressKind> {
    match AddressKind::of(address) {
        Some(kind) if policy.allow_private && kind.is_for_development() => Ok(()),
        Some(kind) => Err(kind),
        None => Ok(()),
    }
}

/// Taken from the text itself: a parser would also accept one slash, or five.
fn after_scheme<'a>(text: &'a str, policy: &Policy) -> Result<&'a str, UrlFault> {
    let rest = |prefix: &str| {
        let (start, rest) = text.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some(rest)
    };
    let (schemes, rest) = if policy.allow_http {
        let rest = rest("https://").or_else(|| rest("http://"));
        ("https:// or http://", rest)
    } else {
        ("https://", rest("https://"))
    };
    rest.ok_or(UrlFault::Scheme(schemes))
}

fn check_host(url: &mut Url, policy: &Policy) -> Result<(), UrlFault> {
    let host = url.host_str().ok_or(UrlFault::Syntax)?;
    let v6 = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address = match v6 {
        Some(host) => Some(IpAddr::V6(
            host.parse::<Ipv6Addr>().map_err(|_| UrlFault::Syntax)?,
        )),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    };
    if let Some(address) = address {
        return check_address(address, policy).map_err(UrlFault::Address);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    check_name(name, policy).map_err(UrlFault::Host)?;
    if name.len() < host.len() {
        let name = name.to_owned();
        url.set_host(Some(&name)).map_err(|_| UrlFault::Syntax)?;
    }
    Ok(())
}

/// The parser has made it lower-case ASCII before.
fn check_name(name: &str, policy: &Policy) -> Result<(), HostFault> {
    let label_fits = |label: &str| !label.is_empty() && label.len() <= 63;
    if name.len() > LONGEST_NAME || !name.split('.').all(label_fits) {
        return Err(HostFault::Malformed);
    }
    if policy.allow_private {
        return Ok(());
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    if LOCAL_NAMES.contains(&last) {
        return Err(HostFault::Local);
    }
    if last == name {
        return Err(HostFault::SingleLabel);
    }
    Ok(())
}

/// Under 1024 those of HTTP; above, not those that browsers refuse either (Fetch, section 2.9),
/// since what listens there could take a request for its own protocol.
fn port_is_allowed(port: u16) -> bool {
    match port {
        80 | 443 => true,
        0..=1023 => false,
        1719 | 1720 | 1723 | 2049 | 3659 | 4045 | 4190 | 5060 | 5061 | 6000 | 6566 => false,
        6665..=6669 | 6679 | 6697 | 10080 => false,
        _ => true,
    }
}
