//! The suite of all stores, on a database of its own for each test.

use std::sync::Arc;

use moon_core::Store;

#[cfg(test)]
mod support;

struct Postgres;

impl moon_testkit::StoreFixture for Postgres {
    type Guard = support::Database;

    fn skipped() -> bool {
        support::skipped()
    }

    async fn store() -> (Arc<dyn Store>, support::Database) {
        let database = support::Database::migrated().await;
        let store = database.store().await;
        (Arc::new(store), database)
    }
}

moon_testkit::store_behaviour!(Postgres);
