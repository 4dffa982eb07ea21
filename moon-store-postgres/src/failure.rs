//! What PostgreSQL's errors mean to a caller.

use std::sync::Arc;

use deadpool_postgres::{PoolError, TimeoutType};
use moon_core::{Error, ErrorKind, Result};
use tokio_postgres::error::DbError;

/// The server and the database by name, for messages; never a user or a password.
#[derive(Debug, Clone)]
pub(crate) struct Place(Arc<str>);

impl Place {
    pub(crate) fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// An error of this kind at this place.
    pub(crate) fn error(&self, kind: ErrorKind, doing: &str, advice: &str) -> Error {
        Error::new(kind, format!("{doing}: {advice}")).with("database", &self.0)
    }

    /// Translates a failure; `doing` says what failed, such as `record sales`.
    pub(crate) fn failed(&self, doing: &str, cause: tokio_postgres::Error) -> Error {
        let (kind, advice) = match cause.as_db_error() {
            Some(error) => meaning(error),
            None => (client_kind(&cause), None),
        };
        let message = match advice {
            Some(advice) => format!("{doing}: {advice}"),
            None => doing.to_owned(),
        };
        let mut error = Error::new(kind, message).with("database", &self.0);
        if let Some(constraint) = cause.as_db_error().and_then(DbError::constraint) {
            error = error.with("constraint", constraint);
        }
        error.caused_by(cause)
    }

    /// [`failed`](Self::failed) for a result.
    pub(crate) fn check<T>(&self, doing: &str, result: Result<T, tokio_postgres::Error>) -> Result<T> {
        result.map_err(|cause| self.failed(doing, cause))
    }

    /// Nobody answered in time.
    pub(crate) fn silent(&self, doing: &str) -> Error {
        self.error(ErrorKind::Timeout, doing, "the server did not answer in time; the connection was given up")
    }

    /// No connection was to be had.
    pub(crate) fn unconnected(&self, doing: &str, cause: PoolError) -> Error {
        match cause {
            PoolError::Timeout(TimeoutType::Wait) => self.error(
                ErrorKind::Timeout,
                doing,
                "other units of work kept all connections of the pool for too long; try again or allow more of them",
            ),
            PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => {
                self.error(ErrorKind::Timeout, doing, "the server did not answer while connecting")
            }
            PoolError::Backend(cause) => {
                let is_told = cause.as_db_error().is_some();
                let error = self.failed(doing, cause);
                // Whatever keeps a client from connecting, other than a refusal by name, may pass.
                match error.kind() {
                    kind if kind == ErrorKind::Backend || (kind == ErrorKind::Unavailable && !is_told) => {
                        let advice = "no connection to the server";
                        self.error(ErrorKind::Unavailable, doing, advice).caused_by(error)
                    }
                    _ => error,
                }
            }
            PoolError::Closed => self.error(ErrorKind::Unavailable, doing, "the store was closed"),
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                self.error(ErrorKind::Backend, doing, "the pool is not set up").caused_by(cause)
            }
        }
    }
}

/// The kind of a failure that the server told of, and what is wrong and what helps in plain words where its own are too
/// short. See <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn meaning(error: &DbError) -> (ErrorKind, Option<&'static str>) {
    let code = error.code().code();
    match code {
        "40001" | "40P01" => (ErrorKind::Contention, Some("another unit of work stood in the way; repeat the unit")),
        "55P03" => (ErrorKind::Contention, Some("another unit of work kept a lock for too long; repeat the unit")),
        "57014" => (ErrorKind::Timeout, Some("the statement took too long or was cancelled")),
        "25P03" | "57P01" | "57P02" | "57P03" | "57P05" => {
            (ErrorKind::Unavailable, Some("the server closed the connection or is not ready"))
        }
        "23505" => (ErrorKind::AlreadyExists, Some("something with this key exists already")),
        "23503" => (ErrorKind::NotFound, Some("something that it names does not exist")),
        "23502" | "23514" => (ErrorKind::InvalidInput, Some("a value breaks a rule of the database")),
        "25006" => (
            ErrorKind::Unsupported,
            Some("the server or the transaction is read-only; name the primary server to write"),
        ),
        "28000" | "28P01" => (ErrorKind::InvalidInput, Some("the server refused the user or the password")),
        "3D000" => (ErrorKind::InvalidInput, Some("the server has no database of this name")),
        "42501" => (ErrorKind::Backend, Some("the database role lacks a privilege; grant it and repeat")),
        "42P01" | "42703" | "3F000" => {
            (ErrorKind::Backend, Some("the schema is missing or of another version; run the migration first"))
        }
        "XX000" if is_redshifts_1023(error.message(), error.detail()) => {
            (ErrorKind::Contention, Some("another transaction stood in the way; repeat the unit"))
        }
        "XX001" | "XX002" => (ErrorKind::Corrupt, Some("the database is damaged; restore it from a backup")),
        _ => match code.get(..2).unwrap_or_default() {
            "08" => (ErrorKind::Unavailable, None),
            "22" => (ErrorKind::InvalidInput, Some("a value cannot be stored")),
            "53" => (ErrorKind::Unavailable, Some("the server has no room for more: connections, memory or disk")),
            "58" => (ErrorKind::Backend, Some("the server's machine failed to read or write")),
            _ => (ErrorKind::Backend, None),
        },
    }
}

/// Whether it is Redshift's error 1023, a violation of serializable isolation, for which it has no code of its own.
fn is_redshifts_1023(message: &str, detail: Option<&str>) -> bool {
    let told = |text: &str| text.to_lowercase().contains("serializable isolation violation");
    message.trim() == "1023" || told(message) || detail.is_some_and(told)
}

/// The kind of a failure on this side of the connection.
fn client_kind(cause: &tokio_postgres::Error) -> ErrorKind {
    if cause.is_closed() {
        return ErrorKind::Unavailable;
    }
    let mut source = std::error::Error::source(cause);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return if io.kind() == std::io::ErrorKind::TimedOut { ErrorKind::Timeout } else { ErrorKind::Unavailable };
        }
        source = error.source();
    }
    // Display is the only thing by which the driver tells these apart.
    match cause.to_string() {
        text if text.starts_with("error deserializing") => ErrorKind::Corrupt,
        text if text.starts_with("error serializing") => ErrorKind::InvalidInput,
        text if text.starts_with("timeout") => ErrorKind::Timeout,
        _ => ErrorKind::Backend,
    }
}

/// A stored value that breaks a rule which held when it was written.
pub(crate) fn corrupt(cause: Error) -> Error {
    Error::new(ErrorKind::Corrupt, "what is stored breaks a rule of the domain").caused_by(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redshifts_isolation_violation_is_known_by_its_text() {
        let detail = "Serializable isolation violation on table - 4252, transactions forming the cycle are: 9264, 9310";
        assert!(is_redshifts_1023("1023", Some(detail)));
        assert!(is_redshifts_1023("1023", None));
        assert!(is_redshifts_1023("ERROR: 1023 DETAIL: Serializable isolation violation on table", None));
        assert!(!is_redshifts_1023("could not allocate 1023 bytes", None));
    }
}
