//! What a fold has summed.

use std::sync::Arc;

use super::Fold;
use super::tally::Side;
use crate::{Cell, CellRef, ControlTotals, Result, Totals};

impl Fold {
    /// The sums, as a list.
    ///
    /// # Errors
    /// As [`hand_out`](Self::hand_out).
    pub fn finish(self) -> Result<Totals> {
        let mut cells = Vec::new();
        let control = self.hand_out(|CellRef { dimension, day, code, figures }| {
            cells.push(Cell { dimension, day, code: Arc::clone(code), figures });
            Ok(())
        })?;
        Ok(Totals { cells, control })
    }

    /// Hands out the sums one by one, ascending by dimension, day and code, and returns the plain ones. For those who have
    /// no use for a list, which takes longer to write than the sums to read.
    ///
    /// # Errors
    /// `Corrupt` for an index without a code; `Refused` when a sum is too large to be exact; and those of `take`.
    pub fn hand_out(mut self, mut take: impl FnMut(CellRef<'_>) -> Result<()>) -> Result<ControlTotals> {
        self.settle()?;
        let shared = self.shared.rows();
        let mut parts = 0..;
        for table in &self.tables {
            let dimension = table.dimension;
            let part = if table.shares() { parts.next() } else { None };
            let groups = self.dictionaries.of(dimension).ascending();
            for (day, bucket) in self.buckets.ascending() {
                let cells = part.map(|part| shared.cells(bucket, part)).unwrap_or_default();
                table
                    .figures(bucket, cells, &groups, |code, figures| take(CellRef { dimension, day, code, figures }))?;
            }
        }
        for (_, bucket) in self.buckets.ascending() {
            for (side, plain) in Side::ALL.into_iter().zip(shared.plain(bucket)) {
                self.control.add(bucket, side, plain, plain.minor.unsigned_abs())?;
            }
        }
        self.control.totals(&self.buckets)
    }
}
