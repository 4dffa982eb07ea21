//! Benchmarks, each beside its yardstick in the same run: a ratio holds on any machine, a time on none but this one.

mod measure;
mod postings;

pub use measure::{Medians, medians, picoseconds_per_row, times};
pub use postings::{Order, PostingShape, postings};
