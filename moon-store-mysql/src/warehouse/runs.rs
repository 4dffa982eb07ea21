//! Records of runs, and the fence that keeps an older run from replacing a newer one.

use chrono::{DateTime, Utc};
use moon_core::{Currency, Error, ErrorKind, Receipt, Result, RunKey, RunRecord};
use mysql_async::{Row, Value};

use super::rows::decimal;
use crate::session::Session;
use crate::value::{self, Columns as _, from_json, to_json};

/// The longest text of an error that is kept.
const ERROR_CHARS_MAX: usize = 4_000;

fn record(row: &Row) -> Result<RunRecord> {
    from_json(row.text(0)?)
}

/// The record of a run, if it was published.
pub(super) async fn published(session: &mut Session<'_>, run: &RunKey) -> Result<Option<RunRecord>> {
    let sql = "SELECT record FROM warehouse_runs WHERE run_id = ? AND outcome = 'published'";
    let row = session.row("read a run's record", sql, vec![value::bytes(run.id.to_string())]).await?;
    row.as_ref().map(record).transpose()
}

/// The record of the published run with the highest epoch and number.
pub(super) async fn last_published(session: &mut Session<'_>) -> Result<Option<RunRecord>> {
    let sql = "SELECT record FROM warehouse_runs WHERE outcome = 'published' ORDER BY epoch DESC, number DESC LIMIT 1";
    session.row("read the last run's record", sql, Vec::new()).await?.as_ref().map(record).transpose()
}

/// Refuses a run when a later one was published.
pub(super) async fn check_fence(session: &mut Session<'_>, run: &RunKey) -> Result<()> {
    match last_published(session).await? {
        Some(last) if (last.key.epoch, last.key.number) > (run.epoch, run.number) => {
            Err(Error::new(ErrorKind::Refused, "a later run was published already")
                .with("run", run.id)
                .with("epoch", run.epoch)
                .with("number", run.number)
                .with("published_epoch", last.key.epoch)
                .with("published_number", last.key.number))
        }
        _ => Ok(()),
    }
}

/// The last runs, newest first.
pub(super) async fn last(session: &mut Session<'_>, limit: u32) -> Result<Vec<RunRecord>> {
    let sql = "SELECT record FROM warehouse_runs ORDER BY epoch DESC, number DESC, started_at DESC LIMIT ?";
    session.rows("read the records of runs", sql, vec![value::int(limit)]).await?.iter().map(record).collect()
}

/// Keeps a record. That of a published run stays as it is.
pub(super) async fn keep(session: &mut Session<'_>, record: &RunRecord, currency: Currency) -> Result<()> {
    const DOING: &str = "keep a run's record";
    if published(session, &record.key).await?.is_some() {
        return Ok(());
    }
    let number = i64::try_from(record.key.number).map_err(|cause| {
        Error::invalid("run number is too large").with("number", record.key.number).caused_by(cause)
    })?;
    let shortened = record.error.as_ref().map(|error| error.chars().take(ERROR_CHARS_MAX).collect::<String>());
    let record = &RunRecord { error: shortened, ..record.clone() };
    let control = &record.control;
    let first_and_last = record.days.first().zip(record.days.last());
    let id = value::bytes(record.key.id.to_string());
    let remove = "DELETE FROM warehouse_runs WHERE run_id = ? AND outcome <> 'published'";
    session.execute(DOING, remove, vec![id.clone()]).await?;
    let params = vec![
        id,
        value::int(record.key.epoch),
        Value::Int(number),
        value::bytes(record.kind.name()),
        value::bytes(first_and_last.map_or_else(String::new, |(first, last)| format!("{first}/{last}"))),
        shown(record.started_at),
        shown(record.finished_at),
        Value::Int(i64::try_from(record.rows_read).unwrap_or(i64::MAX)),
        decimal(control.net.minor, currency),
        Value::Int(control.net.count),
        decimal(control.gross.minor, currency),
        Value::Int(control.gross.count),
        decimal(control.activity.minor, currency),
        Value::Int(control.activity.count),
        value::bytes(to_json(&record.last_arrivals)?),
        value::bytes(record.outcome.name()),
        value::optional(record.error.as_ref()),
        value::bytes(to_json(record)?),
        value::bytes(to_json(&record.manifest)?),
    ];
    let insert = "INSERT INTO warehouse_runs (run_id, epoch, number, kind, days, started_at, finished_at, rows_read,
            net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count, last_arrivals, outcome, error,
            record, manifest)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    session.execute(DOING, insert, params).await.map(drop)
}

/// Publishes a run that changes nothing, within a transaction that holds the fence and that the caller commits.
pub(super) async fn publish_unchanged(
    session: &mut Session<'_>,
    record: &RunRecord,
    shown: &RunKey,
    currency: Currency,
) -> Result<Receipt> {
    if let Some(record) = published(session, &record.key).await? {
        return Ok(Receipt { record });
    }
    let last = last_published(session).await?.map(|last| last.key);
    record.key.check_unchanged(shown, last.as_ref())?;
    let record = record.as_published();
    keep(session, &record, currency).await?;
    Ok(Receipt { record })
}

/// An instant for people, in UTC.
pub(super) fn shown(at: DateTime<Utc>) -> Value {
    value::bytes(at.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}
