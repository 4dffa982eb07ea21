//! Closed periods: freezing figures, and reading them back.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, Utc};
use moon_core::{
    BusinessDate, Cell, Closing, Currency, DayRange, Dimension, Error, ErrorKind, Granularity, Period, Restatement,
    Result, RunKey, RunRecord,
};
use mysql_async::{Row, Value};
use uuid::Uuid;

use super::cells::{SIX, rows_of};
use super::read::figures;
use super::rows::dimension_number;
use super::runs;
use crate::failure::corrupt;
use crate::session::Session;
use crate::value::{self, Columns as _};

const DOING: &str = "close periods";

/// The twelve columns of a restatement's figures.
const TWELVE: &str = "before_net_sales, before_net_count, before_gross_sales, before_gross_count, before_activity_sales, \
    before_activity_count, after_net_sales, after_net_count, after_gross_sales, after_gross_count, after_activity_sales, \
    after_activity_count";

/// The first day of a period, and its last.
fn borders(period: Period) -> Result<(BusinessDate, BusinessDate)> {
    let days = period.days();
    days.first().zip(days.last()).ok_or_else(|| Error::invalid("period has no days"))
}

/// Keeps restatements, opens periods again, and freezes those that are open, as they are now.
pub(super) async fn apply(
    session: &mut Session<'_>,
    record: &RunRecord,
    reopened: &BTreeSet<Period>,
    closed: &BTreeSet<Period>,
) -> Result<()> {
    let number = i64::try_from(record.key.number).map_err(|cause| {
        Error::invalid("run number is too large").with("number", record.key.number).caused_by(cause)
    })?;
    let id = value::bytes(record.key.id.to_string());
    let run = [id.clone(), Value::Int(number), value::int(record.key.epoch)];
    for dimension in Dimension::DAILY {
        let (name, dimension) = (dimension.name(), dimension_number(dimension).unwrap_or(0));
        let sql = format!(
            "INSERT INTO restatements (run_id, number, epoch, dimension, day, code, {TWELVE})
             SELECT ?, ?, ?, '{name}', day, code, {TWELVE}
             FROM warehouse_stage_restatements WHERE run_id = ? AND dimension = {dimension}"
        );
        session.execute(DOING, &sql, [&run[..], std::slice::from_ref(&id)].concat()).await?;
    }
    for period in reopened {
        let sql = "UPDATE closings SET reopened_by = ?, reopened_number = ?, reopened_epoch = ?, reopened_at = ?
            WHERE granularity = ? AND period_start = ? AND reopened_by IS NULL";
        let which = [value::bytes(period.granularity().name()), value::date(borders(*period)?.0)];
        let params = [&run[..], &[runs::shown(record.finished_at)], &which].concat();
        session.execute(DOING, sql, params).await?;
    }
    for period in closed {
        let (first, last) = borders(*period)?;
        let which = [value::bytes(period.granularity().name()), value::date(first)];
        let standing = "SELECT 1 FROM closings WHERE granularity = ? AND period_start = ? AND reopened_by IS NULL";
        if session.row(DOING, standing, which.to_vec()).await?.is_some() {
            continue;
        }
        for dimension in Dimension::DAILY {
            let name = dimension.name();
            let sql = format!(
                "INSERT INTO closed_figures (closed_by, granularity, period_start, dimension, day, code, {SIX})
                 SELECT ?, ?, ?, '{name}', day, {name}, {SIX} FROM {name}_sales_daily WHERE day BETWEEN ? AND ?"
            );
            let params = [std::slice::from_ref(&id), &which[..], &[value::date(first), value::date(last)]].concat();
            session.execute(DOING, &sql, params).await?;
        }
        let sql = "INSERT INTO closings (granularity, period_start, period_end, closed_by, number, epoch, closed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)";
        let params = [&which[..], &[value::date(last)], &run, &[runs::shown(record.finished_at)]].concat();
        session.execute(DOING, sql, params).await?;
    }
    Ok(())
}

/// The key of a run from three columns: its id, its number and its epoch.
fn key(row: &Row, first: usize) -> Result<RunKey> {
    let id = row.text(first)?;
    let id = Uuid::parse_str(id)
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored run has no UUID").with("run", id).caused_by(cause))?;
    Ok(RunKey { epoch: value::narrow(row.int(first + 2)?)?, number: value::narrow(row.int(first + 1)?)?, id })
}

/// An instant for people, as text.
fn instant(stored: &str) -> Result<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(stored, "%Y-%m-%d %H:%M:%S%.f")
        .map(|at| at.and_utc())
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored instant cannot be read").caused_by(cause))
}

fn closing(row: &Row) -> Result<Closing> {
    let granularity = Granularity::from_name(row.text(0)?).map_err(corrupt)?;
    let reopened = row.optional_text(7)?.is_some();
    Ok(Closing {
        period: Period::from_parts(granularity, DayRange::inclusive(row.date(1)?, row.date(2)?)),
        closed_by: key(row, 3)?,
        closed_at: instant(row.text(6)?)?,
        reopened_by: reopened.then(|| key(row, 7)).transpose()?,
        reopened_at: row.optional_text(10)?.map(instant).transpose()?,
    })
}

pub(super) async fn closings(session: &mut Session<'_>) -> Result<Vec<Closing>> {
    let sql = "SELECT granularity, period_start, period_end, closed_by, number, epoch, CAST(closed_at AS CHAR),
            reopened_by, reopened_number, reopened_epoch, CAST(reopened_at AS CHAR)
        FROM closings";
    let rows = session.rows("read closings", sql, Vec::new()).await?;
    let mut closings = rows.iter().map(closing).collect::<Result<Vec<_>>>()?;
    closings.sort_unstable_by_key(|closing| (closing.closed_by, closing.period));
    Ok(closings)
}

/// The dimension of a stored name.
fn dimension(stored: &str) -> Result<Dimension> {
    Dimension::DAILY
        .into_iter()
        .find(|dimension| dimension.name() == stored)
        .ok_or_else(|| Error::new(ErrorKind::Corrupt, "published cell has an unknown dimension").with("name", stored))
}

pub(super) async fn closed_cells(
    session: &mut Session<'_>,
    period: Period,
    closed_by: Uuid,
    currency: Currency,
) -> Result<Vec<Cell>> {
    let sql = format!(
        "SELECT dimension, day, code, {SIX} FROM closed_figures
         WHERE closed_by = ? AND granularity = ? AND period_start = ?"
    );
    let params = vec![
        value::bytes(closed_by.to_string()),
        value::bytes(period.granularity().name()),
        value::date(borders(period)?.0),
    ];
    let mut cells = Vec::new();
    for row in session.rows("read closed figures", &sql, params).await? {
        let (dimension, day, code) = (dimension(row.text(0)?)?, row.date(1)?, row.text(2)?.into());
        cells.push(Cell { dimension, day, code, figures: figures(&row, 3, currency)? });
    }
    cells.sort_unstable();
    Ok(cells)
}

pub(super) async fn restatements(
    session: &mut Session<'_>,
    days: DayRange,
    currency: Currency,
) -> Result<Vec<Restatement>> {
    let sql = format!(
        "SELECT run_id, number, epoch, dimension, day, code, {TWELVE} FROM restatements WHERE day BETWEEN ? AND ?"
    );
    let mut restatements = Vec::new();
    for row in rows_of(session, "read restatements", &sql, days).await? {
        restatements.push(Restatement {
            run: key(&row, 0)?,
            dimension: dimension(row.text(3)?)?,
            day: row.date(4)?,
            code: row.text(5)?.into(),
            before: figures(&row, 6, currency)?,
            after: figures(&row, 12, currency)?,
        });
    }
    restatements.sort_unstable();
    Ok(restatements)
}
