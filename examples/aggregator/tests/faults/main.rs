//! The program among faults, on real servers: killed, stopped, cut off, started twice, and beside writers that commit late.
//!
//! The source is MariaDB or PostgreSQL, the warehouse PostgreSQL. What must come out is summed by plain SQL over the source's
//! tables, which knows nothing of the library. `MOON_TORTURE_ROUNDS` says how often the program is killed (10 unless set),
//! and `MOON_TORTURE_SEED` when; `cargo xtask torture` kills it hundreds of times.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test tells of a fault by a panic")]
#![cfg(unix)]

mod figures;
mod killed;
mod late;
mod locks;
mod paused;
mod program;
#[path = "../servers/mod.rs"]
mod servers;
mod stopped;
#[path = "../servers/store.rs"]
mod store;
mod together;
mod vanished;
mod watch;
mod world;
mod writer;
