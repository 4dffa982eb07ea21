//! The analytics warehouse: figures are staged, checked and published at once.

mod closing;
mod rows;
mod run;

use std::fmt;

use async_trait::async_trait;
use uuid::Uuid;

pub use self::closing::{Closing, Restatement};
pub use self::rows::{
    AgentCell, BranchEntry, GroupSum, ProductEntry, ProductMetrics, Published, PublishedTarget, StagedRows, TeamEntry,
};
pub use self::run::{Manifest, Receipt, RunKey, RunKind, RunOutcome, RunRecord, Scope};
use crate::{Cell, ControlTotals, DayRange, Period, Result};

/// How a warehouse receives a run.
pub enum Opening {
    /// An empty stage; readers see nothing of it before it is published.
    Staged(Box<dyn StagedRun>),
    /// This very run was published before, and only its marks remain to be settled.
    AlreadyPublished(Box<Receipt>),
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staged(_) => f.write_str("Staged"),
            Self::AlreadyPublished(receipt) => f.debug_tuple("AlreadyPublished").field(receipt).finish(),
        }
    }
}

/// Where dashboards read.
#[async_trait]
pub trait Warehouse: fmt::Debug + Send + Sync + 'static {
    /// The backend's name, such as `sqlite`.
    fn backend(&self) -> &'static str;

    /// Creates or upgrades the tables and views; a repeat changes nothing.
    ///
    /// # Errors
    /// `Refused` when they were made by a newer version or for another currency.
    async fn migrate(&self) -> Result<()>;

    /// Prepares a stage for a run. What an earlier, broken attempt of any run left staged is removed.
    ///
    /// # Errors
    /// `Refused` when a higher epoch, or a higher number of the same epoch, was published.
    async fn open(&self, run: &RunKey, scope: &Scope) -> Result<Opening>;

    /// Publishes a run that changes nothing, without a stage: what readers see stays as it is, and is the state of this run
    /// from now on. `shown` is the published run with whose figures those of this one were compared. A repeat returns the
    /// record that is there.
    ///
    /// # Errors
    /// `Contention` when another run than `shown` was published by now; `Refused` when that is a later one than this.
    async fn publish_unchanged(&self, record: &RunRecord, shown: &RunKey) -> Result<Receipt>;

    /// The sums over these days and all that goes with them, in one snapshot.
    async fn read(&self, days: DayRange) -> Result<Published>;

    /// The published cells of these days, ascending by dimension, day and code. All of them are in memory at once: ask for
    /// limited ranges.
    async fn cells(&self, days: DayRange) -> Result<Vec<Cell>>;

    /// The published product metrics: those of all time first, then of each month whose first day lies in `months`,
    /// ascending. A month without rows is left out.
    async fn product_metrics(&self, months: DayRange) -> Result<Vec<ProductMetrics>>;

    /// The published figures of agents in each month whose first day lies in `months`, ascending by month and agent.
    async fn agent_cells(&self, months: DayRange) -> Result<Vec<AgentCell>>;

    /// All closings, ascending by the run that closed and by period; those that were reopened too.
    async fn closings(&self) -> Result<Vec<Closing>>;

    /// The daily cells of a period as they were frozen by that run, ascending by dimension, day and code; none where it
    /// closed no such period.
    async fn closed_cells(&self, period: Period, closed_by: Uuid) -> Result<Vec<Cell>>;

    /// What runs changed in these days after their period had been closed, ascending by run (epoch, number), dimension, day
    /// and code.
    async fn restatements(&self, days: DayRange) -> Result<Vec<Restatement>>;

    /// Keeps the record of a run that did not publish. A repeat replaces it; a published run's record stays.
    async fn record(&self, record: &RunRecord) -> Result<()>;

    /// The records of the last runs, newest first, at most `limit`.
    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>>;
}

/// A stage. Dropped, it is discarded, at the latest when the next run opens.
#[async_trait]
pub trait StagedRun: Send {
    /// Stages rows.
    ///
    /// # Errors
    /// `InvalidInput` for a row outside of the scope or a second one of the same key.
    async fn write(&mut self, rows: StagedRows) -> Result<()>;

    /// Reads back what was staged, checks the law against it ([`ControlTotals::check`], for each of
    /// [`Dimension::DAILY`](crate::Dimension::DAILY)), then replaces the scope, the dimensions and the targets, keeps the
    /// restatements, opens and closes periods, and keeps the record, all at once: readers see all of the old or all of the
    /// new. The times of closings are the record's `finished_at`. A repeat of a run that was published gives its receipt and
    /// changes nothing.
    ///
    /// # Errors
    /// `Refused` when the law does not hold or a later run was published in the meantime; nothing was changed then.
    async fn publish(self: Box<Self>, control: &ControlTotals, record: &RunRecord) -> Result<Receipt>;

    /// Removes the stage.
    async fn discard(self: Box<Self>) -> Result<()>;
}
