//! Publishing: everything within one transaction, which readers see as a whole or not at all.

use moon_core::{ControlTotals, DayControl, Dimension, Figures, Receipt, Result, RunRecord, Sum};

use super::stage::{SqliteStage, check_present, clear, dimension_number};
use super::{closing, runs};
use crate::session::Session;
use crate::value::{self, recombine};

const DOING: &str = "publish figures";

/// Statements that replace the dimensions and the targets, in order; each takes the run.
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
    "INSERT INTO warehouse_targets (product, scope, granularity, period_start, period_end, amount)
     SELECT product, scope, granularity, period_start, period_end, amount
     FROM warehouse_stage_targets WHERE run_id = ?",
];

/// Statements that bring in the staged rows of the scope; each takes the run.
const INSERT_SCOPE: [&str; 3] = [
    "INSERT INTO warehouse_cells (dimension, day, code, net_sales, net_count, gross_sales, gross_count, activity_sales,
         activity_count)
     SELECT dimension, day, code, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count
     FROM warehouse_stage_cells WHERE run_id = ?",
    "INSERT INTO warehouse_product_metrics (month, product, product_name, target_amount, total_sales, sale_count,
         variance, attainment, status, complete, coverage)
     SELECT month, product, product_name, target_amount, total_sales, sale_count, variance, attainment, status,
         complete, coverage
     FROM warehouse_stage_metrics WHERE run_id = ?",
    "INSERT INTO warehouse_agents (month, agent, net_sales, net_count, gross_sales, gross_count, activity_sales,
         activity_count)
     SELECT month, agent, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count
     FROM warehouse_stage_agents WHERE run_id = ?",
];

/// Brings in the restatements of the run: takes its id, its number and its epoch.
const INSERT_RESTATEMENTS: &str = "INSERT INTO warehouse_restatements (run_id, number, epoch, dimension, day, code,
        before_net_sales, before_net_count, before_gross_sales, before_gross_count, before_activity_sales,
        before_activity_count, after_net_sales, after_net_count, after_gross_sales, after_gross_count,
        after_activity_sales, after_activity_count)
    SELECT ?1, ?2, ?3, dimension, day, code, before_net_sales, before_net_count, before_gross_sales,
        before_gross_count, before_activity_sales, before_activity_count, after_net_sales, after_net_count,
        after_gross_sales, after_gross_count, after_activity_sales, after_activity_count
    FROM warehouse_stage_restatements WHERE run_id = ?1";

impl SqliteStage {
    /// Publishes within a transaction, which the caller commits.
    pub(super) async fn publish_in(
        &self,
        session: &mut Session,
        control: &ControlTotals,
        record: &RunRecord,
    ) -> Result<Receipt> {
        if let Some(record) = runs::published(session, &self.run).await? {
            return Ok(Receipt { record });
        }
        runs::check_fence(session, &self.run).await?;
        check_present(session, &self.run).await?;
        for dimension in Dimension::DAILY {
            control.check(dimension, &self.staged_days(session, dimension).await?)?;
        }
        self.empty_scope(session).await?;
        for statement in INSERT_SCOPE.into_iter().chain(REPLACE_WHOLE) {
            let mut query = sqlx::query(statement);
            if !statement.starts_with("DELETE") {
                query = query.bind(self.run.id.to_string());
            }
            let outcome = query.execute(session.writing()?).await;
            session.done(DOING, outcome)?;
        }
        let outcome = sqlx::query(INSERT_RESTATEMENTS)
            .bind(self.run.id.to_string())
            .bind(runs::number(&self.run)?)
            .bind(self.run.epoch)
            .execute(session.writing()?)
            .await;
        session.done(DOING, outcome)?;
        let record = record.as_published();
        closing::apply(session, &record, &self.reopened, &self.closed).await?;
        runs::keep(session, &record, self.currency).await?;
        clear(session, Some(&self.run)).await?;
        Ok(Receipt { record })
    }

    /// What was staged of a dimension, read back and summed by day.
    async fn staged_days(&self, session: &mut Session, dimension: Dimension) -> Result<Vec<DayControl>> {
        let rows: sqlx::Result<Vec<StagedDay>> = sqlx::query_as(
            "SELECT day, sum(net_sales >> 32) AS net_high, sum(net_sales & 4294967295) AS net_low,
                 sum(net_count) AS net_count, sum(gross_sales >> 32) AS gross_high,
                 sum(gross_sales & 4294967295) AS gross_low, sum(gross_count) AS gross_count,
                 sum(activity_sales >> 32) AS activity_high, sum(activity_sales & 4294967295) AS activity_low,
                 sum(activity_count) AS activity_count
             FROM warehouse_stage_cells WHERE run_id = ? AND dimension = ? GROUP BY day ORDER BY day",
        )
        .bind(self.run.id.to_string())
        .bind(dimension_number(dimension))
        .fetch_all(session.reading()?)
        .await;
        session.done(DOING, rows)?.iter().map(StagedDay::read).collect()
    }

    /// Removes everything that the run replaces.
    async fn empty_scope(&self, session: &mut Session) -> Result<()> {
        for range in self.scope.days.ranges() {
            for dimension in Dimension::DAILY {
                let outcome = sqlx::query("DELETE FROM warehouse_cells WHERE dimension = ? AND day >= ? AND day < ?")
                    .bind(dimension_number(dimension))
                    .bind(range.start())
                    .bind(range.end())
                    .execute(session.writing()?)
                    .await;
                session.done(DOING, outcome)?;
            }
        }
        let outcome =
            sqlx::query("DELETE FROM warehouse_product_metrics WHERE month IS NULL").execute(session.writing()?).await;
        session.done(DOING, outcome)?;
        const MONTHLY: [&str; 2] = [
            "DELETE FROM warehouse_product_metrics WHERE month >= ? AND month < ?",
            "DELETE FROM warehouse_agents WHERE month >= ? AND month < ?",
        ];
        for statement in MONTHLY.into_iter().take(if self.scope.agents { 2 } else { 1 }) {
            for range in self.scope.months.ranges() {
                let outcome =
                    sqlx::query(statement).bind(range.start()).bind(range.end()).execute(session.writing()?).await;
                session.done(DOING, outcome)?;
            }
        }
        Ok(())
    }
}

/// The sums of a day, in halves that cannot overflow.
#[derive(sqlx::FromRow)]
struct StagedDay {
    day: i64,
    net_high: i64,
    net_low: i64,
    net_count: i64,
    gross_high: i64,
    gross_low: i64,
    gross_count: i64,
    activity_high: i64,
    activity_low: i64,
    activity_count: i64,
}

impl StagedDay {
    fn read(&self) -> Result<DayControl> {
        Ok(DayControl {
            day: value::day(self.day)?,
            figures: Figures {
                net: Sum::new(recombine(self.net_high, self.net_low), self.net_count),
                gross: Sum::new(recombine(self.gross_high, self.gross_low), self.gross_count),
                activity: Sum::new(recombine(self.activity_high, self.activity_low), self.activity_count),
            },
        })
    }
}
