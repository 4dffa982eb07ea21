//! From one snapshot of the ledger to everything that is published.

use futures_util::TryStreamExt;
use moon_core::{
    Basis, BusinessDate, Cell, DayRange, DaySet, Dimension, Fold, FoldPlan, Granularity, GroupSum, KpiQuery, Ledger,
    Period, PostingBatch, PostingFilter, ProductRow, Published, Result, Totals, TxMode, product_rows,
};

use crate::progress::Progress;

/// What a run is about to publish.
pub(crate) struct Computed {
    /// Daily cells by team, branch and product, and the plain sums.
    pub(crate) totals: Totals,
    /// Teams, branches, products and targets; no sums.
    pub(crate) dimensions: Published,
    /// The business date of the run.
    pub(crate) today: BusinessDate,
    /// Postings read.
    pub(crate) rows_read: u64,
}

/// Reads all postings and what goes with them in one snapshot.
///
/// Reading and folding take turns on one thread: a posting costs the fold a few nanoseconds, a hundredth of what a store
/// on disk takes to bring it, so a second thread would have nothing to gain.
pub(crate) async fn compute(ledger: &Ledger, rows_read: &mut u64, progress: &dyn Progress) -> Result<Computed> {
    let mut unit = ledger.store().begin(TxMode::ReadOnly).await?;
    let today = ledger.today()?;
    let dimensions = ledger.dimensions_in(unit.as_mut(), today).await?;
    let mut fold = Fold::new(FoldPlan::daily(&Dimension::DAILY, DaySet::all()));
    let everything = PostingFilter::default();
    let mut batches = unit.postings().scan(&everything);
    while let Some(batch) = batches.try_next().await? {
        fold.push(&batch)?;
        *rows_read += u64::try_from(batch.len()).unwrap_or(0);
        if let Some(day) = last_day(&batch) {
            progress.read(*rows_read, day);
        }
    }
    drop(batches);
    unit.rollback().await?;
    Ok(Computed { totals: fold.finish()?, dimensions, today, rows_read: *rows_read })
}

fn last_day(batch: &PostingBatch) -> Option<BusinessDate> {
    let days = batch.sales.day.last().into_iter().chain(batch.adjustments.postings.day.last());
    days.max().and_then(|day| BusinessDate::from_epoch_day(*day).ok())
}

impl Computed {
    /// The smallest range that covers all days with a posting.
    pub(crate) fn days(&self) -> DayRange {
        let days = &self.totals.control.days;
        days.first()
            .zip(days.last())
            .map_or(DayRange::new(0, 0), |(first, last)| DayRange::inclusive(first.day, last.day))
    }

    /// Target against sales by product on net figures as of today: for all time (`None`), then for each month that has a
    /// posting or a target of its own, ascending. A month without a row is left out.
    pub(crate) fn product_metrics(&self, ledger: &Ledger) -> Result<Vec<(Option<BusinessDate>, Vec<ProductRow>)>> {
        let cells = self.product_cells();
        let mut metrics = vec![(None, self.rows(ledger, Period::ALL, cells)?)];
        for period in self.months(ledger) {
            let days = period.days();
            let from = cells.partition_point(|cell| cell.day.epoch_day() < days.start());
            let to = cells.partition_point(|cell| cell.day.epoch_day() < days.end());
            let rows = self.rows(ledger, period, cells.get(from..to).unwrap_or_default())?;
            if !rows.is_empty() {
                metrics.push((days.first(), rows));
            }
        }
        Ok(metrics)
    }

    /// The cells by product, which lie together, ascending by day.
    fn product_cells(&self) -> &[Cell] {
        let cells = &self.totals.cells;
        let from = cells.partition_point(|cell| cell.dimension < Dimension::Product);
        let to = cells.partition_point(|cell| cell.dimension <= Dimension::Product);
        cells.get(from..to).unwrap_or_default()
    }

    fn months(&self, ledger: &Ledger) -> Vec<Period> {
        let calendar = ledger.settings().calendar;
        let days = self.totals.control.days.iter().map(|control| control.day);
        let targets = self.dimensions.targets.iter().map(|target| target.period);
        let targets = targets.filter(|period| period.granularity() == Granularity::Month);
        let mut months: Vec<_> = days.map(|day| calendar.period_of(Granularity::Month, day)).collect();
        // Days ascend, so each month stands in one row; the targets' months come in between.
        months.dedup();
        months.extend(targets);
        months.sort_unstable();
        months.dedup();
        months
    }

    fn rows(&self, ledger: &Ledger, period: Period, cells: &[Cell]) -> Result<Vec<ProductRow>> {
        let query = KpiQuery { period, basis: Basis::Net, as_of: self.today, to_date: false, with_year_before: false };
        let published = Published {
            sums: GroupSum::over(cells, DayRange::ALL)?,
            products: self.dimensions.products.clone(),
            targets: self.dimensions.targets.clone(),
            ..Published::default()
        };
        product_rows(&query, &published, None, ledger.settings().calendar)
    }
}
