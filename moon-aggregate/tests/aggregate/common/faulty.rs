//! A warehouse that fails at one call.

use std::future::Future;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use moon_core::{
    AgentCell, Cell, Closing, ControlTotals, DayRange, Error, Opening, Period, ProductMetrics, Published, Receipt,
    Restatement, Result, RunKey, RunRecord, Scope, StagedRows, StagedRun, Warehouse,
};
use moon_testkit::faulty::{Fault, Moment};
use uuid::Uuid;

/// Counts the calls of a warehouse and of its stages; those that the fault names fail.
#[derive(Debug, Clone)]
pub(crate) struct FaultyWarehouse {
    inner: Arc<dyn Warehouse>,
    fault: Fault,
    calls: Arc<Mutex<usize>>,
}

impl FaultyWarehouse {
    pub(crate) fn new(inner: Arc<dyn Warehouse>, fault: Fault) -> Arc<Self> {
        Arc::new(Self { inner, fault, calls: Arc::default() })
    }

    /// Whether the fault came to pass.
    pub(crate) fn has_failed(&self) -> bool {
        *self.calls.lock().unwrap() > self.fault.at
    }

    async fn pass<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls - 1
        };
        let Fault { at, times, moment, kind } = self.fault;
        if number < at || number - at >= times {
            return call.await;
        }
        if moment == Moment::After {
            call.await?;
        }
        Err(Error::new(kind, "call was made to fail"))
    }
}

#[async_trait]
impl Warehouse for FaultyWarehouse {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn migrate(&self) -> Result<()> {
        self.pass(self.inner.migrate()).await
    }

    async fn open(&self, run: &RunKey, scope: &Scope) -> Result<Opening> {
        Ok(match self.pass(self.inner.open(run, scope)).await? {
            Opening::Staged(inner) => Opening::Staged(Box::new(FaultyStage { inner, warehouse: self.clone() })),
            Opening::AlreadyPublished(receipt) => Opening::AlreadyPublished(receipt),
        })
    }

    async fn publish_unchanged(&self, record: &RunRecord, shown: &RunKey) -> Result<Receipt> {
        self.pass(self.inner.publish_unchanged(record, shown)).await
    }

    async fn read(&self, days: DayRange) -> Result<Published> {
        self.pass(self.inner.read(days)).await
    }

    async fn cells(&self, days: DayRange) -> Result<Vec<Cell>> {
        self.pass(self.inner.cells(days)).await
    }

    async fn product_metrics(&self, months: DayRange) -> Result<Vec<ProductMetrics>> {
        self.pass(self.inner.product_metrics(months)).await
    }

    async fn agent_cells(&self, months: DayRange) -> Result<Vec<AgentCell>> {
        self.pass(self.inner.agent_cells(months)).await
    }

    async fn closings(&self) -> Result<Vec<Closing>> {
        self.pass(self.inner.closings()).await
    }

    async fn closed_cells(&self, period: Period, closed_by: Uuid) -> Result<Vec<Cell>> {
        self.pass(self.inner.closed_cells(period, closed_by)).await
    }

    async fn restatements(&self, days: DayRange) -> Result<Vec<Restatement>> {
        self.pass(self.inner.restatements(days)).await
    }

    async fn record(&self, record: &RunRecord) -> Result<()> {
        self.pass(self.inner.record(record)).await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>> {
        self.pass(self.inner.runs(limit)).await
    }
}

struct FaultyStage {
    inner: Box<dyn StagedRun>,
    warehouse: FaultyWarehouse,
}

#[async_trait]
impl StagedRun for FaultyStage {
    async fn write(&mut self, rows: StagedRows) -> Result<()> {
        self.warehouse.pass(self.inner.write(rows)).await
    }

    async fn publish(self: Box<Self>, control: &ControlTotals, record: &RunRecord) -> Result<Receipt> {
        self.warehouse.pass(self.inner.publish(control, record)).await
    }

    async fn discard(self: Box<Self>) -> Result<()> {
        self.warehouse.pass(self.inner.discard()).await
    }
}
