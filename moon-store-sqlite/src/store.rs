//! The store.

use async_trait::async_trait;
use moon_core::{Result, Store, StoreInfo, TxMode, UnitOfWork};
use sqlx::SqlitePool;

use crate::connections::{Connections, SqliteOptions};
use crate::migrate::{self, Schema};
use crate::unit::SqliteUnit;

const LEDGER: Schema = Schema { component: "ledger", scripts: &[include_str!("schema/ledger_1.sql")] };

/// An operational store in an SQLite file. Its tables begin with `ledger_`; the views `ledger_*_readable` show them to
/// people, with exact decimal amounts once the ledger's settings are written. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    connections: Connections,
    version: String,
}

impl SqliteStore {
    /// Opens the database of a URL such as `sqlite:moon.db` or `sqlite:///var/lib/moon/moon.db`, and creates the file
    /// if it is missing, unless the URL says `?mode=rw` or `?mode=ro`. Call [`migrate`](Store::migrate) next.
    ///
    /// # Errors
    /// `InvalidInput` when the URL has another form or names a database in memory, which has no snapshots;
    /// `Unavailable` when the file cannot be opened; `Corrupt` when it is no database.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, &SqliteOptions::default()).await
    }

    /// [`connect`](Self::connect) with options of choice.
    ///
    /// # Errors
    /// As for [`connect`](Self::connect).
    pub async fn connect_with(url: &str, options: &SqliteOptions) -> Result<Self> {
        Self::with_connections(Connections::open(url, options).await?).await
    }

    /// Uses an embedder's pool, for reading and writing alike. The pool's own settings hold: it should have WAL,
    /// `foreign_keys` and a busy timeout, and at least two connections.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be opened.
    pub async fn from_pool(pool: SqlitePool) -> Result<Self> {
        Self::with_connections(Connections::from_pool(pool)).await
    }

    /// Whether the tables are there, as [`migrate`](Store::migrate) would leave them. Nothing is written.
    ///
    /// # Errors
    /// `Refused` when they are of another version; those of the connection.
    pub async fn is_migrated(&self) -> Result<bool> {
        migrate::is_current(&self.connections, &LEDGER).await
    }

    async fn with_connections(connections: Connections) -> Result<Self> {
        const DOING: &str = "open the database";
        let mut session = connections.read().await?;
        let version = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(session.reading()?).await;
        let version = session.done(DOING, version)?;
        session.rollback().await?;
        Ok(Self { connections, version })
    }

    /// The connections, for a warehouse in the same file.
    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn info(&self) -> StoreInfo {
        StoreInfo { backend: "sqlite", version: self.version.clone(), sums: true }
    }

    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>> {
        let session = match mode {
            TxMode::ReadOnly => self.connections.read().await?,
            TxMode::ReadWrite => self.connections.write().await?,
        };
        Ok(Box::new(SqliteUnit::new(session)))
    }

    async fn migrate(&self) -> Result<()> {
        migrate::migrate(&self.connections, &LEDGER).await
    }

    async fn ping(&self) -> Result<()> {
        self.connections.read().await?.rollback().await
    }
}
