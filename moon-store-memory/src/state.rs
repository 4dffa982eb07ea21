//! All that a ledger in memory holds.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use moon_core::{
    Agent, AgentCode, AgentKind, Assignment, AuditEntry, Branch, BranchKind, BusinessDate, Code, Mark, Product,
    ProductKind, Record, RecordKey, Reference, Revision, SaleKey, Source, StoredMessage, Target, TargetKey, Team,
    TeamKind, Version,
};
use uuid::Uuid;

use crate::catalog::{Catalog, Coded};
use crate::sales::SaleTable;
use crate::tree::Tree;

/// One state of the ledger. A clone copies a pointer for each part and shares everything with its original.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) teams: Catalog<TeamKind, Team>,
    pub(crate) branches: Catalog<BranchKind, Branch>,
    pub(crate) agents: Catalog<AgentKind, Agent>,
    pub(crate) products: Catalog<ProductKind, Product>,
    /// The whole history; the last version of each (agent, from) is the current one.
    pub(crate) assignments: Tree<(AgentCode, BusinessDate, Version), Arc<Assignment>>,
    /// The whole history; the last version of each (key, from) is the current one.
    pub(crate) targets: Tree<(TargetKey, BusinessDate, Version), Arc<Target>>,
    pub(crate) sales: SaleTable,
    pub(crate) messages: Tree<(SaleKey, Revision), Arc<StoredMessage>>,
    /// Where the message is that carries an entry reference.
    pub(crate) entries: Tree<(Source, Reference), (SaleKey, Revision)>,
    /// By who has claimed them, each with the instant at which the oldest of its equals was appended.
    pub(crate) marks: Tree<(Option<Uuid>, Mark), DateTime<Utc>>,
    pub(crate) audit: Tree<u64, Arc<AuditEntry>>,
    pub(crate) records: Tree<RecordKey, Arc<Record>>,
}

impl Coded<TeamKind> for Team {
    fn code(&self) -> &Code<TeamKind> {
        &self.code
    }
    fn version(&self) -> Version {
        self.version
    }
}

impl Coded<BranchKind> for Branch {
    fn code(&self) -> &Code<BranchKind> {
        &self.code
    }
    fn version(&self) -> Version {
        self.version
    }
}

impl Coded<AgentKind> for Agent {
    fn code(&self) -> &Code<AgentKind> {
        &self.code
    }
    fn version(&self) -> Version {
        self.version
    }
}

impl Coded<ProductKind> for Product {
    fn code(&self) -> &Code<ProductKind> {
        &self.code
    }
    fn version(&self) -> Version {
        self.version
    }
}
