//! The warehouse.

mod cells;
mod closing;
mod publish;
mod read;
mod rows;
mod runs;
mod stage;

use std::collections::BTreeSet;

use async_trait::async_trait;
use moon_core::{
    AgentCell, Cell, Closing, Currency, DayRange, Error, ErrorKind, Opening, Period, ProductMetrics, Published,
    Receipt, Restatement, Result, RunKey, RunRecord, Scope, Warehouse,
};
use uuid::Uuid;

use crate::connections::{Connections, SqliteOptions};
use crate::migrate::{self, Schema};
use crate::session::Session;
use crate::store::SqliteStore;
use stage::SqliteStage;

const WAREHOUSE: Schema = Schema {
    component: "warehouse",
    scripts: &[include_str!("../schema/warehouse_1.sql"), include_str!("../schema/warehouse_2.sql")],
};

/// An analytics warehouse in an SQLite file, which may be the store's own. BI tools read the tables and views
/// `team_sales_daily`, `branch_sales_daily`, `product_sales_daily`, `teams`, `branches`, `products`, `product_targets`,
/// `team_sales_metrics`, `branch_sales_metrics` and `product_target_metrics` (each also `_monthly`),
/// `agent_sales_monthly`, `closings`, `closed_figures`, `restatements` and `kpi_runs`; amounts in them are exact decimal text. A cell holds up to 2^63 minor units; a larger one is refused.
#[derive(Debug, Clone)]
pub struct SqliteWarehouse {
    connections: Connections,
    currency: Currency,
}

impl SqliteWarehouse {
    /// Opens the database of a URL as [`SqliteStore::connect`] does, for figures in this currency. Call
    /// [`migrate`](Warehouse::migrate) next.
    ///
    /// # Errors
    /// As for [`SqliteStore::connect`].
    pub async fn connect(url: &str, currency: Currency) -> Result<Self> {
        Self::connect_with(url, currency, &SqliteOptions::default()).await
    }

    /// [`connect`](Self::connect) with options of choice.
    ///
    /// # Errors
    /// As for [`SqliteStore::connect`].
    pub async fn connect_with(url: &str, currency: Currency, options: &SqliteOptions) -> Result<Self> {
        Ok(Self { connections: Connections::open(url, options).await?, currency })
    }

    /// A warehouse in the file of a store, over the same connections, so that both queue for writing in order.
    #[must_use]
    pub fn beside(store: &SqliteStore, currency: Currency) -> Self {
        Self { connections: store.connections().clone(), currency }
    }

    /// Whether the tables are there, as [`migrate`](Warehouse::migrate) would leave them. Nothing is written.
    ///
    /// # Errors
    /// `Refused` when they are of another version, or hold figures in another currency; those of the connection.
    pub async fn is_migrated(&self) -> Result<bool> {
        if !migrate::is_current(&self.connections, &WAREHOUSE).await? {
            return Ok(false);
        }
        let mut session = self.connections.read().await?;
        let stored = stored_currency(&mut session).await?;
        session.rollback().await?;
        // The currency is written last.
        let Some(stored) = stored else { return Ok(false) };
        same_currency(self.currency, &stored)?;
        Ok(true)
    }

    async fn check_currency(&self) -> Result<()> {
        const DOING: &str = "set the warehouse's currency";
        let mut session = self.connections.read().await?;
        if stored_currency(&mut session).await?.as_deref() == Some(self.currency.code()) {
            return session.rollback().await;
        }
        session.rollback().await?;
        let mut session = self.connections.write().await?;
        if let Some(stored) = stored_currency(&mut session).await? {
            session.rollback().await?;
            return same_currency(self.currency, &stored);
        }
        let outcome =
            sqlx::query("INSERT INTO warehouse_currency (one, code, digits, minor_per_unit) VALUES (1, ?, ?, ?)")
                .bind(self.currency.code())
                .bind(self.currency.digits())
                .bind(self.currency.minor_per_unit())
                .execute(session.writing()?)
                .await;
        session.done(DOING, outcome)?;
        session.commit().await
    }
}

/// Refuses a warehouse in another currency.
fn same_currency(currency: Currency, stored: &str) -> Result<()> {
    if stored == currency.code() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "the warehouse holds figures in another currency")
        .with("currency", currency)
        .with("stored", stored))
}

async fn stored_currency(session: &mut Session) -> Result<Option<String>> {
    let stored = sqlx::query_scalar("SELECT code FROM warehouse_currency").fetch_optional(session.reading()?).await;
    session.done("read the warehouse's currency", stored)
}

#[async_trait]
impl Warehouse for SqliteWarehouse {
    fn backend(&self) -> &'static str {
        "sqlite"
    }

    async fn migrate(&self) -> Result<()> {
        migrate::migrate(&self.connections, &WAREHOUSE).await?;
        self.check_currency().await
    }

    async fn open(&self, run: &RunKey, scope: &Scope) -> Result<Opening> {
        let mut session = self.connections.write().await?;
        if let Some(record) = runs::published(&mut session, run).await? {
            session.rollback().await?;
            return Ok(Opening::AlreadyPublished(Box::new(Receipt { record })));
        }
        if let Err(refused) = runs::check_fence(&mut session, run).await {
            session.rollback().await?;
            return Err(refused);
        }
        stage::clear(&mut session, None).await?;
        stage::create(&mut session, run).await?;
        session.commit().await?;
        Ok(Opening::Staged(Box::new(SqliteStage {
            connections: self.connections.clone(),
            currency: self.currency,
            run: *run,
            scope: scope.clone(),
            closed: BTreeSet::new(),
            reopened: BTreeSet::new(),
        })))
    }

    async fn publish_unchanged(&self, record: &RunRecord, shown: &RunKey) -> Result<Receipt> {
        let mut session = self.connections.write().await?;
        let outcome = runs::publish_unchanged(&mut session, record, shown, self.currency).await;
        session.conclude(outcome).await
    }

    async fn read(&self, days: DayRange) -> Result<Published> {
        let mut session = self.connections.read().await?;
        let published = read::published(&mut session, days).await?;
        session.rollback().await?;
        Ok(published)
    }

    async fn cells(&self, days: DayRange) -> Result<Vec<Cell>> {
        let mut session = self.connections.read().await?;
        let found = cells::cells(&mut session, days).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn product_metrics(&self, months: DayRange) -> Result<Vec<ProductMetrics>> {
        let mut session = self.connections.read().await?;
        let found = cells::product_metrics(&mut session, months).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn agent_cells(&self, months: DayRange) -> Result<Vec<AgentCell>> {
        let mut session = self.connections.read().await?;
        let found = cells::agent_cells(&mut session, months).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn closings(&self) -> Result<Vec<Closing>> {
        let mut session = self.connections.read().await?;
        let found = closing::closings(&mut session).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn closed_cells(&self, period: Period, closed_by: Uuid) -> Result<Vec<Cell>> {
        let mut session = self.connections.read().await?;
        let found = closing::closed_cells(&mut session, period, closed_by).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn restatements(&self, days: DayRange) -> Result<Vec<Restatement>> {
        let mut session = self.connections.read().await?;
        let found = closing::restatements(&mut session, days).await?;
        session.rollback().await?;
        Ok(found)
    }

    async fn record(&self, record: &RunRecord) -> Result<()> {
        let mut session = self.connections.write().await?;
        runs::keep(&mut session, record, self.currency).await?;
        session.commit().await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>> {
        let mut session = self.connections.read().await?;
        let records = runs::last(&mut session, limit).await?;
        session.rollback().await?;
        Ok(records)
    }
}
