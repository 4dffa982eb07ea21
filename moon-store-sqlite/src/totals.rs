//! Sums made by SQLite.
//!
//! SQLite adds in 64 bits, and an amount has up to 60. So it sums the upper and the lower halves of the amounts apart,
//! neither of which can overflow below two thousand million postings, and both are put together in 128 bits here.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use moon_core::{
    Cell, ControlTotals, DayControl, DayRange, Dimension, Error, ErrorKind, Figures, Result, Sum, Totals, TotalsPlan,
    UNASSIGNED,
};
use sqlx::{QueryBuilder, Sqlite};

use crate::codes::{Coded, codes_of};
use crate::filter::SaleConditions;
use crate::unit::SqliteUnit;
use crate::value::{self, recombine};

const DOING: &str = "sum postings";

/// Day, number of the group, upper and lower halves of the amounts, count.
type SumRow = (i32, u32, i64, i64, i64);

/// The three kinds of sums that make up all bases.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// Sale postings, on the sale's day, which is their own.
    Sales,
    /// Adjustments on the sale's day.
    AdjustmentsOnSaleDay,
    /// Adjustments on their own day.
    AdjustmentsOnOwnDay,
}

impl Part {
    const EVERY: [Self; 3] = [Self::Sales, Self::AdjustmentsOnSaleDay, Self::AdjustmentsOnOwnDay];

    fn day(self) -> &'static str {
        match self {
            Self::Sales => "s.sale_day",
            Self::AdjustmentsOnSaleDay => "j.sale_day",
            Self::AdjustmentsOnOwnDay => "j.own_day",
        }
    }

    /// The index that is named is the table's own order: the sales of neighbouring adjustments lie together.
    fn sums_and_tables(self) -> &'static str {
        match self {
            Self::Sales => ", sum(s.amount >> 32), sum(s.amount & 4294967295), count(*) FROM ledger_sales s",
            Self::AdjustmentsOnSaleDay | Self::AdjustmentsOnOwnDay => {
                ", sum(j.amount >> 32), sum(j.amount & 4294967295), sum(j.count) FROM ledger_adjustments j
                 CROSS JOIN ledger_sales s INDEXED BY sqlite_autoindex_ledger_sales_1
                 ON s.sale_day = j.sale_day AND s.id = j.sale_id"
            }
        }
    }

    fn add(self, figures: &mut Figures, sum: Sum) -> Result<()> {
        match self {
            Self::Sales => {
                figures.gross = figures.gross.plus(sum)?;
                figures.net = figures.net.plus(sum)?;
                figures.activity = figures.activity.plus(sum)?;
            }
            Self::AdjustmentsOnSaleDay => figures.net = figures.net.plus(sum)?,
            Self::AdjustmentsOnOwnDay => figures.activity = figures.activity.plus(sum)?,
        }
        Ok(())
    }
}

fn column(dimension: Dimension) -> (&'static str, Coded) {
    match dimension {
        Dimension::Team => ("ifnull(s.team_id, 0)", Coded::Team),
        Dimension::Branch => ("ifnull(s.branch_id, 0)", Coded::Branch),
        Dimension::Product => ("s.product_id", Coded::Product),
        Dimension::Agent => ("ifnull(s.agent_id, 0)", Coded::Agent),
    }
}

impl SqliteUnit {
    /// The cells and the plain sums of a plan, each by queries of its own.
    pub(crate) async fn sum(&mut self, plan: &TotalsPlan) -> Result<Totals> {
        let conditions = SaleConditions::of(self, &plan.filter).await?;
        let ranges = plan.filter.days.ranges();
        let plain = self.sums_by(None, &conditions, ranges).await?;
        let days = plain
            .into_iter()
            .map(|((day, _), figures)| Ok(DayControl { day: value::day(day.into())?, figures }))
            .collect::<Result<_>>()?;
        let mut cells = Vec::new();
        let mut dimensions = plan.dimensions.clone();
        dimensions.sort_unstable();
        dimensions.dedup();
        for dimension in dimensions {
            let (expression, coded) = column(dimension);
            let sums = self.sums_by(Some(expression), &conditions, ranges).await?;
            let codes = self.codes_in(coded, sums.keys().map(|(_, number)| *number)).await?;
            for ((day, number), figures) in sums {
                let code = codes.get(&number).ok_or_else(|| {
                    Error::new(ErrorKind::Corrupt, "sale refers to a code that is not there").with("number", number)
                })?;
                cells.push(Cell { dimension, day: value::day(day.into())?, code: Arc::clone(code), figures });
            }
        }
        cells.sort_unstable_by(|a, b| (a.dimension, a.day, &a.code).cmp(&(b.dimension, b.day, &b.code)));
        Ok(Totals { cells, control: ControlTotals { days } })
    }

    /// The figures by day and group; by day alone, under number 0, without one.
    async fn sums_by(
        &mut self,
        group: Option<&'static str>,
        conditions: &SaleConditions,
        ranges: &[DayRange],
    ) -> Result<BTreeMap<(i32, u32), Figures>> {
        let mut sums: BTreeMap<(i32, u32), Figures> = BTreeMap::new();
        for range in ranges {
            for part in Part::EVERY {
                let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
                sql.push(part.day()).push(", ").push(group.unwrap_or("0")).push(part.sums_and_tables());
                sql.push(" WHERE ").push(part.day()).push(" >= ").push_bind(range.start());
                sql.push(" AND ").push(part.day()).push(" < ").push_bind(range.end());
                conditions.push(&mut sql);
                // By day alone SQLite adds up as it reads: sales lie in the order of their days.
                sql.push(if group.is_some() { " GROUP BY 1, 2" } else { " GROUP BY 1" });
                let rows: sqlx::Result<Vec<SumRow>> = sql.build_query_as().fetch_all(self.session.reading()?).await;
                for (day, number, high, low, count) in self.session.done(DOING, rows)? {
                    part.add(sums.entry((day, number)).or_default(), Sum::new(recombine(high, low), count))?;
                }
            }
        }
        Ok(sums)
    }

    /// The codes of numbers, `unassigned` for 0.
    async fn codes_in(&mut self, coded: Coded, numbers: impl Iterator<Item = u32>) -> Result<HashMap<u32, Arc<str>>> {
        let mut numbers: Vec<u32> = numbers.collect();
        numbers.sort_unstable();
        numbers.dedup();
        let codes = codes_of(&mut self.session, coded, &numbers).await?;
        let unassigned = std::iter::once((0, UNASSIGNED.into()));
        Ok(codes.into_iter().map(|(number, code)| (number, code.into())).chain(unassigned).collect())
    }
}
