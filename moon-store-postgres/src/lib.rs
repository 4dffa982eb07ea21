//! Moon on PostgreSQL 13 and later, as a store and as a warehouse.

mod codes;
mod connections;
mod copy;
mod failure;
mod filter;
mod migrate;
mod redshift;
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
mod warehouse;

pub use connections::PostgresOptions;
pub use redshift::RedshiftWarehouse;
pub use store::PostgresStore;
pub use unit::PostgresUnit;
pub use warehouse::PostgresWarehouse;
