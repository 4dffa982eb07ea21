//! A database of its own for each test, copied from a migrated template.

use std::sync::atomic::{AtomicU32, Ordering};

use moon_core::Store as _;
use moon_store_postgres::PostgresStore;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

const HELP: &str = "these tests need a PostgreSQL server: run `cargo xtask test`, which starts one, or name one by \
    MOON_TEST_POSTGRES_URL (postgres://USER@HOST:PORT/postgres, a role that may create databases and roles), or leave them \
    out by MOON_TEST_SKIP=postgres";

/// The URL of the server's own database.
fn server_url() -> String {
    std::env::var("MOON_TEST_POSTGRES_URL").unwrap_or_else(|_| panic!("{HELP}"))
}

/// Whether the tests were left out on purpose.
pub(crate) fn skipped() -> bool {
    let skip = std::env::var("MOON_TEST_SKIP").unwrap_or_default();
    let skipped = skip.split(',').any(|name| name.trim() == "postgres");
    if skipped {
        eprintln!("left out: MOON_TEST_SKIP names postgres");
    }
    skipped
}

/// The URL of a database on the same server.
fn database_url(name: &str) -> String {
    let url = server_url();
    let (address, query) = url.split_once('?').map_or((url.as_str(), String::new()), |(a, q)| (a, format!("?{q}")));
    let (server, _) = address.rsplit_once('/').expect("MOON_TEST_POSTGRES_URL ends in a database");
    format!("{server}/{name}{query}")
}

/// A plain connection.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection to the test server");
    tokio::spawn(connection);
    client
}

/// A database that vanishes with the test, and with it the roles that were made for it.
pub(crate) struct Database {
    name: String,
    roles: Vec<String>,
}

impl Database {
    /// An empty database.
    pub(crate) async fn empty() -> Self {
        Self::create("template0").await
    }

    /// A database with a migrated ledger.
    pub(crate) async fn migrated() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(template).await;
        Self::create(template).await
    }

    async fn create(template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("moon_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let client = connect(&server_url()).await;
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        let create = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY");
        if client.batch_execute(&create).await.is_err() {
            // Before PostgreSQL 15 there is no choice of strategy.
            client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await.unwrap();
        }
        Self { name, roles: Vec::new() }
    }

    pub(crate) fn url(&self) -> String {
        database_url(&self.name)
    }

    /// The name of a role for this database alone.
    pub(crate) fn role_name(&self, role: &str) -> String {
        format!("{}_{role}", self.name)
    }

    /// A role that may log in, and nothing else.
    pub(crate) async fn role(&mut self, role: &str) -> String {
        let role = self.role_name(role);
        let client = connect(&server_url()).await;
        client.batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'test'")).await.unwrap();
        self.roles.push(role.clone());
        role
    }

    /// The URL for another role.
    pub(crate) fn url_of(&self, role: &str) -> String {
        let url = self.url();
        let (_, behind) = url.split_once("://").unwrap();
        let (_, server) = behind.rsplit_once('@').unwrap_or(("", behind));
        format!("postgres://{role}:test@{server}")
    }

    /// A store in it.
    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::connect(&self.url()).await.unwrap()
    }

    /// A plain connection to it.
    pub(crate) async fn client(&self) -> Client {
        connect(&self.url()).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (name, roles) = (self.name.clone(), std::mem::take(&mut self.roles));
        // The test's own runtime may be ending.
        let drop = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = connect(&server_url()).await;
                let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                for role in roles {
                    let _ = client.batch_execute(&format!("DROP ROLE IF EXISTS {role}")).await;
                }
            });
        });
        let _ = drop.join();
    }
}

/// The name of the migrated template, made by whichever test process comes first. The name carries a fingerprint of the
/// schema, so that a server that lives on gets a new one when the schema changes.
async fn template() -> String {
    let schema = concat!(include_str!("../../src/schema/ledger_1.sql"), "1");
    let print = schema.bytes().fold(5_381_u64, |print, byte| print.wrapping_mul(33) ^ u64::from(byte));
    let name = format!("moon_template_{print:x}");
    let client = connect(&server_url()).await;
    client.batch_execute("SELECT pg_advisory_lock(1299148654, 2)").await.unwrap();
    let known = client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate", &[&name]).await;
    if known.unwrap().is_none() {
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
        let store = PostgresStore::connect(&database_url(&name)).await.unwrap();
        store.migrate().await.unwrap();
        drop(store);
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
        client.batch_execute(&format!("{others} '{name}'")).await.unwrap();
        client
            .batch_execute(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true"))
            .await
            .unwrap();
    }
    client.batch_execute("SELECT pg_advisory_unlock(1299148654, 2)").await.unwrap();
    name
}

/// A relay to a server, which can stop passing on what it gets without closing anything.
pub(crate) struct Relay {
    /// The URL by which the server is reached through it.
    pub(crate) url: String,
    stopped: tokio::sync::watch::Sender<bool>,
}

impl Relay {
    pub(crate) async fn to(url: &str) -> Self {
        let config: tokio_postgres::Config = url.parse().unwrap();
        let tokio_postgres::config::Host::Tcp(host) = &config.get_hosts()[0] else { panic!("a TCP server, not {url}") };
        let target = format!("{host}:{}", config.get_ports().first().copied().unwrap_or(5432));
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
