//! What the store keeps about runs: the key of the last one, and whether it is finished.

use chrono::{DateTime, Utc};
use moon_core::{
    Error, ErrorKind, Expected, Ledger, Record, RecordKey, Result, RunKey, TxMode, UnitOfWork, Version,
    retry_contention,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The last run that was started, as the store keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct RunState {
    /// Its key.
    key: RunKey,
    /// When its present attempt began (UTC).
    started_at: DateTime<Utc>,
    /// How often it was begun.
    attempts: u32,
    /// Whether its marks are settled.
    finished: bool,
}

/// An attempt at a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The run.
    pub(crate) key: RunKey,
    /// When this attempt began (UTC).
    pub(crate) started_at: DateTime<Utc>,
    /// Whether an earlier attempt broke off, as far as anybody can tell.
    pub(crate) repeated: bool,
    /// The version that the state got by this attempt: whoever starts another one replaces it.
    token: Version,
}

fn key() -> RecordKey {
    RecordKey::new("aggregation", "run")
}

/// Starts a run: a new one, which claims all open marks, or one more attempt at the unfinished one, which keeps exactly
/// the marks it has. Those that came since are for the next run, because the warehouse may have published this one
/// without them.
pub(crate) async fn claim(ledger: &Ledger) -> Result<Claim> {
    retry_contention(ledger.pause(), || async {
        let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
        let started_at = ledger.clock().now();
        let found = read(unit.as_mut()).await?;
        let before = found.map(|(state, _)| state);
        let state = match before {
            Some(state) if !state.finished => {
                RunState { started_at, attempts: state.attempts.saturating_add(1), ..state }
            }
            _ => {
                let epoch = before.map_or(1, |state| state.key.epoch);
                let number = before.map_or(0, |state| state.key.number).checked_add(1).ok_or_else(numbers_used_up)?;
                let id = ledger.ids().next(started_at).0;
                RunState { key: RunKey { epoch, number, id }, started_at, attempts: 1, finished: false }
            }
        };
        if state.attempts == 1 {
            unit.marks().claim(state.key.id).await?;
        }
        let token = write(unit.as_mut(), &state, found.map(|(_, version)| version)).await?;
        unit.commit().await?;
        Ok(Claim { key: state.key, started_at, repeated: state.attempts > 1, token })
    })
    .await
}

/// Whether this attempt is still the last one.
///
/// # Errors
/// `Refused` when another process has started one since.
pub(crate) async fn confirm(ledger: &Ledger, claim: &Claim) -> Result<()> {
    let mut unit = ledger.store().begin(TxMode::ReadOnly).await?;
    match read(unit.as_mut()).await? {
        Some((_, version)) if version == claim.token => Ok(()),
        _ => Err(Error::new(ErrorKind::Refused, "another process has taken over this run; nothing was published here")
            .with("run", claim.key.id)
            .with("number", claim.key.number)),
    }
}

/// Removes the marks of a published run and notes that it is finished. A repeat changes nothing, and neither does it
/// when another run has begun in the meantime.
pub(crate) async fn settle(ledger: &Ledger, run: RunKey) -> Result<()> {
    retry_contention(ledger.pause(), || async {
        let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
        unit.marks().settle(run.id).await?;
        if let Some((state, version)) = read(unit.as_mut()).await?
            && state.key == run
            && !state.finished
        {
            write(unit.as_mut(), &RunState { finished: true, ..state }, Some(version)).await?;
        }
        unit.commit().await
    })
    .await
}

/// Starts a new epoch, higher than the present one and than `published`. An unfinished run is given up; its marks wait
/// for the next one.
pub(crate) async fn start_epoch(ledger: &Ledger, published: Option<u32>) -> Result<u32> {
    retry_contention(ledger.pause(), || async {
        let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
        let now = ledger.clock().now();
        let found = read(unit.as_mut()).await?;
        if let Some((state, _)) = found.filter(|(state, _)| !state.finished) {
            let marks = unit.marks().claimed(state.key.id).await?;
            if !marks.is_empty() {
                unit.marks().append(&marks, now).await?;
            }
            unit.marks().settle(state.key.id).await?;
        }
        let highest = found.map_or(0, |(state, _)| state.key.epoch).max(published.unwrap_or(0));
        let epoch = highest.checked_add(1).ok_or_else(numbers_used_up)?;
        let key = RunKey { epoch, number: 0, id: Uuid::nil() };
        let state = RunState { key, started_at: now, attempts: 0, finished: true };
        write(unit.as_mut(), &state, found.map(|(_, version)| version)).await?;
        unit.commit().await?;
        Ok(epoch)
    })
    .await
}

async fn read(unit: &mut dyn UnitOfWork) -> Result<Option<(RunState, Version)>> {
    let Some(record) = unit.records().get(&key()).await? else { return Ok(None) };
    let state = serde_json::from_value(record.value).map_err(|cause| {
        Error::new(ErrorKind::Corrupt, "the record of the last aggregation run cannot be read").caused_by(cause)
    })?;
    Ok(Some((state, record.version)))
}

async fn write(unit: &mut dyn UnitOfWork, state: &RunState, found: Option<Version>) -> Result<Version> {
    let value = serde_json::to_value(state).map_err(|cause| {
        Error::new(ErrorKind::Corrupt, "cannot write the record of an aggregation run").caused_by(cause)
    })?;
    let version = found.map_or(Version::FIRST, Version::next);
    let record = Record { key: key(), value, expires_at: None, version };
    let expected = found.map_or(Expected::Absent, Expected::Version);
    unit.records().put(&record, expected).await.map_err(|error| match error.kind() {
        // The very first runs of two processes, which had nothing to lock: one of them begins anew.
        ErrorKind::VersionConflict => {
            Error::new(ErrorKind::Contention, "another process starts a run at this moment").caused_by(error)
        }
        _ => error,
    })?;
    Ok(version)
}

fn numbers_used_up() -> Error {
    Error::new(ErrorKind::Refused, "the numbers of aggregation runs are used up")
}
