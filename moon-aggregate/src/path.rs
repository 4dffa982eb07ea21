//! Which way the days of a run are summed.

use std::ops::RangeInclusive;

use moon_core::{Cell, DaySet, Dimension, StoreInfo};

use crate::command::Path;

/// The store whose own sums pay, sometimes.
const BACKEND: &str = "postgres";
/// How many days they pay for.
const DAYS: RangeInclusive<usize> = 20..=500;
/// In how many pieces the days may come.
const RANGES_MAX: usize = 4;
/// How many sales a cell must have for it.
const SALES_PER_CELL_MIN: i64 = 8;

/// The path for these days, of which these cells are published.
///
/// Measured with a job and a store on one machine of two cores, on one million sales of four years with 12 sales in a
/// cell, and on a tenth of them with one. In memory, on SQLite and on MariaDB, folding takes as long as the store's own
/// sums for a day or three, and down to 0.4 times as long for a month, a year and all. On PostgreSQL, the sums of a month or
/// a year take 0.7 to 0.9 of the time of folding, but only where a cell has many sales: where it has one, they take 1.5
/// times as long. Few days take as long either way, and all days 1.2 times as long.
pub(crate) fn choose(asked: Path, store: &StoreInfo, days: &DaySet, before: &[Cell]) -> Path {
    if asked != Path::Auto {
        return asked;
    }
    let teams = before.iter().filter(|cell| cell.dimension == Dimension::Team);
    let sales = teams.fold(0_i64, |sum, cell| sum.saturating_add(cell.figures.gross.count));
    let cells = i64::try_from(before.len()).unwrap_or(i64::MAX);
    let sums_pay = store.sums
        && store.backend == BACKEND
        && DAYS.contains(&days.len())
        && days.ranges().len() <= RANGES_MAX
        && cells > 0
        && sales >= cells.saturating_mul(SALES_PER_CELL_MIN);
    if sums_pay { Path::Sql } else { Path::Fold }
}

#[cfg(test)]
mod tests {
    use moon_core::{BusinessDate, DayRange, Figures, Sum};

    use super::*;

    fn chosen(backend: &'static str, days: i32, sales: i64) -> Path {
        let store = StoreInfo { backend, version: String::new(), sums: true };
        let first: BusinessDate = "2026-01-01".parse().unwrap();
        let cell = |dimension| Cell {
            dimension,
            day: first,
            code: "Alpha".into(),
            figures: Figures { gross: Sum::new(0, sales), ..Figures::default() },
        };
        let days = DayRange::new(first.epoch_day(), first.epoch_day() + days).into();
        choose(Path::Auto, &store, &days, &Dimension::DAILY.map(cell))
    }

    #[test]
    fn the_store_sums_where_that_was_measured_to_pay() {
        assert_eq!(chosen("postgres", 31, 24), Path::Sql);
        for (backend, days, sales) in
            [("postgres", 31, 23), ("postgres", 3, 24), ("postgres", 900, 24), ("mysql", 31, 24), ("sqlite", 31, 24)]
        {
            assert_eq!(chosen(backend, days, sales), Path::Fold, "{backend} {days} {sales}");
        }
    }

    #[test]
    fn what_was_asked_for_is_done() {
        let store = StoreInfo { backend: "postgres", version: String::new(), sums: false };
        for path in [Path::Fold, Path::Sql] {
            assert_eq!(choose(path, &store, &DaySet::all(), &[]), path);
        }
    }
}
