//! The guard's second half: addresses are judged between the look-up and the connection.
//!
//! The connection takes its addresses from here and looks nothing up again, so there is no moment
//! in which a name could change its mind. Addresses written in a URL never come here; `check_url`
//! has judged those.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use crate::address::AddressKind;
use crate::guard::{Policy, check_address};

/// Looked up at the same time. Each holds a thread for as long as a name server keeps silent, and
/// the files and the database of this process want threads too.
const MOST_LOOKUPS: usize = 128;

/// More addresses of one name than this are not tried.
const MOST_ADDRESSES: usize = 8;

/// The answer to come of a look-up.
pub type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Where the addresses of names come from.
pub trait Lookup: Send + Sync {
    /// All addresses of the name, in the order in which they should be tried. It judges none:
    /// the guard does that.
    fn addresses(&self, name: &str) -> Looking;
}

/// The system's own look-up (getaddrinfo).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup {
    /// Names are complete as they are: the system's search list is not tried, which could turn a
    /// public name into one of an internal network.
    pub absolute: bool,
}

impl Lookup for SystemLookup {
    fn addresses(&self, name: &str) -> Looking {
        let name = format!("{name}{}", if self.absolute { "." } else { "" });
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// None of the addresses may be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forbidden(pub(crate) AddressKind);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no public address ({})", self.0)
    }
}

impl Error for Forbidden {}

pub(crate) struct GuardedResolver {
    lookup: Arc<dyn Lookup>,
    policy: Arc<Policy>,
    permits: Arc<Semaphore>,
}

impl GuardedResolver {
    pub(crate) fn new(lookup: Arc<dyn Lookup>, policy: Arc<Policy>) -> Self {
        Self {
            lookup,
            policy,
            permits: Arc::new(Semaphore::new(MOST_LOOKUPS)),
        }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, policy) = (self.lookup.clone(), self.policy.clone());
        let permits = self.permits.clone();
        Box::pin(async move {
            let permit = permits.acquire_owned().await?;
            let looking = lookup.addresses(name.as_str());
            // The permit stays with the look-up, whose thread outlives the time-out of a caller.
            let found = tokio::spawn(async move {
                let _permit = permit;
                looking.await
            });
            let public = public(&found.await??, &policy)?;
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Those that may be reached. A name with public and other addresses is reached at the public ones.
fn public(
    found: &[IpAddr],
    policy: &Policy,
) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
    let mut public = Vec::new();
    let mut forbidden = None;
    for &address in found {
        match check_address(address, policy) {
            // Port 0 stands for the one of the URL.
            Ok(()) => public.push(SocketAddr::new(address, 0)),
            Err(kind) => forbidden = forbidden.or(Some(kind)),
        }
    }
    public.truncate(MOST_ADDRESSES);
    match forbidden {
        Some(kind) if public.is_empty() => Err(Box::new(Forbidden(kind))),
        _ if public.is_empty() => Err("the name has no address".into()),
        _ => Ok(public),
    }
}
