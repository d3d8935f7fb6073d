//! The conformance suite on Azurite, each case on an Azurite of its own.

use std::sync::Arc;
use std::time::Duration;

use storage::ambient::System;
use storage::azure::Account;
use storage::azurite::Azurite;
use storage::conformance::Harness;

async fn harness() -> Harness {
    let azurite = Azurite::start();
    let account = Account::connect(&azurite.settings(), Arc::new(System::new())).unwrap();
    Harness {
        storage: account.storage(),
        short: Duration::from_secs(1),
        wakes: false,
        signs_urls: true,
        guard: Box::new(azurite),
    }
}

storage::conformance_tests!(harness);
