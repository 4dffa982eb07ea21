//! The stage of a run, in memory until it is published: nothing is left on the cluster by a run that breaks off, and the
//! whole transaction can be repeated.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use moon_core::{
    ControlTotals, Error, ErrorKind, Pause, Receipt, Result, RunRecord, StagedRows, StagedRun, retry_contention,
};
use tokio_postgres::types::Type;

use super::statements;
use crate::connections::{Access, Connections};
use crate::session::{Param, Session};
use crate::value;
use crate::warehouse::publish::{self, Run};
use crate::warehouse::rows::{Stage, TextRow};
use crate::warehouse::runs;

const DOING: &str = "publish figures";

/// How a transaction that Redshift refused is repeated.
#[derive(Debug)]
pub(super) struct Patience;

#[async_trait]
impl Pause for Patience {
    fn attempts_max(&self) -> u32 {
        5
    }

    async fn pause(&self, attempt: u32) {
        tokio::time::sleep(Duration::from_millis(100).saturating_mul(attempt.saturating_mul(attempt))).await;
    }
}

pub(super) struct RedshiftStage {
    connections: Connections,
    run: Run,
    rows: BTreeMap<Stage, Vec<TextRow>>,
    /// The keys of the rows: Redshift would take one twice.
    keys: HashSet<(Stage, TextRow)>,
}

impl RedshiftStage {
    pub(super) fn new(connections: Connections, run: Run) -> Self {
        Self { connections, run, rows: BTreeMap::new(), keys: HashSet::new() }
    }

    /// Sends the rows into temporary tables, and counts what arrived.
    async fn send(&self, session: &mut Session<'_>) -> Result<()> {
        for statement in statements::create_stage() {
            session.execute(DOING, &statement, &[]).await?;
        }
        let id = self.run.key.id.to_string();
        for (stage, rows) in &self.rows {
            for chunk in rows.chunks(statements::ROWS_MAX) {
                let mut params: Vec<Param<'_>> = Vec::with_capacity(chunk.len() * (stage.columns().len() + 1));
                for row in chunk {
                    params.push((&id, Type::VARCHAR));
                    params.extend(row.iter().map(|value| -> Param<'_> { (value, Type::VARCHAR) }));
                }
                session.execute(DOING, &statements::insert(*stage, chunk.len()), &params).await?;
            }
            let count = session.row(DOING, &statements::count(*stage), &[]).await?;
            let count = count.map_or(Ok(0), |row| value::whole(row.get(0)?))?;
            if usize::try_from(count).ok() != Some(rows.len()) {
                return Err(Error::new(
                    ErrorKind::Refused,
                    "the warehouse holds another number of staged rows than were sent",
                )
                .with("table", stage.table())
                .with("sent", rows.len())
                .with("found", count));
            }
        }
        Ok(())
    }

    async fn publish_in(
        &self,
        session: &mut Session<'_>,
        control: &ControlTotals,
        record: &RunRecord,
    ) -> Result<Receipt> {
        session.execute("wait for another publisher", statements::LOCK_FENCE, &[]).await?;
        if let Some(record) = runs::published(session, &self.run.key).await? {
            return Ok(Receipt { record });
        }
        runs::check_fence(session, &self.run.key).await?;
        self.send(session).await?;
        let receipt = publish::publish(session, &self.run, control, record).await?;
        for stage in Stage::EVERY {
            session.execute(DOING, &statements::drop_stage(stage), &[]).await?;
        }
        Ok(receipt)
    }
}

#[async_trait]
impl StagedRun for RedshiftStage {
    async fn write(&mut self, rows: StagedRows) -> Result<()> {
        let Some((stage, rows)) = self.run.take(&rows)? else { return Ok(()) };
        let keys: Vec<(Stage, TextRow)> = match stage.key_columns() {
            0 => Vec::new(),
            width => rows.iter().map(|row| (stage, row.iter().take(width).cloned().collect())).collect(),
        };
        // All or none of a call, as elsewhere.
        let mut added = HashSet::with_capacity(keys.len());
        if keys.iter().any(|key| self.keys.contains(key) || !added.insert(key)) {
            return Err(Error::invalid("the same row was staged twice").with("run", self.run.key.id));
        }
        self.keys.extend(keys);
        self.rows.entry(stage).or_default().extend(rows);
        Ok(())
    }

    async fn publish(self: Box<Self>, control: &ControlTotals, record: &RunRecord) -> Result<Receipt> {
        let stage = self.as_ref();
        retry_contention(&Patience, || async move {
            let mut session = stage.connections.begin(Access::Write).await?;
            let outcome = stage.publish_in(&mut session, control, record).await;
            session.conclude(outcome).await
        })
        .await
    }

    async fn discard(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
