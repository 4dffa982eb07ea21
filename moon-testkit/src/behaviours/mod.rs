//! The behaviours, by part. Each starts from an empty store.

pub mod assigning;
pub mod documents;
pub mod golden;
pub mod life;
pub mod marks;
pub mod masters;
pub mod organisation;
pub mod recording;
pub mod references;
pub mod sales;
pub mod scans;
pub mod traps;
pub mod units;
pub mod warehouse;
