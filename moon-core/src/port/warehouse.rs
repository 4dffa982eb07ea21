//! The analytics warehouse: figures are staged, checked and published at once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Amount, BranchCode, BusinessDate, Cell, ControlTotals, DayRange, DaySet, Dimension, Error, Figures, Name, Period,
    ProductCode, ProductRow, Result, TargetScope, TeamCode, Text,
};

/// What identifies an aggregation run. Kept by the store before the run starts, so that a crashed run is repeated under
/// its own key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunKey {
    /// The source's lifetime: a restored source starts a new one, higher than all before.
    pub epoch: u32,
    /// Rises with every run of an epoch; a warehouse refuses a lower one than it has published.
    pub number: u64,
    /// Names the run.
    pub id: Uuid,
}

/// What a run replaces: every published cell in it that the run does not write vanishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Days of the daily tables.
    pub days: DaySet,
    /// Days of the months whose product metrics are replaced. Those of all time always are.
    pub months: DaySet,
}

impl Scope {
    /// Everything.
    #[must_use]
    pub fn full() -> Self {
        Self { days: DaySet::all(), months: DaySet::all() }
    }
}

/// Why a run was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// All days.
    Full,
    /// The days that were marked.
    Incremental,
    /// A range by hand.
    Backfill,
}

impl RunKind {
    /// The stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Backfill => "backfill",
        }
    }

    /// The kind of a [`name`](Self::name).
    ///
    /// # Errors
    /// `Corrupt` for any other text.
    pub fn from_name(name: &str) -> Result<Self> {
        [Self::Full, Self::Incremental, Self::Backfill]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| Error::new(crate::ErrorKind::Corrupt, "run has an unknown kind").with("kind", name))
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Its figures are what readers see, or saw until a later run.
    Published,
    /// A guard or the law stopped it; nothing was changed.
    Refused,
    /// An error stopped it; nothing was changed.
    Failed,
}

impl RunOutcome {
    /// The stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// The outcome of a [`name`](Self::name).
    ///
    /// # Errors
    /// `Corrupt` for any other text.
    pub fn from_name(name: &str) -> Result<Self> {
        [Self::Published, Self::Refused, Self::Failed]
            .into_iter()
            .find(|outcome| outcome.name() == name)
            .ok_or_else(|| Error::new(crate::ErrorKind::Corrupt, "run has an unknown outcome").with("outcome", name))
    }
}

/// The record that every run leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Which run.
    pub key: RunKey,
    /// Why it was made.
    pub kind: RunKind,
    /// The smallest range that covers its days; empty when it had none.
    pub days: DayRange,
    /// When it began (UTC).
    pub started_at: DateTime<Utc>,
    /// When it ended (UTC).
    pub finished_at: DateTime<Utc>,
    /// Postings read.
    pub rows_read: u64,
    /// The plain sums over its days.
    pub control: Figures,
    /// When the last message of each source arrived, as far as the run could see (UTC).
    pub last_arrivals: BTreeMap<String, DateTime<Utc>>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why it did not publish.
    pub error: Option<String>,
}

/// A team in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TeamEntry {
    /// The key.
    pub code: TeamCode,
    /// For people.
    pub name: Name,
}

/// A branch in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BranchEntry {
    /// The key.
    pub code: BranchCode,
    /// For people.
    pub name: Name,
    /// Where it lies.
    pub region: Option<Text>,
}

/// A product in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProductEntry {
    /// The key.
    pub code: ProductCode,
    /// For people.
    pub name: Name,
    /// Line of business.
    pub line: Option<Text>,
}

/// A target as in force on the day of the run. Those of agents are not published: the warehouse knows no agent codes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublishedTarget {
    /// One product, or all together.
    pub product: Option<ProductCode>,
    /// Whose sales.
    pub scope: TargetScope,
    /// When.
    pub period: Period,
    /// How much.
    pub amount: Amount,
}

/// Rows for staging. Each list may come in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagedRows {
    /// Cells of the daily tables, within the scope, each (dimension, day, code) once. `Agent` cells are not among them.
    Cells(Vec<Cell>),
    /// The teams; together they replace what was published.
    Teams(Vec<TeamEntry>),
    /// The branches; together they replace what was published.
    Branches(Vec<BranchEntry>),
    /// The products; together they replace what was published.
    Products(Vec<ProductEntry>),
    /// The targets; together they replace what was published.
    Targets(Vec<PublishedTarget>),
    /// Target against sales by product.
    ProductMetrics {
        /// The first day of the month; `None`: all time.
        month: Option<BusinessDate>,
        /// A row for each product with a target or a sale.
        rows: Vec<ProductRow>,
    },
}

/// What a published run left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The record, as published.
    pub record: RunRecord,
}

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

/// The sums of one group over a range of days.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupSum {
    /// What kind of group.
    pub dimension: Dimension,
    /// Its code, or [`UNASSIGNED`](crate::UNASSIGNED).
    pub code: Arc<str>,
    /// Its sums.
    pub figures: Figures,
}

/// What readers see, in one snapshot: sums over a range of days with everything that a report needs beside them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// A sum for each group with a cell in the range, ascending by dimension and code.
    pub sums: Vec<GroupSum>,
    /// Ascending by code.
    pub teams: Vec<TeamEntry>,
    /// Ascending by code.
    pub branches: Vec<BranchEntry>,
    /// Ascending by code.
    pub products: Vec<ProductEntry>,
    /// Ascending.
    pub targets: Vec<PublishedTarget>,
    /// The last published run; `None` before the first.
    pub run: Option<RunRecord>,
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

    /// The sums over these days and all that goes with them, in one snapshot.
    async fn read(&self, days: DayRange) -> Result<Published>;

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
    /// `InvalidInput` for a cell outside of the scope or a second one of the same group and day.
    async fn write(&mut self, rows: StagedRows) -> Result<()>;

    /// Reads back what was staged, checks the law against it ([`ControlTotals::check`], for each of
    /// [`Dimension::DAILY`]), then replaces the scope, the dimensions and the targets at once and keeps the record:
    /// readers see all of the old or all of the new.
    ///
    /// # Errors
    /// `Refused` when the law does not hold or a later run was published in the meantime; nothing was changed then.
    async fn publish(self: Box<Self>, control: &ControlTotals, record: &RunRecord) -> Result<Receipt>;

    /// Removes the stage.
    async fn discard(self: Box<Self>) -> Result<()>;
}
