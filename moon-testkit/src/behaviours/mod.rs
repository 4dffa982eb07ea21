//! The behaviours, by part. Each starts from an empty store.

pub mod units;
