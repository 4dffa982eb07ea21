//! The suite of all stores, on a database of its own for each test.

use std::sync::Arc;

use moon_core::Store;

struct Mysql;

impl moon_testkit::StoreFixture for Mysql {
    type Guard = crate::support::Database;

    fn skipped() -> bool {
        crate::support::skipped()
    }

    async fn store() -> (Arc<dyn Store>, crate::support::Database) {
        let database = crate::support::Database::empty().await;
        let store = database.store().await;
        store.migrate().await.unwrap();
        (Arc::new(store), database)
    }
}

moon_testkit::store_behaviour!(Mysql);
