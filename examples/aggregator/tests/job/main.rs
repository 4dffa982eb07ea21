//! The commands of the program around a small ledger: closing, proving, explaining, status, metrics and the schedule.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it cannot read or do")]

mod agents;
mod closing;
#[path = "../common/mod.rs"]
mod common;
mod dirty;
mod dirty_source;
mod dry_run;
mod epoch;
mod explain;
mod http;
mod ledger;
mod metrics;
mod schedule;
#[path = "../servers/mod.rs"]
mod servers;
mod status;
#[path = "../servers/store.rs"]
mod store;
mod usage;
