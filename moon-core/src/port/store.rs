//! A store and its units of work.

use std::fmt;

use async_trait::async_trait;

use super::{
    AgentRepository, AuditRepository, MarkRepository, OrganisationRepository, PostingSource, ProductRepository,
    RecordRepository, SaleRepository,
};
use crate::Result;

/// What a store says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// The backend's name, such as `sqlite`.
    pub backend: &'static str,
    /// Its version.
    pub version: String,
    /// Whether [`PostingSource::totals`] can answer a plan at all.
    pub sums: bool,
}

/// What a unit of work is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxMode {
    /// One snapshot: every read sees the state at the unit's beginning. Writing is `Unsupported`.
    ReadOnly,
    /// Reads see what was committed before, and the unit's own writes.
    ReadWrite,
}

/// An operational store.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// What it is and what it can do.
    fn info(&self) -> StoreInfo;

    /// Begins a unit of work. A `ReadWrite` unit may wait for another one.
    ///
    /// # Errors
    /// `Contention` when it waited too long, `Unavailable`, `Timeout`.
    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>>;

    /// Creates or upgrades what the store needs; a repeat changes nothing. Safe with several processes at once.
    ///
    /// # Errors
    /// `Refused` when what is stored was made by a newer version.
    async fn migrate(&self) -> Result<()>;

    /// Whether the store answers.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`.
    async fn ping(&self) -> Result<()>;
}

/// A unit of work: all of it is committed, or nothing. Dropped, it is rolled back.
///
/// After an error of kind `Contention`, `Unavailable`, `Timeout` or `Backend` the unit can only be rolled back.
#[async_trait]
pub trait UnitOfWork: Send {
    /// Teams and branches.
    fn organisation(&mut self) -> &mut dyn OrganisationRepository;
    /// Agents and assignments.
    fn agents(&mut self) -> &mut dyn AgentRepository;
    /// Products and targets.
    fn products(&mut self) -> &mut dyn ProductRepository;
    /// Sales and their messages.
    fn sales(&mut self) -> &mut dyn SaleRepository;
    /// Postings for the engine.
    fn postings(&mut self) -> &mut dyn PostingSource;
    /// Marks for aggregation runs.
    fn marks(&mut self) -> &mut dyn MarkRepository;
    /// The audit trail.
    fn audit(&mut self) -> &mut dyn AuditRepository;
    /// Small documents.
    fn records(&mut self) -> &mut dyn RecordRepository;

    /// Makes everything in the unit permanent and visible at once.
    ///
    /// # Errors
    /// `Contention` and `Unavailable`: nothing was kept, unless the connection broke while committing, which no caller can
    /// tell; repeating is then safe because repeats are harmless. `Unsupported` when the unit wraps an embedder's own
    /// transaction: the embedder commits.
    async fn commit(self: Box<Self>) -> Result<()>;

    /// Undoes everything in the unit.
    ///
    /// # Errors
    /// `Unsupported` when the unit wraps an embedder's own transaction.
    async fn rollback(self: Box<Self>) -> Result<()>;
}
