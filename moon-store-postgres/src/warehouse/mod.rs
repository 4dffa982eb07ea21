//! The warehouse on PostgreSQL, and what every dialect shares with it.

pub(crate) mod cells;
pub(crate) mod closing;
pub(crate) mod publish;
pub(crate) mod read;
pub(crate) mod rows;
pub(crate) mod runs;
mod stage;

use async_trait::async_trait;
use moon_core::{
    AgentCell, Cell, Closing, Currency, DayRange, Error, ErrorKind, Opening, Period, ProductMetrics, Published,
    Receipt, Restatement, Result, RunKey, RunRecord, Scope, Warehouse,
};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::connections::{Access, Connections, PostgresOptions};
use crate::migrate::{self, Schema};
use crate::session::{Param, Session};
use crate::store::{PostgresStore, SCHEMES};
use publish::Run;
use stage::PostgresStage;

const WAREHOUSE: Schema = Schema {
    component: "warehouse",
    scripts: &[
        include_str!("../schema/warehouse_1.sql"),
        include_str!("../schema/warehouse_2.sql"),
        include_str!("../schema/warehouse_3.sql"),
        include_str!("../schema/warehouse_4.sql"),
    ],
};

/// An analytics warehouse in a PostgreSQL database, which may be the store's own. BI tools read the tables and views
/// `team_sales_daily`, `branch_sales_daily`, `product_sales_daily`, `teams`, `branches`, `products`, `product_targets`,
/// `team_sales_metrics`, `branch_sales_metrics` and `product_target_metrics` (each also `_monthly`),
/// `agent_sales_monthly`, `closings`, `closed_figures`, `restatements` and `kpi_runs`. Amounts in them are `NUMERIC(38, 4)`. Their identity and grants survive every run. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PostgresWarehouse {
    connections: Connections,
    currency: Currency,
}

impl PostgresWarehouse {
    /// Connects to the database of a URL as [`PostgresStore::connect`] does, for figures in this currency. Call
    /// [`migrate`](Warehouse::migrate) next.
    ///
    /// # Errors
    /// As for [`PostgresStore::connect`].
    pub async fn connect(url: &str, currency: Currency) -> Result<Self> {
        Self::connect_with(url, currency, &PostgresOptions::default()).await
    }

    /// [`connect`](Self::connect) with options of choice.
    ///
    /// # Errors
    /// As for [`PostgresStore::connect`].
    pub async fn connect_with(url: &str, currency: Currency, options: &PostgresOptions) -> Result<Self> {
        let connections = Connections::new(url, SCHEMES, options)?;
        connections.begin(Access::Snapshot).await?.rollback().await?;
        Ok(Self { connections, currency })
    }

    /// A warehouse in the database of a store, over the same connections.
    #[must_use]
    pub fn beside(store: &PostgresStore, currency: Currency) -> Self {
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
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let stored = stored_currency(&mut session).await?;
        session.rollback().await?;
        // The currency is written last.
        let Some(stored) = stored else { return Ok(false) };
        same_currency(self.currency, Some(&stored))?;
        Ok(true)
    }

    async fn check_currency(&self) -> Result<()> {
        const DOING: &str = "set the warehouse's currency";
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let stored = stored_currency(&mut session).await?;
        session.rollback().await?;
        if stored.is_none() {
            let mut session = self.connections.begin(Access::Write).await?;
            let sql = "INSERT INTO warehouse_currency (one, code, digits) VALUES (1, $1, $2) ON CONFLICT DO NOTHING";
            let params: [Param<'_>; 2] =
                [(&self.currency.code(), Type::TEXT), (&i32::from(self.currency.digits()), Type::INT4)];
            session.execute(DOING, sql, &params).await?;
            let stored = stored_currency(&mut session).await?;
            session.commit().await?;
            return same_currency(self.currency, stored.as_deref());
        }
        same_currency(self.currency, stored.as_deref())
    }
}

/// The currency that a warehouse holds; `None` before the first.
pub(crate) async fn stored_currency(session: &mut Session<'_>) -> Result<Option<String>> {
    let row = session.row("read the warehouse's currency", "SELECT code FROM warehouse_currency", &[]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Refuses a warehouse in another currency.
pub(crate) fn same_currency(currency: Currency, stored: Option<&str>) -> Result<()> {
    if stored == Some(currency.code()) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "the warehouse holds figures in another currency")
        .with("currency", currency)
        .with("stored", stored.unwrap_or("none")))
}

#[async_trait]
impl Warehouse for PostgresWarehouse {
    fn backend(&self) -> &'static str {
        "postgres"
    }

    async fn migrate(&self) -> Result<()> {
        migrate::migrate(&self.connections, &WAREHOUSE).await?;
        self.check_currency().await
    }

    async fn open(&self, run: &RunKey, scope: &Scope) -> Result<Opening> {
        let mut session = self.connections.begin(Access::Write).await?;
        stage::lock_fence(&mut session).await?;
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
        let run = Run::new(*run, scope.clone(), self.currency);
        Ok(Opening::Staged(Box::new(PostgresStage::new(self.connections.clone(), run))))
    }

    async fn publish_unchanged(&self, record: &RunRecord, shown: &RunKey) -> Result<Receipt> {
        let mut session = self.connections.begin(Access::Write).await?;
        stage::lock_fence(&mut session).await?;
        let outcome = runs::publish_unchanged(&mut session, record, shown, self.currency).await;
        session.conclude(outcome).await
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
        let mut session = self.connections.begin(Access::Write).await?;
        stage::lock_fence(&mut session).await?;
        runs::keep(&mut session, record, self.currency).await?;
        session.commit().await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRecord>> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let records = runs::last(&mut session, limit).await?;
        session.rollback().await?;
        Ok(records)
    }
}
