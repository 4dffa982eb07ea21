//! The suite of all warehouses, on a database of its own for each test.

use std::sync::Arc;

use moon_core::Warehouse;
use moon_store_postgres::PostgresWarehouse;
use moon_testkit::builders::currency;

struct Postgres;

impl moon_testkit::WarehouseFixture for Postgres {
    type Guard = crate::support::Database;

    fn skipped() -> bool {
        crate::support::skipped()
    }

    async fn warehouse() -> (Arc<dyn Warehouse>, crate::support::Database) {
        let database = crate::support::Database::migrated().await;
        let warehouse = PostgresWarehouse::connect(&database.url(), currency()).await.unwrap();
        warehouse.migrate().await.unwrap();
        (Arc::new(warehouse), database)
    }
}

moon_testkit::warehouse_behaviour!(Postgres);
