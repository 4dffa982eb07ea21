//! Publishing: everything within one transaction, which readers see as a whole or not at all. The statements are those that
//! every dialect knows; parameters and results are text.

use std::collections::BTreeSet;

use moon_core::{
    BusinessDate, ControlTotals, Currency, DayControl, DayRange, DaySet, Dimension, Period, Receipt, Result, RunKey,
    RunRecord, Scope, StagedRows,
};
use tokio_postgres::types::Type;

use super::read::{SUMS, figures};
use super::rows::{Stage, TextRow, dimension_number, text_rows};
use super::{closing, runs};
use crate::failure::corrupt;
use crate::session::{Param, Session};

const DOING: &str = "publish figures";

/// A run to be published.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) key: RunKey,
    pub(crate) scope: Scope,
    pub(crate) currency: Currency,
    /// Periods that the run opens again or closes. They are so few that they wait here.
    pub(crate) reopened: BTreeSet<Period>,
    pub(crate) closed: BTreeSet<Period>,
}

impl Run {
    pub(crate) fn new(key: RunKey, scope: Scope, currency: Currency) -> Self {
        Self { key, scope, currency, reopened: BTreeSet::new(), closed: BTreeSet::new() }
    }

    /// Takes what is to be staged: checks that it belongs, notes periods, and gives rows back as text.
    pub(crate) fn take(&mut self, rows: &StagedRows) -> Result<Option<(Stage, Vec<TextRow>)>> {
        rows.check(&self.key, &self.scope)?;
        match rows {
            StagedRows::Close(period) => self.closed.insert(*period),
            StagedRows::Reopen(period) => self.reopened.insert(*period),
            _ => return text_rows(rows, self.currency),
        };
        Ok(None)
    }
}

/// Statements that replace the dimensions and the targets, in order; the INSERTs take the run.
pub(crate) const REPLACE_WHOLE: [&str; 8] = [
    "DELETE FROM teams",
    "INSERT INTO teams (code, name)
     SELECT code, name FROM warehouse_stage_entries WHERE run_id = $1 AND dimension = 1",
    "DELETE FROM branches",
    "INSERT INTO branches (code, name, region)
     SELECT code, name, detail FROM warehouse_stage_entries WHERE run_id = $1 AND dimension = 2",
    "DELETE FROM products",
    "INSERT INTO products (code, name, line)
     SELECT code, name, detail FROM warehouse_stage_entries WHERE run_id = $1 AND dimension = 3",
    "DELETE FROM warehouse_targets",
    "INSERT INTO warehouse_targets (product, scope, granularity, period_start, period_end, target_amount)
     SELECT product, scope, granularity, period_start, period_end, target_amount
     FROM warehouse_stage_targets WHERE run_id = $1",
];

/// Brings in the staged rows of the product metrics.
pub(crate) const INSERT_METRICS: &str = "INSERT INTO warehouse_product_metrics (month, product, product_name,
        target_amount, total_sales, sale_count, variance, attainment, status, complete, coverage)
    SELECT month, product, product_name, target_amount, total_sales, sale_count, variance, attainment, status, complete,
        coverage
    FROM warehouse_stage_metrics WHERE run_id = $1";

/// Brings in the staged figures of agents.
pub(crate) const INSERT_AGENTS: &str = "INSERT INTO warehouse_agents (month, agent, net_sales, net_count, gross_sales,
        gross_count, activity_sales, activity_count)
    SELECT month, agent, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count
    FROM warehouse_stage_agents WHERE run_id = $1";

/// Removes the product metrics of all time, which every run replaces.
pub(crate) const EMPTY_ALL_TIME: &str = "DELETE FROM warehouse_product_metrics WHERE month IS NULL";

/// Brings in the staged cells of a dimension.
pub(crate) fn insert_cells(dimension: Dimension) -> String {
    let name = dimension.name();
    let number = dimension_number(dimension).unwrap_or(0);
    format!(
        "INSERT INTO {name}_sales_daily (day, {name}, net_sales, net_count, gross_sales, gross_count, activity_sales,
             activity_count)
         SELECT day, code, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count
         FROM warehouse_stage_cells WHERE run_id = $1 AND dimension = {number}"
    )
}

/// Removes the rows of some days from a table, all of them when the days are all that there are.
pub(crate) fn empty_days(table: &str, column: &str, days: DayRange) -> String {
    let condition = if days == DayRange::ALL {
        "IS NOT NULL".to_owned()
    } else {
        format!(">= CAST($1 AS DATE) AND {column} <= CAST($2 AS DATE)")
    };
    format!("DELETE FROM {table} WHERE {column} {condition}")
}

/// What was staged of a dimension, read back and summed by day.
pub(crate) fn staged_sums(dimension: Dimension) -> String {
    let number = dimension_number(dimension).unwrap_or(0);
    format!(
        "SELECT CAST(day AS VARCHAR), {SUMS} FROM warehouse_stage_cells
         WHERE run_id = $1 AND dimension = {number} GROUP BY day ORDER BY day"
    )
}

/// Publishes what was staged, within a transaction that holds the fence and that the caller commits.
pub(crate) async fn publish(
    session: &mut Session<'_>,
    run: &Run,
    control: &ControlTotals,
    record: &RunRecord,
) -> Result<Receipt> {
    let id = run.key.id.to_string();
    let of_run: [Param<'_>; 1] = [(&id, Type::VARCHAR)];
    for dimension in Dimension::DAILY {
        let mut days = Vec::new();
        for row in session.rows(DOING, &staged_sums(dimension), &of_run).await? {
            let day = row.get::<&str>(0)?.parse::<BusinessDate>().map_err(corrupt)?;
            days.push(DayControl { day, figures: figures(&row, 1, run.currency)? });
        }
        control.check(dimension, &days)?;
    }
    for dimension in Dimension::DAILY {
        let table = format!("{}_sales_daily", dimension.name());
        delete_days(session, &table, "day", &run.scope.days).await?;
        session.execute(DOING, &insert_cells(dimension), &of_run).await?;
    }
    session.execute(DOING, EMPTY_ALL_TIME, &[]).await?;
    delete_days(session, "warehouse_product_metrics", "month", &run.scope.months).await?;
    session.execute(DOING, INSERT_METRICS, &of_run).await?;
    if run.scope.agents {
        delete_days(session, "warehouse_agents", "month", &run.scope.months).await?;
        session.execute(DOING, INSERT_AGENTS, &of_run).await?;
    }
    for statement in REPLACE_WHOLE {
        let params = if statement.starts_with("DELETE") { of_run.get(..0) } else { of_run.get(..) };
        session.execute(DOING, statement, params.unwrap_or_default()).await?;
    }
    let record = record.as_published();
    closing::apply(session, run, &record).await?;
    runs::keep(session, &record, run.currency).await?;
    Ok(Receipt { record })
}

async fn delete_days(session: &mut Session<'_>, table: &str, column: &str, days: &DaySet) -> Result<()> {
    for range in days.ranges() {
        let statement = empty_days(table, column, *range);
        let (Some(first), Some(last)) = (range.first(), range.last()) else { continue };
        let (first, last) = (first.to_string(), last.to_string());
        let borders: [Param<'_>; 2] = [(&first, Type::VARCHAR), (&last, Type::VARCHAR)];
        let params = if *range == DayRange::ALL { borders.get(..0) } else { borders.get(..) };
        session.execute(DOING, &statement, params.unwrap_or_default()).await?;
    }
    Ok(())
}
