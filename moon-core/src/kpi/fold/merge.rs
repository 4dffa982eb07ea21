//! Two folds as one.

use super::{Fold, buckets};
use crate::{Error, Result};

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
        self.fit();
        if same_groups {
            self.shared.absorb(&mut other.shared, &bucket_of);
            self.adjusted |= other.adjusted;
        } else {
            self.unpack()?;
        }
        other.unpack()?;
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
}
