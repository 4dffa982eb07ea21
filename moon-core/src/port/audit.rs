//! The audit trail.

use async_trait::async_trait;

use super::{Page, PageRequest};
use crate::{AuditEntry, Result};

/// Keeps audit entries, for ever.
#[async_trait]
pub trait AuditRepository: Send {
    /// Appends an entry.
    async fn append(&mut self, entry: &AuditEntry) -> Result<()>;

    /// Entries in the order in which they were appended.
    async fn list(&mut self, page: &PageRequest) -> Result<Page<AuditEntry>>;
}
