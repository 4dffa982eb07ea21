//! Closed periods: figures as they were reported, and what changed later.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{BusinessDate, Dimension, Figures, Period, RunKey};

/// A period that was closed, and perhaps opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Closing {
    /// Which period.
    pub period: Period,
    /// The run that froze its figures.
    pub closed_by: RunKey,
    /// When that run ended (UTC).
    pub closed_at: DateTime<Utc>,
    /// The run from which on the period is open again.
    pub reopened_by: Option<RunKey>,
    /// When that run ended (UTC).
    pub reopened_at: Option<DateTime<Utc>>,
}

impl Closing {
    /// Whether it still stands: nobody opened the period again.
    #[must_use]
    pub fn is_standing(&self) -> bool {
        self.reopened_by.is_none()
    }
}

/// A cell that a run changed after its period had been closed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Restatement {
    /// The run that changed it.
    pub run: RunKey,
    /// What kind of group.
    pub dimension: Dimension,
    /// The day.
    pub day: BusinessDate,
    /// The group's code, or [`UNASSIGNED`](crate::UNASSIGNED).
    pub code: Arc<str>,
    /// What was published before; zero where there was no cell.
    pub before: Figures,
    /// What is published since; zero where the cell vanished.
    pub after: Figures,
}
