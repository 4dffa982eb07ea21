//! How things stand: what ran, what waits, and who works.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use moon_core::{Closing, DayRange, DaySet, MarkCounts, Result, RunKey, RunRecord};
use uuid::Uuid;

use crate::Aggregation;
use crate::lease;
use crate::state::Waiting;

/// Who is at work, as far as anybody was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseHolder {
    /// The call that holds the lease.
    pub holder: Uuid,
    /// Until when others believe it (UTC), unless it says so again.
    pub until: DateTime<Utc>,
}

/// A run that was begun and whose marks are not settled: at work, or broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// Which.
    pub key: RunKey,
    /// When its last attempt began (UTC).
    pub started_at: DateTime<Utc>,
    /// How often it was begun.
    pub attempts: u32,
}

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// By the ledger's clock (UTC).
    pub now: DateTime<Utc>,
    /// The run whose figures readers see; `None` before the first.
    pub published: Option<RunRecord>,
    /// The last runs, whatever came of them, newest first.
    pub runs: Vec<RunRecord>,
    /// The marks that wait.
    pub marks: MarkCounts,
    /// The days that they name.
    pub days: DaySet,
    /// When the last message of each source arrived (UTC), those that wait for a run included.
    pub last_arrivals: BTreeMap<String, DateTime<Utc>>,
    /// A run that has not ended.
    pub unfinished: Option<UnfinishedRun>,
    /// Who holds a lease that has not expired.
    pub lease: Option<LeaseHolder>,
    /// All closings, ascending by the run that closed.
    pub closings: Vec<Closing>,
}

impl Status {
    /// Since when the warehouse lacks something that the ledger has: the age of the oldest mark, zero without one.
    #[must_use]
    pub fn behind(&self) -> TimeDelta {
        self.marks.oldest.map_or(TimeDelta::zero(), |oldest| (self.now - oldest).max(TimeDelta::zero()))
    }

    /// How long ago the figures were published.
    #[must_use]
    pub fn age(&self) -> Option<TimeDelta> {
        self.published.as_ref().map(|record| (self.now - record.finished_at).max(TimeDelta::zero()))
    }
}

impl Aggregation {
    /// How things stand, with the records of at most that many runs. Cheap: no posting is read.
    ///
    /// # Errors
    /// Those of store and warehouse.
    pub async fn status(&self, runs: u32) -> Result<Status> {
        let published = self.warehouse().read(DayRange::new(0, 0)).await?.run;
        let runs = self.warehouse().runs(runs).await?;
        let closings = self.warehouse().closings().await?;
        let now = self.ledger().clock().now();
        let mut snapshot = self.ledger().snapshot().await?;
        let unit = snapshot.as_mut();
        let marks = unit.marks().counts().await?;
        let waiting = Waiting::read(unit).await?;
        let lease = lease::holder(unit, now).await?.map(|(holder, until)| LeaseHolder { holder, until });
        snapshot.rollback().await?;
        let unfinished = waiting.unfinished().map(|state| UnfinishedRun {
            key: state.key,
            started_at: state.started_at,
            attempts: state.attempts,
        });
        let Waiting { days, arrivals, .. } = waiting;
        Ok(Status { now, published, runs, marks, days, last_arrivals: arrivals, unfinished, lease, closings })
    }
}
