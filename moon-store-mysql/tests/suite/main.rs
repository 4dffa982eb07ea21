//! Tests of this crate on a MySQL or MariaDB server.

// Tells clippy that these are tests, helpers included.
#![cfg(test)]

mod stores;
mod support;
mod warehouses;
