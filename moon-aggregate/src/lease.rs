//! One run at a time: a lease, kept by the store, that its holder renews while it works.

use chrono::{DateTime, TimeDelta, Utc};
use moon_core::{
    Error, ErrorKind, Expected, Ledger, Record, RecordKey, Result, TxMode, UnitOfWork, Version, retry_contention,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    holder: Uuid,
}

fn key() -> RecordKey {
    RecordKey::new("aggregation", "lease")
}

/// Takes the lease from `now` on, or renews one's own. Returns until when another one holds it, if so.
pub(crate) async fn take(
    unit: &mut dyn UnitOfWork,
    holder: Uuid,
    now: DateTime<Utc>,
    length: TimeDelta,
) -> Result<Option<DateTime<Utc>>> {
    let found = read(unit).await?;
    if let Some((lease, record)) = &found
        && lease.holder != holder
        && let Some(until) = record.expires_at.filter(|until| *until > now)
    {
        return Ok(Some(until));
    }
    let version = found.map(|(_, record)| record.version);
    put(unit, holder, now.checked_add_signed(length).unwrap_or(now), version).await?;
    Ok(None)
}

/// Who holds the lease and until when; `None` when nobody does, or it has expired.
pub(crate) async fn holder(unit: &mut dyn UnitOfWork, now: DateTime<Utc>) -> Result<Option<(Uuid, DateTime<Utc>)>> {
    let Some((lease, record)) = read(unit).await? else { return Ok(None) };
    Ok(record.expires_at.filter(|until| *until > now).map(|until| (lease.holder, until)))
}

/// Gives the lease back; nothing happens where another one holds it.
pub(crate) async fn release(unit: &mut dyn UnitOfWork, holder: Uuid) -> Result<()> {
    match read(unit).await? {
        Some((lease, record)) if lease.holder == holder => unit.records().delete(&key(), record.version).await,
        _ => Ok(()),
    }
}

/// Says that the holder is alive.
///
/// # Errors
/// `Refused` when another one has the lease.
pub(crate) async fn renew(ledger: &Ledger, holder: Uuid, length: TimeDelta) -> Result<()> {
    retry_contention(ledger.pause(), || async {
        let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
        match read(unit.as_mut()).await? {
            Some((lease, record)) if lease.holder == holder => {
                let now = ledger.clock().now();
                let until = now.checked_add_signed(length).unwrap_or(now);
                put(unit.as_mut(), holder, until, Some(record.version)).await?;
                unit.commit().await
            }
            _ => Err(lost()),
        }
    })
    .await
}

/// What a run is told whose lease another one has.
pub(crate) fn lost() -> Error {
    Error::new(ErrorKind::Refused, "another process has taken over this run; nothing was published here")
}

async fn read(unit: &mut dyn UnitOfWork) -> Result<Option<(Lease, Record)>> {
    let Some(record) = unit.records().get(&key()).await? else { return Ok(None) };
    let lease = serde_json::from_value(record.value.clone()).map_err(|cause| {
        Error::new(ErrorKind::Corrupt, "the lease of aggregation runs cannot be read").caused_by(cause)
    })?;
    Ok(Some((lease, record)))
}

async fn put(unit: &mut dyn UnitOfWork, holder: Uuid, until: DateTime<Utc>, found: Option<Version>) -> Result<()> {
    let value = serde_json::to_value(Lease { holder })
        .map_err(|cause| Error::new(ErrorKind::Corrupt, "cannot write a lease").caused_by(cause))?;
    let version = found.map_or(Version::FIRST, Version::next);
    let record = Record { key: key(), value, expires_at: Some(until), version };
    let expected = found.map_or(Expected::Absent, Expected::Version);
    unit.records().put(&record, expected).await.map_err(crate::state::begun_by_another)
}
