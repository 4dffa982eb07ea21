//! The accumulators of one dimension.

use std::collections::BTreeMap;
use std::ops::Range;

use super::buckets::{Buckets, OUTSIDE};
use super::packing::Packing;
use crate::{Dimension, Figures, Result, Sum};

/// Sums by bucket and group: a dense row of cells for each bucket, as long as a power of two.
///
/// A sale's own posting counts alike on all three bases, so sales need one accumulator: `packed` while a few blocks add
/// up in 64 bits (see [`Packing`]), `sales` for the exact sums of 128. Adjustments are rare, count differently on each
/// basis, and have tallies of their own.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) dimension: Dimension,
    /// A row has two to this power cells.
    row_bits: u32,
    /// Its part of the [`SharedRows`](super::shared_rows::SharedRows); without one, it has rows of its own in `packed`.
    pub(super) part: Option<Range<usize>>,
    packed: Vec<i64>,
    sales: Vec<Sum>,
    /// Empty before the first adjustment.
    adjustments: Vec<Adjustment>,
    /// By bucket and group: what did not fit into its tally.
    carried: BTreeMap<(u32, u32, Side), Sum>,
}

/// What adjustments add to a group: `net` in the bucket of the sale's day, `activity` in the one of their own.
#[derive(Debug, Clone, Copy, Default)]
struct Adjustment {
    net: Tally,
    activity: Tally,
}

/// A sum of adjustments that knows whether there were any, since amounts and counts may cancel out. Small; what does not
/// fit is carried elsewhere.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    minor: i64,
    count: i32,
    rows: u32,
}

impl Tally {
    /// Adds what fits and says whether it did.
    fn try_add(&mut self, minor: i64, count: i32) -> bool {
        let sums = self.minor.checked_add(minor).zip(self.count.checked_add(count));
        sums.map(|(minor, count)| *self = Self { minor, count, rows: self.rows.saturating_add(1) }).is_some()
    }

    fn sum(self) -> Sum {
        Sum::new(self.minor.into(), self.count.into())
    }
}

/// One of the two sums of an [`Adjustment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Net,
    Activity,
}

impl Table {
    pub(super) fn new(dimension: Dimension) -> Self {
        Self {
            dimension,
            row_bits: 0,
            part: None,
            packed: Vec::new(),
            sales: Vec::new(),
            adjustments: Vec::new(),
            carried: BTreeMap::new(),
        }
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
        if cells > self.sales.len() {
            self.sales.resize(cells, Sum::ZERO);
        }
        if self.part.is_none() && cells > self.packed.len() {
            self.packed.resize(cells, 0);
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

    /// Moves what was packed into its part of a bucket's shared row into the exact sums.
    pub(super) fn unpack_shared(&mut self, bucket: usize, row: &[i64], packing: &Packing) -> Result<()> {
        let Some(part) = self.part.clone().filter(|_| bucket != OUTSIDE as usize) else { return Ok(()) };
        let sales = self.sales.get_mut(bucket << self.row_bits..).unwrap_or_default();
        for (packed, sum) in row.get(part).unwrap_or_default().iter().zip(sales) {
            if *packed != 0 {
                *sum = sum.plus(packing.unpack(*packed))?;
            }
        }
        Ok(())
    }

    /// Makes room for adjustments.
    pub(super) fn fit_adjustments(&mut self) {
        if self.adjustments.len() < self.sales.len() {
            self.adjustments.resize(self.sales.len(), Adjustment::default());
        }
    }

    /// Adds an adjustment to the net figures of one bucket and the activity of another.
    pub(super) fn adjust(
        &mut self,
        sale_bucket: u32,
        own_bucket: u32,
        group: u32,
        amount: i64,
        count: i8,
    ) -> Result<()> {
        for (bucket, side) in [(sale_bucket, Side::Net), (own_bucket, Side::Activity)] {
            let Some(tally) = self.tally(bucket, group, side) else { continue };
            if !tally.try_add(amount, count.into()) {
                self.carry(bucket, group, side, Sum::new(amount.into(), count.into()))?;
            }
        }
        Ok(())
    }

    fn tally(&mut self, bucket: u32, group: u32, side: Side) -> Option<&mut Tally> {
        if bucket == OUTSIDE {
            return None;
        }
        let place = ((bucket as usize) << self.row_bits) | group as usize;
        let adjustment = self.adjustments.get_mut(place)?;
        Some(match side {
            Side::Net => &mut adjustment.net,
            Side::Activity => &mut adjustment.activity,
        })
    }

    #[cold]
    fn carry(&mut self, bucket: u32, group: u32, side: Side, sum: Sum) -> Result<()> {
        if let Some(tally) = self.tally(bucket, group, side) {
            tally.rows = tally.rows.saturating_add(1);
        }
        let carried = self.carried.entry((bucket, group, side)).or_default();
        *carried = carried.plus(sum)?;
        Ok(())
    }

    /// The whole sum of a tally.
    fn adjusted(&self, bucket: u32, group: u32, side: Side, tally: Tally) -> Result<Sum> {
        match self.carried.get(&(bucket, group, side)) {
            Some(carried) => carried.plus(tally.sum()),
            None => Ok(tally.sum()),
        }
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
        if other.adjustments.is_empty() {
            return Ok(());
        }
        self.fit_adjustments();
        for (their_bucket, row) in (0_u32..).zip(other.adjustments.chunks(1 << other.row_bits)) {
            for (their_group, adjustment) in (0_u32..).zip(row) {
                for (side, tally) in [(Side::Net, adjustment.net), (Side::Activity, adjustment.activity)] {
                    if tally.rows == 0 {
                        continue;
                    }
                    let place = translated(their_bucket as usize, their_group as usize);
                    let Some((bucket, group)) = place else { continue };
                    let sum = other.adjusted(their_bucket, their_group, side, tally)?;
                    let small = i64::try_from(sum.minor).ok().zip(i32::try_from(sum.count).ok());
                    let added = small.is_some_and(|(minor, count)| {
                        self.tally(bucket, group, side).is_none_or(|own| own.try_add(minor, count))
                    });
                    if !added {
                        self.carry(bucket, group, side, sum)?;
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
        let adjustment = self.adjustments.get(place).copied().unwrap_or_default();
        if adjustment.net.rows == 0 && adjustment.activity.rows == 0 {
            let none = sales.count == 0;
            return Ok((!none).then_some(Figures { net: sales, gross: sales, activity: sales }));
        }
        Ok(Some(Figures {
            net: sales.plus(self.adjusted(bucket, group, Side::Net, adjustment.net)?)?,
            gross: sales,
            activity: sales.plus(self.adjusted(bucket, group, Side::Activity, adjustment.activity)?)?,
        }))
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
