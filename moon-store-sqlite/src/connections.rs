//! The connections to one database file: one that writes and some that read.

use std::str::FromStr;
use std::time::Duration;

use moon_core::{Error, Result};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqlitePool};

use crate::failure::Place;
use crate::session::Session;

/// What an acknowledged commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The end of the process, however it ends. A power cut may lose the last commits, never a part of one.
    #[default]
    Process,
    /// A power cut too; each commit waits for the disk.
    Power,
}

/// How a database is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// What an acknowledged commit survives.
    pub durability: Durability,
    /// How long a unit of work waits for others before it fails with `Contention`.
    pub wait: Duration,
    /// How many units may read at once.
    pub readers: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { durability: Durability::default(), wait: Duration::from_secs(10), readers: 4 }
    }
}

impl SqliteOptions {
    /// With this durability.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Waiting this long for others.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// With this many reading units at once, at least one.
    #[must_use]
    pub fn readers(mut self, readers: u32) -> Self {
        self.readers = readers.max(1);
        self
    }
}

/// Kibibytes of page cache of the writing connection: a bulk load touches leaves all over the indexes.
const WRITER_CACHE_KIB: &str = "-24576";
/// Kibibytes of page cache of each reading connection; figures read the pages in order, and once.
const READER_CACHE_KIB: &str = "-4096";
/// Pages in the write-ahead log after which a commit moves them into the database: 16 MiB, so that a bulk load writes a
/// page that it touches often only a few times.
const CHECKPOINT_PAGES: &str = "4096";
/// Bytes to which the write-ahead log is cut back after one large transaction.
const LOG_BYTES_KEPT: &str = "67108864";
/// Rows that SQLite's thread may be ahead of the reader.
const ROWS_AHEAD: usize = 512;

/// The pools of one database file.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    writer: SqlitePool,
    readers: SqlitePool,
    place: Place,
}

impl Connections {
    /// Opens a file, creating it unless the URL says `mode=rw` or `mode=ro`.
    pub(crate) async fn open(url: &str, options: &SqliteOptions) -> Result<Self> {
        let fail = |cause: sqlx::Error| {
            Error::invalid("database URL is not of the form sqlite:FILE").with("url", url).caused_by(cause)
        };
        if !url.starts_with("sqlite:") {
            return Err(Error::invalid("database URL is not of the form sqlite:FILE").with("url", url));
        }
        let base = SqliteConnectOptions::from_str(url).map_err(fail)?;
        let file = base.get_filename().display().to_string();
        if url.contains(":memory:") || url.contains("mode=memory") || file.is_empty() {
            return Err(Error::invalid(
                "an SQLite database in memory has one connection and no snapshots; name a file, or use the memory store",
            )
            .with("url", url));
        }
        let base = if url.contains("mode=") { base } else { base.create_if_missing(true) };
        let base = base
            .busy_timeout(options.wait)
            .foreign_keys(true)
            .synchronous(match options.durability {
                Durability::Process => SqliteSynchronous::Normal,
                Durability::Power => SqliteSynchronous::Full,
            })
            .row_buffer_size(ROWS_AHEAD)
            .disable_statement_logging();
        let pool = |size| {
            PoolOptions::<Sqlite>::new()
                .max_connections(size)
                .acquire_timeout(options.wait)
                .test_before_acquire(false)
                .after_release(|connection, _| {
                    Box::pin(async move {
                        // SQLite itself undoes a transaction that finds the disk full; the rollback that follows then
                        // fails, and the connection would count as still inside. The ping waits for that rollback.
                        connection.ping().await?;
                        Ok(!connection.is_in_transaction())
                    })
                })
        };
        let writing = base
            .clone()
            .pragma("cache_size", WRITER_CACHE_KIB)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .pragma("journal_size_limit", LOG_BYTES_KEPT);
        let reading = base.pragma("cache_size", READER_CACHE_KIB);
        let connections = Self {
            writer: pool(1).connect_lazy_with(writing),
            readers: pool(options.readers).connect_lazy_with(reading),
            place: Place::new(file),
        };
        connections.use_wal(options.wait).await?;
        Ok(connections)
    }

    /// Uses an embedder's pool for reading and writing.
    pub(crate) fn from_pool(pool: SqlitePool) -> Self {
        let file = pool.connect_options().get_filename().display().to_string();
        Self { writer: pool.clone(), readers: pool, place: Place::new(file) }
    }

    /// Begins a unit that sees one snapshot.
    pub(crate) async fn read(&self) -> Result<Session> {
        Session::begin_reading(&self.readers, &self.place).await
    }

    /// Begins a unit that holds the write lock.
    pub(crate) async fn write(&self) -> Result<Session> {
        Session::begin_writing(&self.writer, &self.place).await
    }

    /// Switches the file to WAL, which it then stays in. SQLite does not wait for the lock that the switch needs, so
    /// that two processes which create one file at once would disturb each other: hence the repetition.
    async fn use_wal(&self, wait: Duration) -> Result<()> {
        const DOING: &str = "open the database";
        const PAUSE: Duration = Duration::from_millis(20);
        let mut left = wait;
        loop {
            let result = async {
                let mut connection = self.writer.acquire().await?;
                let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
                if mode != "wal" {
                    sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection).await?;
                }
                Ok(())
            }
            .await;
            match self.place.check(DOING, result) {
                Err(error) if error.kind() == moon_core::ErrorKind::Contention && left > PAUSE => {
                    tokio::time::sleep(PAUSE).await;
                    left = left.saturating_sub(PAUSE);
                }
                other => return other,
            }
        }
    }
}
