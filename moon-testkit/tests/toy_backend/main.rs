//! The smallest backend that keeps every contract: plain maps, copied as a whole when a unit of work begins.
//! `docs/adding-a-backend.md` walks through it. It passes the same suite as the real ones.

mod broken;
mod masters;
mod postings;
mod records;
mod sales;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use moon_core::{
    Agent, AgentCode, AgentRepository, Assignment, AuditEntry, AuditRepository, Branch, BranchCode, Error, ErrorKind,
    Mark, MarkRepository, OrganisationRepository, PostingSource, Product, ProductCode, ProductRepository, Record,
    RecordKey, RecordRepository, Result, Revision, Sale, SaleKey, SaleRepository, Store, StoreInfo, StoredMessage,
    Target, Team, TeamCode, TxMode, UnitOfWork,
};
use uuid::Uuid;

/// Everything the store holds.
#[derive(Debug, Clone, Default)]
struct State {
    teams: BTreeMap<TeamCode, Team>,
    branches: BTreeMap<BranchCode, Branch>,
    agents: BTreeMap<AgentCode, Agent>,
    products: BTreeMap<ProductCode, Product>,
    /// All versions, in the order of entry.
    assignments: Vec<Assignment>,
    targets: Vec<Target>,
    sales: BTreeMap<SaleKey, Sale>,
    messages: BTreeMap<(SaleKey, Revision), StoredMessage>,
    marks: Vec<(Mark, DateTime<Utc>, Option<Uuid>)>,
    audit: Vec<AuditEntry>,
    records: BTreeMap<RecordKey, Record>,
}

#[derive(Debug, Clone, Default)]
struct ToyStore {
    committed: Arc<Mutex<State>>,
    /// One writer at a time: the simplest way to keep the lock rules.
    writer: Arc<tokio::sync::Mutex<()>>,
}

impl ToyStore {
    fn with_committed<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.committed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Store for ToyStore {
    fn info(&self) -> StoreInfo {
        StoreInfo { backend: "toy", version: "1".to_owned(), sums: false }
    }

    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>> {
        let turn = match mode {
            TxMode::ReadOnly => None,
            TxMode::ReadWrite => Some(self.writer.clone().lock_owned().await),
        };
        let state = self.with_committed(|committed| committed.clone());
        Ok(Box::new(ToyUnit { store: self.clone(), state, turn }))
    }

    async fn migrate(&self) -> Result<()> {
        Ok(())
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

/// A unit of work: a copy of everything. Dropping it is the rollback.
struct ToyUnit {
    store: ToyStore,
    state: State,
    /// The writer's turn; `None` in a read-only unit.
    turn: Option<tokio::sync::OwnedMutexGuard<()>>,
}

impl ToyUnit {
    fn writable(&mut self) -> Result<&mut State> {
        match self.turn {
            Some(_) => Ok(&mut self.state),
            None => Err(Error::new(ErrorKind::Unsupported, "cannot write in a read-only unit of work")),
        }
    }
}

#[async_trait]
impl UnitOfWork for ToyUnit {
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
        let Self { store, state, turn } = *self;
        if turn.is_some() {
            store.with_committed(|committed| *committed = state);
        }
        Ok(())
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// The error for a write that does not find the version that it expects.
fn version_conflict(what: &'static str) -> Error {
    Error::new(ErrorKind::VersionConflict, format!("{what} is not of the expected version"))
}

/// The error for a reference to something that is not there.
fn not_found(what: &'static str, code: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, format!("{what} is not known")).with("code", code)
}

struct ToyFixture;

impl moon_testkit::StoreFixture for ToyFixture {
    type Guard = ();

    async fn store() -> (Arc<dyn Store>, ()) {
        (Arc::new(ToyStore::default()), ())
    }
}

moon_testkit::store_behaviour!(ToyFixture);
