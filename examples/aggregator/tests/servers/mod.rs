//! The database servers of the tests, and a database of its own on them for each test.

use std::sync::atomic::{AtomicU32, Ordering};

use mysql_async::prelude::Queryable as _;
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }

    /// The URL of the server, which the tests need.
    fn url(self) -> String {
        let name = self.name();
        let variable = format!("MOON_TEST_{}_URL", name.to_uppercase());
        std::env::var(&variable).unwrap_or_else(|_| {
            panic!(
                "these tests need a {name} server: run `cargo xtask test` or `cargo xtask servers cargo test -p aggregator`, \
                 which start one, or name one by {variable} (a user who may create databases), or leave them out by \
                 MOON_TEST_SKIP={name}"
            )
        })
    }

    /// Whether tests with this server are left out on purpose, which is said.
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    pub(crate) fn skipped(self) -> bool {
        let skip = std::env::var("MOON_TEST_SKIP").unwrap_or_default();
        let skipped = skip.split(',').any(|name| name.trim() == self.name());
        if skipped {
            println!("left out: MOON_TEST_SKIP names {}", self.name());
        }
        skipped
    }

    /// The URL of a database on the server.
    fn database_url(self, database: &str) -> String {
        let url = self.url();
        let (address, query) = url.split_once('?').map_or((url.as_str(), String::new()), |(a, q)| (a, format!("?{q}")));
        let (scheme, rest) = address.split_once("://").unwrap();
        let host = rest.split_once('/').map_or(rest, |(host, _)| host);
        format!("{scheme}://{host}/{database}{query}")
    }

    /// Removes a database and whoever is connected to it: a unit of work that a test left open would keep it for ever, as
    /// the test's own runtime does not end that unit while it waits for this.
    async fn drop_database(self, database: &str) {
        if self == Self::Mysql {
            let others = format!(
                "SELECT CONCAT('KILL CONNECTION ', id), '' FROM information_schema.processlist WHERE db = '{database}'"
            );
            for (kill, _) in self.query(&self.url(), &[others]).await {
                // One that has ended meanwhile is unknown to the server.
                let _ = tokio::spawn(async move { self.query(&self.url(), &[kill]).await }).await;
            }
        }
        self.query(&self.url(), &[self.drop_statement(database)]).await;
    }

    fn drop_statement(self, database: &str) -> String {
        let force = if self == Self::Postgres { " WITH (FORCE)" } else { "" };
        format!("DROP DATABASE IF EXISTS {database}{force}")
    }

    /// Runs statements in a database; the first two columns of all rows, as texts.
    pub(crate) async fn query(self, url: &str, statements: &[String]) -> Vec<(String, String)> {
        match self {
            Self::Postgres => postgres(url, statements).await,
            Self::Mysql => mysql(url, statements).await,
        }
    }
}

async fn postgres(url: &str, statements: &[String]) -> Vec<(String, String)> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let mut rows = Vec::new();
    for statement in statements {
        for message in client.simple_query(statement).await.unwrap() {
            if let SimpleQueryMessage::Row(row) = message {
                rows.push((row.get(0).unwrap().to_owned(), row.get(1).unwrap().to_owned()));
            }
        }
    }
    rows
}

async fn mysql(url: &str, statements: &[String]) -> Vec<(String, String)> {
    let options = mysql_async::Opts::from_url(url.split('?').next().unwrap()).unwrap();
    let options = mysql_async::OptsBuilder::from_opts(options).prefer_socket(false);
    let mut connection = mysql_async::Conn::new(options).await.unwrap();
    let mut rows = Vec::new();
    for statement in statements {
        rows.extend(connection.query::<(String, String), _>(statement).await.unwrap());
    }
    connection.disconnect().await.unwrap();
    rows
}

/// An empty database, which vanishes with the test.
pub(crate) struct Database {
    server: Server,
    name: String,
}

impl Database {
    pub(crate) async fn create(server: Server) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("moon_programs_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let statements = [server.drop_statement(&name), format!("CREATE DATABASE {name}")];
        server.query(&server.url(), &statements).await;
        Self { server, name }
    }

    pub(crate) fn url(&self) -> String {
        self.server.database_url(&self.name)
    }

    /// The rows of a query with two columns, as texts.
    pub(crate) async fn rows(&self, query: &str) -> Vec<(String, String)> {
        self.server.query(&self.url(), &[query.to_owned()]).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server, std::mem::take(&mut self.name));
        // The test's own runtime may be ending.
        let drop = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(server.drop_database(&name));
        });
        // A database that is left over harms no other test, and the cause of a failure is worth more than this.
        let _ = drop.join();
    }
}
