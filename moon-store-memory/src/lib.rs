//! Moon in memory: a store and a warehouse for tests, demonstrations and benchmarks.
//!
//! [`MemoryStore`] keeps sales as columns in chunks that lie in the order of the business date, under an ordered map
//! whose copies share their nodes. So a snapshot costs nothing, a unit of work copies what it touches and nothing else,
//! and a scan hands its chunks over as they are. It keeps all contracts of the ports, and adds to them that a call which
//! fails has changed nothing.
//!
//! [`MemoryWarehouse`] keeps published figures the same way.

mod catalog;
mod page;
mod postings;
mod repository;
mod sales;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod tree;
mod warehouse;

pub use store::MemoryStore;
pub use warehouse::MemoryWarehouse;
