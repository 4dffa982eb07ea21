//! The unit of work.

use std::collections::HashSet;
use std::fmt;

use async_trait::async_trait;
use moon_core::{
    AgentRepository, AuditRepository, MarkRepository, OrganisationRepository, PostingSource, ProductRepository,
    RecordRepository, Result, SaleKey, SaleRepository, UnitOfWork,
};
use tokio_postgres::Transaction;

use crate::codes::Codes;
use crate::session::Session;

/// A unit of work, and every repository of it.
///
/// A store makes them; [`within`](Self::within) makes one of a transaction that the embedder began.
pub struct PostgresUnit<'c> {
    pub(crate) session: Session<'c>,
    pub(crate) codes: Codes,
    /// Keys of which [`SaleRepository::find`] found neither a sale nor an early message.
    pub(crate) absent: HashSet<SaleKey>,
    /// A scan was given up, and its cursor is still open.
    pub(crate) scanning: bool,
}

impl fmt::Debug for PostgresUnit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresUnit").field("database", self.session.place()).finish_non_exhaustive()
    }
}

impl<'c> PostgresUnit<'c> {
    pub(crate) fn new(session: Session<'c>) -> Self {
        Self { session, codes: Codes::default(), absent: HashSet::new(), scanning: false }
    }

    /// Works within the embedder's own transaction, so that what Moon writes and what the embedder writes is committed
    /// together, by the embedder: [`commit`](UnitOfWork::commit) and [`rollback`](UnitOfWork::rollback) are
    /// `Unsupported`. The tables are found by the connection's search path, and its limits of time hold. The transaction
    /// must be `READ COMMITTED`, which is the default, and after an error it can only be rolled back.
    ///
    /// ```no_run
    /// use moon_core::{Actor, Ledger, Result, SaleMessage};
    /// use moon_store_postgres::PostgresUnit;
    ///
    /// async fn sell(
    ///     client: &mut tokio_postgres::Client,
    ///     ledger: &Ledger,
    ///     actor: &Actor,
    ///     sales: &[SaleMessage],
    /// ) -> Result<(), Box<dyn std::error::Error>> {
    ///     let transaction = client.transaction().await?;
    ///     transaction.execute("INSERT INTO policies (holder) VALUES ('somebody')", &[]).await?;
    ///     let mut unit = PostgresUnit::within(&transaction);
    ///     ledger.record_sales_in(&mut unit, actor, sales).await?;
    ///     drop(unit);
    ///     transaction.commit().await?;
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn within(transaction: &'c Transaction<'_>) -> Self {
        Self::new(Session::within(transaction))
    }
}

#[async_trait]
impl UnitOfWork for PostgresUnit<'_> {
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
