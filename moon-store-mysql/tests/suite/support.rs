//! A database of its own for each test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moon_core::Store as _;
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

    /// A database with a migrated ledger.
    pub(crate) async fn migrated() -> Self {
        let database = Self::empty().await;
        database.store().await.migrate().await.unwrap();
        database
    }

    /// A store in it.
    pub(crate) async fn store(&self) -> MysqlStore {
        MysqlStore::connect(&self.url()).await.unwrap()
    }

    /// A plain connection to it.
    pub(crate) async fn conn(&self) -> Conn {
        connect(&self.url()).await
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name of a user for this database alone.
    pub(crate) fn user_name(&self, user: &str) -> String {
        format!("{}_{user}", self.name)
    }

    /// A user who may log in, and nothing else.
    pub(crate) async fn user(&mut self, user: &str) -> String {
        let user = self.user_name(user);
        let mut conn = connect(&server_url()).await;
        conn.query_drop(format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'test'")).await.unwrap();
        conn.disconnect().await.unwrap();
        self.users.push(format!("'{user}'@'%'"));
        user
    }

    /// The URL for another user.
    pub(crate) fn url_of(&self, user: &str) -> String {
        let url = self.url();
        let (scheme, behind) = url.split_once("://").unwrap();
        let (_, server) = behind.rsplit_once('@').unwrap_or(("", behind));
        format!("{scheme}://{user}:test@{server}")
    }

    /// Ends all connections to it but the asking one.
    pub(crate) async fn cut(&self) {
        let mut conn = connect(&server_url()).await;
        let others = "SELECT id FROM information_schema.processlist WHERE db = ?";
        loop {
            let others: Vec<u64> = conn.exec(others, (&self.name,)).await.unwrap();
            if others.is_empty() {
                return;
            }
            for other in others {
                // It may end by itself.
                let _ = conn.query_drop(format!("KILL {other}")).await;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until a transaction in it waits for a lock; returns its connection.
    pub(crate) async fn until_one_waits(&self) -> u64 {
        let mut conn = connect(&server_url()).await;
        let sql = "SELECT t.trx_mysql_thread_id FROM information_schema.innodb_trx t
            JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
            WHERE t.trx_state = 'LOCK WAIT' AND p.db = ?";
        loop {
            if let Some(waiting) = conn.exec_first(sql, (&self.name,)).await.unwrap() {
                return waiting;
            }
            // The server looks anew only after it was not asked for a tenth of a second.
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
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

/// A relay to a server, which can stop passing on what it gets without closing anything.
pub(crate) struct Relay {
    /// The URL by which the server is reached through it.
    pub(crate) url: String,
    stopped: tokio::sync::watch::Sender<bool>,
}

impl Relay {
    pub(crate) async fn to(url: &str) -> Self {
        let (address, _) = url.split_once('?').unwrap_or((url, ""));
        let options = Opts::from_url(address).unwrap();
        let target = format!("{}:{}", options.ip_or_hostname(), options.tcp_port());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stopped, watch) = tokio::sync::watch::channel(false);
        let relayed = target.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = tokio::net::TcpStream::connect(&relayed).await.unwrap();
                let mut watch = watch.clone();
                tokio::spawn(async move {
                    let stop = async { watch.wait_for(|stopped| *stopped).await.map(drop) };
                    let relayed = tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => true,
                        _ = stop => false,
                    };
                    if !relayed {
                        // Both sides stay open, and hear nothing more.
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { url: url.replacen(&target, &address, 1), stopped }
    }

    pub(crate) fn stop(&self) {
        self.stopped.send_replace(true);
    }
}
