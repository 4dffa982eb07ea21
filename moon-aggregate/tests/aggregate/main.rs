//! The batch job on every backend: what it publishes, and what happens when it breaks off.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it cannot set up or read")]

mod agents;
mod arrivals;
mod common;
mod compare;
mod crash;
mod explain;
mod faults;
mod figures;
mod golden;
mod incremental;
mod law;
mod lease;
mod run;
#[path = "../../../examples/aggregator/tests/servers/mod.rs"]
#[expect(dead_code, reason = "nothing here looks into a database past the library")]
mod servers;
mod status;
mod tampered;
mod verify;
