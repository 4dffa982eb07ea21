//! A warehouse that fails or lies where a test wants it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use moon_core::{
    AgentCell, Cell, Closing, ControlTotals, DayRange, Error, ErrorKind, Opening, Period, ProductMetrics, Published,
    Receipt, Restatement, Result, RunKey, RunRecord, Scope, StagedRows, StagedRun, Warehouse,
};
use uuid::Uuid;

/// What happens at a call.
pub(crate) enum Trick {
    /// The process dies before `open` has an effect.
    DieAtOpen,
    /// The process dies before rows of some kind are staged.
    DieAtWrite,
    /// The process dies before anything is published.
    DieBeforePublishing,
    /// The process dies after everything was published, before it hears of it.
    DieAfterPublishing,
    /// A cell is lost on the way into the stage.
    LoseCell,
    /// Something else happens right before rows are staged.
    AtWrite(Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>),
}

/// Plays one trick after the other, each where it can first be played; then it behaves.
#[derive(Clone)]
pub(crate) struct Tricky {
    inner: Arc<dyn Warehouse>,
    tricks: Arc<Mutex<VecDeque<Trick>>>,
}

impl Tricky {
    pub(crate) fn new(inner: Arc<dyn Warehouse>, tricks: impl IntoIterator<Item = Trick>) -> Arc<Self> {
        Arc::new(Self { inner, tricks: Arc::new(Mutex::new(tricks.into_iter().collect())) })
    }

    fn next(&self, plays: impl FnOnce(&Trick) -> bool) -> Option<Trick> {
        let mut tricks = self.tricks.lock().unwrap();
        if tricks.front().is_some_and(plays) { tricks.pop_front() } else { None }
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.tricks.lock().unwrap().is_empty()
    }
}

fn died() -> Error {
    Error::new(ErrorKind::Backend, "the process died")
}

impl fmt::Debug for Tricky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tricky")
    }
}

#[async_trait]
impl Warehouse for Tricky {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn migrate(&self) -> Result<()> {
        self.inner.migrate().await
    }

    async fn open(&self, run: &RunKey, scope: &Scope) -> Result<Opening> {
        if self.next(|trick| matches!(trick, Trick::DieAtOpen)).is_some() {
            return Err(died());
        }
        Ok(match self.inner.open(run, scope).await? {
            Opening::Staged(inner) => Opening::Staged(Box::new(TrickyStage { inner, tricks: self.clone() })),
            Opening::AlreadyPublished(receipt) => Opening::AlreadyPublished(receipt),
        })
    }

    async fn publish_unchanged(&self, record: &RunRecord, shown: &RunKey) -> Result<Receipt> {
        match self.next(|trick| !matches!(trick, Trick::DieAfterPublishing | Trick::LoseCell)) {
            Some(Trick::AtWrite(happen)) => happen().await,
            Some(_) => return Err(died()),
            None => {}
        }
        let receipt = self.inner.publish_unchanged(record, shown).await?;
        if self.next(|trick| matches!(trick, Trick::DieAfterPublishing)).is_some() {
            return Err(died());
        }
        Ok(receipt)
    }

    async fn read(&self, days: DayRange) -> Result<Published> {
        self.inner.read(days).await
    }

    async fn cells(&self, days: DayRange) -> Result<Vec<Cell>> {
        self.inner.cells(days).await
    }

    async fn product_metrics(&self, months: DayRange) -> Result<Vec<ProductMetrics>> {
        self.inner.product_metrics(months).await
    }

    async fn agent_cells(&self, months: DayRange) -> Result<Vec<AgentCell>> {
        self.inner.agent_cells(months).await
    }

    async fn closings(&self) -> Result<Vec<Closing>> {
        self.inner.closings().await
    }

    async fn closed_cells(&self, period: Period, closed_by: Uuid) -> Result<Vec<Cell>> {
        self.inner.closed_cells(period, closed_by).await
    }

    async fn restatements(&self, days: DayRange) -> Result<Vec<Restatement>> {
        self.inner.restatements(days).await
    }

    async fn record(&self, record: &RunRecord) -> Result<()> {
        self.inner.record(record).await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>> {
        self.inner.runs(limit).await
    }
}

struct TrickyStage {
    inner: Box<dyn StagedRun>,
    tricks: Tricky,
}

#[async_trait]
impl StagedRun for TrickyStage {
    async fn write(&mut self, mut rows: StagedRows) -> Result<()> {
        if let StagedRows::Cells(cells) = &mut rows
            && self.tricks.next(|trick| matches!(trick, Trick::LoseCell)).is_some()
        {
            cells.pop();
        }
        match self.tricks.next(|trick| matches!(trick, Trick::DieAtWrite | Trick::AtWrite(_))) {
            Some(Trick::AtWrite(happen)) => happen().await,
            Some(_) => return Err(died()),
            None => {}
        }
        self.inner.write(rows).await
    }

    async fn publish(self: Box<Self>, control: &ControlTotals, record: &RunRecord) -> Result<Receipt> {
        if self.tricks.next(|trick| matches!(trick, Trick::DieBeforePublishing)).is_some() {
            return Err(died());
        }
        let receipt = self.inner.publish(control, record).await?;
        if self.tricks.next(|trick| matches!(trick, Trick::DieAfterPublishing)).is_some() {
            return Err(died());
        }
        Ok(receipt)
    }

    async fn discard(self: Box<Self>) -> Result<()> {
        self.inner.discard().await
    }
}
