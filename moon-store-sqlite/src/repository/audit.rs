//! The audit trail.

use async_trait::async_trait;
use moon_core::{AuditEntry, AuditRepository, Error, Page, PageRequest, Result};

use super::fetch_limit;
use crate::unit::SqliteUnit;
use crate::value;

#[derive(sqlx::FromRow)]
struct EntryRow {
    id: i64,
    at: i64,
    actor: String,
    action: String,
    subject: String,
    details: String,
}

impl EntryRow {
    fn read(&self) -> Result<AuditEntry> {
        Ok(AuditEntry {
            at: value::instant(self.at)?,
            actor: value::text("actor", &self.actor)?,
            action: self.action.clone(),
            subject: self.subject.clone(),
            details: value::from_json(&self.details)?,
        })
    }
}

#[async_trait]
impl AuditRepository for SqliteUnit {
    async fn append(&mut self, entry: &AuditEntry) -> Result<()> {
        let outcome =
            sqlx::query("INSERT INTO ledger_audit (at, actor, action, subject, details) VALUES (?, ?, ?, ?, ?)")
                .bind(value::micros(entry.at))
                .bind(entry.actor.as_str())
                .bind(entry.action.as_str())
                .bind(entry.subject.as_str())
                .bind(value::to_json(&entry.details)?)
                .execute(self.session.writing()?)
                .await;
        self.session.done("append to the audit trail", outcome).map(drop)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<AuditEntry>> {
        let after = match &page.after {
            None => 0,
            Some(cursor) => {
                let key = cursor.sort_key()?;
                key.parse::<i64>().map_err(|cause| {
                    Error::invalid("cursor is not one of the audit trail").with("cursor", key).caused_by(cause)
                })?
            }
        };
        let rows: sqlx::Result<Vec<EntryRow>> = sqlx::query_as(
            "SELECT id, at, actor, action, subject, details FROM ledger_audit WHERE id > ? ORDER BY id LIMIT ?",
        )
        .bind(after)
        .bind(fetch_limit(page))
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("read the audit trail", rows)?;
        let page = Page::from_fetched(rows, page.limit, |row| row.id.to_string());
        Ok(Page { items: page.items.iter().map(EntryRow::read).collect::<Result<_>>()?, next: page.next })
    }
}
