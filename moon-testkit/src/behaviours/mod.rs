//! The behaviours, by part. Each starts from an empty store.

pub mod assigning;
pub mod bookkeeping;
pub mod documents;
pub mod ends;
pub mod entering;
pub mod faults;
pub mod golden;
pub mod life;
pub mod marks;
pub mod masters;
pub mod organisation;
pub mod recording;
pub mod references;
pub mod sales;
pub mod scans;
pub mod settings;
pub mod targeting;
mod texts;
pub mod together;
pub mod traps;
pub mod units;
pub mod warehouse;
pub mod wording;
