//! Closed periods: freezing figures, and reading them back.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use moon_core::{
    Cell, Closing, DayRange, Error, ErrorKind, Figures, Granularity, Period, Restatement, Result, RunKey, RunRecord,
    Sum,
};
use uuid::Uuid;

use super::cells::{CellRow, dimension};
use super::runs;
use crate::failure::corrupt;
use crate::session::Session;
use crate::value;

const DOING: &str = "close periods";

/// Opens periods again, then freezes those that are open, as they are now.
pub(super) async fn apply(
    session: &mut Session,
    record: &RunRecord,
    reopened: &BTreeSet<Period>,
    closed: &BTreeSet<Period>,
) -> Result<()> {
    for period in reopened {
        let outcome = sqlx::query(
            "UPDATE warehouse_closings SET reopened_by = ?1, reopened_number = ?2, reopened_epoch = ?3, reopened_at = ?4
             WHERE granularity = ?5 AND period_start = ?6 AND reopened_by IS NULL",
        )
        .bind(record.key.id.to_string())
        .bind(runs::number(&record.key)?)
        .bind(record.key.epoch)
        .bind(runs::shown(record.finished_at))
        .bind(period.granularity().name())
        .bind(period.days().start())
        .execute(session.writing()?)
        .await;
        session.done(DOING, outcome)?;
    }
    for period in closed {
        freeze(session, record, *period).await?;
    }
    Ok(())
}

async fn freeze(session: &mut Session, record: &RunRecord, period: Period) -> Result<()> {
    let outcome = sqlx::query(
        "INSERT INTO warehouse_closings (closed_by, granularity, period_start, period_end, number, epoch, closed_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
         WHERE NOT EXISTS (
             SELECT 1 FROM warehouse_closings WHERE granularity = ?2 AND period_start = ?3 AND reopened_by IS NULL
         )",
    )
    .bind(record.key.id.to_string())
    .bind(period.granularity().name())
    .bind(period.days().start())
    .bind(period.days().end())
    .bind(runs::number(&record.key)?)
    .bind(record.key.epoch)
    .bind(runs::shown(record.finished_at))
    .execute(session.writing()?)
    .await;
    if session.done(DOING, outcome)?.rows_affected() == 0 {
        return Ok(());
    }
    let outcome = sqlx::query(
        "INSERT INTO warehouse_closed_cells (closed_by, granularity, period_start, dimension, day, code, net_sales,
             net_count, gross_sales, gross_count, activity_sales, activity_count)
         SELECT ?1, ?2, ?3, dimension, day, code, net_sales, net_count, gross_sales, gross_count, activity_sales,
             activity_count
         FROM warehouse_cells WHERE dimension IN (1, 2, 3) AND day >= ?3 AND day < ?4",
    )
    .bind(record.key.id.to_string())
    .bind(period.granularity().name())
    .bind(period.days().start())
    .bind(period.days().end())
    .execute(session.writing()?)
    .await;
    session.done(DOING, outcome).map(drop)
}

#[derive(sqlx::FromRow)]
struct ClosingRow {
    granularity: String,
    period_start: i32,
    period_end: i32,
    closed_by: String,
    number: i64,
    epoch: i64,
    closed_at: String,
    reopened_by: Option<String>,
    reopened_number: Option<i64>,
    reopened_epoch: Option<i64>,
    reopened_at: Option<String>,
}

impl ClosingRow {
    fn read(&self) -> Result<Closing> {
        let granularity = Granularity::from_name(&self.granularity).map_err(corrupt)?;
        let reopened = self.reopened_by.as_deref().zip(self.reopened_number).zip(self.reopened_epoch);
        Ok(Closing {
            period: Period::from_parts(granularity, DayRange::new(self.period_start, self.period_end)),
            closed_by: key(&self.closed_by, self.number, self.epoch)?,
            closed_at: instant(&self.closed_at)?,
            reopened_by: reopened.map(|((id, number), epoch)| key(id, number, epoch)).transpose()?,
            reopened_at: self.reopened_at.as_deref().map(instant).transpose()?,
        })
    }
}

fn key(id: &str, number: i64, epoch: i64) -> Result<RunKey> {
    let id = Uuid::parse_str(id)
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored run has no UUID").with("run", id).caused_by(cause))?;
    Ok(RunKey { epoch: value::narrow(epoch)?, number: value::unsigned(number)?, id })
}

fn instant(stored: &str) -> Result<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(stored)
        .map(|at| at.to_utc())
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored instant cannot be read").caused_by(cause))
}

pub(super) async fn closings(session: &mut Session) -> Result<Vec<Closing>> {
    let rows: sqlx::Result<Vec<ClosingRow>> = sqlx::query_as(
        "SELECT granularity, period_start, period_end, closed_by, number, epoch, closed_at, reopened_by, reopened_number,
             reopened_epoch, reopened_at
         FROM warehouse_closings",
    )
    .fetch_all(session.reading()?)
    .await;
    let rows = session.done("read closings", rows)?;
    let mut closings = rows.iter().map(ClosingRow::read).collect::<Result<Vec<_>>>()?;
    closings.sort_unstable_by_key(|closing| (closing.closed_by, closing.period));
    Ok(closings)
}

pub(super) async fn closed_cells(session: &mut Session, period: Period, closed_by: Uuid) -> Result<Vec<Cell>> {
    let rows: sqlx::Result<Vec<CellRow>> = sqlx::query_as(
        "SELECT dimension, day, code, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count
         FROM warehouse_closed_cells WHERE closed_by = ? AND granularity = ? AND period_start = ?
         ORDER BY dimension, day, code",
    )
    .bind(closed_by.to_string())
    .bind(period.granularity().name())
    .bind(period.days().start())
    .fetch_all(session.reading()?)
    .await;
    session.done("read closed figures", rows)?.into_iter().map(CellRow::read).collect()
}

#[derive(sqlx::FromRow)]
struct RestatementRow {
    run_id: String,
    number: i64,
    epoch: i64,
    dimension: i64,
    day: i64,
    code: String,
    before_net_sales: i64,
    before_net_count: i64,
    before_gross_sales: i64,
    before_gross_count: i64,
    before_activity_sales: i64,
    before_activity_count: i64,
    after_net_sales: i64,
    after_net_count: i64,
    after_gross_sales: i64,
    after_gross_count: i64,
    after_activity_sales: i64,
    after_activity_count: i64,
}

impl RestatementRow {
    fn read(self) -> Result<Restatement> {
        let sum = |minor: i64, count| Sum::new(minor.into(), count);
        Ok(Restatement {
            run: key(&self.run_id, self.number, self.epoch)?,
            dimension: dimension(self.dimension)?,
            day: value::day(self.day)?,
            code: self.code.into(),
            before: Figures {
                net: sum(self.before_net_sales, self.before_net_count),
                gross: sum(self.before_gross_sales, self.before_gross_count),
                activity: sum(self.before_activity_sales, self.before_activity_count),
            },
            after: Figures {
                net: sum(self.after_net_sales, self.after_net_count),
                gross: sum(self.after_gross_sales, self.after_gross_count),
                activity: sum(self.after_activity_sales, self.after_activity_count),
            },
        })
    }
}

pub(super) async fn restatements(session: &mut Session, days: DayRange) -> Result<Vec<Restatement>> {
    let rows: sqlx::Result<Vec<RestatementRow>> = sqlx::query_as(
        "SELECT run_id, number, epoch, dimension, day, code, before_net_sales, before_net_count, before_gross_sales,
             before_gross_count, before_activity_sales, before_activity_count, after_net_sales, after_net_count,
             after_gross_sales, after_gross_count, after_activity_sales, after_activity_count
         FROM warehouse_restatements WHERE day >= ? AND day < ?
         ORDER BY epoch, number, run_id, dimension, day, code",
    )
    .bind(days.start())
    .bind(days.end())
    .fetch_all(session.reading()?)
    .await;
    session.done("read restatements", rows)?.into_iter().map(RestatementRow::read).collect()
}
