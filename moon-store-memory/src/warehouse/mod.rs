//! The warehouse in memory.

mod published;
mod stage;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use moon_core::{
    AgentCell, Cell, Closing, Currency, DayRange, Error, ErrorKind, Opening, Period, ProductMetrics, Published,
    Receipt, Restatement, Result, RunKey, RunOutcome, RunRecord, Scope, Warehouse,
};
use uuid::Uuid;

use self::published::{Figures, all_cells};
use self::stage::Stage;

/// A warehouse in memory, gone with its last handle. Cheap to clone: clones are handles of one warehouse.
///
/// Readers hold what was published last when they began; publishing puts another in its place, which shares all that the
/// run did not replace.
///
/// Opening a stage removes the one opened before it: its run can no longer publish.
#[derive(Debug, Clone)]
pub struct MemoryWarehouse {
    currency: Currency,
    shared: Arc<RwLock<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    published: Arc<Figures>,
    /// The number of the stage opened last.
    stage: u64,
}

impl MemoryWarehouse {
    /// An empty warehouse for figures in one currency.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        Self { currency, shared: Arc::default() }
    }

    /// The currency of all its figures.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    fn published(&self) -> Arc<Figures> {
        Arc::clone(&self.shared.read().unwrap_or_else(PoisonError::into_inner).published)
    }

    /// Looks at what is published and changes it, or leaves it when that fails.
    fn change<T>(&self, change: impl FnOnce(&mut Shared) -> Result<T>) -> Result<T> {
        change(&mut self.shared.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a run may come after what was published.
fn check_order(published: &Figures, key: &RunKey) -> Result<()> {
    match published.last.filter(|last| (last.epoch, last.number) > (key.epoch, key.number)) {
        None => Ok(()),
        Some(last) => Err(Error::new(ErrorKind::Refused, "a later run was published already")
            .with("epoch", key.epoch)
            .with("number", key.number)
            .with("published_epoch", last.epoch)
            .with("published_number", last.number)),
    }
}

/// The record of a run that was published.
fn published_record(published: &Figures, run: Uuid) -> Option<&Arc<RunRecord>> {
    published.runs.get(&run).filter(|record| record.outcome == RunOutcome::Published)
}

#[async_trait]
impl Warehouse for MemoryWarehouse {
    fn backend(&self) -> &'static str {
        "memory"
    }

    async fn migrate(&self) -> Result<()> {
        Ok(())
    }

    async fn open(&self, run: &RunKey, scope: &Scope) -> Result<Opening> {
        self.change(|shared| {
            if let Some(record) = published_record(&shared.published, run.id) {
                return Ok(Opening::AlreadyPublished(Box::new(Receipt { record: RunRecord::clone(record) })));
            }
            check_order(&shared.published, run)?;
            shared.stage += 1;
            Ok(Opening::Staged(Box::new(Stage::new(self.clone(), shared.stage, *run, scope.clone()))))
        })
    }

    async fn publish_unchanged(&self, record: &RunRecord, shown: &RunKey) -> Result<Receipt> {
        self.change(|shared| {
            if let Some(record) = published_record(&shared.published, record.key.id) {
                return Ok(Receipt { record: RunRecord::clone(record) });
            }
            record.key.check_unchanged(shown, shared.published.last.as_ref())?;
            let record = RunRecord { outcome: RunOutcome::Published, error: None, ..record.clone() };
            let published = Arc::make_mut(&mut shared.published);
            published.last = Some(record.key);
            published.runs.insert(record.key.id, Arc::new(record.clone()));
            Ok(Receipt { record })
        })
    }

    async fn read(&self, days: DayRange) -> Result<Published> {
        self.published().read(days)
    }

    async fn cells(&self, days: DayRange) -> Result<Vec<Cell>> {
        Ok(all_cells(&self.published().cells, days))
    }

    async fn product_metrics(&self, months: DayRange) -> Result<Vec<ProductMetrics>> {
        let published = self.published();
        let wanted = published
            .product_metrics
            .iter()
            .filter(|(month, rows)| !rows.is_empty() && month.is_none_or(|month| months.contains(month.epoch_day())));
        Ok(wanted
            .map(|(month, rows)| ProductMetrics { month: *month, rows: rows.values().cloned().collect() })
            .collect())
    }

    async fn agent_cells(&self, months: DayRange) -> Result<Vec<AgentCell>> {
        let published = self.published();
        let wanted = published.agents.iter().filter(|(month, _)| months.contains(month.epoch_day()));
        let cells = wanted.flat_map(|(month, agents)| {
            agents.iter().map(|(agent, figures)| AgentCell { month: *month, agent: agent.clone(), figures: *figures })
        });
        Ok(cells.collect())
    }

    async fn closings(&self) -> Result<Vec<Closing>> {
        Ok(self.published().closings.iter().map(|frozen| frozen.closing).collect())
    }

    async fn closed_cells(&self, period: Period, closed_by: Uuid) -> Result<Vec<Cell>> {
        let published = self.published();
        let found = published
            .closings
            .iter()
            .find(|frozen| frozen.closing.period == period && frozen.closing.closed_by.id == closed_by);
        Ok(found.map(|frozen| all_cells(&frozen.cells, period.days())).unwrap_or_default())
    }

    async fn restatements(&self, days: DayRange) -> Result<Vec<Restatement>> {
        let published = self.published();
        let wanted = published.restatements.iter().map(|(row, ())| row);
        Ok(wanted.filter(|row| days.contains(row.day.epoch_day())).cloned().collect())
    }

    async fn record(&self, record: &RunRecord) -> Result<()> {
        self.change(|shared| {
            if published_record(&shared.published, record.key.id).is_none() {
                Arc::make_mut(&mut shared.published).runs.insert(record.key.id, Arc::new(record.clone()));
            }
            Ok(())
        })
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>> {
        let published = self.published();
        let mut runs: Vec<_> = published.runs.iter().map(|(_, record)| record).collect();
        runs.sort_by_key(|record| std::cmp::Reverse((record.key, record.started_at)));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(runs.into_iter().take(limit).map(|record| RunRecord::clone(record)).collect())
    }
}
