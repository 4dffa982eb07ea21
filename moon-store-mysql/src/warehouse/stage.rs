//! The stage of a run: rows that no reader sees yet.

use std::collections::BTreeSet;

use async_trait::async_trait;
use moon_core::{
    ControlTotals, Currency, Error, ErrorKind, Period, Receipt, Result, RunKey, RunRecord, Scope, StagedRows, StagedRun,
};
use mysql_async::Value;

use super::rows::{Stage, StageRow, stage_rows};
use super::runs;
use crate::connections::{Access, Connections};
use crate::lists::{parts, places};
use crate::session::Session;
use crate::value;

pub(super) struct MysqlStage {
    pub(super) connections: Connections,
    pub(super) currency: Currency,
    pub(super) run: RunKey,
    pub(super) scope: Scope,
    /// Periods that the run opens again or closes. They are so few that they wait here.
    pub(super) reopened: BTreeSet<Period>,
    pub(super) closed: BTreeSet<Period>,
}

const DOING: &str = "stage figures";

/// Rows of one statement at most.
const ROWS_MAX: usize = 512;

/// Makes whoever publishes or opens wait for one another.
pub(super) async fn lock_fence(session: &mut Session<'_>) -> Result<()> {
    let sql = "SELECT one FROM warehouse_fence FOR UPDATE";
    if session.row("wait for another publisher", sql, Vec::new()).await?.is_some() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Corrupt, "the warehouse has lost its fence; restore the row of warehouse_fence"))
}

/// Removes the stage of one run, or all.
pub(super) async fn clear(session: &mut Session<'_>, run: Option<&RunKey>) -> Result<()> {
    // The rows go with their stage.
    let (sql, params) = match run {
        None => ("DELETE FROM warehouse_stages", Vec::new()),
        Some(run) => ("DELETE FROM warehouse_stages WHERE run_id = ?", vec![value::bytes(run.id.to_string())]),
    };
    session.execute("remove a stage", sql, params).await.map(drop)
}

/// Makes the stage of a run.
pub(super) async fn create(session: &mut Session<'_>, run: &RunKey) -> Result<()> {
    let sql = "INSERT INTO warehouse_stages (run_id) VALUES (?)";
    session.execute("make a stage", sql, vec![value::bytes(run.id.to_string())]).await.map(drop)
}

/// Refuses a stage that a later run has removed; keeps it from being removed until the session ends.
async fn check_present(session: &mut Session<'_>, run: &RunKey) -> Result<()> {
    let sql = "SELECT 1 FROM warehouse_stages WHERE run_id = ? LOCK IN SHARE MODE";
    if session.row("look for the stage", sql, vec![value::bytes(run.id.to_string())]).await?.is_some() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "another run was opened in the meantime and removed this stage; start again")
        .with("run", run.id))
}

impl MysqlStage {
    async fn write_in(&self, session: &mut Session<'_>, stage: Stage, rows: &[StageRow]) -> Result<()> {
        check_present(session, &self.run).await?;
        let (table, columns) = stage.table();
        let row = format!("({})", places("?", columns.len() + 1));
        let run = value::bytes(self.run.id.to_string());
        for part in parts(rows, ROWS_MAX) {
            let sql =
                format!("INSERT INTO {table} (run_id, {}) VALUES {}", columns.join(", "), places(&row, part.len()));
            let mut params: Vec<Value> = Vec::with_capacity(part.len() * (columns.len() + 1));
            for row in part {
                params.push(run.clone());
                params.extend(row.iter().cloned());
            }
            session.execute(DOING, &sql, params).await?;
        }
        Ok(())
    }

    async fn publish_in(
        &self,
        session: &mut Session<'_>,
        control: &ControlTotals,
        record: &RunRecord,
    ) -> Result<Receipt> {
        lock_fence(session).await?;
        if let Some(record) = runs::published(session, &self.run).await? {
            return Ok(Receipt { record });
        }
        runs::check_fence(session, &self.run).await?;
        check_present(session, &self.run).await?;
        let receipt = self.replace(session, control, record).await?;
        clear(session, Some(&self.run)).await?;
        Ok(receipt)
    }
}

#[async_trait]
impl StagedRun for MysqlStage {
    async fn write(&mut self, rows: StagedRows) -> Result<()> {
        rows.check(&self.run, &self.scope)?;
        match rows {
            StagedRows::Close(period) => drop(self.closed.insert(period)),
            StagedRows::Reopen(period) => drop(self.reopened.insert(period)),
            _ => {}
        }
        let Some((stage, rows)) = stage_rows(&rows, self.currency)? else { return Ok(()) };
        let mut session = self.connections.begin(Access::Write).await?;
        match self.write_in(&mut session, stage, &rows).await {
            Ok(()) => session.commit().await,
            Err(error) => {
                // Nothing of it is kept, whether or not the server can still be told.
                let _ = session.rollback().await;
                Err(match error.kind() {
                    ErrorKind::AlreadyExists => {
                        Error::invalid("the same row was staged twice").with("run", self.run.id).caused_by(error)
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
                let _ = session.rollback().await;
                Err(error)
            }
        }
    }

    async fn discard(self: Box<Self>) -> Result<()> {
        let mut session = self.connections.begin(Access::Write).await?;
        clear(&mut session, Some(&self.run)).await?;
        session.commit().await
    }
}
