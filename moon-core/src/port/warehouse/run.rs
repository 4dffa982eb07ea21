//! Runs: what identifies one, what it replaces, and the record that it leaves.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{BusinessDate, DayRange, DaySet, Error, ErrorKind, Figures, Period, Result};

/// What identifies an aggregation run. Kept by the store before the run starts, so that a crashed run is repeated under
/// its own key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunKey {
    /// The source's lifetime: a restored source starts a new one, higher than all before.
    pub epoch: u32,
    /// Rises with every run of an epoch; a warehouse refuses a lower one than it has published.
    pub number: u64,
    /// Names the run.
    pub id: Uuid,
}

impl RunKey {
    /// Whether a run that changes nothing may be published behind `last`, the run that was published last: only where that
    /// is `shown`, the one whose figures its own were compared with.
    ///
    /// # Errors
    /// `Refused` when `last` is a later run than this one, `Contention` when it is another one.
    pub fn check_unchanged(&self, shown: &Self, last: Option<&Self>) -> Result<()> {
        let order = |key: &Self| (key.epoch, key.number);
        match last {
            Some(last) if order(last) > order(self) => {
                Err(Error::new(ErrorKind::Refused, "a later run was published already")
                    .with("run", self.id)
                    .with("epoch", self.epoch)
                    .with("number", self.number)
                    .with("published_epoch", last.epoch)
                    .with("published_number", last.number))
            }
            Some(last) if last == shown => Ok(()),
            _ => Err(Error::new(ErrorKind::Contention, "another run was published while this one read its figures")),
        }
    }
}

/// What a run replaces: every published cell in it that the run does not write vanishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Days of the daily tables.
    pub days: DaySet,
    /// Days of the months whose product metrics are replaced: those whose first day lies in it. Those of all time always
    /// are.
    pub months: DaySet,
    /// Whether the monthly figures of agents are replaced too, in the same months; otherwise they stay as they are.
    pub agents: bool,
}

impl Scope {
    /// Everything, the figures of agents included: where a run stages none, none are left.
    #[must_use]
    pub fn full() -> Self {
        Self { days: DaySet::all(), months: DaySet::all(), agents: true }
    }

    /// Whether the month that begins on this day is among [`months`](Self::months).
    #[must_use]
    pub fn has_month(&self, first_day: BusinessDate) -> bool {
        self.months.contains(first_day.epoch_day())
    }
}

/// Why a run was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// All days.
    Full,
    /// The days that were marked.
    Incremental,
    /// A range by hand.
    Backfill,
}

impl RunKind {
    /// The stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Backfill => "backfill",
        }
    }

    /// The kind of a [`name`](Self::name).
    ///
    /// # Errors
    /// `Corrupt` for any other text.
    pub fn from_name(name: &str) -> Result<Self> {
        [Self::Full, Self::Incremental, Self::Backfill]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "run has an unknown kind").with("kind", name))
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Its figures are what readers see, or saw until a later run.
    Published,
    /// A guard or the law stopped it; nothing was changed.
    Refused,
    /// An error stopped it; nothing was changed.
    Failed,
}

impl RunOutcome {
    /// The stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// The outcome of a [`name`](Self::name).
    ///
    /// # Errors
    /// `Corrupt` for any other text.
    pub fn from_name(name: &str) -> Result<Self> {
        [Self::Published, Self::Refused, Self::Failed]
            .into_iter()
            .find(|outcome| outcome.name() == name)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "run has an unknown outcome").with("outcome", name))
    }
}

/// The record that every run leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Which run.
    pub key: RunKey,
    /// Why it was made.
    pub kind: RunKind,
    /// The smallest range that covers its days; empty when it had none.
    pub days: DayRange,
    /// When it began (UTC).
    pub started_at: DateTime<Utc>,
    /// When it ended (UTC).
    pub finished_at: DateTime<Utc>,
    /// Postings read.
    pub rows_read: u64,
    /// The plain sums over its days.
    pub control: Figures,
    /// When the last message of each source arrived, as far as the run could see (UTC).
    pub last_arrivals: BTreeMap<String, DateTime<Utc>>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why it did not publish.
    pub error: Option<String>,
    /// What it published. Records that were kept before there were manifests have an empty one.
    #[serde(default)]
    pub manifest: Manifest,
}

impl RunRecord {
    /// As a warehouse keeps it when the run is published, whatever its outcome says.
    #[must_use]
    pub fn as_published(&self) -> Self {
        Self { outcome: RunOutcome::Published, error: None, ..self.clone() }
    }
}

/// What a run published, to be compared with what is found later.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// How many daily cells were staged.
    pub cells: u64,
    /// SHA-256 over the staged daily cells, lower-case hexadecimal; empty when nothing was staged.
    pub cells_hash: String,
    /// Periods that the run closed.
    pub closed: Vec<Period>,
    /// Periods that the run opened again.
    pub reopened: Vec<Period>,
    /// A fingerprint of the key under whose pseudonyms agents are shown from this run on, which tells nothing about the
    /// key; `None`: their figures are switched off.
    #[serde(default)]
    pub agent_key: Option<String>,
    /// The days whose cells it replaced, so that the hash can be compared with what they have later. `None` when they are
    /// in too many pieces, and in manifests that were kept before it was told.
    #[serde(default)]
    pub days: Option<DaySet>,
}

/// What a published run left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The record, as published.
    pub record: RunRecord,
}
