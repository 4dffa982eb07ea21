//! The store.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use moon_core::{ErrorKind, Result, Store, StoreInfo, TxMode, UnitOfWork};

use crate::connections::{Access, Connections, PostgresOptions};
use crate::migrate::{self, Schema};
use crate::unit::PostgresUnit;

const LEDGER: Schema = Schema { component: "ledger", scripts: &[include_str!("schema/ledger_1.sql")] };

/// The schemes of URLs that name a PostgreSQL server.
pub(crate) const SCHEMES: &[&str] = &["postgres", "postgresql"];

/// The oldest version that will do, as the server counts.
const OLDEST: i32 = 130_000;

/// An operational store in a PostgreSQL database. Its tables begin with `ledger_`; the views `ledger_*_readable` show them
/// to people, with exact decimal amounts once the ledger's settings are written. Cheap to clone; clones share the pool.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    connections: Connections,
    version: Arc<OnceLock<String>>,
}

impl PostgresStore {
    /// Connects to the database of a URL such as `postgres://moon:PASSWORD@db.example/moon?sslmode=verify-full`; see the
    /// crate's documentation for what a URL can say. Call [`migrate`](Store::migrate) next.
    ///
    /// # Errors
    /// `InvalidInput` when the URL has another form, or the server refuses the user, the password or the database;
    /// `Unavailable` when the server cannot be reached; `Timeout` when it does not answer.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, &PostgresOptions::default()).await
    }

    /// [`connect`](Self::connect) with options of choice.
    ///
    /// # Errors
    /// As for [`connect`](Self::connect).
    pub async fn connect_with(url: &str, options: &PostgresOptions) -> Result<Self> {
        let connections = Connections::new(url, SCHEMES, options)?;
        let store = Self { connections, version: Arc::default() };
        store.ping().await?;
        Ok(store)
    }

    /// Whether the tables are there, as [`migrate`](Store::migrate) would leave them. Nothing is written.
    ///
    /// # Errors
    /// `Refused` when they are of another version; those of the connection.
    pub async fn is_migrated(&self) -> Result<bool> {
        migrate::is_current(&self.connections, &LEDGER).await
    }

    /// The connections, for a warehouse in the same database.
    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn info(&self) -> StoreInfo {
        let version = self.version.get().cloned().unwrap_or_default();
        StoreInfo { backend: "postgres", version, sums: true }
    }

    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>> {
        let access = match mode {
            TxMode::ReadOnly => Access::Snapshot,
            TxMode::ReadWrite => Access::Write,
        };
        Ok(Box::new(PostgresUnit::new(self.connections.begin(access).await?)))
    }

    async fn migrate(&self) -> Result<()> {
        migrate::migrate(&self.connections, &LEDGER).await
    }

    async fn ping(&self) -> Result<()> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let sql = "SELECT current_setting('server_version'), current_setting('server_version_num')::int4";
        let row = session.row("ask the server", sql, &[]).await?;
        if let Some(row) = row {
            if row.get::<i32>(1)? < OLDEST {
                let advice = "the server is older than PostgreSQL 13, which is the oldest that will do";
                return Err(session.place().error(ErrorKind::Unsupported, "connect", advice));
            }
            let version = row.get(0)?;
            self.version.get_or_init(|| version);
        }
        session.rollback().await
    }
}
