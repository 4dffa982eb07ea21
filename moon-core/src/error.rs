//! The one error type of Moon.

use std::error::Error as StdError;
use std::fmt;

/// The result of every fallible call in Moon.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value breaks a rule of the domain. Correct the value; repeating the call cannot help.
    InvalidInput,
    /// Something that the call names does not exist.
    NotFound,
    /// Something with this key exists already.
    AlreadyExists,
    /// The stored version is not the expected one: somebody else changed it. Read again, then decide.
    VersionConflict,
    /// The same revision arrived before with another payload.
    PayloadConflict,
    /// A rule forbids it in the present state: the law, a guard, a closed or final thing.
    Refused,
    /// Another unit of work stood in the way (lock, deadlock, serialization). Repeat the whole unit.
    Contention,
    /// The backend cannot be reached at the moment.
    Unavailable,
    /// The backend did not answer in time.
    Timeout,
    /// This backend or handle cannot do it.
    Unsupported,
    /// What is stored breaks an invariant.
    Corrupt,
    /// Any other failure of the backend.
    Backend,
}

impl ErrorKind {
    /// Whether repeating the whole unit of work may succeed.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Contention | Self::Unavailable | Self::Timeout)
    }

    /// The stable snake-case name, for logs, reject files and problem documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::VersionConflict => "version_conflict",
            Self::PayloadConflict => "payload_conflict",
            Self::Refused => "refused",
            Self::Contention => "contention",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Unsupported => "unsupported",
            Self::Corrupt => "corrupt",
            Self::Backend => "backend",
        }
    }
}

/// An error: a kind to act on, a message to read, the context it happened in, and its cause.
///
/// `Display` prints this error's own message and context only, as a lower-case fragment that fits after "failed to";
/// the cause is reached through [`source`](StdError::source). One word wide, so that results stay small.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with a lower-case message without a final period.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), context: Vec::new(), source: None }))
    }

    /// Shorthand for [`ErrorKind::InvalidInput`], the commonest kind.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// Names a place or value that helps to find the fault; printed in brackets behind the message.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind, to act on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone, without context.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The context pairs in the order in which they were added.
    pub fn context(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.context.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// Whether repeating the whole unit of work may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let mut separator = " (";
        for (key, value) in self.context() {
            write!(f, "{separator}{key}: {value}")?;
            separator = ", ";
        }
        if self.0.context.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("context", &self.0.context)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_message_and_context_and_the_cause_is_its_source() {
        let cause = std::io::Error::other("disk full");
        let error = Error::new(ErrorKind::Backend, "write the ledger").with("file", "moon.db").caused_by(cause);
        assert_eq!(error.to_string(), "write the ledger (file: moon.db)");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("disk full"));
        assert!(!error.is_retryable());
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
