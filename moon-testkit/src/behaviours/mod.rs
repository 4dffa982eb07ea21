//! The behaviours, by part. Each starts from an empty store.

pub mod masters;
pub mod sales;
pub mod units;
