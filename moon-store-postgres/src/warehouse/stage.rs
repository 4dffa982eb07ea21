//! The stage of a run: rows that no reader sees yet.

use async_trait::async_trait;
use moon_core::{ControlTotals, Error, ErrorKind, Receipt, Result, RunKey, RunRecord, StagedRows, StagedRun};
use tokio_postgres::types::Type;

use super::publish::{self, Run};
use super::rows::{Stage, TextRow};
use super::runs;
use crate::connections::{Access, Connections};
use crate::session::{Param, Session};

pub(super) struct PostgresStage {
    pub(super) connections: Connections,
    pub(super) run: Run,
}

const DOING: &str = "stage figures";

/// Makes whoever publishes or opens wait for one another.
pub(super) async fn lock_fence(session: &mut Session<'_>) -> Result<()> {
    let row = session.row("wait for another publisher", "SELECT one FROM warehouse_fence FOR UPDATE", &[]).await?;
    if row.is_some() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Corrupt, "the warehouse has lost its fence; restore the row of warehouse_fence"))
}

/// Removes the stage of one run, or all.
pub(super) async fn clear(session: &mut Session<'_>, run: Option<&RunKey>) -> Result<()> {
    // The rows go with their stage.
    let sql = "DELETE FROM warehouse_stages WHERE run_id = $1 OR $1 IS NULL";
    let id = run.map(|run| run.id.to_string());
    session.execute("remove a stage", sql, &[(&id, Type::TEXT)]).await.map(drop)
}

/// Makes the stage of a run.
pub(super) async fn create(session: &mut Session<'_>, run: &RunKey) -> Result<()> {
    let sql = "INSERT INTO warehouse_stages (run_id) VALUES ($1)";
    session.execute("make a stage", sql, &[(&run.id.to_string(), Type::TEXT)]).await.map(drop)
}

/// Refuses a stage that a later run has removed.
async fn check_present(session: &mut Session<'_>, run: &RunKey) -> Result<()> {
    let sql = "SELECT 1 FROM warehouse_stages WHERE run_id = $1 FOR KEY SHARE";
    if session.row("look for the stage", sql, &[(&run.id.to_string(), Type::TEXT)]).await?.is_some() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "another run was opened in the meantime and removed this stage; start again")
        .with("run", run.id))
}

/// The statement that stages rows: it takes the run and an array of text for each column.
fn insert(stage: Stage) -> String {
    let (mut names, mut casts, mut arrays) = (String::new(), String::new(), String::new());
    for (index, (name, kind)) in stage.columns().iter().enumerate() {
        names.push_str(&format!(", {name}"));
        // What is text is so by itself: a cast to VARCHAR(n) would cut it.
        let cast = if kind.starts_with("VARCHAR") { format!("x.{name}") } else { format!("CAST(x.{name} AS {kind})") };
        casts.push_str(&format!(", {cast}"));
        arrays.push_str(&format!("{}${}::text[]", if index == 0 { "" } else { ", " }, index + 2));
    }
    let columns = names.trim_start_matches(", ");
    format!("INSERT INTO {} (run_id{names}) SELECT $1{casts} FROM unnest({arrays}) AS x ({columns})", stage.table())
}

impl PostgresStage {
    async fn write_in(&self, session: &mut Session<'_>, stage: Stage, rows: Vec<TextRow>) -> Result<()> {
        check_present(session, &self.run.key).await?;
        let mut columns: Vec<Vec<Option<String>>> = stage.columns().iter().map(|_| Vec::new()).collect();
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        let id = self.run.key.id.to_string();
        let mut params: Vec<Param<'_>> = vec![(&id, Type::TEXT)];
        params.extend(columns.iter().map(|column| -> Param<'_> { (column, Type::TEXT_ARRAY) }));
        session.execute(DOING, &insert(stage), &params).await.map(drop)
    }

    async fn publish_in(
        &self,
        session: &mut Session<'_>,
        control: &ControlTotals,
        record: &RunRecord,
    ) -> Result<Receipt> {
        lock_fence(session).await?;
        if let Some(record) = runs::published(session, &self.run.key).await? {
            return Ok(Receipt { record });
        }
        runs::check_fence(session, &self.run.key).await?;
        check_present(session, &self.run.key).await?;
        let receipt = publish::publish(session, &self.run, control, record).await?;
        clear(session, Some(&self.run.key)).await?;
        Ok(receipt)
    }
}

#[async_trait]
impl StagedRun for PostgresStage {
    async fn write(&mut self, rows: StagedRows) -> Result<()> {
        let Some((stage, rows)) = self.run.take(&rows)? else { return Ok(()) };
        let mut session = self.connections.begin(Access::Write).await?;
        match self.write_in(&mut session, stage, rows).await {
            Ok(()) => session.commit().await,
            Err(error) => {
                session.rollback().await?;
                Err(match error.kind() {
                    ErrorKind::AlreadyExists => {
                        Error::invalid("the same row was staged twice").with("run", self.run.key.id).caused_by(error)
                    }
                    _ => error,
                })
            }
        }
    }

    async fn publish(self: Box<Self>, control: &ControlTotals, record: &RunRecord) -> Result<Receipt> {
        let mut session = self.connections.begin(Access::Write).await?;
        match self.publish_in(&mut session, control, record).await {
            Ok(receipt) => {
                session.commit().await?;
                Ok(receipt)
            }
            Err(error) => {
                session.rollback().await?;
                Err(error)
            }
        }
    }

    async fn discard(self: Box<Self>) -> Result<()> {
        let mut session = self.connections.begin(Access::Write).await?;
        clear(&mut session, Some(&self.run.key)).await?;
        session.commit().await
    }
}
