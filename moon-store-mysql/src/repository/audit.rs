//! The audit trail.

use async_trait::async_trait;
use moon_core::{AuditEntry, AuditRepository, Error, Page, PageRequest, Result};
use mysql_async::Row;

use super::fetch_limit;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

/// Of `id, at, actor, action, subject, details`.
fn entry(row: &Row) -> Result<AuditEntry> {
    Ok(AuditEntry {
        at: row.instant(1)?,
        actor: value::text("actor", row.text(2)?)?,
        action: row.text(3)?.to_owned(),
        subject: row.text(4)?.to_owned(),
        details: value::from_json(row.text(5)?)?,
    })
}

#[async_trait]
impl AuditRepository for MysqlUnit<'_> {
    async fn append(&mut self, entry: &AuditEntry) -> Result<()> {
        let params = vec![
            value::micros(entry.at),
            value::bytes(entry.actor.as_str()),
            value::bytes(&entry.action),
            value::bytes(&entry.subject),
            value::bytes(value::to_json(&entry.details)?),
        ];
        let sql = "INSERT INTO ledger_audit (at, actor, action, subject, details) VALUES (?, ?, ?, ?, ?)";
        self.session.execute("append to the audit trail", sql, params).await.map(drop)
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
        let sql = "SELECT id, at, actor, action, subject, details FROM ledger_audit WHERE id > ? ORDER BY id LIMIT ?";
        let rows = self.session.rows("read the audit trail", sql, vec![value::int(after), fetch_limit(page)]).await?;
        let items = rows.iter().map(|row| Ok((row.int(0)?, entry(row)?))).collect::<Result<_>>()?;
        let page = Page::from_fetched(items, page.limit, |(id, _): &(i64, AuditEntry)| id.to_string());
        Ok(Page { items: page.items.into_iter().map(|(_, entry)| entry).collect(), next: page.next })
    }
}
