//! Marks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use moon_core::{Mark, MarkCounts, MarkRepository, Result};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::session::{Param, Row};
use crate::unit::PostgresUnit;
use crate::value::{self, Instant};

#[async_trait]
impl MarkRepository for PostgresUnit<'_> {
    async fn append(&mut self, marks: &[Mark], at: DateTime<Utc>) -> Result<()> {
        let marks = marks.iter().map(value::to_json).collect::<Result<Vec<_>>>()?;
        let sql = "INSERT INTO ledger_marks (mark, appended_at) SELECT unnest($1::text[]), $2";
        let params: [Param<'_>; 2] = [(&marks, Type::TEXT_ARRAY), (&Instant(at), Type::TIMESTAMPTZ)];
        self.session.execute("append marks", sql, &params).await.map(drop)
    }

    async fn claim(&mut self, run: Uuid) -> Result<()> {
        let sql = "UPDATE ledger_marks SET run = $1 WHERE run IS NULL";
        self.session.execute("claim marks", sql, &[(&run, Type::UUID)]).await.map(drop)
    }

    async fn claimed(&mut self, run: Uuid) -> Result<Vec<Mark>> {
        let sql = "SELECT DISTINCT mark FROM ledger_marks WHERE run = $1";
        ascending(&self.session.rows("read claimed marks", sql, &[(&run, Type::UUID)]).await?)
    }

    async fn open(&mut self) -> Result<Vec<Mark>> {
        let sql = "SELECT DISTINCT mark FROM ledger_marks WHERE run IS NULL";
        ascending(&self.session.rows("read open marks", sql, &[]).await?)
    }

    async fn settle(&mut self, run: Uuid) -> Result<()> {
        let sql = "DELETE FROM ledger_marks WHERE run = $1";
        self.session.execute("settle marks", sql, &[(&run, Type::UUID)]).await.map(drop)
    }

    async fn counts(&mut self) -> Result<MarkCounts> {
        let sql = "SELECT count(*) - count(run), count(run), min(appended_at) FROM ledger_marks";
        let Some(row) = self.session.row("count marks", sql, &[]).await? else { return Ok(MarkCounts::default()) };
        Ok(MarkCounts {
            open: value::narrow(row.get(0)?)?,
            claimed: value::narrow(row.get(1)?)?,
            oldest: row.get::<Option<Instant>>(2)?.map(|oldest| oldest.0),
        })
    }
}

/// Stored marks, ascending, each once.
fn ascending(rows: &[Row]) -> Result<Vec<Mark>> {
    let mut marks: Vec<Mark> = rows.iter().map(|row| value::from_json(row.get(0)?)).collect::<Result<_>>()?;
    marks.sort_unstable();
    marks.dedup();
    Ok(marks)
}
