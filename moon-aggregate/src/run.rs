//! Runs: one call finishes what an earlier one left, and makes its own run.

use std::sync::Arc;

use moon_core::{Actor, Error, ErrorKind, Ledger, Result, RunKey, RunRecord, Warehouse, retry_transient};

use crate::agents::AgentFigures;
use crate::attempt::Ended;
use crate::command::{Busy, RunCommand, RunOptions};
use crate::guard::Warning;
use crate::progress::{Progress, Step};
use crate::pulse::Pulse;
use crate::state::{self, Claim, Start};

/// How many runs one call makes at most: it finishes what an earlier one left unfinished and then makes its own.
const RUNS_MAX: u32 = 3;

/// The batch job of one ledger into one warehouse. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Aggregation {
    ledger: Ledger,
    warehouse: Arc<dyn Warehouse>,
    agents: Option<AgentFigures>,
}

/// What a run left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// The record, as published.
    pub record: RunRecord,
    /// Whether an earlier attempt at this run had broken off.
    pub repeated: bool,
    /// An earlier run that was finished first: it had published, but not settled its marks, or it had broken off and had
    /// another command.
    pub settled: Option<RunKey>,
    /// How many cells of closed periods changed.
    pub restatements: usize,
    /// What a person should look at.
    pub warning: Option<Warning>,
}

impl Aggregation {
    /// The job over a ledger and a migrated warehouse of the same currency.
    #[must_use]
    pub fn new(ledger: Ledger, warehouse: Arc<dyn Warehouse>) -> Self {
        Self { ledger, warehouse, agents: None }
    }

    /// The same job, which also publishes monthly figures of agents under pseudonyms. Without this there are none: whether
    /// they are switched on or off, the first run after it computes all days and replaces what is there, and so does the
    /// first one with another key, and one after a consent for performance analytics was given or withdrawn. All
    /// processes that aggregate one ledger into one warehouse should agree on the key, or they will undo each other's work.
    #[must_use]
    pub fn with_agent_figures(self, figures: AgentFigures) -> Self {
        Self { agents: Some(figures), ..self }
    }

    /// How figures of agents are published; `None`: they are not.
    #[must_use]
    pub fn agent_figures(&self) -> Option<&AgentFigures> {
        self.agents.as_ref()
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

    /// Computes figures from one snapshot and publishes them at once: afterwards the warehouse shows what the ledger held
    /// at the snapshot, whatever the mode. A run over unchanged data publishes the same figures under its own key; it
    /// reads no posting then.
    ///
    /// A run that had broken off is repeated under its key and does what it was told to do at first; one that had
    /// published and not settled is settled. Where that is not what is asked for now, this call goes on with a run of its
    /// own. The first run, and the first one of an epoch or into a warehouse that shows something else than the last run
    /// left, computes all days in any mode.
    ///
    /// Whatever may succeed at a second try is tried again, as often and after such pauses as the ledger's
    /// [`Pause`](moon_core::Pause) says. A run that does not publish leaves a record with outcome and error in the
    /// warehouse, as far as that answers; its stage is discarded, and its marks stay claimed by the key, under which the
    /// next run repeats it.
    ///
    /// # Errors
    /// `InvalidInput` for a period that cannot be closed or a range without a day; `Refused` when another run is at work
    /// and the options do not tell to wait, when the law does not hold, when less than half of the sales are left, when the
    /// warehouse has published a later run, or when another process took this one over; `Timeout` after the deadline;
    /// those of store and warehouse. Nothing was published then, unless the error is `Unavailable` or `Timeout`, after
    /// which nobody can tell; a repeat is harmless.
    pub async fn run(&self, command: &RunCommand, options: &RunOptions, progress: &dyn Progress) -> Result<RunReport> {
        command.check(self.ledger.today()?)?;
        let pulse = Pulse::new(&self.ledger, options);
        let mut settled = None;
        let mut runs = 0;
        loop {
            runs += 1;
            let (claim, ended) = self.one(command, options, &pulse, progress).await?;
            let report = match ended {
                Ended::Published { record, restatements, warning } => {
                    tracing::debug!(run = %record.key.id, rows_read = record.rows_read, "run published");
                    if !claim.command.covers(command) && runs < RUNS_MAX {
                        settled = Some(claim.key);
                        continue;
                    }
                    RunReport { record, repeated: claim.repeated, settled, restatements, warning }
                }
                Ended::AlreadyPublished(_) if runs < RUNS_MAX => {
                    tracing::debug!(run = %claim.key.id, "run was published before; settled its marks");
                    settled = Some(claim.key);
                    continue;
                }
                // Other processes publish all the time, the last one a moment ago.
                Ended::AlreadyPublished(record) => {
                    RunReport { record, repeated: claim.repeated, settled, restatements: 0, warning: None }
                }
            };
            return Ok(report);
        }
    }

    /// Starts a new epoch, above the present one and all that the warehouse shows, and returns it: the way on after the
    /// store was restored from a backup and its run numbers lie below what the warehouse has published. An unfinished run
    /// is given up; its marks wait for the next one. The audit trail of the store tells who did. A repeat starts one more.
    ///
    /// # Errors
    /// Those of store and warehouse.
    pub async fn start_epoch(&self, actor: &Actor) -> Result<u32> {
        let published = self.warehouse.runs(1).await?.first().map(|record| record.key.epoch);
        state::start_epoch(&self.ledger, actor, published).await
    }

    /// One run, with as many attempts as it takes.
    async fn one(
        &self,
        command: &RunCommand,
        options: &RunOptions,
        pulse: &Pulse<'_>,
        progress: &dyn Progress,
    ) -> Result<(Claim, Ended)> {
        retry_transient(self.ledger.pause(), || async {
            match self.attempt(command, options, pulse, progress).await {
                // Nothing is tried again after the deadline.
                Err(error) if pulse.is_late() => Ok(Err(error)),
                Err(error) => Err(error),
                Ok(ended) => Ok(Ok(ended)),
            }
        })
        .await?
    }

    async fn attempt(
        &self,
        command: &RunCommand,
        options: &RunOptions,
        pulse: &Pulse<'_>,
        progress: &dyn Progress,
    ) -> Result<(Claim, Ended)> {
        let attempt = async {
            let claim = self.claim(command, options.busy, pulse, progress).await?;
            tracing::debug!(run = %claim.key.id, number = claim.key.number, repeated = claim.repeated, "run started");
            let ended = self.carry_out(&claim, options, pulse, progress).await?;
            progress.step(Step::Settling);
            state::settle(&self.ledger, ended.record(), pulse.holder).await?;
            Ok((claim, ended))
        };
        let ended = attempt.await;
        if ended.is_err()
            && let Err(kept) = state::leave(&self.ledger, pulse.holder).await
        {
            tracing::debug!(error = %kept, "lease is left to expire");
        }
        ended
    }

    /// Starts a run as soon as no other one is at work.
    async fn claim(
        &self,
        command: &RunCommand,
        busy: Busy,
        pulse: &Pulse<'_>,
        progress: &dyn Progress,
    ) -> Result<Claim> {
        progress.step(Step::Claiming);
        let mut waits = 0_u32;
        let begun = self.ledger.clock().now();
        loop {
            pulse.check_deadline()?;
            let until = match state::claim(&self.ledger, pulse, command).await? {
                Start::Claimed(claim) => return Ok(claim),
                Start::Busy { until } => until,
            };
            let leave = match busy {
                Busy::Leave => true,
                Busy::Wait => false,
                Busy::WaitAtMost(longest) => {
                    (self.ledger.clock().now() - begun).to_std().is_ok_and(|waited| waited >= longest)
                }
            };
            if leave {
                return Err(Error::new(ErrorKind::Refused, "another aggregation run is at work")
                    .with("until_at_most", until.to_rfc3339()));
            }
            if waits == 0 {
                progress.step(Step::Waiting);
            }
            waits = waits.saturating_add(1);
            self.ledger.pause().pause(waits).await;
            let_others_work().await;
        }
    }
}

/// Gives other tasks of the thread a turn, in case the pause was none.
async fn let_others_work() {
    let mut returned = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut returned, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
