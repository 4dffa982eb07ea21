//! The suite of all warehouses, on memory.

use std::sync::Arc;

use moon_core::Warehouse;
use moon_store_memory::MemoryWarehouse;

struct Memory;

impl moon_testkit::WarehouseFixture for Memory {
    type Guard = ();

    async fn warehouse() -> (Arc<dyn Warehouse>, ()) {
        (Arc::new(MemoryWarehouse::new(moon_testkit::builders::currency())), ())
    }
}

moon_testkit::warehouse_behaviour!(Memory);
