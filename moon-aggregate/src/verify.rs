//! Proof: everything computed anew from the source and compared with what is published.

mod agents;
mod closed;
mod manifests;
mod metrics;
mod names;

pub use self::closed::ClosedDifference;
pub use self::manifests::ManifestDifference;

use std::collections::BTreeMap;
use std::sync::Arc;

use moon_core::{
    AgentCell, BusinessDate, Calendar, Cell, DayRange, DaySet, Dimension, Figures, Granularity, GroupSum, Mark, Period,
    ProductMetrics, ProductRow, Published, Result, RunRecord, Totals, Warehouse, retry_contention,
};
use serde_json::Value;

use crate::Aggregation;
use crate::before::confirm_published;
use crate::changes::{CellChange, changes};
use crate::command::Path;
use crate::metrics::Metrics;
use crate::progress::{Progress, Step};
use crate::source::{Reading, Source, View};

/// How much of a verification is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyOptions {
    /// How the days are summed.
    pub path: Path,
    /// How many differences are listed at most; all of them are counted.
    pub differences_max: usize,
}

impl Default for VerifyOptions {
    /// The faster path, ten thousand differences.
    fn default() -> Self {
        Self { path: Path::Auto, differences_max: 10_000 }
    }
}

/// Something that the warehouse shows otherwise than the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A daily cell: `before` is what the warehouse shows, `after` what the source has.
    Cell(CellChange),
    /// A row of product metrics; `None` where one side has no such row.
    ProductMetrics {
        /// The first day of the month; `None`: all time.
        month: Option<BusinessDate>,
        /// The product.
        product: Arc<str>,
        /// As published.
        warehouse: Option<Box<ProductRow>>,
        /// As it should be.
        source: Option<Box<ProductRow>>,
    },
    /// A row of the tables that go with the figures; `None` where one side has no such row.
    Entry {
        /// `teams`, `branches`, `products` or `targets`.
        table: &'static str,
        /// The code; of a target its product, scope and period.
        key: String,
        /// As published.
        warehouse: Option<Value>,
        /// As it should be.
        source: Option<Value>,
    },
    /// Figures of an agent in a month.
    Agent {
        /// The first day of the month.
        month: BusinessDate,
        /// The pseudonym, [`WITHHELD`](crate::WITHHELD) or [`UNASSIGNED`](moon_core::UNASSIGNED).
        agent: String,
        /// As published; zero where there is no row.
        warehouse: Figures,
        /// As they should be; zero where there should be no row.
        source: Figures,
    },
    /// A figure of a closed period that does not follow from the frozen one and its restatements. Closing the period anew
    /// freezes what is published then.
    Closed(ClosedDifference),
    /// Cells that are not those that a run published.
    Manifest(ManifestDifference),
}

/// A difference, and whether anything is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What differs.
    pub difference: Difference,
    /// Whether a mark that no published run has settled explains it: the next run brings it in order by itself.
    pub pending: bool,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// The run whose figures were compared; `None` before the first.
    pub run: Option<RunRecord>,
    /// Postings read; one whose sale lies in another month is read in both.
    pub rows_read: u64,
    /// Daily cells that the source has.
    pub cells: u64,
    /// Whether figures of agents were compared: not where they were published under another key than the one at hand, or
    /// with none.
    pub agents_compared: bool,
    /// The first differences: cells by month and then by dimension, day and code, each month followed by its figures of
    /// agents; product metrics; entries; closed periods; manifests.
    pub differences: Vec<Found>,
    /// How many differences nothing explains.
    pub wrong: u64,
    /// How many differences marks explain.
    pub pending: u64,
}

impl Verification {
    /// Whether the warehouse shows all that the source has, but for changes that wait for the next run.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.wrong == 0
    }
}

impl Aggregation {
    /// Computes everything anew from one snapshot of the source and compares it with the warehouse: each daily cell, figures
    /// of agents, product metrics, names, regions, lines and targets. What depends on the date is compared as of the day of
    /// the published run. Beside it the warehouse is compared with itself: the figures of closed periods with what was frozen
    /// and restated, and the cells with the manifests of the runs that published them. Nothing is written. Works month by
    /// month, so that memory holds the cells of one month, or of one closed period.
    ///
    /// What marks explain is told apart: a day that a mark names, all time and the month of such a day, a marked target,
    /// marked names, agents whose consent was given or withdrawn.
    ///
    /// # Errors
    /// `Contention` when runs keep being published meanwhile; those of store and warehouse.
    pub async fn verify(&self, options: &VerifyOptions, progress: &dyn Progress) -> Result<Verification> {
        retry_contention(self.ledger().pause(), || self.verify_once(options, progress)).await
    }

    async fn verify_once(&self, options: &VerifyOptions, progress: &dyn Progress) -> Result<Verification> {
        let warehouse = self.warehouse().as_ref();
        let published = warehouse.read(DayRange::new(0, 0)).await?;
        progress.step(Step::Reading);
        let settings = self.ledger().settings();
        let as_of = match &published.run {
            Some(record) => settings.business_date(record.started_at)?,
            None => self.ledger().today()?,
        };
        let (mut source, view) = Source::open(self.ledger(), as_of).await?;
        let metrics_before = warehouse.product_metrics(DayRange::ALL).await?;
        let mut compare = Comparing::new(&view, options.differences_max);
        compare.found.run.clone_from(&published.run);

        let reading = Reading { path: options.path, progress, pulse: None };
        let mut metrics_after = Vec::new();
        let agents = self.agent_figures();
        let key = agents.map(|agents| agents.key.fingerprint()).transpose()?;
        let same_key = |record: &RunRecord| record.manifest.agent_key == key;
        compare.found.agents_compared = published.run.as_ref().is_none_or(same_key);
        for days in parts(&metrics_before) {
            let agents = agents.filter(|_| compare.found.agents_compared).map(|agents| (agents, &days));
            let (totals, by_agent) =
                source.sum_with_agents(&days, agents, &reading, &mut compare.found.rows_read).await?;
            compare.cells(&cells(warehouse, &days).await?, &totals);
            if compare.found.agents_compared {
                compare.agents(agents::published(warehouse, &days).await?, by_agent.rows()?);
            }
            let metrics = Metrics { ledger: self.ledger(), view: &view, totals: &totals };
            compare.add_to_all_time(metrics.product_cells())?;
            for month in metrics.months().into_iter().filter(|month| days.contains(month.days().start())) {
                metrics_after.extend(metrics.month(month, &[])?);
            }
        }
        source.close().await?;
        let nothing = Totals::default();
        let all_time = Metrics { ledger: self.ledger(), view: &view, totals: &nothing };
        let rows = all_time.rows(Period::ALL, std::mem::take(&mut compare.all_time).into_values().collect())?;
        metrics_after.push(ProductMetrics { month: None, rows });
        compare.metrics(&metrics_before, &metrics_after);
        compare.entries(&published, &view.dimensions)?;
        for difference in closed::differences(warehouse).await? {
            compare.add(Difference::Closed(difference), false);
        }
        for difference in manifests::differences(warehouse, metrics_before.iter().filter_map(|of| of.month)).await? {
            compare.add(Difference::Manifest(difference), false);
        }
        confirm_published(warehouse, published.run.as_ref().map(|record| record.key)).await?;
        Ok(compare.found)
    }
}

/// Time in parts that each fit into memory: the months that are published one by one, and then everything else, which
/// has neither cells nor postings where all is right.
fn parts(published: &[ProductMetrics]) -> Vec<DaySet> {
    let month = |first| Calendar::default().period_of(Granularity::Month, first).days();
    let months: DaySet = published.iter().filter_map(|metrics| metrics.month).map(month).collect();
    let mut parts: Vec<DaySet> =
        published.iter().filter_map(|metrics| metrics.month).map(|first| month(first).into()).collect();
    let mut rest = Vec::new();
    let mut start = DayRange::ALL.start();
    for range in months.ranges() {
        rest.push(DayRange::new(start, range.start()));
        start = range.end();
    }
    rest.push(DayRange::new(start, DayRange::ALL.end()));
    parts.push(rest.into_iter().collect());
    parts
}

async fn cells(warehouse: &dyn Warehouse, days: &DaySet) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for range in days.ranges() {
        cells.extend(warehouse.cells(*range).await?);
    }
    Ok(cells)
}

/// A verification at work.
struct Comparing<'v> {
    view: &'v View,
    differences_max: usize,
    found: Verification,
    /// What the source has of each product.
    all_time: BTreeMap<Arc<str>, GroupSum>,
}

impl<'v> Comparing<'v> {
    fn new(view: &'v View, differences_max: usize) -> Self {
        Self { view, differences_max, found: Verification::default(), all_time: BTreeMap::new() }
    }

    fn add(&mut self, difference: Difference, pending: bool) {
        let count = if pending { &mut self.found.pending } else { &mut self.found.wrong };
        *count = count.saturating_add(1);
        if self.found.differences.len() < self.differences_max {
            self.found.differences.push(Found { difference, pending });
        }
    }

    fn cells(&mut self, published: &[Cell], totals: &Totals) {
        self.found.cells = self.found.cells.saturating_add(u64::try_from(totals.cells.len()).unwrap_or(0));
        for change in changes(published, &totals.cells) {
            let pending = self.view.touched.contains(change.day.epoch_day());
            self.add(Difference::Cell(change), pending);
        }
    }

    fn agents(&mut self, published: Vec<AgentCell>, source: Vec<AgentCell>) {
        let consents = self.view.other_marks.contains(&Mark::Consents);
        for (month, agent, warehouse, source) in agents::differences(published, source) {
            let pending = consents || self.touched(month);
            self.add(Difference::Agent { month, agent, warehouse, source }, pending);
        }
    }

    /// Whether a day of the month that begins with this one is touched.
    fn touched(&self, first: BusinessDate) -> bool {
        let days = Calendar::default().period_of(Granularity::Month, first).days();
        self.view.touched.ranges().iter().any(|range| !range.intersect(days).is_empty())
    }

    fn add_to_all_time(&mut self, cells: &[Cell]) -> Result<()> {
        for cell in cells {
            let sum = self.all_time.entry(Arc::clone(&cell.code)).or_insert_with(|| GroupSum {
                dimension: Dimension::Product,
                code: Arc::clone(&cell.code),
                figures: Figures::default(),
            });
            sum.figures = sum.figures.plus(cell.figures)?;
        }
        Ok(())
    }

    fn metrics(&mut self, published: &[ProductMetrics], source: &[ProductMetrics]) {
        for (month, product, warehouse, source) in metrics::differences(published, source) {
            let touched = match month {
                None => !self.view.touched.is_empty(),
                Some(first) => self.touched(first),
            };
            let marked = |mark: &Mark| match mark {
                Mark::Target { product: marked, .. } => marked.as_ref().is_none_or(|code| code.as_str() == &*product),
                other => *other == Mark::Dimensions,
            };
            let pending = touched || self.view.other_marks.iter().any(marked);
            let (warehouse, source) = (warehouse.map(Box::new), source.map(Box::new));
            self.add(Difference::ProductMetrics { month, product, warehouse, source }, pending);
        }
    }

    fn entries(&mut self, published: &Published, source: &Published) -> Result<()> {
        for (table, key, warehouse, source) in names::differences(published, source)? {
            let marked = |mark: &Mark| match mark {
                Mark::Target { .. } => table == names::TARGETS,
                other => *other == Mark::Dimensions && table != names::TARGETS,
            };
            let pending = self.view.other_marks.iter().any(marked);
            self.add(Difference::Entry { table, key, warehouse, source }, pending);
        }
        Ok(())
    }
}
