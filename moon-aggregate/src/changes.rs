//! Which cells differ.

use std::collections::BTreeMap;
use std::sync::Arc;

use moon_core::{BusinessDate, Cell, Closing, DaySet, Dimension, Figures, Period, Restatement, RunKey};

/// A cell whose figures change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellChange {
    /// What kind of group.
    pub dimension: Dimension,
    /// The day.
    pub day: BusinessDate,
    /// The group's code, or [`UNASSIGNED`](moon_core::UNASSIGNED).
    pub code: Arc<str>,
    /// What is published; zero where there is no cell.
    pub before: Figures,
    /// What would be; zero where the cell vanishes.
    pub after: Figures,
}

/// The cells that differ, ascending by dimension, day and code. One that is zero on one side and not there on the other
/// does not.
pub(crate) fn changes<'c>(
    before: impl IntoIterator<Item = &'c Cell>,
    after: impl IntoIterator<Item = &'c Cell>,
) -> Vec<CellChange> {
    let mut cells: BTreeMap<(Dimension, BusinessDate, &Arc<str>), (Figures, Figures)> = BTreeMap::new();
    for cell in before {
        cells.entry((cell.dimension, cell.day, &cell.code)).or_default().0 = cell.figures;
    }
    for cell in after {
        cells.entry((cell.dimension, cell.day, &cell.code)).or_default().1 = cell.figures;
    }
    let change = |((dimension, day, code), (before, after)): ((_, _, &Arc<str>), _)| CellChange {
        dimension,
        day,
        code: Arc::clone(code),
        before,
        after,
    };
    cells.into_iter().filter(|(_, (before, after))| before != after).map(change).collect()
}

/// The days whose changes are restated: those of the closings that stand and that the run does not open again.
pub(crate) fn closed_days(closings: &[Closing], reopened: &[Period]) -> DaySet {
    let closed = closings.iter().filter(|closing| closing.is_standing() && !reopened.contains(&closing.period));
    closed.map(|closing| closing.period.days()).collect()
}

/// What a run changes on closed days, each cell once, however many closings it lies in.
pub(crate) fn restatements(run: RunKey, closed: &DaySet, before: &[Cell], after: &[Cell]) -> Vec<Restatement> {
    if closed.is_empty() {
        return Vec::new();
    }
    let of = |cell: &&Cell| closed.contains(cell.day.epoch_day());
    let changes = changes(before.iter().filter(of), after.iter().filter(of)).into_iter();
    changes
        .map(|CellChange { dimension, day, code, before, after }| Restatement {
            run,
            dimension,
            day,
            code,
            before,
            after,
        })
        .collect()
}
