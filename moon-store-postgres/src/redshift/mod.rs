//! The warehouse on Amazon Redshift.

mod stage;
pub(crate) mod statements;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use moon_core::{
    AgentCell, Cell, Closing, Currency, DayRange, Error, ErrorKind, Opening, Period, ProductMetrics, Published,
    Receipt, Restatement, Result, RunKey, RunRecord, Scope, Warehouse, retry_contention,
};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::connections::{Access, Connections, Dialect, PostgresOptions};
use crate::session::{Param, Session};
use crate::value;
use crate::warehouse::publish::Run;
use crate::warehouse::{cells, closing, read, runs, same_currency, stored_currency};
use stage::{Patience, RedshiftStage};

/// The schemes of URLs that name a Redshift cluster.
const SCHEMES: &[&str] = &["redshift"];

/// An analytics warehouse on Amazon Redshift, by a URL such as `redshift://USER:PASSWORD@HOST:5439/DATABASE?sslmode=require`.
/// The tables and views have the names and columns of [`PostgresWarehouse`](crate::PostgresWarehouse)'s.
///
/// **This dialect has not run on Redshift itself.** Its statements keep to what Redshift's documentation allows; each of
/// them is checked against a list of what Redshift lacks, and all of them run the suite of warehouses on a PostgreSQL
/// server whose keys are removed and whose arrays and advisory locks are forbidden.
///
/// A run is kept in memory until it is published, in one transaction: the control table is locked, the rows go into
/// temporary tables, are counted and checked against the law, and replace the scope. When Redshift refuses a
/// transaction for the sake of serializable isolation (error 1023), it is repeated. [`PostgresOptions::lock_wait`] has no
/// meaning here; waiting for another publisher is bounded by the statement timeout.
#[derive(Debug, Clone)]
pub struct RedshiftWarehouse {
    connections: Connections,
    currency: Currency,
}

impl RedshiftWarehouse {
    /// Connects to the database of a URL, for figures in this currency. Call [`migrate`](Warehouse::migrate) next.
    ///
    /// # Errors
    /// As for [`PostgresStore::connect`](crate::PostgresStore::connect).
    pub async fn connect(url: &str, currency: Currency) -> Result<Self> {
        Self::connect_with(url, currency, &PostgresOptions::default()).await
    }

    /// [`connect`](Self::connect) with options of choice.
    ///
    /// # Errors
    /// As for [`PostgresStore::connect`](crate::PostgresStore::connect).
    pub async fn connect_with(url: &str, currency: Currency, options: &PostgresOptions) -> Result<Self> {
        let connections = Connections::new(url, SCHEMES, options)?.with_dialect(Dialect::Redshift);
        connections.begin(Access::Snapshot).await?.rollback().await?;
        Ok(Self { connections, currency })
    }

    /// Brings the schema up to date, within a transaction that the caller commits.
    async fn migrate_in(&self, session: &mut Session<'_>) -> Result<()> {
        const DOING: &str = "upgrade the schema";
        session.execute(DOING, statements::CREATE_VERSIONS, &[]).await?;
        session.execute(DOING, statements::LOCK_VERSIONS, &[]).await?;
        let stored = session.row(DOING, statements::VERSION, &[]).await?;
        let stored: Option<String> = stored.map_or(Ok(None), |row| row.get(0))?;
        let found = usize::try_from(value::whole(stored.as_deref().unwrap_or("0"))?).unwrap_or(usize::MAX);
        if found > statements::SCRIPTS.len() {
            return Err(Error::new(
                ErrorKind::Refused,
                "the warehouse was made by a newer version of this program; upgrade the program",
            )
            .with("schema_version", found)
            .with("known_version", statements::SCRIPTS.len()));
        }
        for (version, script) in (1..).zip(statements::SCRIPTS).skip(found) {
            for statement in statements::split(script) {
                session.execute(DOING, &statement, &[]).await?;
            }
            let version: i64 = version;
            session.execute(DOING, statements::ADD_VERSION, &[(&version.to_string(), Type::VARCHAR)]).await?;
        }
        let stored = stored_currency(session).await?;
        if stored.is_none() {
            let params: [Param<'_>; 2] =
                [(&self.currency.code(), Type::VARCHAR), (&self.currency.digits().to_string(), Type::VARCHAR)];
            return session.execute(DOING, statements::ADD_CURRENCY, &params).await.map(drop);
        }
        same_currency(self.currency, stored.as_deref())
    }
}

#[async_trait]
impl Warehouse for RedshiftWarehouse {
    fn backend(&self) -> &'static str {
        "redshift"
    }

    async fn migrate(&self) -> Result<()> {
        let mut session = self.connections.begin(Access::Write).await?;
        let outcome = self.migrate_in(&mut session).await;
        session.conclude(outcome).await
    }

    async fn open(&self, run: &RunKey, scope: &Scope) -> Result<Opening> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let published = runs::published(&mut session, run).await?;
        let fence = runs::check_fence(&mut session, run).await;
        session.rollback().await?;
        if let Some(record) = published {
            return Ok(Opening::AlreadyPublished(Box::new(Receipt { record })));
        }
        fence?;
        let run = Run::new(*run, scope.clone(), self.currency);
        Ok(Opening::Staged(Box::new(RedshiftStage::new(self.connections.clone(), run))))
    }

    async fn publish_unchanged(&self, record: &RunRecord, shown: &RunKey) -> Result<Receipt> {
        retry_contention(&Patience, || async {
            let mut session = self.connections.begin(Access::Write).await?;
            session.execute("publish figures", statements::LOCK_FENCE, &[]).await?;
            let outcome = runs::publish_unchanged(&mut session, record, shown, self.currency).await;
            session.conclude(outcome).await
        })
        .await
    }

    async fn read(&self, days: DayRange) -> Result<Published> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let published = read::published(&mut session, days, self.currency).await?;
        session.rollback().await?;
        Ok(published)
    }

    async fn cells(&self, days: DayRange) -> Result<Vec<Cell>> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let found = cells::cells(&mut session, days, self.currency).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn product_metrics(&self, months: DayRange) -> Result<Vec<ProductMetrics>> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let found = cells::product_metrics(&mut session, months, self.currency).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn agent_cells(&self, months: DayRange) -> Result<Vec<AgentCell>> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let found = cells::agent_cells(&mut session, months, self.currency).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn closings(&self) -> Result<Vec<Closing>> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let found = closing::closings(&mut session).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn closed_cells(&self, period: Period, closed_by: Uuid) -> Result<Vec<Cell>> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let found = closing::closed_cells(&mut session, period, closed_by, self.currency).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn restatements(&self, days: DayRange) -> Result<Vec<Restatement>> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let found = closing::restatements(&mut session, days, self.currency).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn record(&self, record: &RunRecord) -> Result<()> {
        retry_contention(&Patience, || async {
            let mut session = self.connections.begin(Access::Write).await?;
            session.execute("keep a run's record", statements::LOCK_FENCE, &[]).await?;
            runs::keep(&mut session, record, self.currency).await?;
            session.commit().await
        })
        .await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let records = runs::last(&mut session, limit).await?;
        session.rollback().await?;
        Ok(records)
    }
}
