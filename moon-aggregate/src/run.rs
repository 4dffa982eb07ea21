//! One run.

use std::sync::Arc;

use moon_core::{
    DayRange, Error, ErrorKind, Figures, Ledger, Opening, Receipt, Result, RunKey, RunKind, RunOutcome, RunRecord,
    Scope, StagedRun, Warehouse,
};

use crate::compute::{Computed, compute};
use crate::progress::{Progress, Step};
use crate::stage::stage;
use crate::state::{self, Claim};

/// How many runs one call makes at most: it settles what an earlier one left unsettled and then makes its own.
const RUNS_MAX: u32 = 3;

/// The batch job of one ledger into one warehouse. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Aggregation {
    ledger: Ledger,
    warehouse: Arc<dyn Warehouse>,
}

/// What a caller may wish of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunOptions {
    /// Publish also when far fewer postings were read than by the last run.
    pub allow_shrink: bool,
}

/// What a run left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// The record, as published.
    pub record: RunRecord,
    /// Whether an earlier attempt at this run had broken off.
    pub repeated: bool,
    /// An earlier run that had published, but not settled its marks, which was made up for.
    pub settled: Option<RunKey>,
    /// Postings read by the run published before, if it was a full one; `None` before the first.
    pub rows_before: Option<u64>,
}

/// How an attempt ended well.
enum Attempt {
    Published { receipt: Receipt, rows_before: Option<u64> },
    AlreadyPublished(Receipt),
}

/// What an attempt came to know before it broke off, for its record.
#[derive(Debug, Default)]
struct Known {
    days: Option<DayRange>,
    rows_read: u64,
    control: Figures,
}

impl Aggregation {
    /// The job over a ledger and a migrated warehouse of the same currency.
    #[must_use]
    pub fn new(ledger: Ledger, warehouse: Arc<dyn Warehouse>) -> Self {
        Self { ledger, warehouse }
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The warehouse.
    #[must_use]
    pub fn warehouse(&self) -> &Arc<dyn Warehouse> {
        &self.warehouse
    }

    /// Computes all figures from one snapshot and publishes them at once. A second run over the same data publishes the
    /// same figures under its own key. A run that had broken off is repeated under its key; one that had published and
    /// not settled is settled first.
    ///
    /// A run that does not publish leaves a record with outcome and error in the warehouse, as far as that answers; its
    /// stage is discarded, and its marks stay claimed by the key, under which the next run repeats it.
    ///
    /// # Errors
    /// `Refused` when the law does not hold, when far fewer postings were read than by the last run, when the warehouse
    /// has published a later run, or when another process took this one over; those of store and warehouse. Nothing was
    /// published then, unless the error is `Unavailable` or `Timeout`, after which nobody can tell; a repeat is harmless.
    pub async fn run_full(&self, options: &RunOptions, progress: &dyn Progress) -> Result<RunReport> {
        let mut settled = None;
        let mut runs = 0;
        loop {
            runs += 1;
            progress.step(Step::Claiming);
            let claim = state::claim(&self.ledger).await?;
            tracing::debug!(run = %claim.key.id, number = claim.key.number, repeated = claim.repeated, "run started");
            let mut known = Known::default();
            let attempt = match self.attempt(&claim, options, &mut known, progress).await {
                Ok(attempt) => attempt,
                Err(error) => {
                    self.record_failure(&claim, &known, &error).await;
                    return Err(error);
                }
            };
            progress.step(Step::Settling);
            state::settle(&self.ledger, claim.key).await?;
            let (receipt, rows_before) = match attempt {
                Attempt::Published { receipt, rows_before } => (receipt, rows_before),
                Attempt::AlreadyPublished(_) if runs < RUNS_MAX => {
                    tracing::debug!(run = %claim.key.id, "run was published before; settled its marks");
                    settled = Some(claim.key);
                    continue;
                }
                // Other processes publish all the time, the last one a moment ago.
                Attempt::AlreadyPublished(receipt) => (receipt, None),
            };
            let record = receipt.record;
            tracing::debug!(run = %record.key.id, rows_read = record.rows_read, "run published");
            return Ok(RunReport { record, repeated: claim.repeated, settled, rows_before });
        }
    }

    /// Starts a new epoch, above the present one and all that the warehouse shows, and returns it: the way on after the
    /// store was restored from a backup and its run numbers lie below what the warehouse has published. An unfinished run
    /// is given up; its marks wait for the next one.
    ///
    /// # Errors
    /// Those of store and warehouse.
    pub async fn start_epoch(&self) -> Result<u32> {
        let published = self.warehouse.runs(1).await?.first().map(|record| record.key.epoch);
        state::start_epoch(&self.ledger, published).await
    }

    async fn attempt(
        &self,
        claim: &Claim,
        options: &RunOptions,
        known: &mut Known,
        progress: &dyn Progress,
    ) -> Result<Attempt> {
        // Asked before anything is computed: a run that is published already needs no figures.
        let mut staged = match self.warehouse.open(&claim.key, &Scope::full()).await? {
            Opening::Staged(staged) => staged,
            Opening::AlreadyPublished(receipt) => return Ok(Attempt::AlreadyPublished(*receipt)),
        };
        let prepared = async {
            progress.step(Step::Reading);
            let computed = compute(&self.ledger, &mut known.rows_read, progress).await?;
            known.days = Some(computed.days());
            known.control = computed.totals.control.total()?;
            let rows_before = self.rows_before().await?;
            if !options.allow_shrink {
                check_shrink(&computed, rows_before)?;
            }
            progress.step(Step::Staging);
            // Asked twice: here, so that nothing gets between the rows of an attempt that has taken over, and once all is
            // staged, because that may have taken a while.
            state::confirm(&self.ledger, claim).await?;
            let metrics = computed.product_metrics(&self.ledger)?;
            stage(staged.as_mut(), &computed.dimensions, metrics, &computed.totals.cells, progress).await?;
            state::confirm(&self.ledger, claim).await?;
            Ok((computed.totals.control, rows_before))
        };
        let (control, rows_before) = match prepared.await {
            Ok(prepared) => prepared,
            Err(error) => {
                self.discard(claim, staged).await;
                return Err(error);
            }
        };
        progress.step(Step::Publishing);
        let record = self.record(claim, known, RunOutcome::Published, None);
        let receipt = staged.publish(&control, &record).await?;
        Ok(Attempt::Published { receipt, rows_before })
    }

    /// Removes the stage of an attempt that broke off, unless another attempt at the run works on it by now.
    async fn discard(&self, claim: &Claim, staged: Box<dyn StagedRun>) {
        if let Err(unsure) = state::confirm(&self.ledger, claim).await {
            tracing::debug!(run = %claim.key.id, error = %unsure, "stage is left for the next run to remove");
        } else if let Err(left) = staged.discard().await {
            tracing::warn!(run = %claim.key.id, error = %left, "stage could not be removed; the next run does it");
        }
    }

    /// Postings read by the last published full run.
    async fn rows_before(&self) -> Result<Option<u64>> {
        let last = self.warehouse.read(DayRange::new(0, 0)).await?.run;
        Ok(last.filter(|record| record.kind == RunKind::Full).map(|record| record.rows_read))
    }

    fn record(&self, claim: &Claim, known: &Known, outcome: RunOutcome, error: Option<String>) -> RunRecord {
        RunRecord {
            key: claim.key,
            kind: RunKind::Full,
            days: known.days.unwrap_or(DayRange::new(0, 0)),
            started_at: claim.started_at,
            finished_at: self.ledger.clock().now(),
            rows_read: known.rows_read,
            control: known.control,
            last_arrivals: std::collections::BTreeMap::new(),
            outcome,
            error,
            manifest: moon_core::Manifest::default(),
        }
    }

    async fn record_failure(&self, claim: &Claim, known: &Known, error: &Error) {
        let outcome = if error.kind() == ErrorKind::Refused { RunOutcome::Refused } else { RunOutcome::Failed };
        tracing::debug!(run = %claim.key.id, error = %error, outcome = outcome.name(), "run did not publish");
        let record = self.record(claim, known, outcome, Some(publishable(error)));
        if let Err(lost) = self.warehouse.record(&record).await {
            tracing::warn!(run = %claim.key.id, error = %lost, "the warehouse did not take the record of the run");
        }
    }
}

/// An error as the warehouse may hold it: without the code of an agent, and without causes, whose texts nobody knows.
fn publishable(error: &Error) -> String {
    let mut text = error.message().to_owned();
    for (key, value) in error.context().filter(|(key, _)| *key != moon_core::Dimension::Agent.name()) {
        text.push_str("; ");
        text.push_str(key);
        text.push_str(": ");
        text.push_str(value);
    }
    text
}

/// A source that was emptied or cut by accident must not empty the dashboards.
fn check_shrink(computed: &Computed, rows_before: Option<u64>) -> Result<()> {
    let Some(before) = rows_before else { return Ok(()) };
    if computed.rows_read >= before.div_ceil(2) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "the ledger has less than half of the postings of the last run")
        .with("rows_read", computed.rows_read)
        .with("rows_before", before))
}
