//! What proves who we are, as the settings choose it.

use std::fmt;
use std::sync::Arc;

use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{ClientOptions, ExponentialRetryOptions, RetryOptions, Transport};
use azure_core::time::Duration;
use azure_identity::{
    ClientAssertionCredentialOptions, DeveloperToolsCredential, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use config::AzureCredential;

use super::ConnectError;
use super::connection::{ConnectionFault, Place, Proof};
use super::sign::SharedKey;
use super::wire::Auth;

/// Tokens of an identity, and where they come from.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) token: Arc<dyn TokenCredential>,
    pub(super) means: Means,
}

/// What proves who we are, for advice to an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    Key,
    Signature,
    ManagedIdentity,
    WorkloadIdentity,
    DeveloperTools,
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "the account key",
            Self::Signature => "the shared access signature",
            Self::ManagedIdentity => "the managed identity",
            Self::WorkloadIdentity => "the workload identity",
            Self::DeveloperTools => "the login of the developer tools",
        })
    }
}

/// The identity that the settings ask for; `None` if the connection strings are to prove it.
pub(super) fn identity(
    settings: &config::AzureStorage,
    http: &reqwest::Client,
) -> Result<Option<Identity>, ConnectError> {
    let client_options = ClientOptions {
        transport: Some(Transport::new(Arc::new(http.clone()))),
        // The identity service of a machine may need some seconds after its start.
        retry: RetryOptions::exponential(ExponentialRetryOptions {
            max_retries: 3,
            max_total_elapsed: Duration::seconds(8),
            ..Default::default()
        }),
        ..Default::default()
    };
    let client_id = settings.client_id.clone();
    let identity: azure_core::Result<(Arc<dyn TokenCredential>, Means)> =
        match settings.credential() {
            AzureCredential::Auto | AzureCredential::ConnectionString => return Ok(None),
            AzureCredential::ManagedIdentity => {
                let user_assigned_id = client_id.map(UserAssignedId::ClientId);
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id,
                    client_options,
                };
                ManagedIdentityCredential::new(Some(options))
                    .map(|token| (token as _, Means::ManagedIdentity))
            }
            AzureCredential::WorkloadIdentity => {
                let credential_options = ClientAssertionCredentialOptions { client_options };
                let options = WorkloadIdentityCredentialOptions {
                    credential_options,
                    client_id,
                    tenant_id: settings.tenant_id.clone(),
                    token_file_path: settings.federated_token_file.clone(),
                };
                WorkloadIdentityCredential::new(Some(options))
                    .map(|token| (token as _, Means::WorkloadIdentity))
            }
            AzureCredential::DeveloperTools => {
                DeveloperToolsCredential::new(None).map(|token| (token as _, Means::DeveloperTools))
            }
        };
    let (token, means) = identity.map_err(|error| ConnectError::Identity(error.to_string()))?;
    Ok(Some(Identity { token, means }))
}

/// The proof that stands in a connection string.
pub(super) fn in_string(place: &Place, account: &str) -> Result<(Auth, Means), ConnectionFault> {
    Ok(match place.proof()? {
        Proof::Key(key) => {
            let (account, key) = (account.to_owned(), Secret::new(key.expose().to_owned()));
            (Auth::Key(SharedKey { account, key }), Means::Key)
        }
        Proof::Signature(signature) => {
            let signature = Secret::new(signature.expose().to_owned());
            (Auth::Signature(signature), Means::Signature)
        }
    })
}
