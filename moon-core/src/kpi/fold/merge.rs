//! Two folds as one.

use super::shared_rows::{Drained, SharedRows};
use super::tally::Side;
use super::{Fold, buckets, unpack};
use crate::{Error, Result};

/// How many folds may lay their rows aside; each is one more place to look for every sum.
const ASIDE_MAX: usize = 16;

/// The shared rows of a merged fold that knew the same groups. They are added up only when the sums are handed out, since
/// folds of one scan in day order have hardly a bucket in common.
#[derive(Debug, Clone)]
pub(super) struct Aside {
    pub(super) rows: SharedRows,
    /// The fold's own bucket for each of theirs.
    pub(super) bucket_of: Vec<u32>,
}

impl Fold {
    /// Adds what another fold has summed, of this scan or another one.
    ///
    /// # Errors
    /// `InvalidInput` when it has another plan; `Refused` when a sum is too large to be exact.
    pub fn merge(&mut self, mut other: Self) -> Result<()> {
        if self.plan != other.plan {
            return Err(Error::invalid("folds of different plans cannot be merged"));
        }
        self.settle()?;
        other.settle()?;
        let same_groups = self.tables.iter().all(|table| {
            let [own, others] = [&self.dictionaries, &other.dictionaries].map(|all| all.of(table.dimension));
            own.scanned() == others.scanned() && own.codes() == others.codes()
        });
        let mut bucket_of = vec![buckets::OUTSIDE; other.buckets.len()];
        for (day, bucket) in other.buckets.ascending() {
            if let Some(own) = bucket_of.get_mut(bucket as usize) {
                *own = self.buckets.starting(day)?;
            }
        }
        self.control.fit(self.buckets.len());
        if !same_groups {
            self.unpack()?;
        }
        if same_groups && other.aside.is_empty() && self.aside.len() < ASIDE_MAX {
            let rows = std::mem::replace(&mut other.shared, SharedRows::of_width(0));
            self.aside.push(Aside { rows, bucket_of: bucket_of.clone() });
        } else {
            other.unpack()?;
        }
        self.control.merge(&other.control, &bucket_of)?;
        for (table, other_table) in self.tables.iter_mut().zip(&other.tables) {
            let dictionary = self.dictionaries.of_mut(table.dimension);
            let codes = other.dictionaries.of(table.dimension).codes();
            let group_of = codes.iter().map(|code| dictionary.intern(code)).collect::<Result<Vec<_>>>()?;
            table.fit(self.buckets.len(), dictionary.codes().len(), dictionary.scanned());
            table.merge(other_table, &bucket_of, &group_of)?;
        }
        if !same_groups {
            self.refit();
        }
        Ok(())
    }

    /// Moves what others laid aside into the tables.
    pub(super) fn unpack_aside(&mut self) -> Result<()> {
        let (tables, control) = (&mut self.tables, &mut self.control);
        for Aside { mut rows, bucket_of } in self.aside.drain(..) {
            for side in Side::ALL {
                rows.rows_mut().drain(side, 0..u32::MAX, &mut |drained| {
                    let bucket = bucket_of.get(drained.bucket as usize).copied().unwrap_or(buckets::OUTSIDE);
                    unpack(Drained { bucket, ..drained }, tables, control)
                })?;
            }
        }
        Ok(())
    }
}
