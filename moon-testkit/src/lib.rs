//! What every Moon backend must do, as tests that a third party applies to its own in one line.
//!
//! ```ignore
//! struct MyFixture;
//!
//! impl moon_testkit::StoreFixture for MyFixture {
//!     type Guard = tempfile::TempDir;
//!     async fn store() -> (Arc<dyn Store>, Self::Guard) { /* fresh, migrated, empty */ }
//! }
//!
//! moon_testkit::store_behaviour!(MyFixture);
//! ```
//!
//! Warehouses have a suite of their own, [`warehouse_behaviour!`], over a [`WarehouseFixture`]. The environment variable
//! `MOON_TEST_CASES` asks the [model] test for more random histories than ten.
//!
//! A behaviour is a plain async function over a store; it panics where the store is wrong. For tests only.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test tells of a fault by a panic"
)]

pub mod behaviours;
pub mod builders;
pub mod faulty;
pub mod figures;
mod fixture;
pub mod model;
pub mod postings;
pub mod random;
pub mod rounds;
mod table;
mod warehouse_table;

pub use fixture::{StoreFixture, WarehouseFixture, run_on_store, run_on_warehouse};
