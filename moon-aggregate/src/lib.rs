//! The Moon batch job as a library: one snapshot, the figures of all days that changed, checked, published at once.
//!
//! [`Aggregation::run`] claims the open marks in a short unit of work that also persists the run's key and command, reads
//! one snapshot of the ledger, sums the postings of the touched days (or of all), stages cells, dimensions, targets and
//! product metrics, and publishes them at once: the warehouse reads back what was staged and compares it with the plain
//! sums before it replaces anything. Then the marks are settled. [`Aggregation::preview`] tells what a run would change;
//! [`Aggregation::report`] reads key figures back.
//!
//! ```
//! use std::sync::Arc;
//!
//! use moon_aggregate::{Aggregation, RunCommand, RunOptions, Silent};
//! use moon_core::{Basis, KpiQuery, Ledger, LedgerOptions, Period};
//! use moon_store_memory::{MemoryStore, MemoryWarehouse};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> moon_core::Result<()> {
//! let ledger = Ledger::open(Arc::new(MemoryStore::new()), &LedgerOptions::default()).await?;
//! let warehouse = Arc::new(MemoryWarehouse::new(ledger.settings().currency));
//! let aggregation = Aggregation::new(ledger, warehouse);
//! let run = aggregation.run(&RunCommand::incremental(), &RunOptions::default(), &Silent).await?;
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
//! # Incremental is full
//! Whatever the mode, the warehouse shows afterwards exactly what a full run would have published, product metrics
//! included. Days on which no posting changed are not read: product metrics of all time are the published sums less the
//! old cells of the touched days plus the new ones, those of a month add its untouched cells, all of them integers. What
//! depends on the date alone (a month that ended, a target that came into force) and what is small (names, targets) is
//! compared with what is published. A run after which nothing has changed reads no posting, stages nothing, and leaves
//! its record, so that readers see how fresh the figures are.
//!
//! # Crashes
//! The key stays persisted as unfinished until the marks are settled, so that the next run repeats it under the same key,
//! with the same command. A warehouse that published it already says so, and only the settling remains; whatever else was
//! begun is computed anew. A repeat does not claim the marks that came since, as it may turn out that the key was
//! published without them; it computes their days all the same, so that what it publishes is one state of the ledger, and
//! leaves them to the next run.
//!
//! # Two runs at once
//! A run holds a lease in the store, which it renews while it works. Another one leaves or waits
//! ([`Busy`]). When the lease has expired, because its holder died or was stopped for that long, the next one takes the
//! unfinished run over. A holder that wakes then finds that its lease is gone, or, as each attempt puts a token into the
//! store, that the token is not its own: it looks for it before it stages and again before it publishes, and stops with
//! [`Refused`](moon_core::ErrorKind::Refused). Figures cannot suffer, however the two meet: a warehouse refuses lower
//! numbers than it has published; marks are settled only after a snapshot that was opened behind their claim was
//! published; and since cells are staged last, what one attempt removed of the other's stage is missing in the sums that
//! are read back, and is refused.

mod agents;
mod attempt;
mod before;
mod changes;
mod command;
mod compare;
mod explain;
mod guard;
mod lease;
mod manifest;
mod metrics;
mod path;
mod plan;
mod preview;
mod progress;
mod pulse;
mod report;
mod run;
mod source;
mod stage;
mod state;
mod status;
mod touching;
mod verify;

pub use agents::{AgentFigures, PseudonymKey, WITHHELD};
pub use changes::CellChange;
pub use command::{Busy, Mode, Path, RunCommand, RunOptions};
pub use compare::{Comparison, GroupComparison, LateSale, Reason, RestatedCell};
pub use explain::{ExplainedPosting, Explanation, Origin, PostingKind, Question};
pub use guard::Warning;
pub use manifest::hash_cells;
pub use preview::Changes;
pub use progress::{Progress, Silent, Step};
pub use run::{Aggregation, RunReport};
pub use status::{LeaseHolder, Status, UnfinishedRun};
pub use verify::{ClosedDifference, Difference, Found, ManifestDifference, Verification, VerifyOptions};

/// Keeps the program in the README compiling and true.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
