//! Records: small documents for whatever needs no table of its own.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Version;

/// The key of a record: a namespace, such as `settings`, and a key in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// Groups records of one use.
    pub namespace: String,
    /// Names one of them.
    pub key: String,
}

impl RecordKey {
    /// A key of two parts.
    pub fn new(namespace: impl Into<String>, key: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), key: key.into() }
    }
}

/// A small document: settings, leases, idempotency keys, closings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Where it is found.
    pub key: RecordKey,
    /// The document.
    pub value: serde_json::Value,
    /// From when on it may be removed, by whoever looks; a reader treats it as absent from then on.
    pub expires_at: Option<DateTime<Utc>>,
    /// Rises with every change.
    pub version: Version,
}
