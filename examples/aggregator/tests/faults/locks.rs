//! Locks that hold a run where a test wants it, without touching the program.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use tokio_postgres::NoTls;

use crate::servers::Server;
use crate::world::World;

/// More than a machine with much to do takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sessions on PostgreSQL that wait for a lock in the database at hand.
const WAITERS_POSTGRES: &str =
    "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'";

/// Sessions on MariaDB that wait for a table in the database at hand.
const WAITERS_MARIADB: &str = "FROM information_schema.processlist
     WHERE db = DATABASE() AND state = 'Waiting for table metadata lock'";

/// Nobody reads the sales of a MariaDB.
pub(crate) struct SourceLock {
    connection: mysql_async::Conn,
    url: String,
}

impl SourceLock {
    pub(crate) async fn hold(world: &World) -> Self {
        let url = world.source.url();
        let options = mysql_async::Opts::from_url(url.split('?').next().unwrap()).unwrap();
        let options = mysql_async::OptsBuilder::from_opts(options).prefer_socket(false);
        let mut connection = mysql_async::Conn::new(options).await.unwrap();
        connection.query_drop("LOCK TABLES ledger_sales WRITE").await.unwrap();
        Self { connection, url }
    }

    /// Waits until a run is held; its sessions.
    pub(crate) async fn until_held(&self) -> Vec<String> {
        until(Server::Mysql, &self.url, &format!("SELECT CAST(id AS CHAR), '' {WAITERS_MARIADB}"), 1).await
    }

    /// Lets go of it.
    pub(crate) async fn release(mut self) {
        self.connection.query_drop("UNLOCK TABLES").await.unwrap();
        self.connection.disconnect().await.unwrap();
    }
}

/// Nobody writes the record of a run into a warehouse on PostgreSQL: the last thing that is written before figures appear.
pub(crate) struct FiguresLock {
    client: tokio_postgres::Client,
    url: String,
}

impl FiguresLock {
    pub(crate) async fn hold(world: &World) -> Self {
        let url = world.figures_url.clone();
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        // It ends in an error where a test kills the server.
        tokio::spawn(connection);
        client.batch_execute("BEGIN; LOCK TABLE warehouse_runs IN SHARE MODE").await.unwrap();
        Self { client, url }
    }

    /// Waits until so many runs are held, by this lock or by one that is; their sessions.
    pub(crate) async fn until_held(&self, runs: usize) -> Vec<String> {
        until(Server::Postgres, &self.url, &format!("SELECT CAST(pid AS TEXT), '' {WAITERS_POSTGRES}"), runs).await
    }

    /// Lets go of them.
    pub(crate) async fn release(self) {
        self.client.batch_execute("ROLLBACK").await.unwrap();
    }
}

async fn until(server: Server, url: &str, query: &str, count: usize) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let found = server.query(url, &[query.to_owned()]).await;
        if found.len() >= count {
            return found.into_iter().map(|(session, _)| session).collect();
        }
        assert!(begun.elapsed() < PATIENCE, "no run waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
