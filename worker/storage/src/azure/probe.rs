//! The check at start-up: does the account answer, and if not, what is to be done.

use std::time::Duration;

use super::credential::Means;
use super::failure::Failure;
use super::{Account, Asked};
use crate::names::{Container, QueueName, TableName};
use crate::port::{Blobs as _, Queue as _, StorageError, Table as _};

/// Longest time for the check.
const PATIENCE: Duration = Duration::from_secs(15);
/// Of a row and a blob that never are.
const NOWHERE: &str = "probe";

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// No answer.
    #[error("{service} at {host} does not answer; {advice}")]
    Silent {
        /// Such as `Queue Storage`.
        service: String,
        /// The host that was asked.
        host: String,
        /// What to look at.
        advice: &'static str,
        /// What happened.
        source: StorageError,
    },
    /// An answer that says no.
    #[error("{service} at {host} refuses {means} ({code}); {advice}")]
    Refused {
        /// Such as `Queue Storage`.
        service: String,
        /// The host that was asked.
        host: String,
        /// What was to prove who asks.
        means: String,
        /// The service's code.
        code: String,
        /// What to look at.
        advice: &'static str,
    },
}

impl Account {
    /// Asks each service for something small, which makes a queue, a table and a container where
    /// they are missing. Ends within 15 seconds.
    pub async fn check(&self) -> Result<(), CheckError> {
        let queue = self.queues.count(QueueName::Jobs);
        let table = self.tables.get(TableName::Tenants, NOWHERE, NOWHERE);
        let blob = self.containers.head(Container::CvPdfs, NOWHERE);
        let (queue, table, blob) = tokio::join!(in_time(queue), in_time(table), in_time(blob));
        let answers = [queue.map(drop), table.map(drop), blob.map(drop)];
        for (asked, answer) in self.asked.iter().zip(answers) {
            match answer {
                Ok(()) | Err(StorageError::NotFound) => {}
                Err(error) => return Err(fault(asked, error)),
            }
        }
        Ok(())
    }
}

fn fault(asked: &Asked, error: StorageError) -> CheckError {
    let (service, host) = (asked.service.to_string(), asked.host.clone());
    let failure = match &error {
        StorageError::Unavailable(source) => source.downcast_ref::<Failure>(),
        _ => None,
    };
    match failure {
        Some(failure) if matches!(failure.status(), 401 | 403) => CheckError::Refused {
            service,
            host,
            means: asked.means.to_string(),
            code: failure.code().to_owned(),
            advice: refused(asked.means, failure.code()),
        },
        Some(Failure::Token(_)) => {
            let advice = no_token(asked.means);
            CheckError::Silent {
                service,
                host,
                advice,
                source: error,
            }
        }
        _ => {
            let advice = "check the endpoint in the connection string or \
                          storage.azure.account_name, and the network";
            CheckError::Silent {
                service,
                host,
                advice,
                source: error,
            }
        }
    }
}

async fn in_time<T>(
    answer: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(StorageError::unavailable(Failure::Lost(format!(
            "none within {PATIENCE:?}"
        )))),
    }
}

fn refused(means: Means, code: &str) -> &'static str {
    match (means, code) {
        (_, "AuthorizationFailure") => {
            "the account's firewall may not let this network in, or it does not allow this proof"
        }
        (Means::Key, _) => {
            "check AccountName and AccountKey, and that this machine's clock is right"
        }
        (Means::Signature, _) => {
            "check its end (se), services (ss=bqt), resource types (srt=sco) and permissions \
             (sp=rwdlacup)"
        }
        (Means::ManagedIdentity | Means::WorkloadIdentity | Means::DeveloperTools, _) => {
            "give it the roles Storage Queue, Table and Blob Data Contributor"
        }
    }
}

fn no_token(means: Means) -> &'static str {
    match means {
        Means::ManagedIdentity => {
            "there may be no managed identity here: check storage.azure.client_id, or set \
             storage.azure.credential to developer_tools on your own machine"
        }
        Means::WorkloadIdentity => {
            "check storage.azure.client_id, tenant_id and federated_token_file"
        }
        Means::DeveloperTools => "log in with `az login` or `azd auth login`",
        Means::Key | Means::Signature => "check the connection string",
    }
}
