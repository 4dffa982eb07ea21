//! Marks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use moon_core::{Mark, MarkCounts, MarkRepository, Result};
use mysql_async::{Row, Value};
use uuid::Uuid;

use crate::lists::{lookups, parts, places};
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

/// How many marks a statement appends.
const APPENDED_MAX: usize = 256;
/// How many marks are claimed at a time.
const CLAIMED_MAX: i64 = 4_096;

#[async_trait]
impl MarkRepository for MysqlUnit<'_> {
    async fn append(&mut self, marks: &[Mark], at: DateTime<Utc>) -> Result<()> {
        self.session.check_writes()?;
        for part in parts(marks, APPENDED_MAX) {
            let sql = format!("INSERT INTO ledger_marks (mark, appended_at) VALUES {}", places("(?, ?)", part.len()));
            let mut params = Vec::with_capacity(2 * part.len());
            for mark in part {
                params.push(value::bytes(value::to_json(mark)?));
                params.push(value::micros(at));
            }
            self.session.execute("append marks", &sql, params).await?;
        }
        Ok(())
    }

    async fn claim(&mut self, run: Uuid) -> Result<()> {
        const DOING: &str = "claim marks";
        self.session.check_writes()?;
        // Marks of units that are not committed yet are locked, and wait for the next run; nobody waits for them here.
        let open = format!(
            "SELECT id FROM ledger_marks FORCE INDEX (ledger_marks_run) WHERE run IS NULL
             LIMIT {CLAIMED_MAX} FOR UPDATE SKIP LOCKED"
        );
        loop {
            let rows = self.session.rows(DOING, &open, Vec::new()).await?;
            let ids = rows.iter().map(|row| row.int(0).map(Value::Int)).collect::<Result<Vec<_>>>()?;
            if ids.is_empty() {
                return Ok(());
            }
            for (places, mut params) in lookups(&ids) {
                params.insert(0, value::uuid(run));
                // Whatever the server makes of so few rows: reading all of them would wait for those that others have locked.
                let sql = format!("UPDATE ledger_marks FORCE INDEX (PRIMARY) SET run = ? WHERE id IN ({places})");
                self.session.execute(DOING, &sql, params).await?;
            }
        }
    }

    async fn claimed(&mut self, run: Uuid) -> Result<Vec<Mark>> {
        let sql = "SELECT DISTINCT mark FROM ledger_marks WHERE run = ?";
        ascending(&self.session.rows("read claimed marks", sql, vec![value::uuid(run)]).await?)
    }

    async fn open(&mut self) -> Result<Vec<Mark>> {
        let sql = "SELECT DISTINCT mark FROM ledger_marks WHERE run IS NULL";
        ascending(&self.session.rows("read open marks", sql, Vec::new()).await?)
    }

    async fn settle(&mut self, run: Uuid) -> Result<()> {
        // By the index, as above. Only in this form may a DELETE be told so.
        let sql = "DELETE m FROM ledger_marks m FORCE INDEX (ledger_marks_run) WHERE m.run = ?";
        self.session.execute("settle marks", sql, vec![value::uuid(run)]).await.map(drop)
    }

    async fn counts(&mut self) -> Result<MarkCounts> {
        let sql = "SELECT COUNT(*) - COUNT(run), COUNT(run), MIN(appended_at) FROM ledger_marks";
        let Some(row) = self.session.row("count marks", sql, Vec::new()).await? else {
            return Ok(MarkCounts::default());
        };
        Ok(MarkCounts {
            open: value::narrow(row.int(0)?)?,
            claimed: value::narrow(row.int(1)?)?,
            oldest: row.optional_int(2)?.map(value::instant).transpose()?,
        })
    }
}

/// Stored marks, ascending, each once.
fn ascending(rows: &[Row]) -> Result<Vec<Mark>> {
    let mut marks: Vec<Mark> = rows.iter().map(|row| value::from_json(row.text(0)?)).collect::<Result<_>>()?;
    marks.sort_unstable();
    marks.dedup();
    Ok(marks)
}
