//! How a test gets its store.

use std::future::Future;
use std::sync::Arc;

use moon_core::{Store, Warehouse};

/// Makes stores for tests.
pub trait StoreFixture {
    /// Keeps alive what the store needs, such as a directory; dropped after the test.
    type Guard;

    /// Whether the tests are left out because whoever runs them said so, as by `MOON_TEST_SKIP`; a server that is merely
    /// absent is a failure. Says so on standard error.
    fn skipped() -> bool {
        false
    }

    /// A fresh, migrated, empty store that no other test sees.
    fn store() -> impl Future<Output = (Arc<dyn Store>, Self::Guard)>;
}

/// Makes warehouses for tests.
pub trait WarehouseFixture {
    /// Keeps alive what the warehouse needs; dropped after the test.
    type Guard;

    /// Whether the tests are left out because whoever runs them said so, as by `MOON_TEST_SKIP`; a server that is merely
    /// absent is a failure. Says so on standard error.
    fn skipped() -> bool {
        false
    }

    /// A fresh, migrated, empty warehouse in [`builders::currency`](crate::builders::currency) that no other test sees.
    fn warehouse() -> impl Future<Output = (Arc<dyn Warehouse>, Self::Guard)>;
}

/// Runs a behaviour on a store of the fixture.
pub fn run_on_store<F: StoreFixture, B: Future<Output = ()>>(behaviour: impl FnOnce(Arc<dyn Store>) -> B) {
    if F::skipped() {
        return;
    }
    block_on(async {
        let (store, guard) = F::store().await;
        behaviour(store).await;
        drop(guard);
    });
}

/// Runs a behaviour on a warehouse of the fixture.
pub fn run_on_warehouse<F: WarehouseFixture, B: Future<Output = ()>>(behaviour: impl FnOnce(Arc<dyn Warehouse>) -> B) {
    if F::skipped() {
        return;
    }
    block_on(async {
        let (warehouse, guard) = F::warehouse().await;
        behaviour(warehouse).await;
        drop(guard);
    });
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime for the test").block_on(work)
}
