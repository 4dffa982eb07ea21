//! Whether what was frozen, and what was restated since, leads to what is published now.

use std::collections::BTreeMap;
use std::sync::Arc;

use moon_core::{BusinessDate, Cell, Closing, Dimension, Figures, Period, Restatement, Result, RunKey, Warehouse};

use crate::before::cells_by_month;

/// A figure of a closed period that does not follow from what was frozen and restated before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedDifference {
    /// The closed period.
    pub period: Period,
    /// The run whose restatement begins with another figure; `None`: the figure that is published now is another one.
    pub run: Option<RunKey>,
    /// What kind of group.
    pub dimension: Dimension,
    /// The day.
    pub day: BusinessDate,
    /// The group's code.
    pub code: Arc<str>,
    /// As frozen, or as restated last.
    pub expected: Figures,
    /// What is there instead.
    pub found: Figures,
}

/// What does not fit in the periods that are closed, one after the other, by dimension, day and code.
pub(super) async fn differences(warehouse: &dyn Warehouse) -> Result<Vec<ClosedDifference>> {
    let mut found = Vec::new();
    for closing in warehouse.closings().await?.iter().filter(|closing| closing.is_standing()) {
        let frozen = warehouse.closed_cells(closing.period, closing.closed_by.id).await?;
        let restated = warehouse.restatements(closing.period.days()).await?;
        let current = cells_by_month(warehouse, closing.period.days()).await?;
        follow(closing, &frozen, &restated, &current, &mut found);
    }
    Ok(found)
}

/// Follows each figure from the frozen one through its restatements to the current one.
fn follow(
    closing: &Closing,
    frozen: &[Cell],
    restated: &[Restatement],
    current: &[Cell],
    found: &mut Vec<ClosedDifference>,
) {
    type Place<'c> = (Dimension, BusinessDate, &'c Arc<str>);
    let mut figures: BTreeMap<Place<'_>, (Figures, Figures)> = BTreeMap::new();
    let difference = |(dimension, day, code): Place<'_>, run, expected, found| ClosedDifference {
        period: closing.period,
        run,
        dimension,
        day,
        code: Arc::clone(code),
        expected,
        found,
    };
    for cell in frozen {
        figures.entry((cell.dimension, cell.day, &cell.code)).or_default().0 = cell.figures;
    }
    for row in restated.iter().filter(|row| row.run > closing.closed_by) {
        let place = (row.dimension, row.day, &row.code);
        let expected = &mut figures.entry(place).or_default().0;
        if row.before == *expected {
            *expected = row.after;
        } else if row.after != *expected {
            found.push(difference(place, Some(row.run), *expected, row.before));
            *expected = row.after;
        }
        // Else the run has put back what somebody had changed past the library, which is in order again.
    }
    for cell in current {
        figures.entry((cell.dimension, cell.day, &cell.code)).or_default().1 = cell.figures;
    }
    for (place, (expected, current)) in figures {
        if expected != current {
            found.push(difference(place, None, expected, current));
        }
    }
}
