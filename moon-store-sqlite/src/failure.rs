//! What SQLite's errors mean to a caller.

use std::sync::Arc;

use moon_core::{Error, ErrorKind, Result};

/// The database file by name, for messages.
#[derive(Debug, Clone)]
pub(crate) struct Place(Arc<str>);

impl Place {
    pub(crate) fn new(file: impl Into<Arc<str>>) -> Self {
        Self(file.into())
    }

    /// Translates a failure; `doing` says what failed, such as `record sales`.
    pub(crate) fn failed(&self, doing: &'static str, cause: sqlx::Error) -> Error {
        let (kind, advice) = meaning(&cause);
        let message = match advice {
            Some(advice) => format!("{doing}: {advice}"),
            None => doing.to_owned(),
        };
        Error::new(kind, message).with("file", &self.0).caused_by(cause)
    }

    /// [`failed`](Self::failed) for a result.
    pub(crate) fn check<T>(&self, doing: &'static str, result: sqlx::Result<T>) -> Result<T> {
        result.map_err(|cause| self.failed(doing, cause))
    }
}

/// The kind of a failure, and what is wrong and what helps in plain words where SQLite's own are too short.
fn meaning(cause: &sqlx::Error) -> (ErrorKind, Option<&'static str>) {
    match cause {
        sqlx::Error::Database(error) => {
            // Extended codes carry the primary one in their low byte; see https://www.sqlite.org/rescode.html.
            let extended = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(1);
            match (extended & 0xff, extended) {
                (5 | 6, _) => (
                    ErrorKind::Contention,
                    Some("another process or connection kept the database locked for too long; try again"),
                ),
                (8, _) => (
                    ErrorKind::Backend,
                    Some("the database is read-only; nothing was changed; allow writing to the file and its folder"),
                ),
                (10, _) => (
                    ErrorKind::Backend,
                    Some("the disk failed to read or write; nothing was changed; check the disk, then repeat"),
                ),
                (11 | 26, _) => (
                    ErrorKind::Corrupt,
                    Some("the file is damaged or not a database; restore it from a backup or name another file"),
                ),
                (13, _) => (
                    ErrorKind::Backend,
                    Some("the disk or the database's size limit is full; nothing was changed; free space, then repeat"),
                ),
                (14, _) => (
                    ErrorKind::Unavailable,
                    Some("the file cannot be opened; check that its folder exists and may be written to"),
                ),
                (19, 1555 | 2067 | 2579) => (ErrorKind::AlreadyExists, Some("something with this key exists already")),
                (19, 787) => (ErrorKind::NotFound, Some("something that it names does not exist")),
                (19 | 20 | 25, _) => (ErrorKind::InvalidInput, Some("a value breaks a rule of the database")),
                _ => (ErrorKind::Backend, None),
            }
        }
        sqlx::Error::PoolTimedOut => {
            (ErrorKind::Contention, Some("other units of work kept all connections for too long; try again"))
        }
        sqlx::Error::PoolClosed => (ErrorKind::Unavailable, Some("the store was closed")),
        sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => (ErrorKind::Unavailable, None),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            (ErrorKind::Corrupt, Some("a stored value has an unexpected type"))
        }
        sqlx::Error::Configuration(_) => (ErrorKind::InvalidInput, None),
        _ => (ErrorKind::Backend, None),
    }
}

/// A stored value that breaks a rule which held when it was written.
pub(crate) fn corrupt(cause: Error) -> Error {
    Error::new(ErrorKind::Corrupt, "what is stored breaks a rule of the domain").caused_by(cause)
}
