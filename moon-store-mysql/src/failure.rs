//! What MySQL's and MariaDB's errors mean to a caller.

use std::io;
use std::sync::Arc;

use moon_core::{Error, ErrorKind, Result};
use mysql_async::{DriverError, Error as MysqlError, IoError};

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
    pub(crate) fn failed(&self, doing: &str, cause: MysqlError) -> Error {
        let (kind, advice) = meaning(&cause);
        let message = match advice {
            Some(advice) => format!("{doing}: {advice}"),
            None => doing.to_owned(),
        };
        Error::new(kind, message).with("database", &self.0).caused_by(cause)
    }

    /// [`failed`](Self::failed) for a result.
    pub(crate) fn check<T>(&self, doing: &str, result: mysql_async::Result<T>) -> Result<T> {
        result.map_err(|cause| self.failed(doing, cause))
    }

    /// Nobody answered in time.
    pub(crate) fn silent(&self, doing: &str) -> Error {
        self.error(ErrorKind::Timeout, doing, "the server did not answer in time; the connection was given up")
    }
}

/// What is wrong, and what helps in plain words where the driver's own are too short.
type Meaning = (ErrorKind, Option<&'static str>);

fn meaning(cause: &MysqlError) -> Meaning {
    match cause {
        MysqlError::Server(error) => server(error.code),
        MysqlError::Io(IoError::Io(error)) => match error.kind() {
            io::ErrorKind::TimedOut => (ErrorKind::Timeout, None),
            io::ErrorKind::InvalidData => (ErrorKind::Unavailable, Some(TLS)),
            io::ErrorKind::NotFound => (ErrorKind::Unavailable, Some("there is no such socket")),
            _ => (ErrorKind::Unavailable, Some("the connection to the server failed")),
        },
        MysqlError::Io(_) => (ErrorKind::Unavailable, Some(TLS)),
        MysqlError::Driver(error) => driver(error),
        MysqlError::Url(_) => (ErrorKind::InvalidInput, None),
        MysqlError::Other(_) => (ErrorKind::Backend, None),
    }
}

const TLS: &str = "no encrypted connection came about; check the server's certificate, ssl-ca and ssl-mode";

/// See <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html> and
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>; numbers of the client library are below 3000 and above 2000.
fn server(code: u16) -> Meaning {
    match code {
        1205 => (ErrorKind::Contention, Some("another unit of work kept a lock for too long; repeat the unit")),
        1020 | 1213 | 3572 => (ErrorKind::Contention, Some("another unit of work stood in the way; repeat the unit")),
        1317 | 1969 | 3024 => (ErrorKind::Timeout, Some("the statement took too long or was cancelled")),
        1053 | 1152 | 1158..=1161 | 1184 | 1927 | 2006 | 2013 | 4031 => {
            (ErrorKind::Unavailable, Some("the server closed the connection or is shutting down"))
        }
        1040 | 1203 | 1226 => (ErrorKind::Unavailable, Some("the server allows no more connections")),
        1062 | 1586 => (ErrorKind::AlreadyExists, Some("something with this key exists already")),
        1216 | 1452 => (ErrorKind::NotFound, Some("something that it names does not exist")),
        1048 | 1264 | 1292 | 1366 | 1406 | 3819 | 4025 => {
            (ErrorKind::InvalidInput, Some("a value breaks a rule of the database"))
        }
        1045 | 1698 | 1820 | 1862 => (ErrorKind::InvalidInput, Some("the server refused the user or the password")),
        1044 => (ErrorKind::InvalidInput, Some("the user may not use the database; grant it or name another one")),
        1049 => (ErrorKind::InvalidInput, Some("the server has no database of this name")),
        1290 | 1792 | 1836 => (
            ErrorKind::Unsupported,
            Some("the server or the transaction is read-only; name the primary server to write"),
        ),
        1142 | 1143 | 1227 | 1370 => {
            (ErrorKind::Backend, Some("the database user lacks a privilege; grant it and repeat"))
        }
        1054 | 1146 => {
            (ErrorKind::Backend, Some("the schema is missing or of another version; run the migration first"))
        }
        1021 | 1114 => (ErrorKind::Backend, Some("the server's disk or tablespace is full; free space, then repeat")),
        1153 => (ErrorKind::Backend, Some("a statement is larger than max_allowed_packet; allow at least 16 MiB")),
        1665 => (ErrorKind::Backend, Some("the server's binlog_format is STATEMENT; make it ROW or MIXED")),
        _ => (ErrorKind::Backend, None),
    }
}

fn driver(error: &DriverError) -> Meaning {
    match error {
        DriverError::ConnectionClosed | DriverError::PoolDisconnected | DriverError::PacketOutOfOrder => {
            (ErrorKind::Unavailable, Some("the connection to the server was closed"))
        }
        DriverError::NoClientSslFlagFromServer => {
            (ErrorKind::InvalidInput, Some("the server offers no encryption; configure it, or say ssl-mode=disabled"))
        }
        DriverError::UnknownAuthPlugin { .. }
        | DriverError::MysqlOldPasswordDisabled
        | DriverError::CleartextPluginDisabled => (
            ErrorKind::InvalidInput,
            Some(
                "the server asks for a way of authentication that is not supported; use caching_sha2_password or mysql_native_password",
            ),
        ),
        DriverError::FromValue { .. } | DriverError::FromRow { .. } => {
            (ErrorKind::Corrupt, Some("a stored value has an unexpected type"))
        }
        _ => (ErrorKind::Backend, None),
    }
}

/// A stored value that breaks a rule which held when it was written.
pub(crate) fn corrupt(cause: Error) -> Error {
    Error::new(ErrorKind::Corrupt, "what is stored breaks a rule of the domain").caused_by(cause)
}
