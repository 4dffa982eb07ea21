//! A run that is not published yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use moon_core::{
    BusinessDate, Calendar, Cell, ControlTotals, DayControl, Dimension, Error, ErrorKind, Figures as Sums, Granularity,
    ProductRow, PublishedTarget, Receipt, Result, RunKey, RunRecord, Scope, StagedRows, StagedRun,
};

use super::published::{CellKey, Dimensions, Figures};
use super::{MemoryWarehouse, check_order};

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
        }
    }

    fn stage_cell(&mut self, cell: Cell) -> Result<()> {
        let fail = |fault: &'static str| {
            Err(Error::invalid(fault)
                .with("dimension", cell.dimension.name())
                .with("day", cell.day)
                .with("code", &cell.code))
        };
        if !Dimension::DAILY.contains(&cell.dimension) {
            return fail("cell is not of a daily dimension");
        }
        if !self.scope.days.contains(cell.day.epoch_day()) {
            return fail("cell lies outside of the scope of its run");
        }
        let key = (cell.dimension, cell.day, Arc::clone(&cell.code));
        match self.cells.insert(key, cell.figures) {
            None => Ok(()),
            Some(_) => fail("cell is staged twice"),
        }
    }

    fn stage_metrics(&mut self, month: Option<BusinessDate>, rows: Vec<ProductRow>) -> Result<()> {
        if month.is_some_and(|month| !is_in_scope(&self.scope, month)) {
            let month = month.map(|month| month.to_string()).unwrap_or_default();
            return Err(Error::invalid("product metrics lie outside of the scope of their run").with("month", month));
        }
        let staged = self.product_metrics.entry(month).or_default();
        rows.into_iter().try_for_each(|row| put(staged, Arc::clone(&row.product), row))
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
                for (key, _) in before.cells(dimension, *range) {
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
        after.product_metrics.retain(|month, _| month.is_some_and(|month| !is_in_scope(&self.scope, month)));
        after.product_metrics.extend(self.product_metrics.into_iter().map(|(month, rows)| (month, Arc::new(rows))));
        after.dimensions = Arc::new(Dimensions { targets: self.targets.into_iter().collect(), ..self.dimensions });
        after.runs.insert(self.run.id, Arc::new(record.clone()));
        after.last = Some(self.run);
        after
    }
}

/// Whether a day of the month lies among those whose metrics the run replaces.
fn is_in_scope(scope: &Scope, month: BusinessDate) -> bool {
    let days = Calendar::default().period_of(Granularity::Month, month).days();
    scope.months.ranges().iter().any(|range| !range.intersect(days).is_empty())
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
