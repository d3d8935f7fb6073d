//! The conformance suite: each case by the account's key on an Azurite of its own, and all of them
//! once more by a shared access signature.

use std::sync::Arc;
use std::time::Duration;

use storage::ambient::System;
use storage::azure::Account;
use storage::azurite::Azurite;
use storage::conformance::Harness;

use crate::by_signature;

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

mod signature {
    use super::{Account, Arc, Azurite, Duration, Harness, System, by_signature};

    fn harness(azurite: &Azurite) -> Harness {
        let settings = by_signature(azurite.ports());
        let account = Account::connect(&settings, Arc::new(System::new())).unwrap();
        Harness {
            storage: account.storage(),
            short: Duration::from_secs(1),
            wakes: false,
            signs_urls: false,
            guard: Box::new(()),
        }
    }

    macro_rules! one_test_a_group {
        (() $($group:ident { $($file:ident::$name:ident,)* })*) => {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $group() {
                let azurite = Azurite::start();
                $(storage::conformance::run::$group::$name(harness(&azurite)).await;)*
            })*
        };
    }

    storage::conformance_cases!(one_test_a_group,);
}
