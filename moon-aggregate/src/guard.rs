//! Guards against a source that was emptied, cut or doubled by accident.

use moon_core::{Cell, DayRange, Dimension, Error, ErrorKind, Result, Sum, Totals, Warehouse};

use crate::before::Before;
use crate::plan::Plan;

/// What a person should look at, although the run went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The ledger has at least twice as many sales as were published: something may have been entered twice.
    Doubled {
        /// Sales in the ledger, voided ones left out.
        sales: i64,
        /// Sales in the figures of before.
        sales_before: i64,
    },
    /// The ledger has less than half of the sales that were published; the caller insisted.
    Shrunk {
        /// Sales in the ledger, voided ones left out.
        sales: i64,
        /// Sales in the figures of before.
        sales_before: i64,
    },
}

/// Compares how many sales the ledger has with how many are published. Sums over all days are read only if the days that
/// were computed leave any doubt, so that the guard costs nothing on most runs.
///
/// # Errors
/// `Refused` when less than half are left, unless that is allowed.
pub(crate) async fn check(
    warehouse: &dyn Warehouse,
    plan: &Plan,
    before: &Before,
    totals: &Totals,
    allow_shrink: bool,
) -> Result<Option<Warning>> {
    let new = totals.control.days.iter().fold(0_i64, |sum, day| sum.saturating_add(day.figures.gross.count));
    let (sales_before, sales) = if plan.is_full() {
        (published(warehouse).await?, new)
    } else {
        let old = count(&before.cells);
        // No more than a half of all is gone if no more than a half of these days is; and all sales are at least those of
        // which something remains.
        let remaining =
            plan.all_time.iter().fold(Sum::ZERO, |sum, row| Sum::new(0, sum.count.saturating_add(row.total.count)));
        let shrunk = new.saturating_mul(2) < old;
        let doubled = new > old && new.saturating_sub(old) >= remaining.count;
        if !shrunk && !doubled {
            return Ok(None);
        }
        let sales_before = published(warehouse).await?;
        (sales_before, sales_before.saturating_sub(old).saturating_add(new))
    };
    if sales < sales_before / 2 + sales_before % 2 {
        if allow_shrink {
            return Ok(Some(Warning::Shrunk { sales, sales_before }));
        }
        return Err(Error::new(ErrorKind::Refused, "the ledger has less than half of the sales that are published")
            .with("sales", sales)
            .with("sales_before", sales_before));
    }
    let doubled = sales_before > 0 && sales / 2 >= sales_before;
    Ok(doubled.then_some(Warning::Doubled { sales, sales_before }))
}

/// How many sales are published.
async fn published(warehouse: &dyn Warehouse) -> Result<i64> {
    let sums = warehouse.read(DayRange::ALL).await?.sums;
    let teams = sums.iter().filter(|sum| sum.dimension == Dimension::Team);
    Ok(teams.fold(0, |count, sum| count.saturating_add(sum.figures.gross.count)))
}

fn count(cells: &[Cell]) -> i64 {
    let teams = cells.iter().filter(|cell| cell.dimension == Dimension::Team);
    teams.fold(0, |count, cell| count.saturating_add(cell.figures.gross.count))
}
