//! Records of runs, and the fence that keeps an older run from replacing a newer one. The statements are those that every
//! dialect knows; parameters and results are text.

use chrono::{DateTime, SecondsFormat, Utc};
use moon_core::{Currency, Error, ErrorKind, Receipt, Result, RunKey, RunRecord};
use tokio_postgres::types::Type;

use crate::session::{Param, Session};
use crate::value::{from_json, to_json};

pub(crate) const PUBLISHED: &str = "SELECT record FROM warehouse_runs WHERE run_id = $1 AND outcome = 'published'";
pub(crate) const LAST_PUBLISHED: &str =
    "SELECT record FROM warehouse_runs WHERE outcome = 'published' ORDER BY epoch DESC, number DESC LIMIT 1";
pub(crate) const REMOVE: &str = "DELETE FROM warehouse_runs WHERE run_id = $1 AND outcome <> 'published'";
pub(crate) const KEEP: &str = "INSERT INTO warehouse_runs (run_id, epoch, number, kind, days, started_at, finished_at,
        rows_read, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count, last_arrivals, outcome,
        error, record, manifest)
    VALUES ($1, CAST($2 AS BIGINT), CAST($3 AS BIGINT), $4, $5, CAST($6 AS TIMESTAMPTZ), CAST($7 AS TIMESTAMPTZ),
        CAST($8 AS BIGINT), CAST($9 AS NUMERIC(38, 4)), CAST($10 AS BIGINT), CAST($11 AS NUMERIC(38, 4)),
        CAST($12 AS BIGINT), CAST($13 AS NUMERIC(38, 4)), CAST($14 AS BIGINT), $15, $16, $17, $18, $19)";

/// The last runs, newest first.
pub(crate) fn last_runs(limit: u32) -> String {
    format!("SELECT record FROM warehouse_runs ORDER BY epoch DESC, number DESC, started_at DESC LIMIT {limit}")
}

/// The longest text of an error that is kept: a warehouse may count bytes, and a record holds the text too.
const ERROR_CHARS_MAX: usize = 4_000;

/// The record of a run, if it was published.
pub(crate) async fn published(session: &mut Session<'_>, run: &RunKey) -> Result<Option<RunRecord>> {
    let row = session.row("read a run's record", PUBLISHED, &[(&run.id.to_string(), Type::VARCHAR)]).await?;
    row.map(|row| from_json(row.get(0)?)).transpose()
}

/// The record of the published run with the highest epoch and number.
pub(crate) async fn last_published(session: &mut Session<'_>) -> Result<Option<RunRecord>> {
    let row = session.row("read the last run's record", LAST_PUBLISHED, &[]).await?;
    row.map(|row| from_json(row.get(0)?)).transpose()
}

/// Refuses a run when a later one was published.
pub(crate) async fn check_fence(session: &mut Session<'_>, run: &RunKey) -> Result<()> {
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
pub(crate) async fn last(session: &mut Session<'_>, limit: u32) -> Result<Vec<RunRecord>> {
    let rows = session.rows("read the records of runs", &last_runs(limit), &[]).await?;
    rows.iter().map(|row| from_json(row.get(0)?)).collect()
}

/// Keeps a record. That of a published run stays as it is.
pub(crate) async fn keep(session: &mut Session<'_>, record: &RunRecord, currency: Currency) -> Result<()> {
    const DOING: &str = "keep a run's record";
    if published(session, &record.key).await?.is_some() {
        return Ok(());
    }
    i64::try_from(record.key.number).map_err(|cause| {
        Error::invalid("run number is too large").with("number", record.key.number).caused_by(cause)
    })?;
    let shortened = record.error.as_ref().map(|error| error.chars().take(ERROR_CHARS_MAX).collect::<String>());
    let record = &RunRecord { error: shortened, ..record.clone() };
    let control = &record.control;
    let first_and_last = record.days.first().zip(record.days.last());
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX).to_string();
    let values: [Option<String>; 19] = [
        Some(record.key.id.to_string()),
        Some(record.key.epoch.to_string()),
        Some(number(record.key.number)),
        Some(record.kind.name().to_owned()),
        Some(first_and_last.map_or_else(String::new, |(first, last)| format!("{first}/{last}"))),
        Some(shown(record.started_at)),
        Some(shown(record.finished_at)),
        Some(number(record.rows_read)),
        Some(control.net.display(currency).to_string()),
        Some(control.net.count.to_string()),
        Some(control.gross.display(currency).to_string()),
        Some(control.gross.count.to_string()),
        Some(control.activity.display(currency).to_string()),
        Some(control.activity.count.to_string()),
        Some(to_json(&record.last_arrivals)?),
        Some(record.outcome.name().to_owned()),
        record.error.clone(),
        Some(to_json(record)?),
        Some(to_json(&record.manifest)?),
    ];
    session.execute(DOING, REMOVE, &[(&values[0], Type::VARCHAR)]).await?;
    let params: Vec<Param<'_>> = values.iter().map(|value| -> Param<'_> { (value, Type::VARCHAR) }).collect();
    session.execute(DOING, KEEP, &params).await.map(drop)
}

/// Publishes a run that changes nothing, within a transaction that holds the fence and that the caller commits.
pub(crate) async fn publish_unchanged(
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

/// An instant as text.
pub(crate) fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
