//! Moon on PostgreSQL 13 and later, as a store and as a warehouse.

mod codes;
mod connections;
mod copy;
mod failure;
mod filter;
mod migrate;
mod repository;
mod sales;
mod scan;
mod session;
mod store;
mod tls;
mod totals;
mod unit;
mod url;
mod value;

pub use connections::PostgresOptions;
pub use store::PostgresStore;
pub use unit::PostgresUnit;
