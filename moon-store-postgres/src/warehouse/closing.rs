//! Closed periods: freezing figures, and reading them back. The statements are those that every dialect knows; parameters and
//! results are text.

use chrono::{DateTime, Utc};
use moon_core::{
    BusinessDate, Cell, Closing, Currency, DayRange, Dimension, Error, ErrorKind, Granularity, Period, Restatement,
    Result, RunKey, RunRecord,
};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::cells::{SIX, day};
use super::publish::Run;
use super::read::figures;
use super::rows::dimension_number;
use super::runs;
use crate::failure::corrupt;
use crate::session::{Param, Row, Session};
use crate::value;

const DOING: &str = "close periods";

/// Takes the run, its number and its epoch.
pub(crate) fn insert_restatements(dimension: Dimension) -> String {
    let name = dimension.name();
    let number = dimension_number(dimension).unwrap_or(0);
    let figures = "before_net_sales, before_net_count, before_gross_sales, before_gross_count, before_activity_sales,
        before_activity_count, after_net_sales, after_net_count, after_gross_sales, after_gross_count,
        after_activity_sales, after_activity_count";
    format!(
        "INSERT INTO restatements (run_id, number, epoch, dimension, day, code, {figures})
         SELECT run_id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), '{name}', day, code, {figures}
         FROM warehouse_stage_restatements WHERE run_id = $1 AND dimension = {number}"
    )
}

pub(crate) const REOPEN: &str = "UPDATE closings SET reopened_by = $3, reopened_number = CAST($4 AS BIGINT),
        reopened_epoch = CAST($5 AS BIGINT), reopened_at = CAST($6 AS TIMESTAMPTZ)
    WHERE granularity = $1 AND period_start = CAST($2 AS DATE) AND reopened_by IS NULL";
pub(crate) const STANDING: &str = "SELECT closed_by FROM closings
    WHERE granularity = $1 AND period_start = CAST($2 AS DATE) AND reopened_by IS NULL";
pub(crate) const CLOSE: &str = "INSERT INTO closings (granularity, period_start, period_end, closed_by, number, epoch,
        closed_at)
    VALUES ($1, CAST($2 AS DATE), CAST($3 AS DATE), $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT),
        CAST($7 AS TIMESTAMPTZ))";

/// Keeps the cells of a dimension as they are: takes the granularity, the first and the last day, and the run.
pub(crate) fn freeze(dimension: Dimension) -> String {
    let name = dimension.name();
    format!(
        "INSERT INTO closed_figures (closed_by, granularity, period_start, dimension, day, code, net_sales, net_count,
             gross_sales, gross_count, activity_sales, activity_count)
         SELECT CAST($4 AS VARCHAR(36)), CAST($1 AS VARCHAR(32)), CAST($2 AS DATE), '{name}', day, {name}, net_sales,
             net_count, gross_sales, gross_count, activity_sales, activity_count
         FROM {name}_sales_daily WHERE day >= CAST($2 AS DATE) AND day <= CAST($3 AS DATE)"
    )
}

pub(crate) const CLOSINGS: &str = "SELECT granularity, CAST(period_start AS VARCHAR), CAST(period_end AS VARCHAR),
        closed_by, CAST(number AS VARCHAR), CAST(epoch AS VARCHAR),
        TO_CHAR(closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
        reopened_by, CAST(reopened_number AS VARCHAR), CAST(reopened_epoch AS VARCHAR),
        TO_CHAR(reopened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')
    FROM closings";

/// Takes the run, the granularity and the first day.
pub(crate) fn closed_cells_of(dimension: Dimension) -> String {
    let name = dimension.name();
    format!(
        "SELECT CAST(day AS VARCHAR), code, {SIX} FROM closed_figures
         WHERE closed_by = $1 AND granularity = $2 AND period_start = CAST($3 AS DATE) AND dimension = '{name}'"
    )
}

/// Takes the first and the last day.
pub(crate) fn restatements_of(dimension: Dimension) -> String {
    let name = dimension.name();
    let before = SIX.replace("CAST(", "CAST(before_");
    let after = SIX.replace("CAST(", "CAST(after_");
    format!(
        "SELECT run_id, CAST(number AS VARCHAR), CAST(epoch AS VARCHAR), CAST(day AS VARCHAR), code, {before}, {after}
         FROM restatements
         WHERE day >= CAST($1 AS DATE) AND day <= CAST($2 AS DATE) AND dimension = '{name}'"
    )
}

fn params(values: &[String]) -> Vec<Param<'_>> {
    values.iter().map(|value| -> Param<'_> { (value, Type::VARCHAR) }).collect()
}

/// The first day of a period, and its last.
fn borders(period: Period) -> Result<(BusinessDate, BusinessDate)> {
    let days = period.days();
    days.first().zip(days.last()).ok_or_else(|| Error::invalid("period has no days"))
}

/// Keeps restatements, opens periods again, and freezes those that are open, as they are now.
pub(super) async fn apply(session: &mut Session<'_>, run: &Run, record: &RunRecord) -> Result<()> {
    let (id, number, epoch) = (run.key.id.to_string(), run.key.number.to_string(), run.key.epoch.to_string());
    let at = runs::shown(record.finished_at);
    for dimension in Dimension::DAILY {
        let values = [id.clone(), number.clone(), epoch.clone()];
        session.execute(DOING, &insert_restatements(dimension), &params(&values)).await?;
    }
    for period in &run.reopened {
        let (first, _) = borders(*period)?;
        let granularity = period.granularity().name().to_owned();
        let values = [granularity, first.to_string(), id.clone(), number.clone(), epoch.clone(), at.clone()];
        session.execute(DOING, REOPEN, &params(&values)).await?;
    }
    for period in &run.closed {
        let (first, last) = borders(*period)?;
        let mut values = vec![period.granularity().name().to_owned(), first.to_string()];
        if session.row(DOING, STANDING, &params(&values)).await?.is_some() {
            continue;
        }
        values.extend([last.to_string(), id.clone()]);
        for dimension in Dimension::DAILY {
            session.execute(DOING, &freeze(dimension), &params(&values)).await?;
        }
        values.extend([number.clone(), epoch.clone(), at.clone()]);
        session.execute(DOING, CLOSE, &params(&values)).await?;
    }
    Ok(())
}

fn key(id: &str, number: &str, epoch: &str) -> Result<RunKey> {
    let id = Uuid::parse_str(id)
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored run has no UUID").with("run", id).caused_by(cause))?;
    Ok(RunKey {
        epoch: value::narrow_whole(value::whole(epoch)?)?,
        number: value::narrow_whole(value::whole(number)?)?,
        id,
    })
}

fn instant(stored: &str) -> Result<DateTime<Utc>> {
    chrono::NaiveDateTime::parse_from_str(stored, "%Y-%m-%d %H:%M:%S%.f")
        .map(|at| at.and_utc())
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "stored instant cannot be read").caused_by(cause))
}

fn closing(row: &Row) -> Result<Closing> {
    let granularity = Granularity::from_name(row.get(0)?).map_err(corrupt)?;
    let (reopened_by, number, epoch): (Option<&str>, Option<&str>, Option<&str>) =
        (row.get(7)?, row.get(8)?, row.get(9)?);
    let reopened = reopened_by.zip(number).zip(epoch);
    let reopened_at: Option<&str> = row.get(10)?;
    Ok(Closing {
        period: Period::from_parts(granularity, DayRange::inclusive(day(row, 1)?, day(row, 2)?)),
        closed_by: key(row.get(3)?, row.get(4)?, row.get(5)?)?,
        closed_at: instant(row.get(6)?)?,
        reopened_by: reopened.map(|((id, number), epoch)| key(id, number, epoch)).transpose()?,
        reopened_at: reopened_at.map(instant).transpose()?,
    })
}

pub(crate) async fn closings(session: &mut Session<'_>) -> Result<Vec<Closing>> {
    let rows = session.rows("read closings", CLOSINGS, &[]).await?;
    let mut closings = rows.iter().map(closing).collect::<Result<Vec<_>>>()?;
    closings.sort_unstable_by_key(|closing| (closing.closed_by, closing.period));
    Ok(closings)
}

pub(crate) async fn closed_cells(
    session: &mut Session<'_>,
    period: Period,
    closed_by: Uuid,
    currency: Currency,
) -> Result<Vec<Cell>> {
    let (first, _) = borders(period)?;
    let values = [closed_by.to_string(), period.granularity().name().to_owned(), first.to_string()];
    let mut cells = Vec::new();
    for dimension in Dimension::DAILY {
        for row in session.rows("read closed figures", &closed_cells_of(dimension), &params(&values)).await? {
            let (day, code): (_, &str) = (day(&row, 0)?, row.get(1)?);
            cells.push(Cell { dimension, day, code: code.into(), figures: figures(&row, 2, currency)? });
        }
    }
    cells.sort_unstable();
    Ok(cells)
}

pub(crate) async fn restatements(
    session: &mut Session<'_>,
    days: DayRange,
    currency: Currency,
) -> Result<Vec<Restatement>> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    let values = [first.to_string(), last.to_string()];
    let mut restatements = Vec::new();
    for dimension in Dimension::DAILY {
        for row in session.rows("read restatements", &restatements_of(dimension), &params(&values)).await? {
            let code: &str = row.get(4)?;
            restatements.push(Restatement {
                run: key(row.get(0)?, row.get(1)?, row.get(2)?)?,
                dimension,
                day: day(&row, 3)?,
                code: code.into(),
                before: figures(&row, 5, currency)?,
                after: figures(&row, 11, currency)?,
            });
        }
    }
    restatements.sort_unstable();
    Ok(restatements)
}
