//! A closed period as it was reported against the current figures, and why they differ.

mod late;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use moon_core::{
    Assignment, BusinessDate, Cell, Closing, DayRange, DaySet, Dimension, Error, ErrorKind, Figures, Period, Places,
    ProductCode, Restatement, Result, Revision, RunKey, RunOutcome, RunRecord, SaleId, SaleKey, Warehouse,
    retry_contention,
};

use crate::Aggregation;
use crate::before::{cells_by_month, confirm_published};
use crate::changes::{CellChange, changes};

/// How many records of runs are looked through for the one that closed.
const RUNS_LOOKED_THROUGH: u32 = 1_000;

/// A group of a closed period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupComparison {
    /// What kind of group.
    pub dimension: Dimension,
    /// Its code.
    pub code: Arc<str>,
    /// As it was reported; zero where it had nothing.
    pub reported: Figures,
    /// As it is published now; zero where it has nothing.
    pub current: Figures,
}

/// A cell of a closed period that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestatedCell {
    /// `before` is what was reported, `after` what is published now.
    pub change: CellChange,
    /// The runs that restated it, ascending. None where the period was open again when it changed.
    pub runs: Vec<RunKey>,
}

/// Why a sale counts otherwise than it was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Its content arrived: it was recorded late, or corrected.
    Content(Revision),
    /// A life message arrived: `cancel`, `reinstate` or `void`.
    Life(&'static str, Revision),
    /// Its agent was assigned, which has moved it.
    Assigned(Box<Assignment>),
}

/// A sale that something was said about after the period had been closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateSale {
    /// The ledger's identifier.
    pub id: SaleId,
    /// Its source and reference.
    pub key: SaleKey,
    /// Its date.
    pub day: BusinessDate,
    /// Its date as it was reported, where that was another one.
    pub moved_from: Option<BusinessDate>,
    /// Where it counts now.
    pub places: Places,
    /// What was sold.
    pub product: ProductCode,
    /// What happened, with when, ascending by time (UTC).
    pub reasons: Vec<(DateTime<Utc>, Reason)>,
}

/// A closed period as reported and as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The closing: the one that stands, else the last one.
    pub closing: Closing,
    /// The run whose figures are the current ones.
    pub run: Option<RunRecord>,
    /// Every group that has or had something, ascending by dimension and code.
    pub groups: Vec<GroupComparison>,
    /// The cells that differ, ascending by dimension, day and code.
    pub cells: Vec<RestatedCell>,
    /// The sales that lie in these cells and about which something was said since the closing run began, ascending by day;
    /// then those that were moved from a day of these cells to where nothing differs, to another month above all.
    pub sales: Vec<LateSale>,
    /// How many more of these there are.
    pub more_sales: u64,
}

impl Aggregation {
    /// Compares a closed period, as it was reported, with what is published now. At most `sales_max` sales are listed.
    ///
    /// # Errors
    /// `NotFound` when the period was never closed; `Contention` when runs keep being published meanwhile; those of store
    /// and warehouse.
    pub async fn compare(&self, period: Period, sales_max: usize) -> Result<Comparison> {
        retry_contention(self.ledger().pause(), || self.compare_once(period, sales_max)).await
    }

    async fn compare_once(&self, period: Period, sales_max: usize) -> Result<Comparison> {
        let warehouse = self.warehouse().as_ref();
        let run = warehouse.read(DayRange::new(0, 0)).await?.run;
        let closings = warehouse.closings().await?;
        let own = || closings.iter().rev().filter(|closing| closing.period == period);
        let closing = own().find(|closing| closing.is_standing()).or_else(|| own().next()).copied();
        let closing = closing.ok_or_else(|| {
            let label = self.ledger().settings().calendar.label(period);
            Error::new(ErrorKind::NotFound, "period was never closed").with("period", label)
        })?;
        let reported = warehouse.closed_cells(period, closing.closed_by.id).await?;
        let current = cells_by_month(warehouse, period.days()).await?;
        let restated = warehouse.restatements(period.days()).await?;
        let since = since(warehouse, &closing).await?;
        confirm_published(warehouse, run.as_ref().map(|record| record.key)).await?;

        let groups = groups(&reported, &current)?;
        let cells = restated_cells(&closing, changes(&reported, &current), &restated);
        let mut comparison = Comparison { closing, run, groups, cells, sales: Vec::new(), more_sales: 0 };
        let mut snapshot = self.ledger().snapshot().await?;
        late::find(self.ledger(), snapshot.as_mut(), &since, sales_max, &mut comparison).await?;
        snapshot.rollback().await?;
        Ok(comparison)
    }
}

/// What is known about the runs since a period was closed.
struct Since {
    /// When the run began that closed: what was said since may be missing in it. A run so old that its record is not among
    /// the last ones gives the time of its end.
    began: DateTime<Utc>,
    /// The days that later runs have computed, so all those to which a sale can have been moved that is published there.
    days: DaySet,
}

async fn since(warehouse: &dyn Warehouse, closing: &Closing) -> Result<Since> {
    let runs = warehouse.runs(RUNS_LOOKED_THROUGH).await?;
    let Some(closed) = runs.iter().find(|record| record.key == closing.closed_by) else {
        return Ok(Since { began: closing.closed_at, days: DaySet::all() });
    };
    let later = runs.iter().filter(|run| run.key > closing.closed_by && run.outcome == RunOutcome::Published);
    let days = later.flat_map(|run| run.manifest.days.clone().unwrap_or_else(|| run.days.into()).ranges().to_vec());
    Ok(Since { began: closed.started_at, days: days.collect() })
}

fn groups(reported: &[Cell], current: &[Cell]) -> Result<Vec<GroupComparison>> {
    let mut groups: BTreeMap<(Dimension, &Arc<str>), (Figures, Figures)> = BTreeMap::new();
    for cell in reported {
        let sums = groups.entry((cell.dimension, &cell.code)).or_default();
        sums.0 = sums.0.plus(cell.figures)?;
    }
    for cell in current {
        let sums = groups.entry((cell.dimension, &cell.code)).or_default();
        sums.1 = sums.1.plus(cell.figures)?;
    }
    let group = |((dimension, code), (reported, current)): ((_, &Arc<str>), _)| GroupComparison {
        dimension,
        code: Arc::clone(code),
        reported,
        current,
    };
    Ok(groups.into_iter().map(group).collect())
}

fn restated_cells(closing: &Closing, changes: Vec<CellChange>, restated: &[Restatement]) -> Vec<RestatedCell> {
    let mut runs: BTreeMap<(Dimension, BusinessDate, &Arc<str>), Vec<RunKey>> = BTreeMap::new();
    for row in restated.iter().filter(|row| row.run > closing.closed_by) {
        runs.entry((row.dimension, row.day, &row.code)).or_default().push(row.run);
    }
    let mut cells = Vec::with_capacity(changes.len());
    for change in changes {
        let runs = runs.get(&(change.dimension, change.day, &change.code)).cloned().unwrap_or_default();
        cells.push(RestatedCell { change, runs });
    }
    cells
}
