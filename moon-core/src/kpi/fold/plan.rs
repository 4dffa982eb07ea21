//! What a fold sums.

use crate::{Calendar, DaySet, Dimension, Granularity};

/// What to sum, and into which buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldPlan {
    /// Grouped by what; a repeated dimension counts once. None at all leaves the control totals.
    pub dimensions: Vec<Dimension>,
    /// The wanted days. A posting's sale's day decides for gross and net, its own day for activity.
    pub days: DaySet,
    /// The length of a bucket. [`Cell::day`](crate::Cell::day) is its first day, also where that is not a wanted one.
    pub granularity: Granularity,
    /// Cuts time into buckets.
    pub calendar: Calendar,
}

impl FoldPlan {
    /// By day.
    #[must_use]
    pub fn daily(dimensions: &[Dimension], days: DaySet) -> Self {
        Self { dimensions: dimensions.to_vec(), days, granularity: Granularity::Day, calendar: Calendar::default() }
    }

    /// All wanted days in one bucket.
    #[must_use]
    pub fn whole(dimensions: &[Dimension], days: DaySet) -> Self {
        Self { granularity: Granularity::All, ..Self::daily(dimensions, days) }
    }
}
