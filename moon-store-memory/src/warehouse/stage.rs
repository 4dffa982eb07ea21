//! A run that is not published yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use moon_core::{
    AgentCell, BusinessDate, Cell, Closing, ControlTotals, DayControl, Dimension, Error, ErrorKind, Figures as Sums,
    Period, ProductRow, PublishedTarget, Receipt, Restatement, Result, RunKey, RunRecord, Scope, StagedRows, StagedRun,
};

use super::published::{CellKey, Dimensions, Figures, Frozen, cells_of};
use super::{MemoryWarehouse, check_order, published_record};

/// See the module.
#[derive(Debug)]
pub(super) struct Stage {
    warehouse: MemoryWarehouse,
    /// Tells it from the stages opened before and after.
    number: u64,
    run: RunKey,
    scope: Scope,
    cells: BTreeMap<CellKey, Sums>,
    dimensions: Dimensions,
    targets: BTreeSet<PublishedTarget>,
    product_metrics: BTreeMap<Option<BusinessDate>, BTreeMap<Arc<str>, ProductRow>>,
    agents: BTreeMap<BusinessDate, BTreeMap<String, Sums>>,
    restatements: BTreeMap<CellKey, Restatement>,
    reopened: BTreeSet<Period>,
    closed: BTreeSet<Period>,
}

impl Stage {
    pub(super) fn new(warehouse: MemoryWarehouse, number: u64, run: RunKey, scope: Scope) -> Self {
        Self {
            warehouse,
            number,
            run,
            scope,
            cells: BTreeMap::new(),
            dimensions: Dimensions::default(),
            targets: BTreeSet::new(),
            product_metrics: BTreeMap::new(),
            agents: BTreeMap::new(),
            restatements: BTreeMap::new(),
            reopened: BTreeSet::new(),
            closed: BTreeSet::new(),
        }
    }

    fn stage_cell(&mut self, cell: Cell) -> Result<()> {
        let key = (cell.dimension, cell.day, Arc::clone(&cell.code));
        if self.cells.contains_key(&key) {
            return Err(Error::invalid("cell is staged twice")
                .with("dimension", cell.dimension.name())
                .with("day", cell.day)
                .with("code", &cell.code));
        }
        self.cells.insert(key, cell.figures);
        Ok(())
    }

    fn stage_metrics(&mut self, month: Option<BusinessDate>, rows: Vec<ProductRow>) -> Result<()> {
        let staged = self.product_metrics.entry(month).or_default();
        let mut rows = rows.into_iter();
        // What was sold a year before is not published.
        rows.try_for_each(|row| put(staged, Arc::clone(&row.product), ProductRow { year_before: None, ..row }))
    }

    fn stage_agent(&mut self, cell: AgentCell) -> Result<()> {
        put(self.agents.entry(cell.month).or_default(), cell.agent, cell.figures)
    }

    fn stage_restatement(&mut self, row: Restatement) -> Result<()> {
        let key = (row.dimension, row.day, Arc::clone(&row.code));
        if self.restatements.contains_key(&key) {
            return Err(Error::invalid("restatement is staged twice").with("day", row.day).with("code", &row.code));
        }
        self.restatements.insert(key, row);
        Ok(())
    }

    /// The sums of the staged cells of a dimension by day, ascending.
    fn by_day(&self, dimension: Dimension) -> Result<Vec<DayControl>> {
        let mut days: Vec<DayControl> = Vec::new();
        for ((_, day, _), figures) in self.cells.iter().filter(|((known, ..), _)| *known == dimension) {
            match days.last_mut() {
                Some(last) if last.day == *day => last.figures = last.figures.plus(*figures)?,
                _ => days.push(DayControl { day: *day, figures: *figures }),
            }
        }
        Ok(days)
    }

    /// What readers shall see after what they see now.
    fn replace(self, before: &Figures, record: &RunRecord) -> Figures {
        let mut after = before.clone();
        for range in self.scope.days.ranges() {
            for dimension in Dimension::DAILY {
                for (key, _) in cells_of(&before.cells, dimension, *range) {
                    if !self.cells.contains_key(key) {
                        after.cells.remove(key);
                    }
                }
            }
        }
        for (key, figures) in self.cells {
            // Nodes whose cells stay as they were stay shared.
            if after.cells.get(&key) != Some(&figures) {
                after.cells.insert(key, figures);
            }
        }
        after.product_metrics.retain(|month, _| month.is_some_and(|month| !self.scope.has_month(month)));
        after.product_metrics.extend(self.product_metrics.into_iter().map(|(month, rows)| (month, Arc::new(rows))));
        if self.scope.agents {
            after.agents.retain(|month, _| !self.scope.has_month(*month));
            after.agents.extend(self.agents.into_iter().map(|(month, cells)| (month, Arc::new(cells))));
        }
        for (_, restatement) in self.restatements {
            after.restatements.insert(restatement, ());
        }
        reopen(&mut after, &self.reopened, record);
        close(&mut after, self.closed, record);
        after.dimensions = Arc::new(Dimensions { targets: self.targets.into_iter().collect(), ..self.dimensions });
        after.runs.insert(self.run.id, Arc::new(record.clone()));
        after.last = Some(self.run);
        after
    }
}

/// Ends the standing closings of these periods.
fn reopen(figures: &mut Figures, periods: &BTreeSet<Period>, record: &RunRecord) {
    for frozen in figures.closings.iter_mut().filter(|frozen| frozen.closing.is_standing()) {
        if periods.contains(&frozen.closing.period) {
            frozen.closing.reopened_by = Some(record.key);
            frozen.closing.reopened_at = Some(record.finished_at);
        }
    }
}

/// Freezes all cells, as they are now, for those of these periods that are open.
fn close(figures: &mut Figures, periods: BTreeSet<Period>, record: &RunRecord) {
    for period in periods {
        if figures.closings.iter().any(|frozen| frozen.is_standing(period)) {
            continue;
        }
        let (closed_by, closed_at) = (record.key, record.finished_at);
        let closing = Closing { period, closed_by, closed_at, reopened_by: None, reopened_at: None };
        figures.closings.push(Frozen { closing, cells: figures.cells.clone() });
    }
}

/// Stages a row once.
fn put<K: Ord + std::fmt::Display, V>(rows: &mut BTreeMap<K, V>, key: K, row: V) -> Result<()> {
    if rows.contains_key(&key) {
        return Err(Error::invalid("row is staged twice").with("code", key));
    }
    rows.insert(key, row);
    Ok(())
}

#[async_trait]
impl StagedRun for Stage {
    async fn write(&mut self, rows: StagedRows) -> Result<()> {
        rows.check(&self.run, &self.scope)?;
        let Dimensions { teams, branches, products, .. } = &mut self.dimensions;
        match rows {
            StagedRows::Cells(cells) => cells.into_iter().try_for_each(|cell| self.stage_cell(cell)),
            StagedRows::Teams(rows) => rows.into_iter().try_for_each(|row| put(teams, row.code.clone(), row)),
            StagedRows::Branches(rows) => rows.into_iter().try_for_each(|row| put(branches, row.code.clone(), row)),
            StagedRows::Products(rows) => rows.into_iter().try_for_each(|row| put(products, row.code.clone(), row)),
            StagedRows::Targets(rows) => {
                self.targets.extend(rows);
                Ok(())
            }
            StagedRows::ProductMetrics { month, rows } => self.stage_metrics(month, rows),
            StagedRows::AgentCells(rows) => rows.into_iter().try_for_each(|row| self.stage_agent(row)),
            StagedRows::Restatements(rows) => rows.into_iter().try_for_each(|row| self.stage_restatement(row)),
            StagedRows::Close(period) => {
                self.closed.insert(period);
                Ok(())
            }
            StagedRows::Reopen(period) => {
                self.reopened.insert(period);
                Ok(())
            }
        }
    }

    async fn publish(self: Box<Self>, control: &ControlTotals, record: &RunRecord) -> Result<Receipt> {
        if record.key != self.run {
            return Err(Error::invalid("record is that of another run").with("run", self.run.id));
        }
        for dimension in Dimension::DAILY {
            control.check(dimension, &self.by_day(dimension)?)?;
        }
        let warehouse = self.warehouse.clone();
        warehouse.change(|shared| {
            if let Some(record) = published_record(&shared.published, self.run.id) {
                return Ok(Receipt { record: RunRecord::clone(record) });
            }
            check_order(&shared.published, &self.run)?;
            if shared.stage != self.number {
                let message = "stage was removed when another run was opened";
                return Err(Error::new(ErrorKind::Refused, message).with("run", self.run.id));
            }
            // The stage is used up: its run is published.
            shared.published = Arc::new(self.replace(&shared.published, record));
            Ok(Receipt { record: record.clone() })
        })
    }

    async fn discard(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
