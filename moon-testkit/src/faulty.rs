//! A store that fails when it is told to.
//!
//! [`FaultyStore`] passes every call on to another store and counts it. The call whose number a [`Fault`] names fails,
//! either before it reached the store or after it took effect, as calls do when a connection breaks.
#![deny(clippy::missing_trait_methods)]

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;
use moon_core::{
    Agent, AgentCode, AgentRepository, Assignment, AuditEntry, AuditRepository, Branch, BranchCode, Error, ErrorKind,
    Expected, Lock, Mark, MarkCounts, MarkRepository, OrganisationRepository, Page, PageRequest, PostingBatch,
    PostingFilter, PostingSource, Product, ProductCode, ProductRepository, Pushdown, Record, RecordKey,
    RecordRepository, Reference, Result, Sale, SaleChange, SaleId, SaleKey, SaleQuery, SaleRepository, Source, Store,
    StoreInfo, StoredMessage, Target, TargetKey, Team, TeamCode, TotalsPlan, TxMode, UnitOfWork, Version,
};
use uuid::Uuid;

/// When a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before it reached the store: it has no effect.
    Before,
    /// After it took effect.
    After,
}

/// Which calls fail, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The number of the first call that fails; the first call of all is 0.
    pub at: usize,
    /// How many calls fail from there on.
    pub times: usize,
    /// Before or after they took effect.
    pub moment: Moment,
    /// With what kind of error.
    pub kind: ErrorKind,
}

/// A store that fails when it is told to; see the [module](self).
#[derive(Debug, Clone)]
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    plan: Plan,
}

impl FaultyStore {
    /// Passes calls on to a store; none fails until a fault is set.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, plan: Plan::default() }
    }

    /// Starts counting anew, with another fault or none.
    pub fn set(&self, fault: Option<Fault>) {
        *self.plan.state() = State { fault, ..State::default() };
    }

    /// How many calls there were since the fault was set: every asynchronous method of every port, a commit or a rollback
    /// among them. A unit that is dropped is not a call.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.plan.state().calls
    }

    /// How many of them failed by the fault.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.plan.state().failures
    }
}

#[derive(Debug, Clone, Default)]
struct Plan(Arc<Mutex<State>>);

#[derive(Debug, Clone, Copy, Default)]
struct State {
    calls: usize,
    failures: usize,
    fault: Option<Fault>,
}

impl Plan {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call; the fault that hits it, if any.
    fn count(&self) -> Option<Fault> {
        let mut state = self.state();
        let number = state.calls;
        state.calls += 1;
        let hits = |fault: &Fault| number >= fault.at && number - fault.at < fault.times;
        let fault = state.fault.filter(hits);
        state.failures += usize::from(fault.is_some());
        fault
    }

    async fn pass<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        match self.count() {
            None => call.await,
            Some(fault) => {
                if fault.moment == Moment::After {
                    // An error of the store's own is the better story.
                    call.await?;
                }
                Err(failure(fault))
            }
        }
    }
}

fn failure(fault: Fault) -> Error {
    Error::new(fault.kind, "call was made to fail").with("moment", format_args!("{:?}", fault.moment))
}

#[async_trait]
impl Store for FaultyStore {
    fn info(&self) -> StoreInfo {
        self.inner.info()
    }

    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>> {
        let inner = self.plan.pass(self.inner.begin(mode)).await?;
        Ok(Box::new(FaultyUnit { inner, plan: self.plan.clone() }))
    }

    async fn migrate(&self) -> Result<()> {
        self.plan.pass(self.inner.migrate()).await
    }

    async fn ping(&self) -> Result<()> {
        self.plan.pass(self.inner.ping()).await
    }
}

struct FaultyUnit {
    inner: Box<dyn UnitOfWork>,
    plan: Plan,
}

#[async_trait]
impl UnitOfWork for FaultyUnit {
    fn organisation(&mut self) -> &mut dyn OrganisationRepository {
        self
    }
    fn agents(&mut self) -> &mut dyn AgentRepository {
        self
    }
    fn products(&mut self) -> &mut dyn ProductRepository {
        self
    }
    fn sales(&mut self) -> &mut dyn SaleRepository {
        self
    }
    fn postings(&mut self) -> &mut dyn PostingSource {
        self
    }
    fn marks(&mut self) -> &mut dyn MarkRepository {
        self
    }
    fn audit(&mut self) -> &mut dyn AuditRepository {
        self
    }
    fn records(&mut self) -> &mut dyn RecordRepository {
        self
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        let Self { inner, plan } = *self;
        plan.pass(inner.commit()).await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        let Self { inner, plan } = *self;
        plan.pass(inner.rollback()).await
    }
}

#[async_trait]
impl OrganisationRepository for FaultyUnit {
    async fn find_teams(&mut self, codes: &[TeamCode]) -> Result<Vec<Option<Team>>> {
        self.plan.pass(self.inner.organisation().find_teams(codes)).await
    }
    async fn find_branches(&mut self, codes: &[BranchCode]) -> Result<Vec<Option<Branch>>> {
        self.plan.pass(self.inner.organisation().find_branches(codes)).await
    }
    async fn put_team(&mut self, team: &Team, expected: Option<Version>) -> Result<()> {
        self.plan.pass(self.inner.organisation().put_team(team, expected)).await
    }
    async fn put_branch(&mut self, branch: &Branch, expected: Option<Version>) -> Result<()> {
        self.plan.pass(self.inner.organisation().put_branch(branch, expected)).await
    }
    async fn list_teams(&mut self, page: &PageRequest) -> Result<Page<Team>> {
        self.plan.pass(self.inner.organisation().list_teams(page)).await
    }
    async fn list_branches(&mut self, page: &PageRequest) -> Result<Page<Branch>> {
        self.plan.pass(self.inner.organisation().list_branches(page)).await
    }
}

#[async_trait]
impl AgentRepository for FaultyUnit {
    async fn find(&mut self, codes: &[AgentCode], lock: Lock) -> Result<Vec<Option<Agent>>> {
        self.plan.pass(self.inner.agents().find(codes, lock)).await
    }
    async fn put(&mut self, agent: &Agent, expected: Option<Version>) -> Result<()> {
        self.plan.pass(self.inner.agents().put(agent, expected)).await
    }
    async fn list(&mut self, page: &PageRequest) -> Result<Page<Agent>> {
        self.plan.pass(self.inner.agents().list(page)).await
    }
    async fn assignments(&mut self, agents: &[AgentCode]) -> Result<Vec<Assignment>> {
        self.plan.pass(self.inner.agents().assignments(agents)).await
    }
    async fn add_assignment(&mut self, assignment: &Assignment) -> Result<()> {
        self.plan.pass(self.inner.agents().add_assignment(assignment)).await
    }
    async fn assignment_history(&mut self, agent: &AgentCode) -> Result<Vec<Assignment>> {
        self.plan.pass(self.inner.agents().assignment_history(agent)).await
    }
}

#[async_trait]
impl ProductRepository for FaultyUnit {
    async fn find(&mut self, codes: &[ProductCode]) -> Result<Vec<Option<Product>>> {
        self.plan.pass(self.inner.products().find(codes)).await
    }
    async fn put(&mut self, product: &Product, expected: Option<Version>) -> Result<()> {
        self.plan.pass(self.inner.products().put(product, expected)).await
    }
    async fn list(&mut self, page: &PageRequest) -> Result<Page<Product>> {
        self.plan.pass(self.inner.products().list(page)).await
    }
    async fn find_targets(&mut self, keys: &[TargetKey]) -> Result<Vec<Target>> {
        self.plan.pass(self.inner.products().find_targets(keys)).await
    }
    async fn targets(&mut self) -> Result<Vec<Target>> {
        self.plan.pass(self.inner.products().targets()).await
    }
    async fn add_target(&mut self, target: &Target) -> Result<()> {
        self.plan.pass(self.inner.products().add_target(target)).await
    }
}

#[async_trait]
impl SaleRepository for FaultyUnit {
    async fn insert_absent(&mut self, sales: &[Sale]) -> Result<Vec<usize>> {
        self.plan.pass(self.inner.sales().insert_absent(sales)).await
    }
    async fn find(&mut self, keys: &[SaleKey]) -> Result<Vec<Option<Sale>>> {
        self.plan.pass(self.inner.sales().find(keys)).await
    }
    async fn get(&mut self, id: SaleId) -> Result<Option<Sale>> {
        self.plan.pass(self.inner.sales().get(id)).await
    }
    async fn list(&mut self, query: &SaleQuery, page: &PageRequest) -> Result<Page<Sale>> {
        self.plan.pass(self.inner.sales().list(query, page)).await
    }
    async fn write(&mut self, changes: &[SaleChange]) -> Result<()> {
        self.plan.pass(self.inner.sales().write(changes)).await
    }
    async fn messages(&mut self, keys: &[SaleKey]) -> Result<Vec<StoredMessage>> {
        self.plan.pass(self.inner.sales().messages(keys)).await
    }
    async fn add_messages(&mut self, messages: &[StoredMessage]) -> Result<()> {
        self.plan.pass(self.inner.sales().add_messages(messages)).await
    }
    async fn find_entries(&mut self, source: &Source, entries: &[Reference]) -> Result<Vec<StoredMessage>> {
        self.plan.pass(self.inner.sales().find_entries(source, entries)).await
    }
}

#[async_trait]
impl PostingSource for FaultyUnit {
    /// One call; one that fails ends before its first batch, or behind its last one.
    fn scan<'a>(&'a mut self, filter: &'a PostingFilter) -> BoxStream<'a, Result<PostingBatch>> {
        let fault = self.plan.count();
        let failed = fault.map(|fault| Err(failure(fault)));
        match fault.map(|fault| fault.moment) {
            Some(Moment::Before) => futures_util::stream::iter(failed).boxed(),
            Some(Moment::After) | None => {
                self.inner.postings().scan(filter).chain(futures_util::stream::iter(failed)).boxed()
            }
        }
    }
    async fn totals(&mut self, plan: &TotalsPlan) -> Result<Pushdown> {
        self.plan.pass(self.inner.postings().totals(plan)).await
    }
}

#[async_trait]
impl MarkRepository for FaultyUnit {
    async fn append(&mut self, marks: &[Mark], at: DateTime<Utc>) -> Result<()> {
        self.plan.pass(self.inner.marks().append(marks, at)).await
    }
    async fn claim(&mut self, run: Uuid) -> Result<()> {
        self.plan.pass(self.inner.marks().claim(run)).await
    }
    async fn claimed(&mut self, run: Uuid) -> Result<Vec<Mark>> {
        self.plan.pass(self.inner.marks().claimed(run)).await
    }
    async fn open(&mut self) -> Result<Vec<Mark>> {
        self.plan.pass(self.inner.marks().open()).await
    }
    async fn settle(&mut self, run: Uuid) -> Result<()> {
        self.plan.pass(self.inner.marks().settle(run)).await
    }
    async fn counts(&mut self) -> Result<MarkCounts> {
        self.plan.pass(self.inner.marks().counts()).await
    }
}

#[async_trait]
impl AuditRepository for FaultyUnit {
    async fn append(&mut self, entry: &AuditEntry) -> Result<()> {
        self.plan.pass(self.inner.audit().append(entry)).await
    }
    async fn list(&mut self, page: &PageRequest) -> Result<Page<AuditEntry>> {
        self.plan.pass(self.inner.audit().list(page)).await
    }
}

#[async_trait]
impl RecordRepository for FaultyUnit {
    async fn get(&mut self, key: &RecordKey) -> Result<Option<Record>> {
        self.plan.pass(self.inner.records().get(key)).await
    }
    async fn put(&mut self, record: &Record, expected: Expected) -> Result<()> {
        self.plan.pass(self.inner.records().put(record, expected)).await
    }
    async fn delete(&mut self, key: &RecordKey, version: Version) -> Result<()> {
        self.plan.pass(self.inner.records().delete(key, version)).await
    }
    async fn list(&mut self, namespace: &str) -> Result<Vec<Record>> {
        self.plan.pass(self.inner.records().list(namespace)).await
    }
}
