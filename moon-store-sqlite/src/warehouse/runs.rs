//! Records of runs, and the fence that keeps an older run from replacing a newer one.

use chrono::{DateTime, SecondsFormat, Utc};
use moon_core::{Currency, Error, ErrorKind, Receipt, Result, RunKey, RunRecord};

use crate::session::Session;
use crate::value::{from_json, to_json};

/// The record of a run, if it was published.
pub(super) async fn published(session: &mut Session, run: &RunKey) -> Result<Option<RunRecord>> {
    let record: sqlx::Result<Option<String>> =
        sqlx::query_scalar("SELECT record FROM warehouse_runs WHERE run_id = ? AND outcome = 'published'")
            .bind(run.id.to_string())
            .fetch_optional(session.reading()?)
            .await;
    session.done("read a run's record", record)?.map(|record| from_json(&record)).transpose()
}

/// The record of the published run with the highest epoch and number.
pub(super) async fn last_published(session: &mut Session) -> Result<Option<RunRecord>> {
    let record: sqlx::Result<Option<String>> = sqlx::query_scalar(
        "SELECT record FROM warehouse_runs WHERE outcome = 'published' ORDER BY epoch DESC, number DESC LIMIT 1",
    )
    .fetch_optional(session.reading()?)
    .await;
    session.done("read the last run's record", record)?.map(|record| from_json(&record)).transpose()
}

/// Refuses a run when a later one was published.
pub(super) async fn check_fence(session: &mut Session, run: &RunKey) -> Result<()> {
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
pub(super) async fn last(session: &mut Session, limit: u32) -> Result<Vec<RunRecord>> {
    let records: sqlx::Result<Vec<String>> = sqlx::query_scalar(
        "SELECT record FROM warehouse_runs ORDER BY epoch DESC, number DESC, started_at DESC LIMIT ?",
    )
    .bind(limit)
    .fetch_all(session.reading()?)
    .await;
    session.done("read the records of runs", records)?.iter().map(|record| from_json(record)).collect()
}

/// Keeps a record. That of a published run stays as it is.
pub(super) async fn keep(session: &mut Session, record: &RunRecord, currency: Currency) -> Result<()> {
    let control = &record.control;
    let first_and_last = record.days.first().zip(record.days.last());
    let number = number(&record.key)?;
    let outcome = sqlx::query(
        "INSERT OR REPLACE INTO warehouse_runs (run_id, epoch, number, kind, days, started_at, finished_at, rows_read,
             net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count, last_arrivals, outcome,
             error, record, manifest)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19
         WHERE NOT EXISTS (SELECT 1 FROM warehouse_runs WHERE run_id = ?1 AND outcome = 'published')",
    )
    .bind(record.key.id.to_string())
    .bind(record.key.epoch)
    .bind(number)
    .bind(record.kind.name())
    .bind(first_and_last.map_or_else(String::new, |(first, last)| format!("{first}/{last}")))
    .bind(shown(record.started_at))
    .bind(shown(record.finished_at))
    .bind(i64::try_from(record.rows_read).unwrap_or(i64::MAX))
    .bind(control.net.display(currency).to_string())
    .bind(control.net.count)
    .bind(control.gross.display(currency).to_string())
    .bind(control.gross.count)
    .bind(control.activity.display(currency).to_string())
    .bind(control.activity.count)
    .bind(to_json(&record.last_arrivals)?)
    .bind(record.outcome.name())
    .bind(record.error.as_deref())
    .bind(to_json(record)?)
    .bind(to_json(&record.manifest)?)
    .execute(session.writing()?)
    .await;
    session.done("keep a run's record", outcome).map(drop)
}

/// The number of a run as SQLite keeps it.
pub(super) fn number(run: &RunKey) -> Result<i64> {
    i64::try_from(run.number)
        .map_err(|cause| Error::invalid("run number is too large").with("number", run.number).caused_by(cause))
}

/// Publishes a run that changes nothing, within a transaction that holds the fence and that the caller commits.
pub(super) async fn publish_unchanged(
    session: &mut Session,
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

/// An instant as text that sorts as the instants do.
pub(super) fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
