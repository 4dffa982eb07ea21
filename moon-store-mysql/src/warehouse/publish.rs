//! Publishing: everything within one transaction, which readers see as a whole or not at all.

use moon_core::{ControlTotals, DayControl, DaySet, Dimension, Receipt, Result, RunRecord};

use super::read::{SUMS, figures};
use super::rows::dimension_number;
use super::stage::MysqlStage;
use super::{closing, runs};
use crate::session::Session;
use crate::value::{self, Columns as _};

const DOING: &str = "publish figures";

/// Statements that replace the dimensions and the targets, in order; the INSERTs take the run.
const REPLACE_WHOLE: [&str; 8] = [
    "DELETE FROM teams",
    "INSERT INTO teams (code, name)
     SELECT code, name FROM warehouse_stage_entries WHERE run_id = ? AND dimension = 1",
    "DELETE FROM branches",
    "INSERT INTO branches (code, name, region)
     SELECT code, name, detail FROM warehouse_stage_entries WHERE run_id = ? AND dimension = 2",
    "DELETE FROM products",
    "INSERT INTO products (code, name, line)
     SELECT code, name, detail FROM warehouse_stage_entries WHERE run_id = ? AND dimension = 3",
    "DELETE FROM warehouse_targets",
    "INSERT INTO warehouse_targets (product, scope, granularity, period_start, period_end, target_amount)
     SELECT product, scope, granularity, period_start, period_end, target_amount
     FROM warehouse_stage_targets WHERE run_id = ?",
];

/// Brings in the staged rows of the product metrics.
const INSERT_METRICS: &str = "INSERT INTO warehouse_product_metrics (all_time, month, product, product_name,
        target_amount, total_sales, sale_count, variance, attainment, status, complete, coverage)
    SELECT all_time, month, product, product_name, target_amount, total_sales, sale_count, variance, attainment, status,
        complete, coverage
    FROM warehouse_stage_metrics WHERE run_id = ?";

/// Brings in the staged figures of agents.
const INSERT_AGENTS: &str =
    "INSERT INTO warehouse_agents (month, agent, net_sales, net_count, gross_sales, gross_count,
        activity_sales, activity_count)
    SELECT month, agent, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count
    FROM warehouse_stage_agents WHERE run_id = ?";

impl MysqlStage {
    /// Publishes what was staged, within a transaction that holds the fence and that the caller commits.
    pub(super) async fn replace(
        &self,
        session: &mut Session<'_>,
        control: &ControlTotals,
        record: &RunRecord,
    ) -> Result<Receipt> {
        let of_run = || vec![value::bytes(self.run.id.to_string())];
        for dimension in Dimension::DAILY {
            control.check(dimension, &self.staged_days(session, dimension).await?)?;
        }
        for dimension in Dimension::DAILY {
            let (name, number) = (dimension.name(), dimension_number(dimension).unwrap_or(0));
            empty(session, &format!("DELETE FROM {name}_sales_daily WHERE day"), &self.scope.days).await?;
            let sql = format!(
                "INSERT INTO {name}_sales_daily (day, {name}, net_sales, net_count, gross_sales, gross_count,
                     activity_sales, activity_count)
                 SELECT day, code, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count
                 FROM warehouse_stage_cells WHERE run_id = ? AND dimension = {number}"
            );
            session.execute(DOING, &sql, of_run()).await?;
        }
        let all_time = "DELETE FROM warehouse_product_metrics WHERE all_time = 1";
        session.execute(DOING, all_time, Vec::new()).await?;
        let monthly = "DELETE FROM warehouse_product_metrics WHERE all_time = 0 AND month";
        empty(session, monthly, &self.scope.months).await?;
        session.execute(DOING, INSERT_METRICS, of_run()).await?;
        if self.scope.agents {
            empty(session, "DELETE FROM warehouse_agents WHERE month", &self.scope.months).await?;
            session.execute(DOING, INSERT_AGENTS, of_run()).await?;
        }
        for statement in REPLACE_WHOLE {
            let params = if statement.starts_with("DELETE") { Vec::new() } else { of_run() };
            session.execute(DOING, statement, params).await?;
        }
        let record = record.as_published();
        closing::apply(session, &record, &self.reopened, &self.closed).await?;
        runs::keep(session, &record, self.currency).await?;
        Ok(Receipt { record })
    }

    /// What was staged of a dimension, read back and summed by day.
    async fn staged_days(&self, session: &mut Session<'_>, dimension: Dimension) -> Result<Vec<DayControl>> {
        let number = dimension_number(dimension).unwrap_or(0);
        let sql = format!(
            "SELECT day, {SUMS} FROM warehouse_stage_cells WHERE run_id = ? AND dimension = {number}
             GROUP BY day ORDER BY day"
        );
        let mut days = Vec::new();
        for row in session.rows(DOING, &sql, vec![value::bytes(self.run.id.to_string())]).await? {
            days.push(DayControl { day: row.date(0)?, figures: figures(&row, 1, self.currency)? });
        }
        Ok(days)
    }
}

/// Removes what lies on some days, by a statement that ends with the column of the day.
async fn empty(session: &mut Session<'_>, delete: &str, days: &DaySet) -> Result<()> {
    let sql = format!("{delete} BETWEEN ? AND ?");
    for range in days.ranges() {
        let params = vec![value::day(range.start()), value::day(range.end() - 1)];
        session.execute(DOING, &sql, params).await?;
    }
    Ok(())
}
