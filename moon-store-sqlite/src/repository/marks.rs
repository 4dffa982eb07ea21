//! Marks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use moon_core::{Mark, MarkCounts, MarkRepository, Result};
use uuid::Uuid;

use crate::unit::SqliteUnit;
use crate::value;

#[async_trait]
impl MarkRepository for SqliteUnit {
    async fn append(&mut self, marks: &[Mark], at: DateTime<Utc>) -> Result<()> {
        // One statement for all: json_each gives each mark as JSON text again, the form in which it is kept. `WHERE true`
        // keeps the parser from taking ON CONFLICT for the condition of a join.
        let outcome = sqlx::query(
            "INSERT INTO ledger_marks (mark, appended_at)
             SELECT value, ?2 FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING",
        )
        .bind(value::to_json(&marks.iter().map(value::to_json).collect::<Result<Vec<_>>>()?)?)
        .bind(value::micros(at))
        .execute(self.session.writing()?)
        .await;
        self.session.done("append marks", outcome).map(drop)
    }

    async fn claim(&mut self, run: Uuid) -> Result<()> {
        let outcome = sqlx::query("UPDATE ledger_marks SET run = ? WHERE run IS NULL")
            .bind(run.as_bytes().as_slice())
            .execute(self.session.writing()?)
            .await;
        self.session.done("claim marks", outcome).map(drop)
    }

    async fn claimed(&mut self, run: Uuid) -> Result<Vec<Mark>> {
        let stored: sqlx::Result<Vec<String>> =
            sqlx::query_scalar("SELECT DISTINCT mark FROM ledger_marks WHERE run = ?")
                .bind(run.as_bytes().as_slice())
                .fetch_all(self.session.reading()?)
                .await;
        ascending(&self.session.done("read claimed marks", stored)?)
    }

    async fn open(&mut self) -> Result<Vec<Mark>> {
        let stored: sqlx::Result<Vec<String>> =
            sqlx::query_scalar("SELECT DISTINCT mark FROM ledger_marks WHERE run IS NULL")
                .fetch_all(self.session.reading()?)
                .await;
        ascending(&self.session.done("read open marks", stored)?)
    }

    async fn settle(&mut self, run: Uuid) -> Result<()> {
        let outcome = sqlx::query("DELETE FROM ledger_marks WHERE run = ?")
            .bind(run.as_bytes().as_slice())
            .execute(self.session.writing()?)
            .await;
        self.session.done("settle marks", outcome).map(drop)
    }

    async fn counts(&mut self) -> Result<MarkCounts> {
        let counts: sqlx::Result<(i64, i64, Option<i64>)> =
            sqlx::query_as("SELECT count(*) - count(run), count(run), min(appended_at) FROM ledger_marks")
                .fetch_one(self.session.reading()?)
                .await;
        let (open, claimed, oldest) = self.session.done("count marks", counts)?;
        Ok(MarkCounts {
            open: value::unsigned(open)?,
            claimed: value::unsigned(claimed)?,
            oldest: oldest.map(value::instant).transpose()?,
        })
    }
}

/// Stored marks, ascending, each once.
fn ascending(stored: &[String]) -> Result<Vec<Mark>> {
    let mut marks: Vec<Mark> = stored.iter().map(|mark| value::from_json(mark)).collect::<Result<_>>()?;
    marks.sort_unstable();
    marks.dedup();
    Ok(marks)
}
