//! The accumulators of one dimension.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::buckets::{Buckets, OUTSIDE};
use super::packing::Packing;
use crate::{Dimension, Figures, Result, Sum};

/// Sums by bucket and group: a dense row of cells for each bucket, as long as a power of two.
///
/// A sale's own posting counts alike on all three bases, so sales need one accumulator: `packed` while a few blocks add
/// up in 64 bits (see [`Packing`]), `sales` for the exact sums of 128. Adjustments are rare, count differently on each
/// basis, and are kept sparsely.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) dimension: Dimension,
    /// A row has two to this power cells.
    row_bits: u32,
    packed: Vec<i64>,
    sales: Vec<Sum>,
    adjustments: HashMap<u64, Adjustment, BuildHasherDefault<KeyHasher>>,
}

/// What adjustments add to a group: `net` in the bucket of the sale's day, `activity` in the one of their own.
#[derive(Debug, Clone, Copy, Default)]
struct Adjustment {
    net: Sum,
    activity: Sum,
}

impl Table {
    pub(super) fn new(dimension: Dimension) -> Self {
        Self { dimension, row_bits: 0, packed: Vec::new(), sales: Vec::new(), adjustments: HashMap::default() }
    }

    /// Makes room for that many buckets and groups.
    pub(super) fn fit(&mut self, buckets: usize, groups: usize) {
        let row_bits = groups.next_power_of_two().trailing_zeros();
        if row_bits > self.row_bits {
            self.packed = widen(&self.packed, self.row_bits, row_bits);
            self.sales = widen(&self.sales, self.row_bits, row_bits);
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
        match buckets {
            Buckets::One(bucket) => {
                let start = (bucket as usize) << self.row_bits;
                let row = self.packed.get_mut(start..start + (1 << self.row_bits)).unwrap_or_default();
                for (group, value) in groups.iter().zip(values) {
                    if let Some(cell) = row.get_mut(*group as usize) {
                        *cell = cell.wrapping_add(*value);
                    }
                }
            }
            Buckets::Each(buckets) => {
                for ((bucket, group), value) in buckets.iter().zip(groups).zip(values) {
                    let place = ((*bucket as usize) << self.row_bits) | *group as usize;
                    if let Some(cell) = self.packed.get_mut(place) {
                        *cell = cell.wrapping_add(*value);
                    }
                }
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

    /// Adds an adjustment to the net figures of one bucket.
    pub(super) fn adjust_net(&mut self, bucket: u32, group: u32, sum: Sum) -> Result<()> {
        if bucket != OUTSIDE {
            let adjustment = self.adjustments.entry(key(bucket, group)).or_default();
            adjustment.net = adjustment.net.plus(sum)?;
        }
        Ok(())
    }

    /// Adds an adjustment to the activity of one bucket.
    pub(super) fn adjust_activity(&mut self, bucket: u32, group: u32, sum: Sum) -> Result<()> {
        if bucket != OUTSIDE {
            let adjustment = self.adjustments.entry(key(bucket, group)).or_default();
            adjustment.activity = adjustment.activity.plus(sum)?;
        }
        Ok(())
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
        for (key, adjustment) in &other.adjustments {
            let (bucket, group) = (key >> 32, key & u64::from(u32::MAX));
            let places = usize::try_from(bucket).ok().zip(usize::try_from(group).ok());
            if let Some((bucket, group)) = places.and_then(|(bucket, group)| translated(bucket, group)) {
                self.adjust_net(bucket, group, adjustment.net)?;
                self.adjust_activity(bucket, group, adjustment.activity)?;
            }
        }
        Ok(())
    }

    /// The figures of a group in a bucket; `None` where it has no posting. Nothing may be packed any more.
    pub(super) fn figures(&self, bucket: u32, group: u32) -> Result<Option<Figures>> {
        let place = ((bucket as usize) << self.row_bits) | group as usize;
        // A sale counts one, so that a count of zero means no sale.
        let sales = self.sales.get(place).copied().unwrap_or_default();
        let adjustment = if self.adjustments.is_empty() { None } else { self.adjustments.get(&key(bucket, group)) };
        match adjustment {
            None if sales.count == 0 => Ok(None),
            None => Ok(Some(Figures { net: sales, gross: sales, activity: sales })),
            Some(adjustment) => Ok(Some(Figures {
                net: sales.plus(adjustment.net)?,
                gross: sales,
                activity: sales.plus(adjustment.activity)?,
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

fn key(bucket: u32, group: u32) -> u64 {
    u64::from(bucket) << 32 | u64::from(group)
}

/// Spreads the keys of a table. Its keys are small numbers that no stranger chooses, so a keyed hash would only cost.
#[derive(Debug, Clone, Copy, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn write_u64(&mut self, key: u64) {
        // Fibonacci hashing; the map takes its bits from both ends, and the product is good at the upper one only.
        let product = (self.0 ^ key).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }
}
