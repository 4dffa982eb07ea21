//! The Moon batch job as a library: one snapshot, all key figures, checked, published at once.
//!
//! A run claims the open marks in a short unit of work that also persists its key, reads one snapshot of the ledger,
//! folds all postings in one pass, stages cells, dimensions, targets and product metrics, and publishes them at once: the
//! warehouse reads back what was staged and compares it with the plain sums before it replaces anything. Then the marks
//! are settled. [`Aggregation::run_full`] does all of it; [`Aggregation::report`] reads key figures back.
//!
//! ```
//! use std::sync::Arc;
//!
//! use moon_aggregate::{Aggregation, RunOptions, Silent};
//! use moon_core::{Basis, KpiQuery, Ledger, LedgerOptions, Period};
//! use moon_store_memory::{MemoryStore, MemoryWarehouse};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> moon_core::Result<()> {
//! let ledger = Ledger::open(Arc::new(MemoryStore::new()), &LedgerOptions::default()).await?;
//! let warehouse = Arc::new(MemoryWarehouse::new(ledger.settings().currency));
//! let aggregation = Aggregation::new(ledger, warehouse);
//! let run = aggregation.run_full(&RunOptions::default(), &Silent).await?;
//! let query = KpiQuery {
//!     period: Period::ALL,
//!     basis: Basis::Net,
//!     as_of: aggregation.ledger().today()?,
//!     to_date: false,
//!     with_year_before: false,
//! };
//! let report = aggregation.report(&query).await?;
//! assert_eq!(report.run.map(|behind| behind.run_id), Some(run.record.key.id));
//! # Ok(())
//! # }
//! ```
//!
//! # Crashes
//! The key stays persisted as unfinished until the marks are settled, so that the next run repeats it under the same key.
//! A warehouse that published it already says so, and only the settling remains; whatever else was begun is computed
//! anew. A repeat does not claim the marks that came since: it may turn out that the key was published without them.
//!
//! # Two runs at once
//! Nothing keeps a second process from starting a run while one is at work; it takes the unfinished key for that of a
//! crash and repeats it. The first one then leaves: each attempt puts a token into the store, and the one before, which
//! looks for its own before it stages and again before it publishes, stops with
//! [`Refused`](moon_core::ErrorKind::Refused). Figures cannot suffer, however the two meet: a warehouse refuses lower
//! numbers than it has published; marks are settled only after a snapshot that was opened behind their claim was
//! published; and since cells are staged last, what one attempt removed of the other's stage is missing in the sums that
//! are read back, and is refused. What is lost is time: one of the two runs stops, or both where they meet while staging,
//! and the next one repeats the key. (Only a ledger without a single posting has no cells to miss; its dimensions might
//! be published empty until then.)

mod compute;
mod progress;
mod report;
mod run;
mod stage;
mod state;

pub use progress::{Progress, Silent, Step};
pub use run::{Aggregation, RunOptions, RunReport};

/// Keeps the program in the README compiling and true.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
