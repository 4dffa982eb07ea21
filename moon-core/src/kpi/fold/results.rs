//! What a fold has summed.

use std::sync::Arc;

use super::Fold;
use super::merge::Aside;
use super::shared_rows::Accumulators;
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
        let mut control = std::mem::take(&mut self.control);
        let places = self.places();
        let mut parts = 0..;
        for table in &self.tables {
            let dimension = table.dimension;
            let part = if table.shares() { parts.next() } else { None };
            let groups = self.dictionaries.of(dimension).ascending();
            for ((day, bucket), places) in self.buckets.ascending().zip(&places) {
                let cells = part.map(|part| places.iter().map(|place| place.rows.cells(place.bucket, part)).collect());
                let cells: Vec<_> = cells.unwrap_or_default();
                table.figures(bucket, &cells, &groups, |code, figures| {
                    take(CellRef { dimension, day, code, figures })
                })?;
            }
        }
        for ((_, bucket), places) in self.buckets.ascending().zip(&places) {
            for place in places {
                for (side, plain) in Side::ALL.into_iter().zip(place.rows.plain(place.bucket)) {
                    control.add(bucket, side, plain, plain.minor.unsigned_abs())?;
                }
            }
        }
        control.totals(&self.buckets)
    }

    /// For each bucket, ascending by day, where shared rows have something for it.
    fn places<'f>(&'f self) -> Vec<Vec<Place<'f>>> {
        let mut places: Vec<_> = (0..self.buckets.len()).map(|_| Vec::with_capacity(1)).collect();
        let mut note = |own: u32, place: Place<'f>| {
            if place.rows.plain(place.bucket).iter().any(|plain| !plain.is_empty())
                && let Some(places) = places.get_mut(own as usize)
            {
                places.push(place);
            }
        };
        for (_, bucket) in self.buckets.ascending() {
            note(bucket, Place { rows: self.shared.rows(), bucket });
        }
        for Aside { rows, bucket_of } in &self.aside {
            for (bucket, own) in (0..).zip(bucket_of) {
                note(*own, Place { rows: rows.rows(), bucket });
            }
        }
        let of = |(_, bucket): (_, u32)| places.get_mut(bucket as usize).map(std::mem::take).unwrap_or_default();
        self.buckets.ascending().map(of).collect()
    }
}

/// A row of some shared rows.
struct Place<'f> {
    rows: &'f dyn Accumulators,
    bucket: u32,
}
