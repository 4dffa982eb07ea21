//! Moon on PostgreSQL 13 and later: [`PostgresStore`], [`PostgresWarehouse`], a unit of work within the embedder's own
//! transaction ([`PostgresUnit::within`]), and a warehouse in the dialect of Amazon Redshift ([`RedshiftWarehouse`]).
//!
//! # URLs and encryption
//! `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full&sslrootcert=/etc/moon/ca.pem`; `redshift://` for
//! Redshift. User, password and names are percent-encoded where they need it. Several hosts (`HOST1:PORT1,HOST2:PORT2`), and
//! the other parameters of the driver such as `application_name` and `target_session_attrs=read-write`, are passed on.
//!
//! | `sslmode` | encrypted | certificate |
//! | --- | --- | --- |
//! | `disable` | never | |
//! | `prefer` (the default) | if the server offers it | not checked: a plain connection would do too |
//! | `require`, `verify-full` | always | must be trusted and bear the host's name |
//!
//! What is trusted is in the file of `sslrootcert`, else what the machine trusts. There is no mode that demands encryption
//! and believes any certificate, as libpq's own `require` does. A password never gets into an error, a log or a `Debug`.
//!
//! # Limits
//! Whatever waits, ends: see [`PostgresOptions`]. A full pool and a server that does not answer are `Timeout`, a lock that
//! is not granted, a deadlock and a failed serialization are `Contention`, and a lost connection is `Unavailable`; the
//! next unit of work gets another connection. All settings are made with `SET LOCAL` in the transaction itself and no
//! prepared statement outlives one, so that a pooler such as PgBouncer may stand between, also one that pools by transaction.
//! Migrations take a session's advisory lock and need a direct connection.
//!
//! # Isolation and locks
//! A reading unit is one `REPEATABLE READ READ ONLY` snapshot. A writing unit is `READ COMMITTED` with these locks:
//! recording locks its agents `FOR SHARE`, assigning `FOR UPDATE`, in ascending order of their codes; sales that are found
//! and records that are read are locked `FOR UPDATE`, sales in the order of their keys. A message that comes before its sale
//! puts the sale's key into `ledger_sales`, so that the unique index makes both wait for one another and neither is
//! lost. A unit that is dropped is rolled back; if it was dropped in the middle of a call, its connection is closed.
//!
//! # Speed
//! New sales go in by one binary `COPY` within a savepoint; when a key is known, the savepoint is rolled back and an
//! `INSERT ... ON CONFLICT` over arrays takes its place. `Ledger::record_sales` in calls of 5,000 reaches nine tenths of
//! one bare `COPY` of a million rows into a table with the same keys, foreign keys and indexes; more than half of the
//! time of either goes into checking the foreign keys.
//!
//! A scan is a cursor of the server, read in batches of 65,536 in constant memory. Sums in
//! SQL ([`PostingSource::totals`](moon_core::PostingSource::totals)) cost about as much as scanning and folding where server and program share a
//! machine, and spare the network elsewhere; whoever asks decides which to use, and both yield the same.
//! `examples/postgres_measure.rs` measures all of this.
//!
//! Sales are found by day through a B-tree on (date, identifier), which also orders lists. With a BRIN index in its place
//! recording was not measurably faster, and a full scan slower, as it had to sort. If sales arrive far out of order,
//! `CLUSTER ledger_sales USING ledger_sales_date` once in a while puts them in order on disk.
//!
//! # Operation
//! - **Sizing.** About 300 bytes a sale, indexes included. One connection for each unit of work at a time.
//! - **Server settings.** The defaults will do. `max_wal_size` of some gigabytes helps bulk loads, and
//!   `idle_in_transaction_session_timeout` frees what a program that hangs keeps locked. `fsync` stays on.
//! - **Backup.** `pg_dump`, or continuous archiving; both are consistent. After restoring an older state, start a new epoch
//!   of aggregation runs.
//! - **Roles.** `roles.sql` beside this crate's manifest makes roles with the least privileges to migrate, write, read,
//!   publish and look at figures; the tests run it as it is.
#![doc = concat!("```sql\n", include_str!("../roles.sql"), "```")]

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
