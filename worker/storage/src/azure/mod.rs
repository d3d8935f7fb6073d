//! All three ports on Azure Storage, or on Azurite, its emulator.
//!
//! Queues and blobs use Microsoft's own crates; tables, which have none, a thin client on the same
//! pipeline. All of them share one transport (`wire.rs`), one way to prove who asks and one rule
//! for repeats (`tries.rs`). Queues, tables and containers are made when they are first found
//! missing.
//!
//! # What is repeated, and what an unclear answer means
//! A try that ends in a lost connection, a time-out, 408, 500, 502 or 504 may have had its effect.
//! Up to three repeats follow within 8 s, `Retry-After` is kept, and all of it ends within the
//! configured time-out.
//!
//! | operation | repeated | so |
//! |---|---|---|
//! | every read; receive | always | messages of a lost receive come back after their visibility |
//! | send | always | a message may come twice, as the contract says |
//! | delete a message | always | a message that a repeat no longer finds was deleted by the first try |
//! | extend | if untouched | `Unavailable`: the old receipt may be void, and the new one is lost |
//! | table write, one or many | if untouched | `Unavailable`: read again |
//! | put, create-only | if untouched | `Unavailable`: look again |
//! | put, overwrite | always | the same bytes are put twice |
//! | append | if unsent | `Unavailable` or `Throttled`: it may be there, and a repeat may double it |
//! | delete a blob | if untouched | `Unavailable`; one that is not there is fine, so just repeat it |
//!
//! "If unsent" means that there was no connection; "if untouched", that or that the service turned
//! the request away as too much (429, 503). Should such a repeat meet a conflict, it could be with
//! ourselves after all; then the answer is `Unavailable` and never a false `AlreadyExists`,
//! `Precondition` or `StaleReceipt`.
//!
//! # Other things to know
//! - Visibility and delays are whole seconds, rounded up.
//! - `Read::date` is the `Date` of the answer, in whole seconds.
//! - A delete without a version, whose row is not there, is left out of its transaction. A row made
//!   in that very moment stays.
//! - Row keys order by UTF-16 code unit.

mod blobs;
mod connection;
mod credential;
mod cursor;
mod failure;
mod file_name;
mod gate;
mod percent;
mod probe;
mod queue;
mod sign;
mod signed_url;
mod table;
#[cfg(test)]
mod token_tests;
mod tries;
mod wire;

use std::sync::Arc;

use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{ClientOptions, Pipeline, RetryOptions, Transport, Url};
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use azure_storage_queue::{QueueServiceClient, QueueServiceClientOptions};
use tokio::sync::Mutex;

pub use connection::ConnectionFault;
pub use probe::CheckError;

use crate::{Clock, Storage};
use blobs::Containers;
use connection::{Place, Service};
use credential::{Identity, Means};
use gate::Gate;
use queue::Queues;
use signed_url::{Delegation, Signer};
use table::Tables;
use tries::Tries;
use wire::Wire;

/// The version of the queue and blob services that is asked for. Azurite 3.35, the last that runs
/// on Node 20, knows none that is newer.
const VERSION: &str = "2025-11-05";
/// What a token is for.
const SCOPE: &str = "https://storage.azure.com/.default";

/// Why the settings cannot be used, before anything is sent.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A connection string has a fault.
    #[error("storage.azure.{setting} is no usable connection string")]
    Connection {
        /// Which.
        setting: &'static str,
        /// Its fault.
        source: ConnectionFault,
    },
    /// Neither connection string nor account.
    #[error("set storage.azure.queue_table_connection or storage.azure.account_name")]
    NoAccount,
    /// A token would go over the wire in the clear.
    #[error("storage.azure.credential is an identity, which needs https, and {0} is not")]
    NotTls(String),
    /// The identity lacks something.
    #[error("storage.azure.credential cannot be used: {0}")]
    Identity(String),
    /// The HTTP client cannot be made.
    #[error("the HTTP client for Azure Storage cannot be made")]
    Http(#[source] reqwest::Error),
}

/// A storage account, or two: queues and tables may live in one, blobs in another.
#[derive(Debug)]
pub struct Account {
    queues: Arc<Queues>,
    tables: Arc<Tables>,
    containers: Arc<Containers>,
    asked: [Asked; 3],
    emulator: bool,
}

/// Who is asked with what, for messages.
#[derive(Clone, Debug)]
struct Asked {
    service: Service,
    host: String,
    means: Means,
}

impl Account {
    /// Gets ready, and sends nothing; [`check`](Self::check) does. Times of signatures come from
    /// `clock`, which may be off by less than 15 minutes.
    pub fn connect(
        settings: &config::AzureStorage,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let http = wire::client(settings.timeout).map_err(ConnectError::Http)?;
        let identity = credential::identity(settings, &http)?;
        Self::assemble(settings, &http, identity.as_ref(), clock)
    }

    /// The ports.
    pub fn storage(&self) -> Storage {
        Storage {
            queue: self.queues.clone(),
            table: self.tables.clone(),
            blobs: self.containers.clone(),
        }
    }

    /// Whether the blobs are in Azurite, as far as the address tells: this machine, or the
    /// emulator's account. It has no Event Grid.
    pub fn is_emulator(&self) -> bool {
        self.emulator
    }

    fn assemble(
        settings: &config::AzureStorage,
        http: &reqwest::Client,
        identity: Option<&Identity>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let tries = Tries {
            timeout: settings.timeout,
            pace: tries::PACE,
            clock: clock.clone(),
            gate: Arc::new(Gate::new()),
        };
        let wiring = Wiring {
            http,
            identity,
            clock: &clock,
        };
        let queue_table = place(settings, "queue_table_connection")?;
        let blob = place(settings, "blob_connection")?;
        let queue = wiring.end(&queue_table, Service::Queue)?;
        let table = wiring.end(&queue_table, Service::Table)?;
        let blob = wiring.end(&blob, Service::Blob)?;
        let asked = [queue.asked.clone(), table.asked, blob.asked];
        let emulator = connection::is_emulator(&blob.account, &blob.endpoint);

        // The endpoints are checked, and nothing else could fail.
        let misread = |error: azure_core::Error| ConnectError::Identity(error.to_string());
        let client_options = queue.options;
        let options = QueueServiceClientOptions {
            client_options,
            version: VERSION.to_owned(),
        };
        let service = QueueServiceClient::new(queue.endpoint, None, Some(options));
        let queues = Queues::new(&service.map_err(misread)?, tries.clone()).map_err(misread)?;

        let names = (
            option_env!("CARGO_PKG_NAME"),
            option_env!("CARGO_PKG_VERSION"),
        );
        let pipeline = Pipeline::new(
            names.0,
            names.1,
            table.options,
            Vec::new(),
            Vec::new(),
            None,
        );
        let tables = Tables {
            pipeline,
            endpoint: table.endpoint,
            tries: tries.clone(),
        };

        let client_options = blob.options;
        let options = BlobServiceClientOptions {
            client_options,
            version: VERSION.to_owned(),
        };
        let service = BlobServiceClient::new(blob.endpoint, None, Some(options));
        let service = service.map_err(misread)?;
        let clients = Containers::clients(&service);
        let signer = match blob.auth {
            wire::Auth::Key(key) => Signer::Key(key),
            wire::Auth::Signature(_) => Signer::Nobody,
            wire::Auth::Token => {
                let key = Mutex::new(None);
                let account = blob.account;
                Signer::Delegation(Box::new(Delegation {
                    account,
                    service,
                    clock,
                    key,
                }))
            }
        };
        let containers = Containers {
            tries,
            signer,
            clients,
        };
        Ok(Self {
            queues: Arc::new(queues),
            tables: Arc::new(tables),
            containers: Arc::new(containers),
            asked,
            emulator,
        })
    }
}

/// What all three services have in common.
struct Wiring<'a> {
    http: &'a reqwest::Client,
    identity: Option<&'a Identity>,
    clock: &'a Arc<dyn Clock>,
}

/// One service, ready for a client.
struct End {
    endpoint: Url,
    account: String,
    auth: wire::Auth,
    asked: Asked,
    options: ClientOptions,
}

impl Wiring<'_> {
    fn end(
        &self,
        (setting, place): &(&'static str, Place),
        service: Service,
    ) -> Result<End, ConnectError> {
        let fault = |source| ConnectError::Connection { setting, source };
        let endpoint = place.endpoint(service).map_err(fault)?;
        let account = place.account(&endpoint);
        let mut per_try_policies: Vec<Arc<dyn Policy>> = Vec::new();
        let (auth, means) = match self.identity {
            None => credential::in_string(place, &account).map_err(fault)?,
            Some(_) if endpoint.scheme() != "https" => {
                return Err(ConnectError::NotTls(endpoint.to_string()));
            }
            Some(Identity { token, means }) => {
                let policy = BearerTokenAuthorizationPolicy::new(token.clone(), [SCOPE]);
                per_try_policies.push(Arc::new(policy));
                (wire::Auth::Token, *means)
            }
        };
        let (http, clock) = (self.http.clone(), self.clock.clone());
        let wire = Wire {
            http,
            service,
            auth: auth.clone(),
            clock,
        };
        let options = ClientOptions {
            per_try_policies,
            // Ours are in `tries.rs`.
            retry: RetryOptions::none(),
            transport: Some(Transport::with_policy(Arc::new(wire))),
            ..Default::default()
        };
        let host = endpoint.host_str().unwrap_or_default().to_owned();
        let asked = Asked {
            service,
            host,
            means,
        };
        Ok(End {
            endpoint,
            account,
            auth,
            asked,
            options,
        })
    }
}

/// Where an account is, and which setting says so.
fn place(
    settings: &config::AzureStorage,
    setting: &'static str,
) -> Result<(&'static str, Place), ConnectError> {
    let connection = match setting {
        "blob_connection" => &settings.blob_connection,
        _ => &settings.queue_table_connection,
    };
    match (connection, &settings.account_name) {
        (Some(text), _) => Place::parse(text.expose())
            .map(|place| (setting, place))
            .map_err(|source| ConnectError::Connection { setting, source }),
        (None, Some(name)) => Ok(("account_name", Place::named(name))),
        (None, None) => Err(ConnectError::NoAccount),
    }
}
