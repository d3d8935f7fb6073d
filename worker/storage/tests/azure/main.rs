//! The Azure adapter against Azurite: the conformance suite, lost acknowledgements, signed URLs,
//! start-up checks, a slow account, and the search for secrets in the log.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail its test")]

mod conformance;
mod first_use;
mod gate;
mod lost;
mod secrets;
mod signed_urls;
mod start;
mod submit;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use config::AzureStorage;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use storage::ambient::{self, System};
use storage::azure::Account;
use storage::azurite::{self, ACCOUNT, KEY, Ports};
use storage::{Clock, Storage};

fn connect(settings: &AzureStorage) -> Storage {
    Account::connect(settings, Arc::new(System::new()))
        .unwrap()
        .storage()
}

/// Settings for these ports with the account's key, and this time for an operation.
fn by_key(ports: Ports, timeout: Duration) -> AzureStorage {
    let connection = azurite::connection_string(ports, &format!("AccountKey={KEY}"));
    AzureStorage {
        timeout,
        ..azurite::settings(&connection)
    }
}

/// Settings for these ports with a shared access signature of the account that lasts an hour
/// (Microsoft, "Create an account SAS", version 2020-12-06).
fn by_signature(ports: Ports) -> AzureStorage {
    let expires = System::new().now() + Duration::from_hours(1);
    let expires = expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let version = "2022-11-02";
    let text = format!("{ACCOUNT}\nrwdlacup\nbqt\nsco\n\n{expires}\n\nhttps,http\n{version}\n\n");
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(KEY).unwrap()).unwrap();
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let signature = signature
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let proof = format!(
        "SharedAccessSignature=sv={version}&ss=bqt&srt=sco&sp=rwdlacup&se={expires}\
         &spr=https,http&sig={signature}"
    );
    azurite::settings(&azurite::connection_string(ports, &proof))
}

/// A name that nothing else uses.
fn unique() -> String {
    format!(
        "c{:016x}",
        u64::from_be_bytes(ambient::random(&System::new()))
    )
}
