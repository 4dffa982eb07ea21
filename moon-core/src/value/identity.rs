//! What identifies a sale, and the numbers that order what is said about things.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::{Error, Result};

/// The most bytes the name of a source, a sale's reference or a policy number may have.
pub const REFERENCE_BYTES_MAX: usize = 200;

/// The ledger's own identifier of a sale: a UUID of version 7, so that younger ones sort behind older ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SaleId(pub Uuid);

impl fmt::Display for SaleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SaleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A text by which another system knows something: 1 to [`REFERENCE_BYTES_MAX`] bytes, compared byte by byte, without
/// control characters or blanks at its ends. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(Arc<str>);

/// The name of a source of sales, such as `core-system`.
pub type Source = Reference;

impl Reference {
    /// Checks and wraps a reference; `field` names it in the message.
    ///
    /// # Errors
    /// `InvalidInput` when it is empty, too long, or has control characters or blanks at its ends.
    pub fn new(field: &'static str, text: &str) -> Result<Self> {
        let fault = if text.is_empty() {
            "is empty"
        } else if text.trim() != text {
            "has blanks at its ends"
        } else if text.len() > REFERENCE_BYTES_MAX {
            "is longer than 200 bytes"
        } else if text.chars().any(char::is_control) {
            "has control characters"
        } else {
            return Ok(Self(text.into()));
        };
        Err(Error::invalid(format!("{field} {fault}")).with("value", format_args!("{text:?}")))
    }

    /// The reference as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new("reference", &text).map_err(serde::de::Error::custom)
    }
}

/// The identity of a sale: the source that reports it and its reference there. Never the policy number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SaleKey {
    /// The system that reports the sale.
    pub source: Source,
    /// How that system calls it.
    pub reference: Reference,
}

impl SaleKey {
    /// Checks both parts.
    ///
    /// # Errors
    /// `InvalidInput`, naming the part.
    pub fn new(source: &str, reference: &str) -> Result<Self> {
        Ok(Self { source: Reference::new("source", source)?, reference: Reference::new("reference", reference)? })
    }
}

impl fmt::Display for SaleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.source, self.reference)
    }
}

impl fmt::Debug for SaleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The place of a message in the one sequence of all messages about a sale, content and life alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u32);

impl Revision {
    /// The first of a sequence.
    pub const FIRST: Self = Self(0);

    /// The one behind this.
    ///
    /// # Errors
    /// `InvalidInput` when the numbers are used up.
    pub fn next(self) -> Result<Self> {
        self.0.checked_add(1).map(Self).ok_or_else(|| Error::invalid("revision numbers are used up"))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The version of a stored thing; rises by one with every change. An update names the version that it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u32);

impl Version {
    /// The version of a thing when it is created.
    pub const FIRST: Self = Self(1);

    /// The version behind this.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
