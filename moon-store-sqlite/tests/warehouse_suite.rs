//! The suite of all warehouses, on a file of its own for each test.

// Tells clippy that these are tests, helpers included.
#![cfg(test)]

use std::sync::Arc;

use moon_core::Warehouse;
use moon_store_sqlite::SqliteWarehouse;
use moon_testkit::builders::currency;
use tempfile::TempDir;

struct Sqlite;

impl moon_testkit::WarehouseFixture for Sqlite {
    type Guard = TempDir;

    async fn warehouse() -> (Arc<dyn Warehouse>, TempDir) {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("moon.db").display());
        let warehouse = SqliteWarehouse::connect(&url, currency()).await.unwrap();
        warehouse.migrate().await.unwrap();
        (Arc::new(warehouse), folder)
    }
}

moon_testkit::warehouse_behaviour!(Sqlite);
