//! Ledgers and warehouses on the database servers of the tests.

use std::sync::Arc;

use moon_core::{Store, Warehouse};
use moon_store_mysql::{MysqlStore, MysqlWarehouse};
use moon_store_postgres::{PostgresStore, PostgresWarehouse};

use super::{Fixture, fixture, fixtures};
use crate::servers::{Database, Server};

/// From which server to which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Both in one database.
    Postgres,
    /// Both in one database.
    Mysql,
    MysqlToPostgres,
}

impl Way {
    /// Whether tests with one of its servers are left out, which is said.
    pub(crate) fn skipped(self) -> bool {
        match self {
            Self::Postgres => Server::Postgres.skipped(),
            Self::Mysql => Server::Mysql.skipped(),
            Self::MysqlToPostgres => Server::Mysql.skipped() || Server::Postgres.skipped(),
        }
    }

    /// An empty ledger and an empty warehouse in databases of their own.
    pub(crate) async fn fixture(self) -> Fixture {
        let currency = "LKR".parse().unwrap();
        let source = Database::create(if self == Self::Postgres { Server::Postgres } else { Server::Mysql }).await;
        let (name, store, warehouse, figures): (_, Arc<dyn Store>, Arc<dyn Warehouse>, _) = match self {
            Self::Postgres => {
                let store = PostgresStore::connect(&source.url()).await.unwrap();
                let warehouse = PostgresWarehouse::beside(&store, currency);
                ("postgres", Arc::new(store), Arc::new(warehouse), None)
            }
            Self::Mysql => {
                let store = MysqlStore::connect(&source.url()).await.unwrap();
                let warehouse = MysqlWarehouse::beside(&store, currency);
                ("mysql", Arc::new(store), Arc::new(warehouse), None)
            }
            Self::MysqlToPostgres => {
                let figures = Database::create(Server::Postgres).await;
                let store = MysqlStore::connect(&source.url()).await.unwrap();
                let warehouse = PostgresWarehouse::connect(&figures.url(), currency).await.unwrap();
                ("mysql to postgres", Arc::new(store), Arc::new(warehouse), Some(figures))
            }
        };
        let fixture = fixture(name, store, warehouse, None).await;
        Fixture { _databases: [Some(source), figures].into_iter().flatten().collect(), ..fixture }
    }
}

/// [`fixtures`], and one from server to server unless that is left out.
pub(crate) async fn everywhere() -> Vec<Fixture> {
    let mut all = fixtures().await;
    if !Way::MysqlToPostgres.skipped() {
        all.push(Way::MysqlToPostgres.fixture().await);
    }
    all
}
