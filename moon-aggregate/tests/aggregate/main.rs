//! The batch job on every backend: what it publishes, and what happens when it breaks off.
#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot set up or read")]

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
mod status;
mod tampered;
mod verify;
