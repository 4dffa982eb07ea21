//! Benchmarks, each beside its yardstick in the same run: a ratio holds on any machine, a time on none but this one.

pub mod bare;
mod history;
mod measure;
mod postings;
pub mod sales;
mod timed;

pub use history::history;
pub use measure::{Medians, medians, picoseconds_per_row, times};
pub use postings::{Order, PostingShape, postings};
pub use timed::{Runtime, repeat, rows_per_second, runtime, timed, timed_medians};
