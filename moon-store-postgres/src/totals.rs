//! Sums made by PostgreSQL, which adds BIGINT in 128 bits and answers in NUMERIC, exactly.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use moon_core::{
    Cell, ControlTotals, DayControl, Dimension, Error, ErrorKind, Figures, Result, Sum, Totals, TotalsPlan, UNASSIGNED,
};

use crate::codes::{Coded, codes_of};
use crate::filter::{self, END, START, SaleConditions};
use crate::unit::PostgresUnit;
use crate::value::{self, Day};

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

    /// Day, amount, count, and where they are found.
    fn columns(self) -> (&'static str, &'static str, &'static str, &'static str) {
        const ADJUSTMENTS: &str = "ledger_adjustments j JOIN ledger_sales s ON s.id = j.sale_id";
        match self {
            Self::Sales => ("s.sale_date", "s.amount", "1", "ledger_sales s"),
            Self::AdjustmentsOnSaleDay => ("j.sale_date", "j.amount", "j.count", ADJUSTMENTS),
            Self::AdjustmentsOnOwnDay => ("j.own_date", "j.amount", "j.count", ADJUSTMENTS),
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
        Dimension::Team => ("team_id", Coded::Team),
        Dimension::Branch => ("branch_id", Coded::Branch),
        Dimension::Product => ("product_id", Coded::Product),
        Dimension::Agent => ("agent_id", Coded::Agent),
    }
}

/// The figures by day and number, for one dimension or, plainly, for none.
type Sums = BTreeMap<(Day, u32), Figures>;

impl PostgresUnit<'_> {
    /// The cells and the plain sums of a plan. Each kind of sums is one pass over its rows, for all groupings.
    pub(crate) async fn sum(&mut self, plan: &TotalsPlan) -> Result<Totals> {
        if filter::is_empty(&plan.filter.days) {
            return Ok(Totals::default());
        }
        let conditions = SaleConditions::of(self, &plan.filter).await?;
        let mut dimensions = plan.dimensions.clone();
        dimensions.sort_unstable();
        dimensions.dedup();
        let mut plain = Sums::new();
        let mut grouped: Vec<Sums> = vec![Sums::new(); dimensions.len()];
        for part in Part::EVERY {
            self.sum_part(part, &conditions, &dimensions, &mut plain, &mut grouped).await?;
        }
        let mut cells = Vec::new();
        for (dimension, sums) in dimensions.into_iter().zip(grouped) {
            let codes = self.codes_in(column(dimension).1, sums.keys().map(|(_, number)| *number)).await?;
            for ((day, number), figures) in sums {
                let code = codes.get(&number).ok_or_else(|| {
                    Error::new(ErrorKind::Corrupt, "sale refers to a code that is not there").with("number", number)
                })?;
                cells.push(Cell { dimension, day: day.date()?, code: Arc::clone(code), figures });
            }
        }
        cells.sort_unstable_by(|a, b| (a.dimension, a.day, &a.code).cmp(&(b.dimension, b.day, &b.code)));
        let days = plain
            .into_iter()
            .map(|((day, _), figures)| Ok(DayControl { day: day.date()?, figures }))
            .collect::<Result<_>>()?;
        Ok(Totals { cells, control: ControlTotals { days } })
    }

    /// Adds one kind of sums to the plain ones and to those of each dimension.
    async fn sum_part(
        &mut self,
        part: Part,
        conditions: &SaleConditions,
        dimensions: &[Dimension],
        plain: &mut Sums,
        grouped: &mut [Sums],
    ) -> Result<()> {
        let (day, amount, count, tables) = part.columns();
        let (mut inner, mut names, mut sets) = (String::new(), String::new(), "(x.day)".to_owned());
        for (index, dimension) in dimensions.iter().enumerate() {
            inner.push_str(&format!(", coalesce(s.{}, 0) AS g{index}", column(*dimension).0));
            names.push_str(&format!(", CASE WHEN grouping(x.g{index}) = 0 THEN {index} END, x.g{index}"));
            sets.push_str(&format!(", (x.day, x.g{index})"));
        }
        let (tables, days) = if conditions.is_bounded() {
            let ranges = format!("unnest({START}, {END}) AS r (lo, hi) JOIN {tables}");
            // The days of a filter never overlap, so that no row is met twice.
            match part {
                Part::Sales => (format!("{ranges} ON {day} >= r.lo AND {day} < r.hi"), String::new()),
                _ => (format!("unnest({START}, {END}) AS r (lo, hi) CROSS JOIN {tables}"), {
                    format!(" AND {day} >= r.lo AND {day} < r.hi")
                }),
            }
        } else {
            (tables.to_owned(), conditions.days(day))
        };
        let sql = format!(
            "SELECT x.day, sum(x.amount)::text, sum(x.count)::int8{names} FROM (
                 SELECT {day} AS day, {amount} AS amount, {count} AS count{inner} FROM {tables} WHERE true{days}{}
             ) x GROUP BY GROUPING SETS ({sets})",
            conditions.sql()
        );
        let mut rows = Vec::new();
        self.session
            .each_row(DOING, &sql, &conditions.params(), |row| {
                let sum = Sum::new(value::whole(row.get(1)?)?, row.get(2)?);
                let mut group = None;
                for index in 0..dimensions.len() {
                    if row.get::<Option<i32>>(3 + 2 * index)?.is_some() {
                        group = Some((index, row.get::<i32>(4 + 2 * index)?));
                    }
                }
                rows.push((row.get::<Day>(0)?, group, sum));
                Ok(())
            })
            .await?;
        for (day, group, sum) in rows {
            let (sums, number) = match group {
                None => (&mut *plain, 0),
                Some((index, number)) => match grouped.get_mut(index) {
                    Some(sums) => (sums, value::narrow(number.into())?),
                    None => continue,
                },
            };
            part.add(sums.entry((day, number)).or_default(), sum)?;
        }
        Ok(())
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
