//! The warehouse in memory.

mod published;
mod stage;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use moon_core::{
    BusinessDate, Currency, DayRange, Error, ErrorKind, Opening, ProductRow, Published, Receipt, Result, RunKey,
    RunOutcome, RunRecord, Scope, Warehouse,
};
use uuid::Uuid;

use self::published::Figures;
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

    /// The published product metrics of a month, named by its first day, or of all time (`None`), ascending by product;
    /// empty when none were published.
    #[must_use]
    pub fn product_metrics(&self, month: Option<BusinessDate>) -> Vec<ProductRow> {
        self.published().product_metrics.get(&month).map(|rows| rows.values().cloned().collect()).unwrap_or_default()
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

    async fn read(&self, days: DayRange) -> Result<Published> {
        self.published().read(days)
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
