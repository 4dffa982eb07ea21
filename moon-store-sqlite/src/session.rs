//! A transaction on a connection of its own.

use moon_core::{Error, ErrorKind, Result};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::failure::Place;

/// A transaction. Dropped, it is rolled back.
///
/// After a failure of the database itself the session only rolls back: SQLite may have undone the transaction already,
/// and what followed would be committed statement by statement.
pub(crate) struct Session {
    transaction: Transaction<'static, Sqlite>,
    place: Place,
    writes: bool,
    failed: bool,
}

impl Session {
    /// Takes the write lock at once, waiting for it.
    pub(crate) async fn begin_writing(pool: &SqlitePool, place: &Place) -> Result<Self> {
        let transaction = place.check("begin a unit of work", pool.begin_with("BEGIN IMMEDIATE").await)?;
        Ok(Self { transaction, place: place.clone(), writes: true, failed: false })
    }

    /// Takes a snapshot.
    pub(crate) async fn begin_reading(pool: &SqlitePool, place: &Place) -> Result<Self> {
        const DOING: &str = "begin a reading unit of work";
        let mut transaction = place.check(DOING, pool.begin_with("BEGIN DEFERRED").await)?;
        // The snapshot is taken by the first read, not by BEGIN.
        let first = sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut *transaction).await;
        place.check(DOING, first)?;
        Ok(Self { transaction, place: place.clone(), writes: false, failed: false })
    }

    /// The connection, to read.
    pub(crate) fn reading(&mut self) -> Result<&mut SqliteConnection> {
        if self.failed {
            return Err(Error::new(ErrorKind::Backend, "the unit of work failed before and can only be rolled back"));
        }
        Ok(&mut self.transaction)
    }

    /// The connection, to write.
    pub(crate) fn writing(&mut self) -> Result<&mut SqliteConnection> {
        if !self.writes {
            return Err(Error::new(ErrorKind::Unsupported, "a reading unit of work cannot write"));
        }
        self.reading()
    }

    /// Translates the outcome of a statement and remembers a failure of the database.
    pub(crate) fn done<T>(&mut self, doing: &'static str, outcome: sqlx::Result<T>) -> Result<T> {
        outcome.map_err(|cause| {
            let error = self.place.failed(doing, cause);
            self.failed |= matches!(
                error.kind(),
                ErrorKind::Contention | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Backend
            );
            error
        })
    }

    /// [`done`](Self::done) for a statement that may have been carried out in part when it fails, whatever the reason.
    pub(crate) fn done_or_failed<T>(&mut self, doing: &'static str, outcome: sqlx::Result<T>) -> Result<T> {
        self.failed |= outcome.is_err();
        self.done(doing, outcome)
    }

    /// Commits what went well; otherwise rolls back and hands the error on.
    pub(crate) async fn conclude<T>(self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Ok(value) => {
                self.commit().await?;
                Ok(value)
            }
            Err(error) => {
                self.rollback().await?;
                Err(error)
            }
        }
    }

    pub(crate) async fn commit(self) -> Result<()> {
        if self.failed {
            let _ = self.transaction.rollback().await;
            return Err(Error::new(
                ErrorKind::Backend,
                "commit: the unit of work failed before; it was rolled back and nothing was changed",
            ));
        }
        let outcome = self.transaction.commit().await;
        self.place.check("commit", outcome)
    }

    pub(crate) async fn rollback(self) -> Result<()> {
        let outcome = self.transaction.rollback().await;
        // Rolling back what SQLite has undone itself fails, and is what was asked for.
        if self.failed { Ok(()) } else { self.place.check("roll back", outcome) }
    }
}
