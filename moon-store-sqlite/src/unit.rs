//! The unit of work.

use async_trait::async_trait;
use moon_core::{
    AgentRepository, AuditRepository, MarkRepository, OrganisationRepository, PostingSource, ProductRepository,
    RecordRepository, Result, SaleRepository, UnitOfWork,
};

use crate::codes::Codes;
use crate::session::Session;

/// A unit of work, and every repository of it: see `repository`, `sales`, `scan` and `totals`.
pub(crate) struct SqliteUnit {
    pub(crate) session: Session,
    pub(crate) codes: Codes,
}

impl SqliteUnit {
    pub(crate) fn new(session: Session) -> Self {
        Self { session, codes: Codes::default() }
    }
}

#[async_trait]
impl UnitOfWork for SqliteUnit {
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
        self.session.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.session.rollback().await
    }
}
