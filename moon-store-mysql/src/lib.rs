//! Moon on MySQL 8 and later and MariaDB 10.6 and later: [`MysqlStore`], [`MysqlWarehouse`], and a unit of work within the
//! embedder's own transaction ([`MysqlUnit::within`]). Only what both servers know is used, save where a server has a faster
//! way and says that it has it.
//!
//! # URLs and encryption
//! `mysql://USER:PASSWORD@HOST:PORT/DATABASE?ssl-mode=verify-identity&ssl-ca=/etc/moon/ca.pem`, or `mariadb://`. User, password
//! and names are percent-encoded where they need it; `socket=FILE` names a Unix socket to use in place of the host.
//!
//! | `ssl-mode` | encrypted | certificate |
//! | --- | --- | --- |
//! | `disabled` | never | |
//! | `preferred` (the default) | if the server offers it | not checked: a plain connection would do too |
//! | `required`, `verify-identity` | always | must be trusted and bear the host's name |
//!
//! What is trusted is in the file of `ssl-ca` (PEM), else what browsers trust. MySQL's own certificate, which it makes when it is
//! installed, is in its data directory (`ca.pem`), and bears no host's name: use one of your own. A password never gets into an
//! error, a log or a `Debug`. A program that has several providers of cryptography for rustls in it has to install one
//! (`rustls::crypto::CryptoProvider::install_default`) before it connects.
//!
//! # Limits
//! Whatever waits, ends: see [`MysqlOptions`]. A full pool and a server that does not answer are `Timeout`, a lock that is not
//! granted and a deadlock are `Contention`, and a lost connection is `Unavailable`; the next unit of work gets another
//! connection. What the crate relies on is set for each session: strictness, UTC, isolation, limits of time. The server
//! bounds every statement itself on MariaDB (`max_statement_time`), on MySQL those that only read (`max_execution_time`); the
//! others are given up on this side, five seconds later.
//!
//! # Isolation and locks
//! A reading unit is one `REPEATABLE READ` snapshot, `READ ONLY`. A writing unit is `READ COMMITTED` with these locks: recording
//! locks its agents `LOCK IN SHARE MODE`, assigning `FOR UPDATE`, in ascending order of their codes; sales that are found and
//! records that are read are locked `FOR UPDATE`, sales in the order of their keys. A message that comes before its sale puts
//! the sale's key into `ledger_sales`, so that the unique key makes both wait for one another and neither is lost. A unit that
//! is dropped is rolled back; if it was dropped in the middle of a call, its connection is closed. `binlog_format` must be `ROW`
//! or `MIXED`, which are the defaults.
//!
//! # Schema
//! Codes and references are `VARBINARY`, compared byte by byte: the two servers share no collation that neither folds case nor
//! ignores blanks at the end. Names are utf8mb4. Sales are clustered by (date, identifier), so that figures read them in the
//! order of the disk. They refer to their source and agent by foreign keys; those to products, teams and branches are checked
//! in the transaction alone, since InnoDB's index for each would double the indexes and cost half as much again as the
//! whole insertion.
//!
//! Statements that make tables commit by themselves. So a migration notes in `moon_schema` which statement it begins and which
//! it has done, under a lock of the server, on a connection of its own: what was broken off is gone on with, and what is in the
//! way is named. The views read with the rights of the user who migrated (`SQL SECURITY DEFINER`), who has to stay.
//!
//! # Speed
//! New sales go in by statements of many rows, 512 at a time, or 1,024 in MariaDB's own form for them. When a key is known, the
//! statement is undone, and one with `ON DUPLICATE KEY UPDATE` takes its place. On MariaDB `Ledger::record_sales` in calls of
//! 5,000 reaches six tenths of one bare `LOAD DATA` of a million rows into a table with the same keys, foreign keys and indexes.
//!
//! A scan reads the table in its own order, 65,536 sales at a time, each chunk behind the last key of the one before. On one
//! machine it takes 1.25 times what a client takes that only drains the same rows, and a quarter of what sums in SQL
//! ([`PostingSource::totals`](moon_core::PostingSource::totals)) take, which is mostly the server's `GROUP BY`. Sums in SQL spare
//! the network; whoever asks decides which to use, and both yield the same. `examples/mysql_measure.rs` measures all of this.
//!
//! # Operation
//! - **Sizing.** About 300 to 400 bytes a sale, indexes included. One connection for each unit of work at a time.
//! - **Server settings.** `innodb_buffer_pool_size` as large as the indexes, some 150 bytes a sale, makes bulk loads fast.
//!   `innodb_flush_log_at_trx_commit` stays 1: anything else may lose what was acknowledged. `max_allowed_packet` of 16 MiB, the
//!   default, is enough.
//! - **Backup.** `mariadb-dump --single-transaction` or `mysqldump --single-transaction`. After restoring an older state, start a
//!   new epoch of aggregation runs.
//! - **Users.** `roles.sql` beside this crate's manifest makes users with the least privileges to migrate, write, read, publish
//!   and look at figures; the tests run it as it is.
#![doc = concat!("```sql\n", include_str!("../roles.sql"), "```")]

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
