//! Real data that is corrected after it was published: an incremental run brings the three key figures to totals that were
//! worked out from the source files without Moon. From SQLite to SQLite and from MariaDB to PostgreSQL.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it cannot read or do")]

mod agency_performance;
#[path = "../common/mod.rs"]
mod common;
mod desk;
#[path = "../figures/mod.rs"]
mod figures;
#[path = "../import/mod.rs"]
mod import;
mod mooninsurance;
#[path = "../servers/mod.rs"]
mod servers;
