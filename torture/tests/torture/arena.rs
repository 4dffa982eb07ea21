//! Servers, databases and rounds.

use std::sync::Arc;

use moon_core::{Ledger, Store, Warehouse};
use moon_servers::{Kind, Purpose, Server};
use moon_settings::GrowingPause;
use moon_store_mysql::{MysqlOptions, MysqlStore, MysqlWarehouse};
use moon_store_postgres::{PostgresOptions, PostgresStore, PostgresWarehouse};
use moon_testkit::builders::currency;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder};
use tokio_postgres::NoTls;

/// As many as there are tasks in a crowd: none of them has to wait for a connection.
const CONNECTIONS: usize = 40;

/// A server to be killed.
pub(crate) struct Arena {
    kind: Kind,
    server: Option<Server>,
}

impl Arena {
    /// Starts one; `None` when its tests are left out on purpose.
    pub(crate) fn open(kind: Kind) -> Option<Self> {
        let skip = std::env::var("MOON_TEST_SKIP").unwrap_or_default();
        if skip.split(',').any(|word| word.trim() == kind.word()) {
            eprintln!("left out: MOON_TEST_SKIP names {}", kind.word());
            return None;
        }
        let server = Server::start(kind, Purpose::Kills, &std::env::temp_dir());
        Some(Self { kind, server: Some(server.unwrap_or_else(|error| panic!("{error}"))) })
    }

    /// An empty database of this name in place of the one before.
    pub(crate) async fn database(&self, name: &str) -> Database {
        let url = self.server.as_ref().unwrap().url();
        match self.kind {
            Kind::Postgres => {
                let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
                let connection = tokio::spawn(connection);
                client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
                client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
                drop(client);
                connection.await.unwrap().unwrap();
            }
            Kind::MySql => {
                let options = OptsBuilder::from_opts(Opts::from_url(&url).unwrap()).prefer_socket(false);
                let mut conn = Conn::new(options).await.unwrap();
                conn.query_drop(format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
                conn.query_drop(format!("CREATE DATABASE {name}")).await.unwrap();
                conn.disconnect().await.unwrap();
            }
        }
        let (server, _) = url.rsplit_once('/').unwrap();
        Database { kind: self.kind, url: format!("{server}/{name}") }
    }

    /// Kills the server, while other tasks go on, and leaves it dead.
    pub(crate) async fn kill(&mut self) {
        self.with_server(|server| server.kill()).await;
    }

    /// Starts it again on what it left.
    pub(crate) async fn restart(&mut self) {
        self.with_server(|server| server.restart()).await;
    }

    async fn with_server(&mut self, act: fn(&mut Server) -> Result<(), String>) {
        let mut server = self.server.take().unwrap();
        let act = move || {
            let outcome = act(&mut server);
            (server, outcome)
        };
        let (server, outcome) = tokio::task::spawn_blocking(act).await.unwrap();
        self.server = Some(server);
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }
}

/// A database of the server.
pub(crate) struct Database {
    kind: Kind,
    url: String,
}

impl Database {
    /// A migrated store in it.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        let store: Arc<dyn Store> = match self.kind {
            Kind::Postgres => {
                let options = PostgresOptions::default().connections(CONNECTIONS);
                Arc::new(PostgresStore::connect_with(&self.url, &options).await.unwrap())
            }
            Kind::MySql => {
                let options = MysqlOptions::default().connections(CONNECTIONS);
                Arc::new(MysqlStore::connect_with(&self.url, &options).await.unwrap())
            }
        };
        store.migrate().await.unwrap();
        store
    }

    /// A ledger that repeats its units as programs do.
    pub(crate) async fn ledger(&self) -> Ledger {
        moon_testkit::builders::ledger(self.store().await).await.with_pause(Arc::new(GrowingPause))
    }

    /// A migrated warehouse in it, with connections of its own.
    pub(crate) async fn warehouse(&self) -> Arc<dyn Warehouse> {
        let warehouse: Arc<dyn Warehouse> = match self.kind {
            Kind::Postgres => Arc::new(PostgresWarehouse::connect(&self.url, currency()).await.unwrap()),
            Kind::MySql => Arc::new(MysqlWarehouse::connect(&self.url, currency()).await.unwrap()),
        };
        warehouse.migrate().await.unwrap();
        warehouse
    }
}
