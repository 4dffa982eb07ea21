//! The store.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use moon_core::{Result, Store, StoreInfo, TxMode, UnitOfWork};

use crate::connections::{Access, Connections, MysqlOptions};
use crate::migrate::{self, Schema};
use crate::unit::MysqlUnit;
use crate::value::Columns as _;

const LEDGER: Schema = Schema { component: "ledger", scripts: &[include_str!("schema/ledger_1.sql")] };

/// An operational store in a MySQL or MariaDB database. Its tables begin with `ledger_`; the views `ledger_*_readable` show
/// them to people, with exact decimal amounts once the ledger's settings are written. Cheap to clone; clones share the pool,
/// which belongs to the runtime in which it was made.
#[derive(Debug, Clone)]
pub struct MysqlStore {
    connections: Connections,
    version: Arc<OnceLock<String>>,
}

impl MysqlStore {
    /// Connects to the database of a URL such as `mysql://moon:PASSWORD@db.example/moon?ssl-mode=verify-identity`; see the
    /// crate's documentation for what a URL can say. Call [`migrate`](Store::migrate) next.
    ///
    /// # Errors
    /// `InvalidInput` when the URL has another form, or the server refuses the user, the password or the database;
    /// `Unavailable` when the server cannot be reached; `Timeout` when it does not answer.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, &MysqlOptions::default()).await
    }

    /// [`connect`](Self::connect) with options of choice.
    ///
    /// # Errors
    /// As for [`connect`](Self::connect).
    pub async fn connect_with(url: &str, options: &MysqlOptions) -> Result<Self> {
        let store = Self { connections: Connections::open(url, options).await?, version: Arc::default() };
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
impl Store for MysqlStore {
    fn info(&self) -> StoreInfo {
        let version = self.version.get().cloned().unwrap_or_default();
        StoreInfo { backend: "mysql", version, sums: true }
    }

    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>> {
        let access = match mode {
            TxMode::ReadOnly => Access::Snapshot,
            TxMode::ReadWrite => Access::Write,
        };
        Ok(Box::new(MysqlUnit::new(self.connections.begin(access).await?)))
    }

    async fn migrate(&self) -> Result<()> {
        migrate::migrate(&self.connections, &LEDGER).await
    }

    async fn ping(&self) -> Result<()> {
        let mut session = self.connections.begin(Access::Snapshot).await?;
        let row = session.row("ask the server", "SELECT VERSION()", Vec::new()).await?;
        if let Some(row) = row {
            let version = row.text(0)?.to_owned();
            self.version.get_or_init(|| version);
        }
        session.rollback().await
    }
}
