//! One attempt at a run: snapshot, plan, sums, checks, stage, publication.

use futures_util::future::try_join;
use moon_core::{
    DayRange, Error, ErrorKind, Figures, Manifest, Opening, Published, Result, RunKey, RunKind, RunOutcome, RunRecord,
    StagedRun, Totals,
};

use crate::Aggregation;
use crate::agents::kept;
use crate::before::{Before, confirm_published};
use crate::changes::{closed_days, restatements};
use crate::command::{Mode, RunCommand, RunOptions};
use crate::guard::{self, Warning};
use crate::lease;
use crate::manifest::manifest;
use crate::metrics::Metrics;
use crate::path::choose;
use crate::plan::{Plan, same_dimensions};
use crate::progress::{Progress, Step};
use crate::pulse::Pulse;
use crate::source::{Reading, Source, View};
use crate::stage::{Rows, stage};
use crate::state::{self, Arrivals, Claim};

/// How an attempt ended well.
pub(crate) enum Ended {
    Published { record: RunRecord, restatements: usize, warning: Option<Warning> },
    AlreadyPublished(RunRecord),
}

/// What an attempt came to know before it broke off, for its record.
#[derive(Debug)]
struct Known {
    kind: RunKind,
    days: DayRange,
    rows_read: u64,
    control: Figures,
    arrivals: Arrivals,
    manifest: Manifest,
}

/// What is ready to be published.
struct Prepared {
    totals: Totals,
    restatements: usize,
    warning: Option<Warning>,
}

impl Ended {
    /// The record of the run, as published.
    pub(crate) fn record(&self) -> &RunRecord {
        match self {
            Self::Published { record, .. } | Self::AlreadyPublished(record) => record,
        }
    }
}

impl Aggregation {
    /// Makes an attempt, and leaves a record when it fails.
    pub(crate) async fn carry_out(
        &self,
        claim: &Claim,
        options: &RunOptions,
        pulse: &Pulse<'_>,
        progress: &dyn Progress,
    ) -> Result<Ended> {
        let kind = match claim.command.mode {
            Mode::Incremental => RunKind::Incremental,
            Mode::Full => RunKind::Full,
            Mode::Range(_) => RunKind::Backfill,
        };
        let mut known = Known {
            kind,
            days: DayRange::new(0, 0),
            rows_read: 0,
            control: Figures::default(),
            arrivals: Arrivals::new(),
            manifest: Manifest::default(),
        };
        let ended = self.publish(claim, options, &mut known, pulse, progress).await;
        if let Err(error) = &ended {
            self.record_failure(claim, &known, error).await;
        }
        ended
    }

    async fn publish(
        &self,
        claim: &Claim,
        options: &RunOptions,
        known: &mut Known,
        pulse: &Pulse<'_>,
        progress: &dyn Progress,
    ) -> Result<Ended> {
        let warehouse = self.warehouse().as_ref();
        let published = warehouse.read(DayRange::new(0, 0)).await?;
        if let Some(record) = published.run.as_ref().filter(|record| record.key == claim.key) {
            // Known before anything is computed: a run that is published already needs no figures.
            return Ok(Ended::AlreadyPublished(record.clone()));
        }
        progress.step(Step::Reading);
        let today = self.ledger().settings().business_date(claim.started_at)?;
        let (source, view) = Source::open(self.ledger(), today).await?;
        if view.unfinished != Some(claim.key.id) {
            return Err(lease::lost().with("run", claim.key.id));
        }
        known.arrivals.clone_from(&view.arrivals);
        let plan = Plan::new(self, &claim.command, &view, &published).await?;
        (known.kind, known.days) = (plan.kind, if plan.is_full() { DayRange::new(0, 0) } else { plan.days.hull() });
        if let Some(shown) = self.unchanged(claim, &view, &published, &plan).await? {
            return self.publish_unchanged(claim, known, &plan, &shown, pulse, progress).await;
        }
        let mut staged = match warehouse.open(&claim.key, &plan.scope()).await? {
            Opening::Staged(staged) => staged,
            Opening::AlreadyPublished(receipt) => return Ok(Ended::AlreadyPublished(receipt.record)),
        };
        let before = published.run.as_ref().map(|record| record.key);
        let prepared = async {
            let reading = Reading { path: options.path, progress, pulse: Some(pulse) };
            let prepared =
                self.prepare(claim, options, known, (source, &view), &plan, reading, staged.as_mut()).await?;
            confirm_published(warehouse, before).await?;
            pulse.beat().await?;
            state::confirm(self.ledger(), claim).await?;
            Ok(prepared)
        };
        let prepared = match prepared.await {
            Ok(prepared) => prepared,
            Err(error) => {
                self.discard(claim, staged).await;
                return Err(error);
            }
        };
        progress.step(Step::Publishing);
        let record = self.record(claim, known, RunOutcome::Published, None);
        let receipt = staged.publish(&prepared.totals.control, &record).await?;
        if receipt.record != record {
            // An earlier attempt, which this one had taken for dead, was faster.
            return Ok(Ended::AlreadyPublished(receipt.record));
        }
        let Prepared { restatements, warning, .. } = prepared;
        Ok(Ended::Published { record: receipt.record, restatements, warning })
    }

    /// The published run of which nothing would differ, if so: no day was touched, no period is closed or opened, and what
    /// depends on the date and what is small is as it is published.
    async fn unchanged(
        &self,
        claim: &Claim,
        view: &View,
        published: &Published,
        plan: &Plan,
    ) -> Result<Option<RunKey>> {
        let RunCommand { mode: _, close, reopen } = &claim.command;
        let replaces = plan.replaces_days() || !close.is_empty() || !reopen.is_empty();
        if replaces || !same_dimensions(published, &view.dimensions) {
            return Ok(None);
        }
        let totals = Totals::default();
        let metrics = Metrics { ledger: self.ledger(), view, totals: &totals };
        let metrics = metrics.incremental(self.warehouse().as_ref(), plan, &Before::default()).await?;
        let same = metrics.iter().all(|metrics| metrics.month.is_none() && metrics.rows == plan.all_time);
        Ok(published.run.as_ref().filter(|_| same).map(|record| record.key))
    }

    /// Publishes nothing but the record. An attempt that has lost its lease does no harm: it says the same of a key as any
    /// other that saw nothing to do, and where one saw more to do, that is marked and waits for the next run.
    async fn publish_unchanged(
        &self,
        claim: &Claim,
        known: &mut Known,
        plan: &Plan,
        shown: &RunKey,
        pulse: &Pulse<'_>,
        progress: &dyn Progress,
    ) -> Result<Ended> {
        known.manifest = manifest(&claim.command, &plan.days, &[], self.agent_figures())?;
        pulse.check_deadline()?;
        progress.step(Step::Publishing);
        let record = self.record(claim, known, RunOutcome::Published, None);
        let receipt = self.warehouse().publish_unchanged(&record, shown).await?;
        if receipt.record != record {
            return Ok(Ended::AlreadyPublished(receipt.record));
        }
        Ok(Ended::Published { record: receipt.record, restatements: 0, warning: None })
    }

    /// Computes, checks and stages.
    #[expect(clippy::too_many_arguments, reason = "all that an attempt has gathered goes into its stage")]
    async fn prepare(
        &self,
        claim: &Claim,
        options: &RunOptions,
        known: &mut Known,
        (source, view): (Source, &View),
        plan: &Plan,
        reading: Reading<'_>,
        staged: &mut dyn StagedRun,
    ) -> Result<Prepared> {
        let warehouse = self.warehouse().as_ref();
        let closed = closed_days(&warehouse.closings().await?, &claim.command.reopen);
        let before = Before::read(warehouse, plan, &closed).await?;
        let path = match self.agent_figures() {
            None => choose(reading.path, &self.ledger().store().info(), &plan.days, &before.cells),
            // Their postings are read in any case.
            Some(_) => reading.path,
        };
        let reading = Reading { path, ..reading };
        let agents_kept = kept(warehouse, plan).await?;
        let summing = source.sum_planned(plan, self.agent_figures(), &reading, &mut known.rows_read);
        let ((totals, agents), published_sales) = try_join(summing, guard::read_ahead(warehouse, plan)).await?;
        if plan.is_full() {
            let days = &totals.control.days;
            let hull = days.first().zip(days.last()).map(|(first, last)| DayRange::inclusive(first.day, last.day));
            known.days = hull.unwrap_or(known.days);
        }
        known.control = totals.control.total()?;
        let warning = guard::check(
            warehouse,
            (plan, claim.command.mode),
            (&before, published_sales),
            &totals,
            options.allow_shrink,
        )
        .await?;
        let metrics = Metrics { ledger: self.ledger(), view, totals: &totals };
        let metrics =
            if plan.is_full() { metrics.full()? } else { metrics.incremental(warehouse, plan, &before).await? };
        let restatements = restatements(claim.key, &closed, &before.cells, &totals.cells);
        known.manifest = manifest(&claim.command, &plan.days, &totals.cells, self.agent_figures())?;

        reading.progress.step(Step::Staging);
        // Asked twice: here, so that nothing gets between the rows of an attempt that has taken over, and once all is
        // staged, because that may have taken a while.
        state::confirm(self.ledger(), claim).await?;
        let rows = Rows {
            dimensions: &view.dimensions,
            metrics,
            restatements: &restatements,
            command: &claim.command,
            agents: &agents,
            agents_kept,
            cells: &totals.cells,
        };
        if let Some(pulse) = reading.pulse {
            stage(staged, rows, pulse, reading.progress).await?;
        }
        Ok(Prepared { restatements: restatements.len(), totals, warning })
    }

    /// Removes the stage of an attempt that broke off, unless another attempt at the run works on it by now.
    async fn discard(&self, claim: &Claim, staged: Box<dyn StagedRun>) {
        if let Err(unsure) = state::confirm(self.ledger(), claim).await {
            tracing::debug!(run = %claim.key.id, error = %unsure, "stage is left for the next run to remove");
        } else if let Err(left) = staged.discard().await {
            tracing::warn!(run = %claim.key.id, error = %left, "stage could not be removed; the next run does it");
        }
    }

    fn record(&self, claim: &Claim, known: &Known, outcome: RunOutcome, error: Option<String>) -> RunRecord {
        RunRecord {
            key: claim.key,
            kind: known.kind,
            days: known.days,
            started_at: claim.started_at,
            finished_at: self.ledger().clock().now(),
            rows_read: known.rows_read,
            control: known.control,
            last_arrivals: known.arrivals.clone(),
            outcome,
            error,
            manifest: if outcome == RunOutcome::Published { known.manifest.clone() } else { Manifest::default() },
        }
    }

    async fn record_failure(&self, claim: &Claim, known: &Known, error: &Error) {
        let outcome = if error.kind() == ErrorKind::Refused { RunOutcome::Refused } else { RunOutcome::Failed };
        tracing::debug!(run = %claim.key.id, error = %error, outcome = outcome.name(), "run did not publish");
        let record = self.record(claim, known, outcome, Some(publishable(error)));
        if let Err(lost) = self.warehouse().record(&record).await {
            tracing::warn!(run = %claim.key.id, error = %lost, "the warehouse did not take the record of the run");
        }
    }
}

/// What a record in the warehouse may tell about an error beside its message: dates, numbers, and what kind of group. Any
/// other context may hold what an agent is called, or its code.
const PUBLISHABLE: [&str; 18] = [
    "currency",
    "day",
    "deadline",
    "dimension",
    "epoch",
    "granularity",
    "grouped",
    "known_version",
    "month",
    "number",
    "plain",
    "published_epoch",
    "published_number",
    "run",
    "sales",
    "sales_before",
    "schema_version",
    "until_at_most",
];

/// An error as the warehouse may hold it: with that much of its context, and without causes, whose texts nobody knows.
fn publishable(error: &Error) -> String {
    let mut text = error.message().to_owned();
    for (key, value) in error.context().filter(|(key, _)| PUBLISHABLE.contains(key)) {
        text.push_str("; ");
        text.push_str(key);
        text.push_str(": ");
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod tests {
    use moon_core::{AgentCode, Text};

    use super::*;

    #[test]
    fn a_record_tells_numbers_and_dates_and_nothing_about_agents() {
        let refused = Error::new(ErrorKind::Refused, "too few").with("sales", 3).with("sales_before", 9);
        assert_eq!(publishable(&refused), "too few; sales: 3; sales_before: 9");
        let unreadable = Text::new("email", "agt001@example.org\t").unwrap_err();
        let faulty = AgentCode::new(" AGT001").unwrap_err();
        let unknown = Error::invalid("agent is not known").with("agent", "AGT001").with("code", "AGT001");
        for error in [unreadable, faulty, unknown.caused_by(Error::invalid("no AGT001"))] {
            let text = publishable(&error).to_uppercase();
            assert!(!text.contains("AGT001") && !text.is_empty(), "{text}");
        }
    }
}
