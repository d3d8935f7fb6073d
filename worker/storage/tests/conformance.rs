//! The conformance suite on the embedded store, plain and decorated.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::sync::Arc;
use std::time::Duration;

use storage::ambient::System;
use storage::conformance::Harness;
use storage::embedded::Store;

fn plain() -> Harness {
    let dir = tempfile::tempdir().unwrap();
    let system = Arc::new(System::new());
    let store = Store::open(dir.path(), system.clone(), system).unwrap();
    Harness {
        storage: store.storage(),
        short: Duration::from_millis(80),
        wakes: true,
        signs_urls: false,
        guard: Box::new(dir),
    }
}

mod embedded {
    use super::Harness;

    async fn harness() -> Harness {
        super::plain()
    }

    storage::conformance_tests!(harness);
}

/// Faults that are off and events that are told must not be noticed.
mod decorated {
    use std::sync::Arc;

    use storage::Storage;
    use storage::ambient::System;
    use storage::events::Emitting;
    use storage::fault::Faults;

    use super::Harness;

    async fn harness() -> Harness {
        let plain = super::plain();
        let Storage {
            queue,
            table,
            blobs,
        } = Faults::new(1).over(plain.storage);
        let system = Arc::new(System::new());
        let blobs = Arc::new(Emitting::new(blobs, queue.clone(), system.clone(), system));
        Harness {
            storage: Storage {
                queue,
                table,
                blobs,
            },
            ..plain
        }
    }

    storage::conformance_tests!(harness);
}
