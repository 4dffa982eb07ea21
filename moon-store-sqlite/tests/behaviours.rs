//! The suite of all stores, on a file of its own for each test.

// Tells clippy that these are tests, helpers included.
#![cfg(test)]

use std::sync::Arc;

use moon_core::Store;
use moon_store_sqlite::SqliteStore;
use tempfile::TempDir;

struct Sqlite;

impl moon_testkit::StoreFixture for Sqlite {
    type Guard = TempDir;

    async fn store() -> (Arc<dyn Store>, TempDir) {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::connect(&format!("sqlite:{}", folder.path().join("moon.db").display())).await.unwrap();
        store.migrate().await.unwrap();
        (Arc::new(store), folder)
    }
}

moon_testkit::store_behaviour!(Sqlite);
