//! One snapshot of the ledger: what changed, what goes with the figures, and the sums.

use futures_util::TryStreamExt;
use moon_core::{
    BusinessDate, DaySet, Dimension, Error, ErrorKind, Fold, FoldPlan, Ledger, Mark, PostingBatch, PostingFilter,
    Published, Pushdown, Result, RunKey, Totals, TotalsPlan, TxMode, UnitOfWork,
};
use uuid::Uuid;

use crate::command::Path;
use crate::progress::Progress;
use crate::pulse::Pulse;

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
        let state = crate::state::read(unit.as_mut()).await?.map(|(state, _)| state);
        let unfinished = state.as_ref().filter(|state| !state.finished).map(|state| state.key.id);
        let mut marks = unit.marks().open().await?;
        if let Some(run) = unfinished {
            marks.extend(unit.marks().claimed(run).await?);
        }
        let days = marks.into_iter().filter_map(|mark| match mark {
            Mark::Day(day) => Some(day),
            // What they touch is small, and is compared with what is published as a whole.
            Mark::Target { .. } | Mark::Dimensions => None,
        });
        let touched = days.collect();
        let dimensions = ledger.dimensions_in(unit.as_mut(), today).await?;
        let settled = state.and_then(|state| state.settled);
        let sums = ledger.store().info().sums;
        Ok((Self { unit, sums }, View { today, dimensions, touched, unfinished, settled }))
    }

    /// The cells by team, branch and product of these days, and their plain sums. Ends the snapshot.
    pub(crate) async fn sum(mut self, days: &DaySet, how: &Reading<'_>, rows_read: &mut u64) -> Result<Totals> {
        let totals = if days.is_empty() {
            Totals::default()
        } else {
            match how.path {
                Path::Sql => self.sum_in_store(days).await?,
                Path::Auto | Path::Fold => self.fold(days, how, rows_read).await?,
            }
        };
        self.unit.rollback().await?;
        Ok(totals)
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
    async fn fold(&mut self, days: &DaySet, how: &Reading<'_>, rows_read: &mut u64) -> Result<Totals> {
        let mut fold = Fold::new(FoldPlan::daily(&Dimension::DAILY, days.clone()));
        let filter = PostingFilter::days(days.clone());
        let mut batches = self.unit.postings().scan(&filter);
        while let Some(batch) = batches.try_next().await? {
            fold.push(&batch)?;
            *rows_read += u64::try_from(batch.len()).unwrap_or(0);
            if let Some(day) = last_day(&batch) {
                how.progress.read(*rows_read, day);
            }
            if let Some(pulse) = how.pulse {
                pulse.beat().await?;
            }
        }
        drop(batches);
        fold.finish()
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
