//! The accumulators of one dimension.

use super::buckets::{Buckets, OUTSIDE};
use super::packing::Packing;
use super::run::RUN_GROUPS_MAX;
use crate::{Dimension, Figures, Result, Sum};

/// Sums by bucket and group: a dense row of cells for each bucket, as long as a power of two.
///
/// A sale's own posting counts alike on all three bases, so sales need one accumulator: `packed` while a few blocks add
/// up in 64 bits (see [`Packing`]), `sales` for the exact sums of 128. Adjustments are rare, count differently on each
/// basis, and go to the exact sums at once.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) dimension: Dimension,
    /// A row has two to this power cells.
    row_bits: u32,
    packed: Vec<i64>,
    sales: Vec<Sum>,
    /// Empty before the first adjustment.
    adjustments: Vec<Adjustment>,
}

/// What adjustments add to a group: `net` in the bucket of the sale's day, `activity` in the one of their own.
#[derive(Debug, Clone, Copy, Default)]
struct Adjustment {
    net: Tally,
    activity: Tally,
}

/// A sum of postings whose counts may cancel out, so that it needs to know whether there were any.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    minor: i128,
    count: i64,
    any: bool,
}

impl Tally {
    fn add(&mut self, sum: Sum) -> Result<()> {
        let Sum { minor, count } = self.sum().plus(sum)?;
        *self = Self { minor, count, any: true };
        Ok(())
    }

    fn sum(self) -> Sum {
        Sum::new(self.minor, self.count)
    }
}

impl Table {
    pub(super) fn new(dimension: Dimension) -> Self {
        Self { dimension, row_bits: 0, packed: Vec::new(), sales: Vec::new(), adjustments: Vec::new() }
    }

    /// Makes room for that many buckets and groups.
    pub(super) fn fit(&mut self, buckets: usize, groups: usize) {
        let row_bits = groups.next_power_of_two().trailing_zeros();
        if row_bits > self.row_bits {
            self.packed = widen(&self.packed, self.row_bits, row_bits);
            self.sales = widen(&self.sales, self.row_bits, row_bits);
            self.adjustments = widen(&self.adjustments, self.row_bits, row_bits);
            self.row_bits = row_bits;
        }
        let cells = buckets << self.row_bits;
        if cells > self.packed.len() {
            self.packed.resize(cells, 0);
            self.sales.resize(cells, Sum::ZERO);
        }
    }

    /// Adds packed values: the hot loop. Indices were checked against the dictionary, so each has its cell.
    pub(super) fn add_packed(&mut self, buckets: Buckets<'_>, groups: &[u32], values: &[i64]) {
        let (fours, rest) = groups.as_chunks::<4>();
        let (four_values, rest_values) = values.as_chunks::<4>();
        match buckets {
            Buckets::One(bucket) => {
                let start = (bucket as usize) << self.row_bits;
                let row = self.packed.get_mut(start..start + (1 << self.row_bits)).unwrap_or_default();
                let mut add = |group: &u32, value: &i64| {
                    if let Some(cell) = row.get_mut(*group as usize) {
                        *cell = cell.wrapping_add(*value);
                    }
                };
                for (groups, values) in fours.iter().zip(four_values) {
                    groups.iter().zip(values).for_each(|(group, value)| add(group, value));
                }
                rest.iter().zip(rest_values).for_each(|(group, value)| add(group, value));
            }
            Buckets::Each(buckets) => {
                let (row_bits, packed) = (self.row_bits, self.packed.as_mut_slice());
                let mut add = |bucket: &u32, group: &u32, value: &i64| {
                    if let Some(cell) = packed.get_mut(((*bucket as usize) << row_bits) | *group as usize) {
                        *cell = cell.wrapping_add(*value);
                    }
                };
                let (four_buckets, rest_buckets) = buckets.as_chunks::<4>();
                for ((buckets, groups), values) in four_buckets.iter().zip(fours).zip(four_values) {
                    let rows = buckets.iter().zip(groups).zip(values);
                    rows.for_each(|((bucket, group), value)| add(bucket, group, value));
                }
                let rows = rest_buckets.iter().zip(rest).zip(rest_values);
                rows.for_each(|((bucket, group), value)| add(bucket, group, value));
            }
        }
    }

    /// Whether a row is short enough for a [`Run`](super::run::Run).
    pub(super) fn is_narrow(&self) -> bool {
        1 << self.row_bits <= RUN_GROUPS_MAX
    }

    /// Adds the packed cells of a run.
    pub(super) fn add_run(&mut self, bucket: u32, run: &[i64; RUN_GROUPS_MAX]) {
        let start = (bucket as usize) << self.row_bits;
        let row = self.packed.get_mut(start..start + (1 << self.row_bits)).unwrap_or_default();
        for (cell, added) in row.iter_mut().zip(run) {
            *cell = cell.wrapping_add(*added);
        }
    }

    /// Adds amounts that are too large to be packed.
    pub(super) fn add_large(&mut self, bucket: u32, group: u32, amount: i64) -> Result<()> {
        self.add_sum(bucket, group, Sum::new(amount.into(), 1))
    }

    fn add_sum(&mut self, bucket: u32, group: u32, sum: Sum) -> Result<()> {
        let place = ((bucket as usize) << self.row_bits) | group as usize;
        if let Some(cell) = self.sales.get_mut(place).filter(|_| bucket != OUTSIDE) {
            *cell = cell.plus(sum)?;
        }
        Ok(())
    }

    /// Moves what was packed into the exact sums.
    pub(super) fn unpack(&mut self, packing: &Packing) -> Result<()> {
        let touched = packing.touched();
        let (start, end) = (touched.start << self.row_bits, touched.end << self.row_bits);
        let inside = 1_usize << self.row_bits;
        let packed = self.packed.get_mut(start..end).unwrap_or_default();
        let sales = self.sales.get_mut(start..end).unwrap_or_default();
        for (place, (packed, sum)) in (start..).zip(packed.iter_mut().zip(sales)) {
            if *packed != 0 {
                if place >= inside {
                    *sum = sum.plus(packing.unpack(*packed))?;
                }
                *packed = 0;
            }
        }
        Ok(())
    }

    /// Adds an adjustment to the net figures of one bucket and the activity of another.
    pub(super) fn adjust(&mut self, sale_bucket: u32, own_bucket: u32, group: u32, sum: Sum) -> Result<()> {
        self.adjustment(sale_bucket, group).map_or(Ok(()), |adjustment| adjustment.net.add(sum))?;
        self.adjustment(own_bucket, group).map_or(Ok(()), |adjustment| adjustment.activity.add(sum))
    }

    fn adjustment(&mut self, bucket: u32, group: u32) -> Option<&mut Adjustment> {
        if self.adjustments.len() < self.packed.len() {
            self.adjustments.resize(self.packed.len(), Adjustment::default());
        }
        let place = ((bucket as usize) << self.row_bits) | group as usize;
        self.adjustments.get_mut(place).filter(|_| bucket != OUTSIDE)
    }

    /// Adds the sums of another table; `bucket_of` and `group_of` translate its buckets and groups.
    pub(super) fn merge(&mut self, other: &Self, bucket_of: &[u32], group_of: &[u32]) -> Result<()> {
        let translated = |bucket: usize, group: usize| bucket_of.get(bucket).copied().zip(group_of.get(group).copied());
        for (bucket, row) in other.sales.chunks(1 << other.row_bits).enumerate() {
            for (group, sum) in row.iter().enumerate().filter(|(_, sum)| sum.count != 0) {
                if let Some((bucket, group)) = translated(bucket, group) {
                    self.add_sum(bucket, group, *sum)?;
                }
            }
        }
        for (bucket, row) in other.adjustments.chunks(1 << other.row_bits).enumerate() {
            for (group, theirs) in row.iter().enumerate().filter(|(_, theirs)| theirs.net.any || theirs.activity.any) {
                let place = translated(bucket, group);
                let Some(own) = place.and_then(|(bucket, group)| self.adjustment(bucket, group)) else { continue };
                for (own, theirs) in [(&mut own.net, theirs.net), (&mut own.activity, theirs.activity)] {
                    if theirs.any {
                        own.add(theirs.sum())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// How many groups have a sale, over all buckets. Nothing may be packed any more.
    pub(super) fn groups(&self) -> usize {
        self.sales.iter().filter(|sum| sum.count != 0).count()
    }

    /// The figures of a group in a bucket; `None` where it has no posting. Nothing may be packed any more.
    pub(super) fn figures(&self, bucket: u32, group: u32) -> Result<Option<Figures>> {
        let place = ((bucket as usize) << self.row_bits) | group as usize;
        // A sale counts one, so that a count of zero means no sale.
        let sales = self.sales.get(place).copied().unwrap_or_default();
        let adjustment = self.adjustments.get(place).filter(|adjustment| adjustment.net.any || adjustment.activity.any);
        match adjustment {
            None if sales.count == 0 => Ok(None),
            None => Ok(Some(Figures { net: sales, gross: sales, activity: sales })),
            Some(adjustment) => Ok(Some(Figures {
                net: sales.plus(adjustment.net.sum())?,
                gross: sales,
                activity: sales.plus(adjustment.activity.sum())?,
            })),
        }
    }
}

/// The same rows, longer.
fn widen<T: Copy + Default>(cells: &[T], from_bits: u32, to_bits: u32) -> Vec<T> {
    let mut wider = vec![T::default(); (cells.len() >> from_bits) << to_bits];
    for (old, new) in cells.chunks(1 << from_bits).zip(wider.chunks_mut(1 << to_bits)) {
        for (old, new) in old.iter().zip(new) {
            *new = *old;
        }
    }
    wider
}
