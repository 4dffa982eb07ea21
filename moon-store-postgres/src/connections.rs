//! The pool of connections to one database.

use std::fmt;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use moon_core::{Error, ErrorKind, Result};

use crate::failure::Place;
use crate::redshift;
use crate::session::Session;
use crate::tls;
use crate::url::{self, Target};

/// How a database is used. No limit can be switched off: whatever waits, ends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// How many connections are open at once at most, and so how many units of work.
    pub connections: usize,
    /// How long a unit of work waits for a connection of the pool before it fails with `Timeout`.
    pub pool_wait: Duration,
    /// How long connecting may take, encryption and authentication included.
    pub connect_timeout: Duration,
    /// How long a statement waits for a lock before the unit fails with `Contention`.
    pub lock_wait: Duration,
    /// How long a statement may take before the unit fails with `Timeout`; waiting for locks counts. Each part of a scan is a
    /// statement of its own.
    pub statement_timeout: Duration,
    /// The schema of the tables; that of the role's search path by default. It is created by the migration.
    pub schema: Option<String>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 10,
            pool_wait: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            lock_wait: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(60),
            schema: None,
        }
    }
}

impl PostgresOptions {
    /// With this many connections at most, at least one.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Waiting this long for a connection.
    #[must_use]
    pub fn pool_wait(mut self, wait: Duration) -> Self {
        self.pool_wait = wait;
        self
    }

    /// Connecting for this long at most.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Waiting this long for a lock.
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Waiting this long for the end of a statement.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// With the tables in this schema.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// One snapshot, nothing written.
    Snapshot,
    /// Reads see what is committed.
    Write,
}

/// What kind of server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// Amazon Redshift.
    Redshift,
}

/// A pool, and how its connections are used.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: Pool,
    dialect: Dialect,
    place: Place,
    options: PostgresOptions,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("place", &self.place)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Connections {
    /// Prepares a pool; nothing is connected yet.
    pub(crate) fn new(url: &str, schemes: &[&str], options: &PostgresOptions) -> Result<Self> {
        let mut target = url::parse(url, schemes)?;
        set_limits(&mut target, options);
        let tls = tls::connector(&target)?;
        let manager =
            Manager::from_config(target.config, tls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let timeouts = Timeouts {
            wait: Some(options.pool_wait),
            create: Some(options.connect_timeout),
            recycle: Some(options.connect_timeout),
        };
        let pool = Pool::builder(manager)
            .max_size(options.connections.max(1))
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|cause| Error::new(ErrorKind::Backend, "the pool cannot be set up").caused_by(cause))?;
        Ok(Self { pool, dialect: Dialect::Postgres, place: Place::new(target.name), options: options.clone() })
    }

    /// The same for another kind of server.
    pub(crate) fn with_dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// The statements that begin a transaction, each to be sent by itself.
    pub(crate) fn begin_statements(&self, access: Access) -> Vec<String> {
        if self.dialect == Dialect::Redshift {
            return redshift::statements::begin(access, &self.options);
        }
        let mode = match access {
            Access::Snapshot => "ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::Write => "ISOLATION LEVEL READ COMMITTED READ WRITE",
        };
        let path = self.options.schema.as_ref();
        let path = path.map(|schema| format!("; SET LOCAL search_path TO {}", quoted(schema)));
        // The snapshot is taken by the first statement, not by BEGIN. Keys are looked up many at once, and with the default
        // cost of a random page the server would rather read a whole table.
        let first = if access == Access::Snapshot { "; SELECT 1" } else { "" };
        vec![format!(
            "BEGIN {mode}; SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}; \
             SET LOCAL random_page_cost = 1.1{}{first}",
            self.options.lock_wait.as_millis(),
            self.options.statement_timeout.as_millis(),
            path.unwrap_or_default(),
        )]
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn options(&self) -> &PostgresOptions {
        &self.options
    }

    /// A connection of the pool.
    pub(crate) async fn lease(&self, doing: &str) -> Result<Object> {
        self.pool.get().await.map_err(|cause| self.place.unconnected(doing, cause))
    }

    /// Begins a transaction. A connection that died in the pool, as all do when the server restarts, is left for another.
    pub(crate) async fn begin(&self, access: Access) -> Result<Session<'static>> {
        const DOING: &str = "begin a unit of work";
        let mut left = self.options.connections;
        loop {
            let lease = self.lease(DOING).await?;
            match Session::begin(lease, access, self).await {
                Err(error) if error.kind() == ErrorKind::Unavailable && left > 0 => left -= 1,
                outcome => return outcome,
            }
        }
    }
}

/// Sets what the driver itself bounds.
fn set_limits(target: &mut Target, options: &PostgresOptions) {
    target
        .config
        .connect_timeout(options.connect_timeout)
        .tcp_user_timeout(options.statement_timeout)
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(30));
}

/// A name as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
