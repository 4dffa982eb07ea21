//! The stage of a run: rows that no reader sees yet.

use async_trait::async_trait;
use moon_core::{
    Cell, ControlTotals, Currency, Dimension, Error, ErrorKind, ProductCode, ProductRow, PublishedTarget, Receipt,
    Result, RunKey, RunRecord, Scope, StagedRows, StagedRun, TargetScope, Text,
};

use crate::connections::Connections;
use crate::session::Session;
use crate::value::to_json;

pub(super) struct SqliteStage {
    pub(super) connections: Connections,
    pub(super) currency: Currency,
    pub(super) run: RunKey,
    pub(super) scope: Scope,
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

/// Minor units as SQLite keeps them. The least 64-bit number is left out: it has no absolute value.
fn minor(field: &'static str, of: impl std::fmt::Display, minor: i128) -> Result<i64> {
    i64::try_from(minor).ok().filter(|minor| *minor != i64::MIN).ok_or_else(|| {
        Error::new(ErrorKind::Refused, "figure has more digits than an SQLite warehouse can hold; use another backend")
            .with("figure", field)
            .with("of", of)
            .with("minor_units", minor)
    })
}

impl SqliteStage {
    fn cell_rows(&self, cells: &[Cell]) -> Result<String> {
        let mut rows = Vec::with_capacity(cells.len());
        for cell in cells {
            let fail = |fault| {
                Error::invalid(fault)
                    .with("dimension", cell.dimension.name())
                    .with("day", cell.day)
                    .with("code", &cell.code)
            };
            let dimension =
                dimension_number(cell.dimension).ok_or_else(|| fail("the warehouse has no daily figures of agents"))?;
            if !self.scope.days.contains(cell.day.epoch_day()) {
                return Err(fail("cell lies outside of the run's scope"));
            }
            let figures = &cell.figures;
            rows.push((
                dimension,
                cell.day.epoch_day(),
                &*cell.code,
                minor("net_sales", &cell.code, figures.net.minor)?,
                figures.net.count,
                minor("gross_sales", &cell.code, figures.gross.minor)?,
                figures.gross.count,
                minor("activity_sales", &cell.code, figures.activity.minor)?,
                figures.activity.count,
            ));
        }
        to_json(&rows)
    }

    fn metric_rows(&self, month: Option<moon_core::BusinessDate>, rows: &[ProductRow]) -> Result<String> {
        if let Some(month) = month.filter(|month| !self.scope.months.contains(month.epoch_day())) {
            return Err(Error::invalid("month lies outside of the run's scope").with("month", month));
        }
        let month = month.map(moon_core::BusinessDate::epoch_day);
        let of =
            |field, product: &str, value: Option<i128>| value.map(|value| minor(field, product, value)).transpose();
        let rows = rows
            .iter()
            .map(|row| {
                Ok((
                    month,
                    &*row.product,
                    &*row.product_name,
                    of("target_amount", &row.product, row.target_minor)?,
                    minor("total_sales", &row.product, row.total.minor)?,
                    row.total.count,
                    of("variance", &row.product, row.variance_minor)?,
                    row.attainment.map(|attainment| attainment.to_string()),
                    row.status.name(),
                    u8::from(row.complete),
                    row.coverage.name(),
                ))
            })
            .collect::<Result<Vec<_>>>()?;
        to_json(&rows)
    }

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

/// Teams, branches or products as rows for their stage.
fn entry_rows<'a>(
    dimension: Dimension,
    entries: impl Iterator<Item = (&'a str, &'a Text, Option<&'a Text>)>,
) -> Result<String> {
    let dimension = dimension_number(dimension);
    let rows: Vec<_> = entries.map(|(code, name, detail)| (dimension, code, name, detail)).collect();
    to_json(&rows)
}

fn target_rows(targets: &[PublishedTarget]) -> Result<String> {
    let mut rows = Vec::with_capacity(targets.len());
    for target in targets {
        if let TargetScope::Agent(_) = target.scope {
            return Err(Error::invalid("targets of agents are not published"));
        }
        rows.push((
            target.product.as_ref().map(ProductCode::as_str),
            target.scope.to_string(),
            target.period.granularity().name(),
            target.period.days().start(),
            target.period.days().end(),
            target.amount.minor(),
        ));
    }
    to_json(&rows)
}

const STAGE_CELLS: &str = "INSERT INTO warehouse_stage_cells (run_id, dimension, day, code, net_sales, net_count,
        gross_sales, gross_count, activity_sales, activity_count)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
        value ->> 8 FROM json_each(?2)";
const STAGE_ENTRIES: &str = "INSERT INTO warehouse_stage_entries (run_id, dimension, code, name, detail)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2)";
const STAGE_TARGETS: &str = "INSERT INTO warehouse_stage_targets (run_id, product, scope, granularity, period_start,
        period_end, amount)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?2)";
const STAGE_METRICS: &str = "INSERT INTO warehouse_stage_metrics (run_id, month, product, product_name, target_amount,
        total_sales, sale_count, variance, attainment, status, complete, coverage)
    SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
        value ->> 8, value ->> 9, value ->> 10 FROM json_each(?2)";

#[async_trait]
impl StagedRun for SqliteStage {
    async fn write(&mut self, rows: StagedRows) -> Result<()> {
        let (statement, rows) = match &rows {
            StagedRows::Cells(cells) => (STAGE_CELLS, self.cell_rows(cells)?),
            StagedRows::Teams(teams) => {
                let entries = teams.iter().map(|team| (team.code.as_str(), &team.name, None));
                (STAGE_ENTRIES, entry_rows(Dimension::Team, entries)?)
            }
            StagedRows::Branches(branches) => {
                let entries =
                    branches.iter().map(|branch| (branch.code.as_str(), &branch.name, branch.region.as_ref()));
                (STAGE_ENTRIES, entry_rows(Dimension::Branch, entries)?)
            }
            StagedRows::Products(products) => {
                let entries =
                    products.iter().map(|product| (product.code.as_str(), &product.name, product.line.as_ref()));
                (STAGE_ENTRIES, entry_rows(Dimension::Product, entries)?)
            }
            StagedRows::Targets(targets) => (STAGE_TARGETS, target_rows(targets)?),
            StagedRows::ProductMetrics { month, rows } => (STAGE_METRICS, self.metric_rows(*month, rows)?),
        };
        self.insert(statement, rows).await
    }

    async fn publish(self: Box<Self>, control: &ControlTotals, record: &RunRecord) -> Result<Receipt> {
        let mut session = self.connections.write().await?;
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
        let mut session = self.connections.write().await?;
        clear(&mut session, Some(&self.run)).await?;
        session.commit().await
    }
}
