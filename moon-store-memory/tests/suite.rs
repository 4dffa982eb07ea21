//! The suite of all stores, on memory.

use std::sync::Arc;

use moon_core::Store;
use moon_store_memory::MemoryStore;

struct Memory;

impl moon_testkit::StoreFixture for Memory {
    type Guard = ();

    async fn store() -> (Arc<dyn Store>, ()) {
        (Arc::new(MemoryStore::new()), ())
    }
}

moon_testkit::store_behaviour!(Memory);
