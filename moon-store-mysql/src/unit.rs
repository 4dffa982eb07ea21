//! The unit of work.

use std::collections::HashSet;
use std::fmt;

use async_trait::async_trait;
use moon_core::{
    AgentRepository, AuditRepository, MarkRepository, OrganisationRepository, PostingSource, ProductRepository,
    RecordRepository, Result, SaleKey, SaleRepository, UnitOfWork,
};
use mysql_async::prelude::Queryable;

use crate::codes::Codes;
use crate::session::Session;

/// A unit of work, and every repository of it.
///
/// A store makes them; [`within`](Self::within) makes one of a transaction that the embedder began.
pub struct MysqlUnit<'c> {
    pub(crate) session: Session<'c>,
    pub(crate) codes: Codes,
    /// Keys of which [`SaleRepository::find`] found neither a sale nor an early message.
    pub(crate) absent: HashSet<SaleKey>,
}

impl fmt::Debug for MysqlUnit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MysqlUnit").field("database", self.session.place()).finish_non_exhaustive()
    }
}

impl<'c> MysqlUnit<'c> {
    pub(crate) fn new(session: Session<'c>) -> Self {
        Self { session, codes: Codes::default(), absent: HashSet::new() }
    }

    /// Works within the embedder's own transaction, so that what Moon writes and what the embedder writes is committed
    /// together, by the embedder: [`commit`](UnitOfWork::commit) and [`rollback`](UnitOfWork::rollback) are
    /// `Unsupported`. `connection` is a connection on which a transaction was begun, or the driver's own
    /// [`Transaction`](mysql_async::Transaction). The database of the connection must be Moon's, its limits of time hold, and
    /// after an error the transaction can only be rolled back. Begin it `READ COMMITTED`: a snapshot that is older than a
    /// lock would show sales as they were before the lock was granted.
    ///
    /// ```no_run
    /// use moon_core::{Actor, Ledger, SaleMessage};
    /// use moon_store_mysql::MysqlUnit;
    /// use mysql_async::prelude::Queryable as _;
    /// use mysql_async::{Conn, IsolationLevel, TxOpts};
    ///
    /// async fn sell(
    ///     connection: &mut Conn,
    ///     ledger: &Ledger,
    ///     actor: &Actor,
    ///     sales: &[SaleMessage],
    /// ) -> Result<(), Box<dyn std::error::Error>> {
    ///     let mut options = TxOpts::default();
    ///     options.with_isolation_level(IsolationLevel::ReadCommitted);
    ///     let mut transaction = connection.start_transaction(options).await?;
    ///     transaction.query_drop("INSERT INTO policies (holder) VALUES ('somebody')").await?;
    ///     let mut unit = MysqlUnit::within(&mut transaction);
    ///     ledger.record_sales_in(&mut unit, actor, sales).await?;
    ///     drop(unit);
    ///     transaction.commit().await?;
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn within<Q: Queryable>(connection: &'c mut Q) -> Self {
        Self::new(Session::within(connection))
    }
}

#[async_trait]
impl UnitOfWork for MysqlUnit<'_> {
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
