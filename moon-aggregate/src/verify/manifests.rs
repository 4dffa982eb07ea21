//! Whether the warehouse still holds the cells that runs published, by the hashes in their manifests.

use std::collections::BTreeSet;

use moon_core::{BusinessDate, DayRange, DaySet, Dimension, Period, Result, RunKey, RunOutcome, Warehouse};

use crate::manifest::CellsHash;
use crate::plan::months_of;

/// How many records of runs are looked through. A full run ends the search before.
const RUNS_LOOKED_THROUGH: u32 = 1_000;

/// Cells that are not those that a run published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestDifference {
    /// The run.
    pub run: RunKey,
    /// The days that it replaced, and no later run did.
    pub days: DayRange,
    /// How many cells it published, and their hash.
    pub published: (u64, String),
    /// How many cells these days have now, and their hash.
    pub found: (u64, String),
}

/// The runs, newest first, whose cells are not there as they were published. A run of whose days a later one has replaced
/// some cannot be compared any more; neither can one whose days are too many pieces to be told in its manifest.
pub(super) async fn differences(
    warehouse: &dyn Warehouse,
    months: impl Iterator<Item = BusinessDate>,
) -> Result<Vec<ManifestDifference>> {
    let months: BTreeSet<Period> = months_of(&months.map(BusinessDate::range).collect());
    let mut replaced = DaySet::default();
    let mut found = Vec::new();
    for record in warehouse.runs(RUNS_LOOKED_THROUGH).await? {
        if record.outcome != RunOutcome::Published {
            continue;
        }
        let Some(days) = record.manifest.days else { break };
        if !days.ranges().iter().any(|range| meets(&replaced, *range)) {
            let now = hash(warehouse, &months, &days).await?;
            let published = (record.manifest.cells, record.manifest.cells_hash);
            if now != published {
                found.push(ManifestDifference { run: record.key, days: days.hull(), published, found: now });
            }
        }
        if days == DaySet::all() {
            break;
        }
        replaced = replaced.ranges().iter().chain(days.ranges()).copied().collect();
    }
    Ok(found)
}

/// Whether a day of the range lies in the set.
fn meets(days: &DaySet, range: DayRange) -> bool {
    let before_end = days.ranges().partition_point(|other| other.start() < range.end());
    let last = before_end.checked_sub(1).and_then(|index| days.ranges().get(index));
    last.is_some_and(|last| !last.intersect(range).is_empty())
}

/// How many cells these days have, and their hash. The order of hashing is by dimension first: each of them reads month by
/// month, so that memory holds the cells of one month.
async fn hash(warehouse: &dyn Warehouse, months: &BTreeSet<Period>, days: &DaySet) -> Result<(u64, String)> {
    let mut hash = CellsHash::default();
    for dimension in Dimension::DAILY {
        for month in
            months.iter().filter(|month| days.ranges().iter().any(|range| !range.intersect(month.days()).is_empty()))
        {
            for cell in warehouse.cells(month.days()).await? {
                if cell.dimension == dimension && days.contains(cell.day.epoch_day()) {
                    hash.add(&cell);
                }
            }
        }
    }
    Ok(hash.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_meets_a_set_where_they_share_a_day() {
        let set: DaySet = [DayRange::new(10, 12), DayRange::new(20, 25)].into_iter().collect();
        for (start, end) in [(11, 12), (0, 11), (24, 99), (0, 99), (12, 21)] {
            assert!(meets(&set, DayRange::new(start, end)), "{start} to {end}");
        }
        for (start, end) in [(0, 10), (12, 20), (25, 30), (11, 11)] {
            assert!(!meets(&set, DayRange::new(start, end)), "{start} to {end}");
        }
        assert!(!meets(&DaySet::default(), DayRange::ALL));
    }
}
