//! The audit trail.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Text;

/// Who does something: a user, a service or a job, by a name of at most 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(pub Text);

impl Actor {
    /// An actor of this name.
    ///
    /// # Errors
    /// `InvalidInput` when the name is blank, too long or has control characters.
    pub fn new(name: &str) -> crate::Result<Self> {
        Text::new("actor", name).map(Self)
    }
}

/// One call that changed something, written in the transaction of the change. One entry per call, not per row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When (UTC, microseconds).
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Text,
    /// What was done, such as `record_sales`.
    pub action: String,
    /// What it was done to: a code, a sale's key, or how many rows.
    pub subject: String,
    /// Outcome counts and whatever else explains the entry.
    pub details: serde_json::Value,
}
