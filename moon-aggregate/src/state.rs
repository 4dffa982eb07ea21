//! What the store keeps about runs: the key and the command of the last one, and whether it is finished.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use moon_core::{
    Actor, AuditEntry, DaySet, Error, ErrorKind, Expected, Ledger, Mark, Record, RecordKey, Result, RunKey, RunRecord,
    TxMode, UnitOfWork, Version, retry_contention, retry_transient,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::command::RunCommand;
use crate::lease;
use crate::pulse::Pulse;

/// The last run that was started, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunState {
    /// Its key.
    pub(crate) key: RunKey,
    /// When its present attempt began (UTC).
    pub(crate) started_at: DateTime<Utc>,
    /// How often it was begun.
    pub(crate) attempts: u32,
    /// Whether its marks are settled.
    finished: bool,
    /// What it shall do. Runs of before there were commands were full ones, as any first run is.
    #[serde(default)]
    command: RunCommand,
    /// The last run whose marks were settled: what the warehouse must show for touched days to be all that has changed.
    #[serde(default)]
    pub(crate) settled: Option<RunKey>,
    /// When each source was last heard of, as that run told.
    #[serde(default)]
    arrivals: Arrivals,
}

/// When the last message of each source arrived (UTC).
pub(crate) type Arrivals = BTreeMap<String, DateTime<Utc>>;

/// An attempt at a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The run.
    pub(crate) key: RunKey,
    /// What it shall do.
    pub(crate) command: RunCommand,
    /// When this attempt began (UTC).
    pub(crate) started_at: DateTime<Utc>,
    /// Whether an earlier attempt broke off, as far as anybody can tell.
    pub(crate) repeated: bool,
    /// The last run whose marks were settled.
    pub(crate) settled: Option<RunKey>,
    /// The version that the state got by this attempt: whoever starts another one replaces it.
    token: Version,
}

/// What came of an attempt to start.
#[derive(Debug)]
pub(crate) enum Start {
    /// It may begin.
    Claimed(Claim),
    /// Another run is at work, for all that is known until then.
    Busy { until: DateTime<Utc> },
}

fn key() -> RecordKey {
    RecordKey::new("aggregation", "run")
}

/// Starts a run, if the lease can be had: a new one, which claims all open marks, or one more attempt at the unfinished
/// one, which keeps exactly the marks it has. Those that came since are settled by the next run, because the warehouse may
/// have published this one without them.
pub(crate) async fn claim(ledger: &Ledger, pulse: &Pulse<'_>, command: &RunCommand) -> Result<Start> {
    retry_contention(ledger.pause(), || async {
        let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
        let started_at = ledger.clock().now();
        if let Some(until) = lease::take(unit.as_mut(), pulse.holder, started_at, pulse.lease).await? {
            unit.rollback().await?;
            return Ok(Start::Busy { until });
        }
        let found = read(unit.as_mut()).await?;
        let version = found.as_ref().map(|(_, version)| *version);
        let state = match found.map(|(state, _)| state) {
            Some(state) if !state.finished => RunState {
                started_at,
                attempts: state.attempts.saturating_add(1),
                command: state.command.widened(command),
                ..state
            },
            before => {
                let epoch = before.as_ref().map_or(1, |state| state.key.epoch);
                let number = before.as_ref().map_or(0, |state| state.key.number);
                let number = number.checked_add(1).ok_or_else(numbers_used_up)?;
                let id = ledger.ids().next(started_at).0;
                let (settled, arrivals) = before.map(|state| (state.settled, state.arrivals)).unwrap_or_default();
                RunState {
                    key: RunKey { epoch, number, id },
                    started_at,
                    attempts: 1,
                    finished: false,
                    command: command.clone(),
                    settled,
                    arrivals,
                }
            }
        };
        let token = write(unit.as_mut(), &state, version).await?;
        let repeated = state.attempts > 1;
        if !repeated {
            unit.marks().claim(state.key.id).await?;
        }
        unit.commit().await?;
        pulse.renewed(started_at);
        let RunState { key, command, settled, .. } = state;
        Ok(Start::Claimed(Claim { key, command, started_at, repeated, settled, token }))
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
        _ => Err(lease::lost().with("run", claim.key.id).with("number", claim.key.number)),
    }
}

/// Removes the marks of a published run, notes that it is finished and what it told, and gives the lease back. A repeat
/// changes nothing, and neither does it when another run has begun in the meantime.
pub(crate) async fn settle(ledger: &Ledger, run: &RunRecord, holder: Uuid) -> Result<()> {
    retry_transient(ledger.pause(), || async {
        let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
        lease::release(unit.as_mut(), holder).await?;
        if let Some((state, version)) = read(unit.as_mut()).await?
            && state.key == run.key
            && !state.finished
        {
            let mut arrivals = state.arrivals.clone();
            arrivals.extend(run.last_arrivals.clone());
            let state = RunState { finished: true, settled: Some(run.key), arrivals, ..state };
            write(unit.as_mut(), &state, Some(version)).await?;
        }
        unit.marks().settle(run.key.id).await?;
        unit.commit().await
    })
    .await
}

/// Gives the lease back after a failure.
pub(crate) async fn leave(ledger: &Ledger, holder: Uuid) -> Result<()> {
    retry_contention(ledger.pause(), || async {
        let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
        lease::release(unit.as_mut(), holder).await?;
        unit.commit().await
    })
    .await
}

/// Starts a new epoch, higher than the present one and than `published`, and notes in the audit trail who did. An
/// unfinished run is given up; its marks wait for the next one.
pub(crate) async fn start_epoch(ledger: &Ledger, actor: &Actor, published: Option<u32>) -> Result<u32> {
    retry_contention(ledger.pause(), || async {
        let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
        let now = ledger.clock().now();
        let found = read(unit.as_mut()).await?;
        let version = found.as_ref().map(|(_, version)| *version);
        let before = found.map(|(state, _)| state);
        if let Some(state) = before.as_ref().filter(|state| !state.finished) {
            let marks = unit.marks().claimed(state.key.id).await?;
            if !marks.is_empty() {
                unit.marks().append(&marks, now).await?;
            }
            unit.marks().settle(state.key.id).await?;
        }
        let (last, arrivals) = before.map(|state| (state.key.epoch, state.arrivals)).unwrap_or_default();
        let highest = last.max(published.unwrap_or(0));
        let epoch = highest.checked_add(1).ok_or_else(numbers_used_up)?;
        let state = RunState {
            key: RunKey { epoch, number: 0, id: Uuid::nil() },
            started_at: now,
            attempts: 0,
            finished: true,
            command: RunCommand::default(),
            settled: None,
            arrivals,
        };
        write(unit.as_mut(), &state, version).await?;
        let entry = AuditEntry {
            at: now,
            actor: actor.0.clone(),
            action: "start_epoch".to_owned(),
            subject: format!("epoch {epoch}"),
            details: serde_json::json!({ "epoch_before": last, "epoch_published": published }),
        };
        unit.audit().append(&entry).await?;
        unit.commit().await?;
        Ok(epoch)
    })
    .await
}

/// All that no published run has settled, claimed or not, in one snapshot.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// What is kept about runs; `None` before the first.
    pub(crate) state: Option<RunState>,
    /// The days that marks name.
    pub(crate) days: DaySet,
    /// The marks that name neither a day nor a source, in no order.
    pub(crate) others: Vec<Mark>,
    /// When each source was last heard of, by the last settled run and by marks.
    pub(crate) arrivals: Arrivals,
}

impl Waiting {
    pub(crate) async fn read(unit: &mut dyn UnitOfWork) -> Result<Self> {
        let state = read(unit).await?.map(|(state, _)| state);
        let mut marks = unit.marks().open().await?;
        if let Some(state) = state.as_ref().filter(|state| !state.finished) {
            marks.extend(unit.marks().claimed(state.key.id).await?);
        }
        let mut arrivals = state.as_ref().map(|state| state.arrivals.clone()).unwrap_or_default();
        let mut others = Vec::new();
        let mut days = Vec::new();
        for mark in marks {
            match mark {
                Mark::Day(day) => days.push(day),
                Mark::Arrival { source, at } => {
                    let last = arrivals.entry(source.as_str().to_owned()).or_insert(at);
                    *last = at.max(*last);
                }
                other => others.push(other),
            }
        }
        Ok(Self { state, days: days.into_iter().collect(), others, arrivals })
    }

    /// The run that is not finished.
    pub(crate) fn unfinished(&self) -> Option<&RunState> {
        self.state.as_ref().filter(|state| !state.finished)
    }
}

/// What is kept, with its version; `None` before the first run.
pub(crate) async fn read(unit: &mut dyn UnitOfWork) -> Result<Option<(RunState, Version)>> {
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
    unit.records().put(&record, expected).await.map_err(begun_by_another)?;
    Ok(version)
}

/// The very first runs of two processes had nothing to lock: one of them begins anew.
pub(crate) fn begun_by_another(error: Error) -> Error {
    match error.kind() {
        ErrorKind::VersionConflict => {
            Error::new(ErrorKind::Contention, "another process starts a run at this moment").caused_by(error)
        }
        _ => error,
    }
}

fn numbers_used_up() -> Error {
    Error::new(ErrorKind::Refused, "the numbers of aggregation runs are used up")
}
