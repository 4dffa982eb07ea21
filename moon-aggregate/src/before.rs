//! What the warehouse shows before a run.

use std::collections::{BTreeMap, BTreeSet};

use moon_core::{Cell, DayRange, DaySet, Dimension, Error, ErrorKind, Period, Result, RunKey, Warehouse};

use crate::plan::{Plan, months_of};

/// Published cells that a run needs.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// Cells of the days that are computed, ascending by dimension, day and code. A full run has only those of closed days.
    pub(crate) cells: Vec<Cell>,
    /// Cells by product of the other days of the months whose metrics are computed.
    pub(crate) rest: BTreeMap<Period, Vec<Cell>>,
}

impl Before {
    /// Reads them month by month. `closed` are the days whose changes are restated.
    pub(crate) async fn read(warehouse: &dyn Warehouse, plan: &Plan, closed: &DaySet) -> Result<Self> {
        let full = plan.is_full();
        let months: BTreeSet<Period> = if full {
            months_of(closed)
        } else {
            // A month that has cells has metrics.
            plan.months.intersection(&plan.published_months).copied().collect()
        };
        let wanted = if full { closed } else { &plan.days };
        let mut before = Self::default();
        for month in months {
            let mut rest = Vec::new();
            for cell in warehouse.cells(month.days()).await? {
                if wanted.contains(cell.day.epoch_day()) {
                    before.cells.push(cell);
                } else if cell.dimension == Dimension::Product && !full {
                    rest.push(cell);
                }
            }
            before.rest.insert(month, rest);
        }
        before.cells.sort_unstable();
        Ok(before)
    }
}

/// The published cells of these days, read month by month, ascending by dimension, day and code.
pub(crate) async fn cells_by_month(warehouse: &dyn Warehouse, days: DayRange) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for month in months_of(&days.into()) {
        cells.extend(warehouse.cells(month.days().intersect(days)).await?);
    }
    cells.sort_unstable();
    Ok(cells)
}

/// Checks that the warehouse still shows the run that it showed when it was first asked, so that all that was read from
/// it in between is of one state.
///
/// # Errors
/// `Contention` when it does not.
pub(crate) async fn confirm_published(warehouse: &dyn Warehouse, run: Option<RunKey>) -> Result<()> {
    if warehouse.read(DayRange::new(0, 0)).await?.run.map(|record| record.key) == run {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Contention, "another run was published while this one read the figures of before"))
}
