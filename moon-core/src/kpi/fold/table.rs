//! The accumulators of one dimension.

use std::collections::BTreeMap;

use super::columns::unknown_index;
use super::lengthen;
use super::packing;
use super::rows::SHARED_GROUPS;
use super::tally::{Side, Tally, small_sales, try_add_adjustment, try_add_sales};
use crate::{Dimension, Error, ErrorKind, Figures, Result, Sum};

/// Sums by bucket and group: a dense row of cells for each bucket, as long as a power of two.
///
/// A sale's own posting counts alike on all three bases, so sales need one accumulator: `packed` while a few blocks add
/// up in 64 bits (see [`Packing`](packing::Packing)), a side for the exact sums. Adjustments are rare, count differently on
/// each basis, and have sides of their own. Cells are small, so that they are near; what does not fit is carried elsewhere.
/// A dimension of few groups has its cells in the [`SharedRows`](super::shared_rows::SharedRows), and here only what
/// those had no room for.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) dimension: Dimension,
    /// How many groups have a code.
    codes: usize,
    /// How many of them the scan brought: its postings may name no others.
    scanned: usize,
    /// A row has two to this power cells.
    row_bits: u32,
    /// How many cells all rows have.
    cells: usize,
    packed: Vec<i64>,
    /// By [`Side`], in small form; empty before anything was added.
    sides: [Vec<i64>; 3],
    /// By bucket and group: what did not fit into the small form.
    carried: BTreeMap<(u32, u32, Side), Tally>,
}

/// An adjustment with the buckets that it counts in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) sale_bucket: u32,
    pub(super) own_bucket: u32,
    pub(super) amount: i64,
    pub(super) count: i8,
    /// Amount and count in small form.
    pub(super) small: i64,
}

impl Table {
    pub(super) fn new(dimension: Dimension) -> Self {
        Self {
            dimension,
            codes: 0,
            scanned: 0,
            row_bits: 0,
            cells: 0,
            packed: Vec::new(),
            sides: [const { Vec::new() }; 3],
            carried: BTreeMap::new(),
        }
    }

    /// Makes room for that many buckets and groups.
    pub(super) fn fit(&mut self, buckets: usize, groups: usize, scanned: usize) {
        (self.codes, self.scanned) = (groups, scanned);
        let row_bits = groups.next_power_of_two().trailing_zeros();
        if row_bits > self.row_bits {
            self.packed = widen(&self.packed, self.row_bits, row_bits);
            for side in &mut self.sides {
                *side = widen(side, self.row_bits, row_bits);
            }
            self.row_bits = row_bits;
        }
        self.cells = buckets << self.row_bits;
        if !self.shares() {
            lengthen(&mut self.packed, self.cells, 0, 0);
        }
    }

    /// Whether its cells are in the shared rows.
    pub(super) fn shares(&self) -> bool {
        shares(self.codes)
    }

    /// `Corrupt` when something was added to a group that has no code.
    pub(super) fn check(&self, cells: &[i64]) -> Result<()> {
        let unknown = cells.get(self.scanned..).unwrap_or_default();
        match unknown.iter().position(|cell| *cell != 0) {
            None => Ok(()),
            Some(index) => Err(unknown_index(self.dimension, self.scanned + index, self.scanned)),
        }
    }

    /// How many groups postings may name.
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

    /// Adds sales of any size to the exact sums, one by one.
    pub(super) fn add_large(&mut self, buckets: &[u32], groups: &[u32], amounts: &[i64]) -> Result<()> {
        let mut rows = buckets.iter().zip(groups).zip(amounts);
        rows.try_for_each(|((bucket, group), amount)| self.add_sum(*bucket, *group, Sum::new((*amount).into(), 1)))
    }

    /// Adds sales to the exact sums.
    fn add_sum(&mut self, bucket: u32, group: u32, sum: Sum) -> Result<()> {
        self.add(bucket, group, Side::Sales, Tally { sum, rows: sum.count.unsigned_abs() })
    }

    /// Adds to one of the sums of a cell. What lies outside of the wanted days is added to cells that nobody reads.
    fn add(&mut self, bucket: u32, group: u32, side: Side, tally: Tally) -> Result<()> {
        let place = self.place(bucket, group);
        let Some(cell) = self.side_mut(side).get_mut(place) else { return Ok(()) };
        match Tally::of_small(*cell, side).plus(tally).and_then(|total| total.small(side)) {
            Some(total) => *cell = total,
            None => self.carry(bucket, group, side, tally)?,
        }
        Ok(())
    }

    /// The slow way for what does not fit beside what is there.
    #[cold]
    fn carry(&mut self, bucket: u32, group: u32, side: Side, tally: Tally) -> Result<()> {
        let place = self.place(bucket, group);
        let Some(cell) = self.side_mut(side).get_mut(place) else { return Ok(()) };
        let small = Tally::of_small(std::mem::take(cell), side);
        let carried = self.carried.entry((bucket, group, side)).or_default();
        let total = carried.plus(small).and_then(|carried| carried.plus(tally));
        *carried = total.ok_or_else(|| {
            Error::new(ErrorKind::Refused, "sum is too large to be exact").with("minor_units", tally.sum.minor)
        })?;
        Ok(())
    }

    fn place(&self, bucket: u32, group: u32) -> usize {
        ((bucket as usize) << self.row_bits) | group as usize
    }

    fn side(&self, side: Side) -> &[i64] {
        &self.sides[side as usize]
    }

    fn side_mut(&mut self, side: Side) -> &mut [i64] {
        let cells = &mut self.sides[side as usize];
        lengthen(cells, self.cells, 0, 0);
        cells
    }

    /// Moves what was packed into the exact sums.
    pub(super) fn unpack(&mut self, count_bits: u32) -> Result<()> {
        let mut packed = std::mem::take(&mut self.packed);
        for (bucket, row) in (0_u32..).zip(packed.chunks_mut(1 << self.row_bits)) {
            self.unpack_row(bucket, row, count_bits)?;
            row.fill(0);
        }
        self.packed = packed;
        Ok(())
    }

    /// Adds sums in small form by group.
    pub(super) fn add_small_row(&mut self, bucket: u32, side: Side, row: &[i64]) -> Result<()> {
        let mut cells = (0_u32..).zip(row).filter(|(_, small)| **small != 0);
        cells.try_for_each(|(group, small)| self.add_small(bucket, group, side, *small))
    }

    /// Adds a sum in small form.
    fn add_small(&mut self, bucket: u32, group: u32, side: Side, small: i64) -> Result<()> {
        let place = self.place(bucket, group);
        match self.side_mut(side).get_mut(place) {
            Some(cell) if *cell == 0 => *cell = small,
            _ => self.add(bucket, group, side, Tally::of_small(small, side))?,
        }
        Ok(())
    }

    /// Moves the packed cells of a bucket, by group, into the exact sums.
    pub(super) fn unpack_row(&mut self, bucket: u32, row: &[i64], count_bits: u32) -> Result<()> {
        let start = self.place(bucket, 0);
        for (group, packed) in (0_u32..).zip(row).filter(|(_, packed)| **packed != 0) {
            let (minor, count) = packing::unpack(*packed, count_bits);
            let cell = self.side_mut(Side::Sales).get_mut(start + group as usize);
            if !cell.is_none_or(|cell| try_add_sales(cell, small_sales(minor, count))) {
                self.add_sum(bucket, group, Sum::new(minor.into(), count.into()))?;
            }
        }
        Ok(())
    }

    /// Adds an adjustment: to the net figures in the bucket of the sale's day, to the activity in that of its own.
    pub(super) fn adjust(&mut self, group: u32, adjustment: &Placed) -> Result<()> {
        let Placed { sale_bucket, own_bucket, amount, count, small } = *adjustment;
        let (net, activity) = (self.place(sale_bucket, group), self.place(own_bucket, group));
        let fits = |cell: &mut i64| try_add_adjustment(cell, small);
        let tally = || Tally { sum: Sum::new(amount.into(), count.into()), rows: 1 };
        if !self.side_mut(Side::Net).get_mut(net).is_none_or(fits) {
            self.carry(sale_bucket, group, Side::Net, tally())?;
        }
        if !self.side_mut(Side::Activity).get_mut(activity).is_none_or(fits) {
            self.carry(own_bucket, group, Side::Activity, tally())?;
        }
        Ok(())
    }

    /// Adds the sums of another table; `bucket_of` and `group_of` translate its buckets and groups.
    pub(super) fn merge(&mut self, other: &Self, bucket_of: &[u32], group_of: &[u32]) -> Result<()> {
        for side in Side::ALL {
            let rows = other.side(side).chunks(1 << other.row_bits).zip(bucket_of);
            for (bucket, row) in rows.map(|(row, bucket)| (*bucket, row)) {
                for (small, group) in row.iter().zip(group_of).filter(|(small, _)| **small != 0) {
                    self.add_small(bucket, *group, side, *small)?;
                }
            }
        }
        for ((bucket, group, side), tally) in &other.carried {
            if let (Some(bucket), Some(group)) = (bucket_of.get(*bucket as usize), group_of.get(*group as usize)) {
                self.add(*bucket, *group, *side, *tally)?;
            }
        }
        Ok(())
    }

    /// Hands out the figures of the groups that have a posting in a bucket, in the order given; `shared` are the cells of
    /// the bucket in shared rows, by [`Side`]. Nothing may be packed any more.
    pub(super) fn figures<G>(
        &self,
        bucket: u32,
        shared: &[[&[i64]; 3]],
        groups: &[(u32, G)],
        mut hand_out: impl FnMut(&G, Figures) -> Result<()>,
    ) -> Result<()> {
        let start = self.place(bucket, 0);
        let own = self.sides.each_ref().map(|side| side.get(start..).unwrap_or_default());
        for (group, code) in groups {
            let small = |side: &[i64]| side.get(*group as usize).copied().unwrap_or(0);
            let own = own.map(small);
            let shared = shared.iter().map(|sides| sides.map(small));
            let figures = if own == [0; 3] && self.carried.is_empty() {
                figures_of_small(shared)
            } else {
                self.figures_of(bucket, *group, shared.chain([own]))?
            };
            if let Some(figures) = figures {
                hand_out(code, figures)?;
            }
        }
        Ok(())
    }

    /// The figures of a cell, given all its sums in small form; `None` when it has no posting.
    #[cold]
    fn figures_of(&self, bucket: u32, group: u32, smalls: impl Iterator<Item = [i64; 3]>) -> Result<Option<Figures>> {
        let carried = |side: Side| self.carried.get(&(bucket, group, side)).copied().unwrap_or_default();
        let mut tallies = Side::ALL.map(carried);
        for smalls in smalls {
            for ((tally, small), side) in tallies.iter_mut().zip(smalls).zip(Side::ALL) {
                let total = tally.plus(Tally::of_small(small, side));
                *tally = total.ok_or_else(|| Error::new(ErrorKind::Refused, "sum is too large to be exact"))?;
            }
        }
        let [gross, net, activity] = tallies;
        if gross.rows | net.rows | activity.rows == 0 {
            return Ok(None);
        }
        let gross = gross.sum;
        Ok(Some(Figures { net: gross.plus(net.sum)?, gross, activity: gross.plus(activity.sum)? }))
    }
}

/// Whether so many groups are few.
pub(super) fn shares(groups: usize) -> bool {
    groups <= SHARED_GROUPS
}

/// The figures of a cell that has nothing but sums in small form, few and far from 64 bits; `None` without a posting.
fn figures_of_small(smalls: impl Iterator<Item = [i64; 3]>) -> Option<Figures> {
    let (mut figures, mut is_empty) = (Figures::default(), true);
    let add = |sum: &mut Sum, small: i64, side: Side| {
        let Sum { minor, count } = Tally::of_small(small, side).sum;
        *sum = Sum::new(sum.minor + minor, sum.count + count);
    };
    for [sales, net, activity] in smalls.filter(|smalls| *smalls != [0; 3]) {
        is_empty = false;
        for (sum, adjustments, side) in
            [(&mut figures.net, net, Side::Net), (&mut figures.activity, activity, Side::Activity)]
        {
            add(sum, sales, Side::Sales);
            add(sum, adjustments, side);
        }
        add(&mut figures.gross, sales, Side::Sales);
    }
    (!is_empty).then_some(figures)
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
