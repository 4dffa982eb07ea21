//! A database of its own for each test.

use std::sync::atomic::{AtomicU32, Ordering};

use moon_store_mysql::MysqlStore;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder};

const HELP: &str = "these tests need a MySQL or MariaDB server: run `cargo xtask test`, which starts one, or name one by \
    MOON_TEST_MYSQL_URL (mysql://USER@HOST:PORT/, a user who may create databases and users), or leave them out by \
    MOON_TEST_SKIP=mysql";

/// The URL of the server.
fn server_url() -> String {
    std::env::var("MOON_TEST_MYSQL_URL").unwrap_or_else(|_| panic!("{HELP}"))
}

/// Whether the tests were left out on purpose.
pub(crate) fn skipped() -> bool {
    let skip = std::env::var("MOON_TEST_SKIP").unwrap_or_default();
    let skipped = skip.split(',').any(|name| name.trim() == "mysql");
    if skipped {
        eprintln!("left out: MOON_TEST_SKIP names mysql");
    }
    skipped
}

/// The URL of a database on the same server.
fn database_url(name: &str) -> String {
    let url = server_url();
    let (address, query) = url.split_once('?').map_or((url.as_str(), String::new()), |(a, q)| (a, format!("?{q}")));
    let (scheme, rest) = address.split_once("://").expect("MOON_TEST_MYSQL_URL is a URL");
    let (server, _) = rest.split_once('/').unwrap_or((rest, ""));
    format!("{scheme}://{server}/{name}{query}")
}

/// A plain connection, by the address of a URL.
pub(crate) async fn connect(url: &str) -> Conn {
    let (address, _) = url.split_once('?').unwrap_or((url, ""));
    let options = Opts::from_url(address).expect("a URL of a MySQL server");
    Conn::new(OptsBuilder::from_opts(options).prefer_socket(false)).await.expect("a connection to the test server")
}

/// A database that vanishes with the test, and with it the users that were made for it.
pub(crate) struct Database {
    name: String,
    users: Vec<String>,
}

impl Database {
    /// An empty database, in the server's own character set and order, which fold case: nothing may rely on them.
    pub(crate) async fn empty() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("moon_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut conn = connect(&server_url()).await;
        conn.query_drop(format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
        conn.query_drop(format!("CREATE DATABASE {name}")).await.unwrap();
        conn.disconnect().await.unwrap();
        Self { name, users: Vec::new() }
    }

    pub(crate) fn url(&self) -> String {
        database_url(&self.name)
    }

    /// A store in it, not migrated.
    pub(crate) async fn store(&self) -> MysqlStore {
        MysqlStore::connect(&self.url()).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (name, users) = (self.name.clone(), std::mem::take(&mut self.users));
        // The test's own runtime may be ending.
        let drop = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut conn = connect(&server_url()).await;
                // Whoever still has a transaction open would keep the tables from being dropped.
                let users_of = "SELECT id FROM information_schema.processlist WHERE db = ?";
                let others: Vec<u64> = conn.exec(users_of, (&name,)).await.unwrap_or_default();
                for other in others {
                    let _ = conn.query_drop(format!("KILL {other}")).await;
                }
                let _ = conn.query_drop(format!("DROP DATABASE IF EXISTS {name}")).await;
                for user in users {
                    let _ = conn.query_drop(format!("DROP USER IF EXISTS {user}")).await;
                }
                let _ = conn.disconnect().await;
            });
        });
        let _ = drop.join();
    }
}
