//! Guards against a source that was emptied, cut or doubled by accident.

use moon_core::{BusinessDate, Cell, DayRange, Dimension, Error, ErrorKind, Result, Sum, Totals, Warehouse};

use crate::before::Before;
use crate::command::Mode;
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

/// How many sales are published, as far as a guard will ask in any case. Can be read beside the postings.
pub(crate) async fn read_ahead(warehouse: &dyn Warehouse, plan: &Plan) -> Result<Option<i64>> {
    if plan.is_full() { published(warehouse).await.map(Some) } else { Ok(None) }
}

/// Compares how many sales the ledger has with how many are published: in all, and within the days that a person asked for.
/// Unless they were read ahead, sums over all days are read only if the days that were computed leave any doubt, so that the
/// guard costs nothing on most runs.
///
/// # Errors
/// `Refused` when less than half are left, unless that is allowed.
pub(crate) async fn check(
    warehouse: &dyn Warehouse,
    (plan, mode): (&Plan, Mode),
    (before, published_sales): (&Before, Option<i64>),
    totals: &Totals,
    allow_shrink: bool,
) -> Result<Option<Warning>> {
    if let Mode::Range(range) = mode {
        let (sales, sales_before) = (computed(totals, range), count(&before.cells, range));
        if let Some(warning) = judge(sales, sales_before, allow_shrink)
            .map_err(|error| error.with("from", shown(range.first())).with("to", shown(range.last())))?
        {
            return Ok(Some(warning));
        }
    }
    let new = computed(totals, DayRange::ALL);
    let (sales_before, sales) = if let Some(sales_before) = published_sales {
        (sales_before, new)
    } else {
        let old = count(&before.cells, DayRange::ALL);
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
    judge(sales, sales_before, allow_shrink)
}

fn judge(sales: i64, sales_before: i64, allow_shrink: bool) -> Result<Option<Warning>> {
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

fn shown(day: Option<BusinessDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// How many sales were computed for these days.
fn computed(totals: &Totals, days: DayRange) -> i64 {
    let days = totals.control.days.iter().filter(|control| days.contains(control.day.epoch_day()));
    days.fold(0, |sum, control| sum.saturating_add(control.figures.gross.count))
}

/// How many sales are published.
async fn published(warehouse: &dyn Warehouse) -> Result<i64> {
    let sums = warehouse.read(DayRange::ALL).await?.sums;
    let teams = sums.iter().filter(|sum| sum.dimension == Dimension::Team);
    Ok(teams.fold(0, |count, sum| count.saturating_add(sum.figures.gross.count)))
}

fn count(cells: &[Cell], days: DayRange) -> i64 {
    let teams = cells.iter().filter(|cell| cell.dimension == Dimension::Team && days.contains(cell.day.epoch_day()));
    teams.fold(0, |count, cell| count.saturating_add(cell.figures.gross.count))
}
