//! The audit trail.

use async_trait::async_trait;
use moon_core::{AuditEntry, AuditRepository, Error, Page, PageRequest, Result};
use tokio_postgres::types::Type;

use super::fetch_limit;
use crate::session::{Param, Row};
use crate::unit::PostgresUnit;
use crate::value::{self, Instant};

fn entry(row: &Row) -> Result<AuditEntry> {
    Ok(AuditEntry {
        at: row.get::<Instant>(1)?.0,
        actor: value::text("actor", row.get(2)?)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        details: value::from_json(row.get(5)?)?,
    })
}

#[async_trait]
impl AuditRepository for PostgresUnit<'_> {
    async fn append(&mut self, entry: &AuditEntry) -> Result<()> {
        value::no_nul("action", &entry.action)?;
        value::no_nul("subject", &entry.subject)?;
        let sql = "INSERT INTO ledger_audit (at, actor, action, subject, details) VALUES ($1, $2, $3, $4, $5::json)";
        let params: [Param<'_>; 5] = [
            (&Instant(entry.at), Type::TIMESTAMPTZ),
            (&entry.actor.as_str(), Type::TEXT),
            (&entry.action, Type::TEXT),
            (&entry.subject, Type::TEXT),
            (&value::to_json(&entry.details)?, Type::TEXT),
        ];
        self.session.execute("append to the audit trail", sql, &params).await.map(drop)
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
        let sql = "SELECT id, at, actor, action, subject, details::text FROM ledger_audit
            WHERE id > $1 ORDER BY id LIMIT $2";
        let params: [Param<'_>; 2] = [(&after, Type::INT8), (&fetch_limit(page), Type::INT8)];
        let rows = self.session.rows("read the audit trail", sql, &params).await?;
        let page = Page::from_fetched(rows, page.limit, |row| row.get::<i64>(0).unwrap_or(i64::MAX).to_string());
        Ok(Page { items: page.items.iter().map(entry).collect::<Result<_>>()?, next: page.next })
    }
}
