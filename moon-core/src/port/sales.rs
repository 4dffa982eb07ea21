//! Sales and the messages about them.

use async_trait::async_trait;

use super::{Page, PageRequest};
use crate::{
    AgentCode, BranchCode, DayRange, ProductCode, Reference, Result, Sale, SaleId, SaleKey, Source, StoredMessage,
    TeamCode,
};

/// A sale as it was found and as it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleChange {
    /// As found in this unit; `None` when the key has messages, but no sale yet.
    pub before: Option<Sale>,
    /// As it shall be; id and key are those of `before`.
    pub after: Sale,
}

/// Which sales to list. Absent parts match all; voided sales are listed too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleQuery {
    /// By the sale's date.
    pub days: DayRange,
    /// By agent.
    pub agent: Option<AgentCode>,
    /// By product.
    pub product: Option<ProductCode>,
    /// By team as sold.
    pub team: Option<TeamCode>,
    /// By branch as sold.
    pub branch: Option<BranchCode>,
}

impl Default for SaleQuery {
    fn default() -> Self {
        Self { days: DayRange::ALL, agent: None, product: None, team: None, branch: None }
    }
}

/// Keeps sales: the current state of each, and all other messages that ever arrived.
#[async_trait]
pub trait SaleRepository: Send {
    /// Inserts the sales whose key is unknown, that is neither a sale nor any message has it, and returns the places of
    /// the others, ascending, without failing the unit. Keys are distinct within a call. Agents, products, teams and
    /// branches named exist.
    async fn insert_absent(&mut self, sales: &[Sale]) -> Result<Vec<usize>>;

    /// The sales of these keys, each at the place of its key, locked until the unit ends; `None` where there is none.
    async fn find(&mut self, keys: &[SaleKey]) -> Result<Vec<Option<Sale>>>;

    /// The sale of this identifier, not locked.
    async fn get(&mut self, id: SaleId) -> Result<Option<Sale>>;

    /// Sales ascending by date, then identifier.
    async fn list(&mut self, query: &SaleQuery, page: &PageRequest) -> Result<Page<Sale>>;

    /// Writes sales in place of what was found: content, places, revisions, life and adjustments.
    ///
    /// # Errors
    /// `VersionConflict` when a sale was found and is gone, or was not found and is there.
    async fn write(&mut self, changes: &[SaleChange]) -> Result<()>;

    /// The kept messages about these keys, ascending by key and revision. The current content of a sale is not among
    /// them: it is in the sale.
    async fn messages(&mut self, keys: &[SaleKey]) -> Result<Vec<StoredMessage>>;

    /// Keeps messages.
    ///
    /// # Errors
    /// `AlreadyExists` when a message with this (key, revision) is kept already.
    async fn add_messages(&mut self, messages: &[StoredMessage]) -> Result<()>;

    /// The kept life messages that carry one of these entry references of a source.
    async fn find_entries(&mut self, source: &Source, entries: &[Reference]) -> Result<Vec<StoredMessage>>;
}
