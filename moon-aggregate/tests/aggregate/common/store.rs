//! A store that breaks once, at the beginning or at the end of a unit of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use moon_core::{
    AgentRepository, AuditRepository, Error, ErrorKind, MarkRepository, OrganisationRepository, PostingSource,
    ProductRepository, RecordRepository, Result, SaleRepository, Store, StoreInfo, TxMode, UnitOfWork,
};

const NEVER: usize = usize::MAX;

/// Breaks at the n-th of these points: a beginning; an end before it takes effect; an end after it took effect.
#[derive(Debug, Clone)]
pub(crate) struct BreakingStore {
    inner: Arc<dyn Store>,
    /// Points that are still let pass.
    left: Arc<AtomicUsize>,
}

impl BreakingStore {
    /// One that does not break until told.
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, left: Arc::new(AtomicUsize::new(NEVER)) }
    }

    pub(crate) fn break_at(&self, nth: usize) {
        self.left.store(nth, Ordering::SeqCst);
    }

    /// Whether the point has not been reached.
    pub(crate) fn is_unbroken(&self) -> bool {
        self.left.load(Ordering::SeqCst) != NEVER
    }

    fn pass(&self) -> Result<()> {
        match self.left.load(Ordering::SeqCst) {
            NEVER => Ok(()),
            0 => {
                self.left.store(NEVER, Ordering::SeqCst);
                Err(Error::new(ErrorKind::Backend, "the store broke"))
            }
            left => {
                self.left.store(left - 1, Ordering::SeqCst);
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Store for BreakingStore {
    fn info(&self) -> StoreInfo {
        self.inner.info()
    }

    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>> {
        self.pass()?;
        Ok(Box::new(BreakingUnit { inner: self.inner.begin(mode).await?, store: self.clone() }))
    }

    async fn migrate(&self) -> Result<()> {
        self.inner.migrate().await
    }

    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }
}

struct BreakingUnit {
    inner: Box<dyn UnitOfWork>,
    store: BreakingStore,
}

#[async_trait]
impl UnitOfWork for BreakingUnit {
    fn organisation(&mut self) -> &mut dyn OrganisationRepository {
        self.inner.organisation()
    }
    fn agents(&mut self) -> &mut dyn AgentRepository {
        self.inner.agents()
    }
    fn products(&mut self) -> &mut dyn ProductRepository {
        self.inner.products()
    }
    fn sales(&mut self) -> &mut dyn SaleRepository {
        self.inner.sales()
    }
    fn postings(&mut self) -> &mut dyn PostingSource {
        self.inner.postings()
    }
    fn marks(&mut self) -> &mut dyn MarkRepository {
        self.inner.marks()
    }
    fn audit(&mut self) -> &mut dyn AuditRepository {
        self.inner.audit()
    }
    fn records(&mut self) -> &mut dyn RecordRepository {
        self.inner.records()
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.store.pass()?;
        self.inner.commit().await?;
        self.store.pass()
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.store.pass()?;
        self.inner.rollback().await?;
        self.store.pass()
    }
}
