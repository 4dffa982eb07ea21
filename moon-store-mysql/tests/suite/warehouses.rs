//! The suite of all warehouses, on a database of its own for each test.

use std::sync::Arc;

use moon_core::Warehouse;
use moon_store_mysql::MysqlWarehouse;
use moon_testkit::builders::currency;

use crate::support::Database;

struct Mysql;

impl moon_testkit::WarehouseFixture for Mysql {
    type Guard = Database;

    fn skipped() -> bool {
        crate::support::skipped()
    }

    async fn warehouse() -> (Arc<dyn Warehouse>, Database) {
        let database = Database::empty().await;
        let warehouse = MysqlWarehouse::connect(&database.url(), currency()).await.unwrap();
        warehouse.migrate().await.unwrap();
        (Arc::new(warehouse), database)
    }
}

moon_testkit::warehouse_behaviour!(Mysql);
