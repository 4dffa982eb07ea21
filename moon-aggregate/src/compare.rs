//! A closed period as it was reported against the current figures, and why they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use moon_core::{
    Assignment, BusinessDate, Cell, Closing, DayRange, DaySet, Dimension, Error, ErrorKind, Figures, Ledger,
    LifeMessage, MessageBody, Period, Places, ProductCode, Restatement, Result, Revision, RunKey, RunRecord, Sale,
    SaleId, SaleKey, UnitOfWork, Warehouse, retry_contention,
};

use crate::Aggregation;
use crate::before::{cells_by_month, confirm_published};
use crate::changes::{CellChange, changes};
use crate::touching::{Group, SalesOf, sale_days};

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
    /// The sales that lie in these cells and about which something was said since the closing run began, ascending by day.
    /// One that was moved out of the period, to a day that did not change in it, is not found again.
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
        let since = began(warehouse, &closing).await?;
        confirm_published(warehouse, run.as_ref().map(|record| record.key)).await?;

        let groups = groups(&reported, &current)?;
        let cells = restated_cells(&closing, changes(&reported, &current), &restated);
        let mut comparison = Comparison { closing, run, groups, cells, sales: Vec::new(), more_sales: 0 };
        let mut snapshot = self.ledger().snapshot().await?;
        late_sales(self.ledger(), snapshot.as_mut(), since, sales_max, &mut comparison).await?;
        snapshot.rollback().await?;
        Ok(comparison)
    }
}

/// When the run began that closed: what was said since may be missing in it. A run so old that its record is not among the
/// last ones gives the time of its end.
async fn began(warehouse: &dyn Warehouse, closing: &Closing) -> Result<DateTime<Utc>> {
    let runs = warehouse.runs(RUNS_LOOKED_THROUGH).await?;
    let run = runs.iter().find(|record| record.key == closing.closed_by);
    Ok(run.map_or(closing.closed_at, |record| record.started_at))
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

/// Looks for the sales behind the cells that differ.
async fn late_sales(
    ledger: &Ledger,
    unit: &mut dyn UnitOfWork,
    since: DateTime<Utc>,
    sales_max: usize,
    comparison: &mut Comparison,
) -> Result<()> {
    let mut changed = Vec::with_capacity(comparison.cells.len());
    for RestatedCell { change, .. } in &comparison.cells {
        changed.push((change.day, Group::new(change.dimension, &change.code)?));
    }
    let days: DaySet = changed.iter().map(|(day, _)| *day).collect();
    if days.is_empty() {
        return Ok(());
    }
    let days = sale_days(unit, &days, None).await?;
    let mut pages = SalesOf::new(&days, None);
    while let Some(mut sales) = pages.next(unit).await? {
        sales.retain(|sale| lies_in(sale, &changed));
        for late in late(ledger, unit, &sales, since).await? {
            if comparison.sales.len() < sales_max {
                comparison.sales.push(late);
            } else {
                comparison.more_sales = comparison.more_sales.saturating_add(1);
            }
        }
    }
    Ok(())
}

/// Whether a posting of the sale, or its date if it is voided, lies in one of these cells.
fn lies_in(sale: &Sale, cells: &[(BusinessDate, Group)]) -> bool {
    let days: BTreeSet<BusinessDate> = sale.posting_dates().chain([sale.content.date]).collect();
    cells.iter().any(|(day, group)| days.contains(day) && group.has(sale))
}

/// Those of these sales about which something was said since.
async fn late(
    ledger: &Ledger,
    unit: &mut dyn UnitOfWork,
    sales: &[Sale],
    since: DateTime<Utc>,
) -> Result<Vec<LateSale>> {
    if sales.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<SaleKey> = sales.iter().map(|sale| sale.key.clone()).collect();
    let mut reasons: BTreeMap<SaleKey, Vec<(DateTime<Utc>, Reason)>> = BTreeMap::new();
    for message in unit.sales().messages(&keys).await? {
        if message.received_at >= since {
            let reason = match &message.body {
                MessageBody::Content(_) => Reason::Content(message.revision),
                MessageBody::Life(life) => Reason::Life(name(life), message.revision),
            };
            reasons.entry(message.key).or_default().push((message.received_at, reason));
        }
    }
    let behind = ledger.assignments_behind_in(unit, sales).await?;
    let mut late = Vec::new();
    for (sale, assignment) in sales.iter().zip(behind) {
        let mut reasons = reasons.remove(&sale.key).unwrap_or_default();
        if sale.content_at >= since {
            reasons.push((sale.content_at, Reason::Content(sale.revision)));
        }
        let derived = sale.content.team.is_none() || sale.content.branch.is_none();
        if let Some(assignment) = assignment.filter(|assignment| derived && assignment.entered_at >= since) {
            reasons.push((assignment.entered_at, Reason::Assigned(Box::new(assignment))));
        }
        if !reasons.is_empty() {
            reasons.sort_by_key(|(at, _)| *at);
            late.push(LateSale {
                id: sale.id,
                key: sale.key.clone(),
                day: sale.content.date,
                places: sale.places.clone(),
                product: sale.content.product.clone(),
                reasons,
            });
        }
    }
    Ok(late)
}

fn name(life: &LifeMessage) -> &'static str {
    match life {
        LifeMessage::Cancel { .. } => "cancel",
        LifeMessage::Reinstate { .. } => "reinstate",
        LifeMessage::Void => "void",
    }
}
