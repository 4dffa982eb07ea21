//! What a run would change, without changing anything.

use moon_core::{
    AgentCell, BusinessDate, Calendar, DayRange, DaySet, Granularity, Period, ProductMetrics, Result, RunKind,
};

use crate::Aggregation;
use crate::agents::changed_months;
use crate::before::{Before, confirm_published};
use crate::changes::{CellChange, changes};
use crate::command::{Path, RunCommand};
use crate::metrics::Metrics;
use crate::plan::{Plan, same_dimensions};
use crate::progress::{Progress, Step};
use crate::source::{Reading, Source};

/// What a run would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// What kind of run it would be.
    pub kind: RunKind,
    /// The days that would be computed.
    pub days: DaySet,
    /// Postings read.
    pub rows_read: u64,
    /// The cells that would differ, ascending by dimension, day and code.
    pub cells: Vec<CellChange>,
    /// Product metrics that would differ, as they would be: all time first, then by month, ascending. A month that would
    /// vanish has no rows.
    pub product_metrics: Vec<ProductMetrics>,
    /// The months, by their first day, ascending, in which figures of agents would differ.
    pub agent_months: Vec<BusinessDate>,
    /// Whether names, regions, lines or targets would differ.
    pub dimensions: bool,
}

impl Changes {
    /// Whether the figures would stay as they are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.product_metrics.is_empty() && self.agent_months.is_empty() && !self.dimensions
    }
}

impl Aggregation {
    /// What a run with this command would change now, cell by cell. Nothing is written anywhere: no claim, no mark, no
    /// record. With [`RunCommand::full`] it compares everything that is published with everything in the ledger.
    ///
    /// # Errors
    /// `InvalidInput` as of [`run`](Self::run); `Contention` when a run is published meanwhile; those of store and
    /// warehouse.
    pub async fn preview(&self, command: &RunCommand, progress: &dyn Progress) -> Result<Changes> {
        let today = self.ledger().today()?;
        command.check(today)?;
        let warehouse = self.warehouse().as_ref();
        let published = warehouse.read(DayRange::new(0, 0)).await?;
        progress.step(Step::Reading);
        let (source, view) = Source::open(self.ledger(), today).await?;
        let plan = Plan::new(self, command, &view, &published).await?;
        let months = if plan.is_full() { DayRange::ALL } else { plan.scope().months.hull() };
        let scope = plan.scope();
        let metrics_before = warehouse.product_metrics(months).await?;
        let before = if plan.is_full() {
            // A month that has cells has metrics.
            let days = metrics_before.iter().filter_map(|metrics| metrics.month).map(month_of).map(Period::days);
            Before::read(warehouse, &plan, &days.collect()).await?
        } else {
            Before::read(warehouse, &plan, &DaySet::default()).await?
        };
        let reading = Reading { path: Path::Auto, progress, pulse: None };
        let mut rows_read = 0;
        let (totals, agents) = source.sum_planned(&plan, self.agent_figures(), &reading, &mut rows_read).await?;
        let agents_before = if scope.agents { warehouse.agent_cells(months).await? } else { Vec::new() };
        let of_plan = |cell: &AgentCell| plan.is_full() || plan.agent_days.contains(cell.month.epoch_day());
        let agents_before: Vec<_> = agents_before.into_iter().filter(of_plan).collect();
        let metrics = Metrics { ledger: self.ledger(), view: &view, totals: &totals };
        let metrics =
            if plan.is_full() { metrics.full()? } else { metrics.incremental(warehouse, &plan, &before).await? };
        confirm_published(warehouse, published.run.as_ref().map(|record| record.key)).await?;
        let in_scope = |metrics: &ProductMetrics| metrics.month.is_none_or(|month| scope.has_month(month));
        let metrics_before: Vec<_> = metrics_before.into_iter().filter(in_scope).collect();
        Ok(Changes {
            kind: plan.kind,
            rows_read,
            cells: changes(&before.cells, &totals.cells),
            product_metrics: changed_metrics(&metrics_before, metrics),
            agent_months: changed_months(&agents_before, &agents.rows()?),
            dimensions: !same_dimensions(&published, &view.dimensions),
            days: plan.days,
        })
    }
}

fn month_of(first: BusinessDate) -> Period {
    Calendar::default().period_of(Granularity::Month, first)
}

/// The metrics that differ.
fn changed_metrics(before: &[ProductMetrics], after: Vec<ProductMetrics>) -> Vec<ProductMetrics> {
    let gone = before.iter().filter(|metrics| !after.iter().any(|found| found.month == metrics.month));
    let mut changed: Vec<_> = gone.map(|metrics| ProductMetrics { month: metrics.month, rows: Vec::new() }).collect();
    changed.extend(after.into_iter().filter(|metrics| {
        let rows = before.iter().find(|found| found.month == metrics.month).map(|found| &found.rows);
        rows.map(Vec::as_slice).unwrap_or_default() != metrics.rows
    }));
    changed.sort_by_key(|metrics| metrics.month);
    changed
}
