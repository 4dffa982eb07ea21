//! Target against sales by product, for all time and by month.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use moon_core::{
    Basis, Calendar, Cell, Coverage, DayRange, DaySet, Dimension, Figures, Granularity, GroupSum, KpiQuery, Ledger,
    Period, ProductMetrics, ProductRow, Published, Result, Sum, Totals, Warehouse, product_rows,
};

use crate::before::Before;
use crate::plan::Plan;
use crate::source::View;

/// Makes the rows of product metrics on net figures.
pub(crate) struct Metrics<'a> {
    pub(crate) ledger: &'a Ledger,
    /// Date, products and targets.
    pub(crate) view: &'a View,
    pub(crate) totals: &'a Totals,
}

impl Metrics<'_> {
    /// Of all time, then of each month that has a posting or a target of its own, ascending. A month without a row is left
    /// out.
    pub(crate) fn full(&self) -> Result<Vec<ProductMetrics>> {
        let cells = self.product_cells();
        let rows = self.rows(Period::ALL, GroupSum::over(cells, DayRange::ALL)?)?;
        let mut metrics = vec![ProductMetrics { month: None, rows }];
        for period in self.months() {
            metrics.extend(self.month(period, &[])?);
        }
        Ok(metrics)
    }

    /// Of all time, and of each month of a plan, from the cells that were computed and those of before.
    pub(crate) async fn incremental(
        &self,
        warehouse: &dyn Warehouse,
        plan: &Plan,
        before: &Before,
    ) -> Result<Vec<ProductMetrics>> {
        let rows = self.all_time(warehouse, plan, before).await?;
        let mut metrics = vec![ProductMetrics { month: None, rows }];
        for month in &plan.months {
            let rest = before.rest.get(month).map(Vec::as_slice).unwrap_or_default();
            metrics.extend(self.month(*month, rest)?);
        }
        metrics.extend(plan.refreshed.iter().cloned());
        Ok(metrics)
    }

    /// Of a month, from its computed cells and the rest of them.
    pub(crate) fn month(&self, month: Period, rest: &[Cell]) -> Result<Option<ProductMetrics>> {
        let cells = self.product_cells();
        let days = month.days();
        let from = cells.partition_point(|cell| cell.day.epoch_day() < days.start());
        let to = cells.partition_point(|cell| cell.day.epoch_day() < days.end());
        let computed = cells.get(from..to).unwrap_or_default();
        let rows = self.rows(month, GroupSum::over(computed.iter().chain(rest), DayRange::ALL)?)?;
        Ok((!rows.is_empty()).then_some(ProductMetrics { month: days.first(), rows }))
    }

    /// Of all time: the published sums, less the cells of before, plus those that were computed.
    async fn all_time(&self, warehouse: &dyn Warehouse, plan: &Plan, before: &Before) -> Result<Vec<ProductRow>> {
        let mut sums: BTreeMap<Arc<str>, Sum> =
            plan.all_time.iter().map(|row| (Arc::clone(&row.product), row.total)).collect();
        let old_cells = || before.cells.iter().filter(|cell| cell.dimension == Dimension::Product);
        for cell in old_cells() {
            let sum = sums.entry(Arc::clone(&cell.code)).or_default();
            let net = cell.figures.net;
            *sum = sum.plus(Sum::new(net.minor.saturating_neg(), net.count.saturating_neg()))?;
        }
        for cell in self.product_cells() {
            let sum = sums.entry(Arc::clone(&cell.code)).or_default();
            *sum = sum.plus(cell.figures.net)?;
        }
        let sold: BTreeSet<&str> = self.product_cells().iter().map(|cell| &*cell.code).collect();
        let sold_before: BTreeSet<&str> = old_cells().map(|cell| &*cell.code).collect();
        let with_target: BTreeSet<&str> =
            plan.all_time.iter().filter(|row| row.coverage != Coverage::None).map(|row| &*row.product).collect();
        let group = |(code, net): (Arc<str>, Sum)| GroupSum {
            dimension: Dimension::Product,
            code,
            figures: Figures { net, ..Figures::default() },
        };
        let mut rows = self.rows(Period::ALL, sums.into_iter().map(group).collect())?;
        // A product without a target has a row as long as it has a cell. A sum of zero does not tell whether it has one,
        // unless it is among those that were computed, or the row of before was there for a cell that was not.
        let unsure = |row: &ProductRow| {
            row.coverage == Coverage::None
                && row.total == Sum::ZERO
                && !sold.contains(&*row.product)
                && (sold_before.contains(&*row.product) || with_target.contains(&*row.product))
        };
        let unsure: BTreeSet<Arc<str>> =
            rows.iter().filter(|row| unsure(row)).map(|row| Arc::clone(&row.product)).collect();
        let gone = without_cells(warehouse, &plan.days, unsure).await?;
        rows.retain(|row| !gone.contains(&row.product));
        Ok(rows)
    }

    /// The computed cells by product, which lie together, ascending by day.
    pub(crate) fn product_cells(&self) -> &[Cell] {
        let cells = &self.totals.cells;
        let from = cells.partition_point(|cell| cell.dimension < Dimension::Product);
        let to = cells.partition_point(|cell| cell.dimension <= Dimension::Product);
        cells.get(from..to).unwrap_or_default()
    }

    /// The months that have a computed cell or a target of their own.
    pub(crate) fn months(&self) -> BTreeSet<Period> {
        let days = self.totals.control.days.iter().map(|control| control.day);
        let mut months: Vec<_> = days.map(|day| Calendar::default().period_of(Granularity::Month, day)).collect();
        // Days ascend, so each month stands in one row.
        months.dedup();
        let targets = self.view.dimensions.targets.iter().map(|target| target.period);
        months.extend(targets.filter(|period| period.granularity() == Granularity::Month));
        months.into_iter().collect()
    }

    pub(crate) fn rows(&self, period: Period, sums: Vec<GroupSum>) -> Result<Vec<ProductRow>> {
        let query =
            KpiQuery { period, basis: Basis::Net, as_of: self.view.today, to_date: false, with_year_before: false };
        let published = Published {
            sums,
            products: self.view.dimensions.products.clone(),
            targets: self.view.dimensions.targets.clone(),
            ..Published::default()
        };
        product_rows(&query, &published, None, self.ledger.settings().calendar)
    }
}

/// Those products that have no published cell outside of these days.
async fn without_cells(
    warehouse: &dyn Warehouse,
    days: &DaySet,
    mut products: BTreeSet<Arc<str>>,
) -> Result<BTreeSet<Arc<str>>> {
    let mut start = DayRange::ALL.start();
    let ends = days.ranges().iter().map(|range| (range.start(), range.end()));
    for (end, next) in ends.chain([(DayRange::ALL.end(), 0)]) {
        let gap = DayRange::new(start, end);
        start = next;
        if products.is_empty() || gap.is_empty() {
            continue;
        }
        for sum in warehouse.read(gap).await?.sums {
            if sum.dimension == Dimension::Product {
                products.remove(&sum.code);
            }
        }
    }
    Ok(products)
}
