//! Moon on SQLite: the embedded default, as a store and as a warehouse, by default in one file.
//!
//! # Durability
//! The database is in WAL mode. What was committed survives the end of the process, however it ends (`kill -9`
//! included). With [`Durability::Process`], the default, a power cut or a crash of the operating system may lose the
//! last commits, never a part of one and never the database's integrity; with [`Durability::Power`] each commit waits
//! for the disk.
//!
//! # Several at once
//! SQLite lets one unit of work write at a time; readers go on beside it, each on its own snapshot. Writers of one
//! process queue in order; those of different processes wait for one another up to [`SqliteOptions::wait`], and then
//! fail with `Contention`. A writing unit takes the write lock when it begins, so that it never fails half way for
//! want of it. The file must lie on a local disk: WAL needs shared memory.

mod codes;
mod connections;
mod failure;
mod filter;
mod migrate;
mod repository;
mod sales;
mod scan;
mod session;
mod store;
mod totals;
mod unit;
mod value;
mod warehouse;

pub use connections::{Durability, SqliteOptions};
pub use store::SqliteStore;
pub use warehouse::SqliteWarehouse;
