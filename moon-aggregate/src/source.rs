//! One snapshot of the ledger: what changed, what goes with the figures, and the sums.

use futures_util::TryStreamExt;
use moon_core::{
    BusinessDate, DaySet, Dimension, Error, ErrorKind, Fold, FoldPlan, Granularity, Ledger, Mark, PostingBatch,
    PostingFilter, Published, Pushdown, Result, RunKey, Totals, TotalsPlan, TxMode, UnitOfWork,
};
use uuid::Uuid;

use crate::agents::{AgentFigures, AgentTotals};
use crate::command::Path;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::pulse::Pulse;
use crate::state::{Arrivals, Waiting};

/// A snapshot, for its postings.
pub(crate) struct Source {
    unit: Box<dyn UnitOfWork>,
    sums: bool,
}

/// What a snapshot shows beside postings.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// The business date of the run.
    pub(crate) today: BusinessDate,
    /// Teams, branches, products and targets; no sums.
    pub(crate) dimensions: Published,
    /// Every day on which a posting may differ from what is published.
    pub(crate) touched: DaySet,
    /// All marks that name neither a day nor a source, in no order.
    pub(crate) other_marks: Vec<Mark>,
    /// When the last message of each source arrived that the snapshot shows.
    pub(crate) arrivals: Arrivals,
    /// The run that is unfinished.
    pub(crate) unfinished: Option<Uuid>,
    /// The run whose marks were settled last.
    pub(crate) settled: Option<RunKey>,
}

impl Source {
    /// Opens a snapshot and reads everything but postings.
    ///
    /// The touched days are those that the unfinished run has claimed and, beside them, those of marks that came between
    /// its claim and the snapshot. The latter stay open, so that the next run computes these days once more; but without
    /// them, what is published would be a mixture: a sale that has moved from one day to another, say, might count on both.
    pub(crate) async fn open(ledger: &Ledger, today: BusinessDate) -> Result<(Self, View)> {
        let mut unit = ledger.store().begin(TxMode::ReadOnly).await?;
        let waiting = Waiting::read(unit.as_mut()).await?;
        let unfinished = waiting.unfinished().map(|state| state.key.id);
        let dimensions = ledger.dimensions_in(unit.as_mut(), today).await?;
        let sums = ledger.store().info().sums;
        // What the other marks touch is small, and is compared with what is published as a whole.
        let Waiting { state, days: touched, others: other_marks, arrivals } = waiting;
        let settled = state.and_then(|state| state.settled);
        Ok((Self { unit, sums }, View { today, dimensions, touched, other_marks, arrivals, unfinished, settled }))
    }

    /// The cells by team, branch and product of these days, and their plain sums; the snapshot stays open.
    async fn sum_part(&mut self, days: &DaySet, how: &Reading<'_>, rows_read: &mut u64) -> Result<Totals> {
        if days.is_empty() {
            return Ok(Totals::default());
        }
        match how.path {
            Path::Sql => self.sum_in_store(days).await,
            Path::Auto | Path::Fold => {
                let plan = FoldPlan::daily(&Dimension::DAILY, days.clone());
                let [totals] = self.fold([plan], how, rows_read).await?;
                Ok(totals)
            }
        }
    }

    /// All that a plan computes, the figures of agents too. Ends the snapshot.
    pub(crate) async fn sum_planned(
        mut self,
        plan: &Plan,
        agents: Option<&AgentFigures>,
        how: &Reading<'_>,
        rows_read: &mut u64,
    ) -> Result<(Totals, AgentTotals)> {
        let agents = agents.map(|agents| (agents, &plan.agent_days));
        let (totals, by_agent) = self.sum_with_agents(&plan.days, agents, how, rows_read).await?;
        if plan.is_full() && agents.is_some_and(|(_, days)| !days.is_empty()) {
            by_agent.check(&totals.control)?;
        }
        self.close().await?;
        Ok((totals, by_agent))
    }

    /// The cells of these days, and the figures of agents of the months of which the other days are made, in one pass over
    /// the postings; the snapshot stays open.
    pub(crate) async fn sum_with_agents(
        &mut self,
        days: &DaySet,
        agents: Option<(&AgentFigures, &DaySet)>,
        how: &Reading<'_>,
        rows_read: &mut u64,
    ) -> Result<(Totals, AgentTotals)> {
        let Some((agents, agent_days)) = agents.filter(|(_, agent_days)| !agent_days.is_empty()) else {
            return Ok((self.sum_part(days, how, rows_read).await?, AgentTotals::default()));
        };
        let by_month =
            FoldPlan { granularity: Granularity::Month, ..FoldPlan::daily(&[Dimension::Agent], agent_days.clone()) };
        let (totals, by_agent) = match how.path {
            Path::Sql => {
                // A store sums by day, which makes many times as many rows of agents.
                let [by_agent] = self.fold([by_month], how, rows_read).await?;
                (self.sum_in_store(days).await?, by_agent)
            }
            Path::Auto | Path::Fold => {
                let daily = FoldPlan::daily(&Dimension::DAILY, days.clone());
                let [totals, by_agent] = self.fold([daily, by_month], how, rows_read).await?;
                (totals, by_agent)
            }
        };
        let by_agent = AgentTotals::new(self.unit.as_mut(), agents, by_agent).await?;
        Ok((totals, by_agent))
    }

    /// Ends the snapshot.
    pub(crate) async fn close(self) -> Result<()> {
        self.unit.rollback().await
    }

    async fn sum_in_store(&mut self, days: &DaySet) -> Result<Totals> {
        let plan = TotalsPlan { filter: PostingFilter::days(days.clone()), dimensions: Dimension::DAILY.to_vec() };
        if self.sums
            && let Pushdown::Answered(totals) = self.unit.postings().totals(&plan).await?
        {
            return Ok(totals);
        }
        Err(Error::new(ErrorKind::Unsupported, "the store does not sum postings itself"))
    }

    /// Reading and folding take turns on one thread: a posting costs the fold a few nanoseconds, a hundredth of what a
    /// store on disk takes to bring it, so a second thread would have nothing to gain.
    async fn fold<const N: usize>(
        &mut self,
        plans: [FoldPlan; N],
        how: &Reading<'_>,
        rows_read: &mut u64,
    ) -> Result<[Totals; N]> {
        let days = plans.iter().flat_map(|plan| plan.days.ranges()).copied().collect();
        let without_agents = !plans.iter().any(|plan| plan.dimensions.contains(&Dimension::Agent));
        let mut folds = plans.map(Fold::new);
        let filter = PostingFilter { without_agents, ..PostingFilter::days(days) };
        let mut batches = self.unit.postings().scan(&filter);
        while let Some(batch) = batches.try_next().await? {
            for fold in &mut folds {
                fold.push(&batch)?;
            }
            *rows_read += u64::try_from(batch.len()).unwrap_or(0);
            if let Some(day) = last_day(&batch) {
                how.progress.read(*rows_read, day);
            }
            if let Some(pulse) = how.pulse {
                pulse.beat().await?;
            }
        }
        drop(batches);
        let mut totals = std::array::from_fn(|_| Totals::default());
        for (totals, fold) in totals.iter_mut().zip(folds) {
            *totals = fold.finish()?;
        }
        Ok(totals)
    }
}

/// How postings are read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) path: Path,
    pub(crate) progress: &'a dyn Progress,
    /// That of a run; who only looks has none.
    pub(crate) pulse: Option<&'a Pulse<'a>>,
}

fn last_day(batch: &PostingBatch) -> Option<BusinessDate> {
    let days = batch.sales.day.last().into_iter().chain(batch.adjustments.postings.day.last());
    days.max().and_then(|day| BusinessDate::from_epoch_day(*day).ok())
}
