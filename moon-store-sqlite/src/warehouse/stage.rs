//! The stage of a run: rows that no reader sees yet.

use std::collections::BTreeSet;

use async_trait::async_trait;
use moon_core::{
    ControlTotals, Currency, Dimension, Error, ErrorKind, Period, Receipt, Result, RunKey, RunRecord, Scope,
    StagedRows, StagedRun,
};

use super::rows::{Staging, staging};
use crate::connections::Connections;
use crate::session::Session;

pub(super) struct SqliteStage {
    pub(super) connections: Connections,
    pub(super) currency: Currency,
    pub(super) run: RunKey,
    pub(super) scope: Scope,
    /// Periods that the run closes or opens again. They are so few that they wait here.
    pub(super) closed: BTreeSet<Period>,
    pub(super) reopened: BTreeSet<Period>,
}

const DOING: &str = "stage figures";

/// The number of a daily dimension in the tables; `None` for agents, who have none there.
pub(super) fn dimension_number(dimension: Dimension) -> Option<i64> {
    match dimension {
        Dimension::Team => Some(1),
        Dimension::Branch => Some(2),
        Dimension::Product => Some(3),
        Dimension::Agent => None,
    }
}

/// Removes the stage of one run, or all.
pub(super) async fn clear(session: &mut Session, run: Option<&RunKey>) -> Result<()> {
    // The rows go with their stage.
    let outcome = match run {
        None => sqlx::query("DELETE FROM warehouse_stages"),
        Some(run) => sqlx::query("DELETE FROM warehouse_stages WHERE run_id = ?").bind(run.id.to_string()),
    }
    .execute(session.writing()?)
    .await;
    session.done("remove a stage", outcome).map(drop)
}

/// Makes the stage of a run.
pub(super) async fn create(session: &mut Session, run: &RunKey) -> Result<()> {
    let outcome = sqlx::query("INSERT INTO warehouse_stages (run_id) VALUES (?)")
        .bind(run.id.to_string())
        .execute(session.writing()?)
        .await;
    session.done("make a stage", outcome).map(drop)
}

/// Refuses a stage that a later run has removed.
pub(super) async fn check_present(session: &mut Session, run: &RunKey) -> Result<()> {
    let present: sqlx::Result<bool> =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM warehouse_stages WHERE run_id = ?)")
            .bind(run.id.to_string())
            .fetch_one(session.reading()?)
            .await;
    if session.done("look for the stage", present)? {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "another run was opened in the meantime and removed this stage; start again")
        .with("run", run.id))
}

impl SqliteStage {
    /// Stages rows, a JSON array of arrays, by a statement that takes them and the run.
    async fn insert(&self, statement: &'static str, rows: String) -> Result<()> {
        let mut session = self.connections.write().await?;
        check_present(&mut session, &self.run).await?;
        let outcome = sqlx::query(statement).bind(self.run.id.to_string()).bind(rows).execute(session.writing()?).await;
        if let Err(error) = session.done(DOING, outcome) {
            session.rollback().await?;
            return Err(match error.kind() {
                ErrorKind::AlreadyExists => {
                    Error::invalid("the same row was staged twice").with("run", self.run.id).caused_by(error)
                }
                _ => error,
            });
        }
        session.commit().await
    }
}

#[async_trait]
impl StagedRun for SqliteStage {
    async fn write(&mut self, rows: StagedRows) -> Result<()> {
        rows.check(&self.run, &self.scope)?;
        match staging(&rows)? {
            Staging::Rows(statement, rows) => self.insert(statement, rows).await?,
            Staging::Close(period) => drop(self.closed.insert(period)),
            Staging::Reopen(period) => drop(self.reopened.insert(period)),
        }
        Ok(())
    }

    async fn publish(self: Box<Self>, control: &ControlTotals, record: &RunRecord) -> Result<Receipt> {
        let mut session = self.connections.write().await?;
        let outcome = self.publish_in(&mut session, control, record).await;
        session.conclude(outcome).await
    }

    async fn discard(self: Box<Self>) -> Result<()> {
        let mut session = self.connections.write().await?;
        clear(&mut session, Some(&self.run)).await?;
        session.commit().await
    }
}
