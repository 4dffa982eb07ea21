//! The pool of connections to one database.

use std::fmt;
use std::time::Duration;

use moon_core::{ErrorKind, Result};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, DriverError, Error as MysqlError, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};

use tokio::time::error::Elapsed;

use crate::failure::Place;
use crate::session::Session;
use crate::url::{self, Encryption, Target};

/// How a database is used. No limit can be switched off: whatever waits, ends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MysqlOptions {
    /// How many connections are open at once at most, and so how many units of work.
    pub connections: usize,
    /// How long a unit of work waits for a connection of the pool before it fails with `Timeout`; connecting counts.
    pub pool_wait: Duration,
    /// How long a statement waits for a lock before the unit fails with `Contention`, in whole seconds, at least one.
    pub lock_wait: Duration,
    /// How long a statement may take before the unit fails with `Timeout`; waiting for locks counts. Each part of a scan, of
    /// a million sales at most, is a statement of its own, and what its reader does with them while they arrive counts.
    pub statement_timeout: Duration,
    /// Whether MariaDB is sent the rows of many sales in its own form for them, which takes it a quarter less work. MySQL has
    /// no such form. Switch it off where a proxy does not pass it on.
    pub bulk: bool,
}

impl Default for MysqlOptions {
    fn default() -> Self {
        Self {
            connections: 10,
            pool_wait: Duration::from_secs(10),
            lock_wait: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(60),
            bulk: true,
        }
    }
}

impl MysqlOptions {
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

    /// With MariaDB's own form for many rows, or without.
    #[must_use]
    pub fn bulk(mut self, bulk: bool) -> Self {
        self.bulk = bulk;
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

/// Texts that stay prepared on a connection: more than the crate has, those of lists of several lengths included.
const PREPARED_STATEMENTS: usize = 200;

/// How long a connection that nobody needs stays open.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// A pool, and how its connections are used.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: Pool,
    place: Place,
    options: MysqlOptions,
    mariadb: bool,
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
    /// Makes a pool and its first connection, which finds out whether the server encrypts where that is only preferred.
    pub(crate) async fn open(url: &str, options: &MysqlOptions) -> Result<Self> {
        let target = url::parse(url)?;
        let encrypted = target.encryption != Encryption::Disabled;
        let mut connections = Self::new(&target, encrypted, options);
        let mut version = connections.first().await;
        if matches!(&version, Err(MysqlError::Driver(DriverError::NoClientSslFlagFromServer)))
            && target.encryption == Encryption::Preferred
        {
            connections = Self::new(&target, false, options);
            version = connections.first().await;
        }
        connections.mariadb = match version {
            Err(MysqlError::Other(cause)) if cause.is::<Elapsed>() => {
                let advice = "the server did not answer while connecting";
                return Err(connections.place.error(ErrorKind::Timeout, "connect", advice));
            }
            version => connections.place.check("connect", version)?.contains("MariaDB"),
        };
        Ok(connections)
    }

    fn new(target: &Target, encrypted: bool, options: &MysqlOptions) -> Self {
        let size = options.connections.max(1);
        let bounds = PoolConstraints::new(0, size).unwrap_or_default();
        // Connections go back clean, and keep their prepared statements. Without a time to live the pool would close all.
        let pool_options = PoolOpts::default()
            .with_constraints(bounds)
            .with_reset_connection(false)
            .with_inactive_connection_ttl(IDLE_MAX);
        let driver: OptsBuilder = target
            .options(encrypted)
            .pool_opts(pool_options)
            .stmt_cache_size(PREPARED_STATEMENTS)
            .client_found_rows(true)
            .tcp_keepalive(Some(Duration::from_secs(30)))
            .setup(vec![settings(options), "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned()]);
        Self {
            pool: Pool::new(Opts::from(driver)),
            place: Place::new(target.name.as_str()),
            options: options.clone(),
            mariadb: false,
        }
    }

    /// Connects, leaves the connection to the pool, and returns the server's version.
    async fn first(&self) -> mysql_async::Result<String> {
        let connect = async {
            let mut conn = self.pool.get_conn().await?;
            let version: Option<String> = conn.query_first("SELECT VERSION()").await?;
            Ok(version.unwrap_or_default())
        };
        let outcome = tokio::time::timeout(self.options.pool_wait, connect).await;
        outcome.unwrap_or_else(|elapsed| Err(MysqlError::Other(Box::new(elapsed))))
    }

    /// Whether many rows go in MariaDB's own form for them.
    pub(crate) fn take_bulk(&self) -> bool {
        self.mariadb && self.options.bulk
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn options(&self) -> &MysqlOptions {
        &self.options
    }

    /// A connection of the pool.
    pub(crate) async fn lease(&self, doing: &str) -> Result<Conn> {
        match tokio::time::timeout(self.options.pool_wait, self.pool.get_conn()).await {
            Ok(outcome) => self.place.check(doing, outcome),
            Err(_) => Err(self.place.error(
                ErrorKind::Timeout,
                doing,
                "no connection was free in time, or the server did not answer; try again or allow more connections",
            )),
        }
    }

    /// Begins a transaction. A connection that died in the pool, as all do when the server restarts, is left for another.
    pub(crate) async fn begin(&self, access: Access) -> Result<Session<'static>> {
        const DOING: &str = "begin a unit of work";
        let mut left = self.options.connections;
        loop {
            let conn = self.lease(DOING).await?;
            match Session::begin(conn, access, self).await {
                Err(error) if error.kind() == ErrorKind::Unavailable && left > 0 => left -= 1,
                outcome => return outcome,
            }
        }
    }
}

/// The settings of a session. The two servers call the limit of a statement by different names, and know each other's
/// comments: one in `/*M! */` is for MariaDB alone, one in `/*!50708 */` for MySQL alone.
fn settings(options: &MysqlOptions) -> String {
    let statement = options.statement_timeout.max(Duration::from_millis(1));
    let lock_seconds = options.lock_wait.as_secs().max(1);
    format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
         NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY', time_zone = '+00:00', innodb_lock_wait_timeout = {lock_seconds}, \
         lock_wait_timeout = {lock_seconds} /*M! , max_statement_time = {}.{:03} */ \
         /*!50708 , max_execution_time = {} */",
        statement.as_secs(),
        statement.subsec_millis(),
        statement.as_millis(),
    )
}
