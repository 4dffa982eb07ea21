//! The accumulators of one dimension.

use std::collections::BTreeMap;

use super::packing::Packing;
use super::shared_rows::SHARED_GROUPS;
use crate::{Dimension, Error, ErrorKind, Figures, Result, Sum};

/// Sums by bucket and group: a dense row of cells for each bucket, as long as a power of two.
///
/// A sale's own posting counts alike on all three bases, so sales need one accumulator: `packed` while a few blocks add
/// up in 64 bits (see [`Packing`]), `sales` for the exact sums. Adjustments are rare, count differently on each basis, and
/// have tallies of their own. Cells are small, so that they are near; what does not fit is carried elsewhere.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) dimension: Dimension,
    /// How many groups have a code.
    codes: usize,
    /// How many of them the scan brought: its postings may name no others.
    scanned: usize,
    /// A row has two to this power cells.
    row_bits: u32,
    packed: Vec<i64>,
    sales: Vec<Tally>,
    /// What adjustments add in the bucket of the sale's day; empty before the first one.
    net: Vec<Tally>,
    /// What adjustments add in the bucket of their own day; empty before the first one.
    activity: Vec<Tally>,
    /// By bucket and group: the part of an amount that did not fit into its tally.
    carried: BTreeMap<(u32, u32, Side), i128>,
}

/// A sum that knows whether anything was added, since amounts and counts may cancel out.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    minor: i64,
    count: i32,
    rows: u32,
}

impl Tally {
    /// Adds what fits and says whether it did.
    fn try_add(&mut self, minor: i64, count: i32, rows: u32) -> bool {
        let (minor, minor_overflows) = self.minor.overflowing_add(minor);
        let (count, count_overflows) = self.count.overflowing_add(count);
        let (rows, rows_overflow) = self.rows.overflowing_add(rows);
        let fits = !(minor_overflows | count_overflows | rows_overflow);
        if fits {
            *self = Self { minor, count, rows };
        }
        fits
    }

    fn sum(self) -> Sum {
        Sum::new(self.minor.into(), self.count.into())
    }
}

/// An adjustment with the buckets that it counts in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) sale_bucket: u32,
    pub(super) own_bucket: u32,
    pub(super) amount: i64,
    pub(super) count: i8,
}

/// One of the sums of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Sales,
    Net,
    Activity,
}

impl Table {
    pub(super) fn new(dimension: Dimension) -> Self {
        Self {
            dimension,
            codes: 0,
            scanned: 0,
            row_bits: 0,
            packed: Vec::new(),
            sales: Vec::new(),
            net: Vec::new(),
            activity: Vec::new(),
            carried: BTreeMap::new(),
        }
    }

    /// Makes room for that many buckets and groups.
    pub(super) fn fit(&mut self, buckets: usize, groups: usize, scanned: usize) {
        (self.codes, self.scanned) = (groups, scanned);
        let row_bits = groups.next_power_of_two().trailing_zeros();
        if row_bits > self.row_bits {
            self.packed = widen(&self.packed, self.row_bits, row_bits);
            self.sales = widen(&self.sales, self.row_bits, row_bits);
            self.net = widen(&self.net, self.row_bits, row_bits);
            self.activity = widen(&self.activity, self.row_bits, row_bits);
            self.row_bits = row_bits;
        }
        let cells = buckets << self.row_bits;
        if cells > self.sales.len() {
            self.sales.resize(cells, Tally::default());
        }
        if !self.shares() && cells > self.packed.len() {
            self.packed.resize(cells, 0);
        }
    }

    /// Whether its packed cells are in the [`SharedRows`](super::shared_rows::SharedRows), rather than its own.
    pub(super) fn shares(&self) -> bool {
        self.codes <= SHARED_GROUPS
    }

    /// How many groups the scan has brought a code for.
    pub(super) fn scanned(&self) -> usize {
        self.scanned
    }

    /// Adds packed values to rows of its own. The groups were checked, so each has its cell.
    pub(super) fn add_packed(&mut self, buckets: &[u32], groups: &[u32], values: &[i64]) {
        let (row_bits, packed) = (self.row_bits, self.packed.as_mut_slice());
        for ((bucket, group), value) in buckets.iter().zip(groups).zip(values) {
            if let Some(cell) = packed.get_mut(((*bucket as usize) << row_bits) | *group as usize) {
                *cell = cell.wrapping_add(*value);
            }
        }
    }

    /// Adds sales to the exact sums.
    pub(super) fn add_sum(&mut self, bucket: u32, group: u32, sum: Sum) -> Result<()> {
        self.add(bucket, group, Side::Sales, sum, sum.count)
    }

    /// Adds to one of the sums of a cell. What lies outside of the wanted days is added to cells that nobody reads.
    fn add(&mut self, bucket: u32, group: u32, side: Side, sum: Sum, rows: i64) -> Result<()> {
        let place = self.place(bucket, group);
        let Some(tally) = self.side_mut(side).get_mut(place) else { return Ok(()) };
        let small = i64::try_from(sum.minor).ok().zip(i32::try_from(sum.count).ok()).zip(u32::try_from(rows).ok());
        if small.is_some_and(|((minor, count), rows)| tally.try_add(minor, count, rows)) {
            return Ok(());
        }
        self.carry(bucket, group, side, sum, rows)
    }

    /// The slow way for what does not fit: the amounts are carried, and a count that leaves 32 bits is refused, as no day
    /// of one group has two thousand million sales.
    #[cold]
    fn carry(&mut self, bucket: u32, group: u32, side: Side, sum: Sum, rows: i64) -> Result<()> {
        let too_large =
            || Error::new(ErrorKind::Refused, "sum is too large to be exact").with("minor_units", sum.minor);
        let place = self.place(bucket, group);
        let Some(tally) = self.side_mut(side).get_mut(place) else { return Ok(()) };
        let count = i64::from(tally.count).checked_add(sum.count).and_then(|count| i32::try_from(count).ok());
        let rows = i64::from(tally.rows).checked_add(rows).and_then(|rows| u32::try_from(rows).ok());
        let (count, rows) = count.zip(rows).ok_or_else(too_large)?;
        let minor = i128::from(std::mem::take(&mut tally.minor));
        (tally.count, tally.rows) = (count, rows);
        let carried = self.carried.entry((bucket, group, side)).or_default();
        let total = carried.checked_add(minor).and_then(|carried| carried.checked_add(sum.minor));
        *carried = total.ok_or_else(too_large)?;
        Ok(())
    }

    fn place(&self, bucket: u32, group: u32) -> usize {
        ((bucket as usize) << self.row_bits) | group as usize
    }

    fn side(&self, side: Side) -> &[Tally] {
        match side {
            Side::Sales => &self.sales,
            Side::Net => &self.net,
            Side::Activity => &self.activity,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut [Tally] {
        match side {
            Side::Sales => &mut self.sales,
            Side::Net => &mut self.net,
            Side::Activity => &mut self.activity,
        }
    }

    /// Moves what was packed into the exact sums.
    pub(super) fn unpack(&mut self, packing: &Packing) -> Result<()> {
        let mut packed = std::mem::take(&mut self.packed);
        for (bucket, row) in (0_u32..).zip(packed.chunks_mut(1 << self.row_bits)) {
            self.unpack_row(bucket, row, packing)?;
            row.fill(0);
        }
        self.packed = packed;
        Ok(())
    }

    /// Moves the packed cells of a bucket, by group, into the exact sums.
    pub(super) fn unpack_row(&mut self, bucket: u32, row: &[i64], packing: &Packing) -> Result<()> {
        let start = self.place(bucket, 0);
        for (group, packed) in (0_u32..).zip(row).filter(|(_, packed)| **packed != 0) {
            let (minor, count) = packing.unpack(*packed);
            let place = self.sales.get_mut(start + group as usize);
            if !place.is_none_or(|tally| tally.try_add(minor, count, count.unsigned_abs())) {
                self.carry(bucket, group, Side::Sales, Sum::new(minor.into(), count.into()), count.into())?;
            }
        }
        Ok(())
    }

    /// Adds adjustments: to the net figures in the bucket of the sale's day, to the activity in that of their own.
    pub(super) fn adjust(&mut self, groups: &[u32], adjustments: &[Placed]) -> Result<()> {
        if self.net.len() < self.sales.len() {
            self.net.resize(self.sales.len(), Tally::default());
            self.activity.resize(self.sales.len(), Tally::default());
        }
        for (group, adjustment) in groups.iter().zip(adjustments) {
            let Placed { sale_bucket, own_bucket, amount, count } = *adjustment;
            let (net, activity) = (self.place(sale_bucket, *group), self.place(own_bucket, *group));
            let fits = |tally: &mut Tally| tally.try_add(amount, count.into(), 1);
            let sum = || Sum::new(amount.into(), count.into());
            if !self.net.get_mut(net).is_none_or(fits) {
                self.carry(sale_bucket, *group, Side::Net, sum(), 1)?;
            }
            if !self.activity.get_mut(activity).is_none_or(fits) {
                self.carry(own_bucket, *group, Side::Activity, sum(), 1)?;
            }
        }
        Ok(())
    }

    /// One of the sums of a cell; `None` when nothing was ever added.
    fn sum(&self, bucket: u32, group: u32, side: Side) -> Result<Option<Sum>> {
        let Some(tally) = self.side(side).get(self.place(bucket, group)).filter(|tally| tally.rows != 0) else {
            return Ok(None);
        };
        let carried = if self.carried.is_empty() { None } else { self.carried.get(&(bucket, group, side)) };
        match carried {
            Some(carried) => tally.sum().plus(Sum::new(*carried, 0)).map(Some),
            None => Ok(Some(tally.sum())),
        }
    }

    /// Adds the sums of another table; `bucket_of` and `group_of` translate its buckets and groups.
    pub(super) fn merge(&mut self, other: &Self, bucket_of: &[u32], group_of: &[u32]) -> Result<()> {
        for side in [Side::Sales, Side::Net, Side::Activity] {
            let theirs = other.side(side);
            if self.side(side).len() < self.sales.len() && !theirs.is_empty() {
                let cells = self.sales.len();
                self.net.resize(cells, Tally::default());
                self.activity.resize(cells, Tally::default());
            }
            for (their_bucket, (row, bucket)) in (0_u32..).zip(theirs.chunks(1 << other.row_bits).zip(bucket_of)) {
                for (their_group, (tally, group)) in (0_u32..).zip(row.iter().zip(group_of)) {
                    if tally.rows != 0
                        && let Some(sum) = other.sum(their_bucket, their_group, side)?
                    {
                        self.add(*bucket, *group, side, sum, tally.rows.into())?;
                    }
                }
            }
        }
        Ok(())
    }

    /// How many groups have a sale, over all buckets. Nothing may be packed any more.
    pub(super) fn groups(&self) -> usize {
        self.sales.iter().filter(|tally| tally.rows != 0).count()
    }

    /// The figures of a group in a bucket; `None` where it has no posting. Nothing may be packed any more.
    pub(super) fn figures(&self, bucket: u32, group: u32) -> Result<Option<Figures>> {
        let sales = self.sum(bucket, group, Side::Sales)?;
        let net = self.sum(bucket, group, Side::Net)?;
        let activity = self.sum(bucket, group, Side::Activity)?;
        if sales.is_none() && net.is_none() && activity.is_none() {
            return Ok(None);
        }
        let gross = sales.unwrap_or_default();
        let plus = |sum: Option<Sum>| sum.map_or(Ok(gross), |sum| gross.plus(sum));
        Ok(Some(Figures { net: plus(net)?, gross, activity: plus(activity)? }))
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
