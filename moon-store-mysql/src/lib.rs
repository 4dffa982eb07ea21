//! Moon on MySQL 8 and MariaDB 10.6 and later, as a store and as a warehouse.
//!
//! # URLs
//! `mysql://USER:PASSWORD@HOST:PORT/DATABASE` (or `mariadb://`), percent-encoded where need be, with these parameters:
//!
//! | parameter | meaning |
//! | --- | --- |
//! | `ssl-mode` | `disabled`; `preferred` (the default: encrypted where the server offers it, its certificate unchecked); `required` or `verify-identity` (always, and the certificate must be trusted and bear the host's name) |
//! | `ssl-ca` | a file of the certificates that are trusted, PEM; else those that browsers trust |
//! | `socket` | a Unix socket to use in place of the host |
//!
//! A password appears in no error, no log and no `Debug`.
//!
//! # Several at once
//! Units of work run beside one another. Those that read see one snapshot (`REPEATABLE READ`, `READ ONLY`); those that
//! write read what is committed (`READ COMMITTED`) and lock what they change. Two that stand in each other's way wait up to
//! [`MysqlOptions::lock_wait`]; after that, and after a deadlock, one fails with `Contention`, and the ledger repeats it.

mod codes;
mod connections;
mod failure;
mod filter;
mod lists;
mod migrate;
mod repository;
mod sales;
mod scan;
mod session;
mod store;
mod totals;
mod unit;
mod url;
mod value;
mod warehouse;

pub use connections::MysqlOptions;
pub use store::MysqlStore;
pub use unit::MysqlUnit;
pub use warehouse::MysqlWarehouse;
