//! Files imported into a ledger in memory.
#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot do")]

mod bad_files;
mod bad_rows;
mod bench;
mod maps;
mod masters;
mod real_data;
mod sales;
