//! Servers that are killed at random moments, and many writers at once.
//!
//! Each test has a server of its own and goes through some rounds, each in a new database. `MOON_TORTURE_ROUNDS` says how
//! many (10 unless set), and `MOON_TORTURE_SEED` which ones: the moments of the kills follow from it, though not what a
//! server does at that moment. `cargo xtask torture` runs hundreds.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test tells of a fault by a panic")]

mod arena;
mod crowd;
mod expected;
mod publishing;
mod recording;
