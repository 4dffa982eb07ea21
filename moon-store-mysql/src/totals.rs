//! Sums made by the database. The sum of BIGINTs is a DECIMAL there, which holds every sum exactly.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use moon_core::{
    BusinessDate, Cell, ControlTotals, DayControl, DayRange, Dimension, Error, ErrorKind, Figures, Result, Sum, Totals,
    TotalsPlan, UNASSIGNED,
};

use crate::codes::{Coded, codes_of};
use crate::filter::SaleConditions;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

const DOING: &str = "sum postings";

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

    fn date(self) -> &'static str {
        match self {
            Self::Sales => "s.sale_date",
            Self::AdjustmentsOnSaleDay => "j.sale_date",
            Self::AdjustmentsOnOwnDay => "j.own_date",
        }
    }

    fn sums_and_tables(self) -> &'static str {
        match self {
            Self::Sales => "SUM(s.amount), COUNT(*) FROM ledger_sales s FORCE INDEX (PRIMARY)",
            Self::AdjustmentsOnSaleDay | Self::AdjustmentsOnOwnDay => {
                "SUM(j.amount), SUM(j.count) FROM ledger_adjustments j
                 JOIN ledger_sales s FORCE INDEX (PRIMARY) ON s.sale_date = j.sale_date AND s.id = j.sale_id"
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
        Dimension::Team => ("s.team_id", Coded::Team),
        Dimension::Branch => ("s.branch_id", Coded::Branch),
        Dimension::Product => ("s.product_id", Coded::Product),
        Dimension::Agent => ("s.agent_id", Coded::Agent),
    }
}

impl MysqlUnit<'_> {
    /// The cells and the plain sums of a plan, each by queries of its own.
    pub(crate) async fn sum(&mut self, plan: &TotalsPlan) -> Result<Totals> {
        let conditions = SaleConditions::of(self, &plan.filter).await?;
        let ranges = plan.filter.days.ranges();
        let plain = self.sums_by(None, &conditions, ranges).await?;
        let days = plain.into_iter().map(|((day, _), figures)| DayControl { day, figures }).collect();
        let mut cells = Vec::new();
        let mut dimensions = plan.dimensions.clone();
        dimensions.sort_unstable();
        dimensions.dedup();
        for dimension in dimensions {
            let (column, coded) = column(dimension);
            let sums = self.sums_by(Some(column), &conditions, ranges).await?;
            let codes = self.codes_in(coded, sums.keys().map(|(_, number)| *number)).await?;
            for ((day, number), figures) in sums {
                let code = codes.get(&number).ok_or_else(|| {
                    Error::new(ErrorKind::Corrupt, "sale refers to a code that is not there").with("number", number)
                })?;
                cells.push(Cell { dimension, day, code: Arc::clone(code), figures });
            }
        }
        cells.sort_unstable_by(|a, b| (a.dimension, a.day, &a.code).cmp(&(b.dimension, b.day, &b.code)));
        Ok(Totals { cells, control: ControlTotals { days } })
    }

    /// The figures by day and group, under number 0 what has none; by day alone, under number 0, without a group.
    async fn sums_by(
        &mut self,
        group: Option<&'static str>,
        conditions: &SaleConditions,
        ranges: &[DayRange],
    ) -> Result<BTreeMap<(BusinessDate, u32), Figures>> {
        let mut sums: BTreeMap<(BusinessDate, u32), Figures> = BTreeMap::new();
        for range in ranges {
            for part in Part::EVERY {
                let date = part.date();
                let (column, grouped) = group.map_or(("NULL", String::new()), |column| (column, format!(", {column}")));
                // By day alone the server adds up as it reads: sales lie in the order of their days.
                let sql = format!(
                    "SELECT STRAIGHT_JOIN {date}, {column}, {} WHERE {date} BETWEEN ? AND ?{} GROUP BY {date}{grouped}",
                    part.sums_and_tables(),
                    conditions.sql
                );
                let mut params = vec![value::day(range.start()), value::day(range.end() - 1)];
                params.extend(conditions.params.iter().cloned());
                for row in self.session.rows(DOING, &sql, params).await? {
                    let number = row.optional_int(1)?.map_or(Ok(0), value::narrow)?;
                    part.add(sums.entry((row.date(0)?, number)).or_default(), Sum::new(row.whole(2)?, row.int(3)?))?;
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
