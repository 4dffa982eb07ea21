//! The audit trail.

use std::sync::Arc;

use async_trait::async_trait;
use moon_core::{AuditEntry, AuditRepository, Error, Page, PageRequest, Result};

use crate::page;
use crate::store::MemoryUnit;

#[async_trait]
impl AuditRepository for MemoryUnit {
    async fn append(&mut self, entry: &AuditEntry) -> Result<()> {
        let audit = &mut self.state_mut()?.audit;
        // Nothing is ever removed, so that the length is the next number.
        let number = u64::try_from(audit.len()).unwrap_or(u64::MAX);
        audit.insert(number, Arc::new(entry.clone()));
        Ok(())
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<AuditEntry>> {
        let after = page::after(page, |key| {
            key.parse::<u64>().map_err(|_| Error::invalid("cursor is not one of the audit trail").with("key", key))
        })?;
        let entries = page::behind(&self.state().audit, after.as_ref());
        let page = page::page(entries, page, |(number, _)| number.to_string());
        let items = page.items.into_iter().map(|(_, entry)| AuditEntry::clone(entry)).collect();
        Ok(Page { items, next: page.next })
    }
}
