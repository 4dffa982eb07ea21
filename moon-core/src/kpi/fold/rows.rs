//! Accumulators of one bucket next to one another.

use std::ops::Range;

use super::buckets::Days;
use super::columns::unknown_index;
use super::control::Plain;
use super::runs::{RunSums, full};
use super::shared_rows::{Accumulators, Drained, HandOut, MixedBlock};
use super::tally::{SALE_BITS, Side, fits_adjustment, small_adjustment};
use super::{BLOCK_ROWS, lengthen, packing};
use crate::{Dimension, Result};

/// How many groups a dimension may have to take part.
pub(super) const SHARED_GROUPS: usize = 64;
/// How much load a row of sales takes before it is drained. A sale weighs its magnitude and [`SALE_WEIGHT`], so that
/// neither part of any cell can overflow, whichever groups they are of.
const LOAD_MAX: u64 = 1 << (62 - SALE_BITS);
/// So much that the sales of a row are fewer than there are counts.
const SALE_WEIGHT: u64 = (LOAD_MAX >> SALE_BITS) + 1;
/// How many sales are added between two looks at whether there are more.
const UNROLLED: usize = 4;
/// For how many buckets there is room from the beginning: days of nearly three years, in some 2 MB that nothing touches
/// before they come.
const ROWS_LEAST: usize = 1_024;
/// How many adjustments a row takes at most: their plain sum cannot leave 64 bits.
const ADJUSTMENTS_MAX: u64 = 1 << 24;

/// The accumulators of one dimension of few groups in one bucket, in small form, at places that the compiler knows.
/// They begin where a line of the cache does, so that no more lines are in use than need be.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Part([i64; SHARED_GROUPS]);

/// All accumulators of one bucket and side next to one another: the plain sums, and a part for each dimension.
#[derive(Debug, Clone, Copy)]
struct Row<const D: usize> {
    plain: Plain,
    /// What the sales weigh.
    load: u64,
    parts: [Part; D],
}

/// A row for each bucket and [`Side`]; those of adjustments are empty before the first one.
#[derive(Debug, Clone)]
pub(super) struct Rows<const D: usize> {
    sides: [Vec<Row<D>>; 3],
}

impl<const D: usize> Default for Rows<D> {
    fn default() -> Self {
        Self { sides: [const { Vec::new() }; 3] }
    }
}

impl<const D: usize> Accumulators for Rows<D> {
    fn fit(&mut self, buckets: usize) {
        let [sales, ..] = &mut self.sides;
        lengthen(sales, buckets, ROWS_LEAST, Row::EMPTY);
    }

    fn add_sales(&mut self, sales: &MixedBlock<'_>, days: Days<'_>) -> usize {
        let [rows, ..] = &mut self.sides;
        let Some(groups) = sales.groups.first_chunk::<D>() else { return 0 };
        if let (Some(groups), Some(of_sales), Some(amounts)) =
            (full(*groups), sales.days.as_array(), sales.amounts.as_array())
        {
            // The compiler knows the length, so that this loop has no bounds to check.
            return add_block::<D, BLOCK_ROWS>(rows, days, of_sales, groups, amounts);
        }
        for (index, (day, amount)) in sales.days.iter().zip(sales.amounts).enumerate() {
            let groups = groups.map(|column| [column.get(index).copied().unwrap_or(u32::MAX)]);
            if add_block::<D, 1>(rows, days, &[*day], groups.each_ref(), &[*amount]) == 0 {
                return index;
            }
        }
        sales.amounts.len()
    }

    fn add_run(&mut self, bucket: u32, run: &RunSums<'_>) -> bool {
        let [sales, ..] = &mut self.sides;
        let Some(row) = sales.get_mut(bucket as usize) else { return false };
        let weight = run.plain.count.unsigned_abs().saturating_mul(SALE_WEIGHT);
        let load = row.load.saturating_add(run.magnitude).saturating_add(weight);
        if load > LOAD_MAX {
            return false;
        }
        for (part, cells) in row.parts.iter_mut().zip(run.parts) {
            for (cell, packed) in part.0.iter_mut().zip(*cells) {
                let (minor, count) = packing::unpack(*packed, run.count_bits);
                *cell = cell.wrapping_add((minor << SALE_BITS) + i64::from(count));
            }
        }
        row.plain.add(run.plain);
        row.load = load;
        true
    }

    fn adjust(&mut self, adjustments: &MixedBlock<'_>, own_days: &[i32], counts: &[i8], days: Days<'_>) -> usize {
        let Some(columns) = adjustments.groups.first_chunk::<D>() else { return 0 };
        let [sales, net, activity] = &mut self.sides;
        for side in [&mut *net, &mut *activity] {
            lengthen(side, sales.len(), ROWS_LEAST, Row::EMPTY);
        }
        let place = |day: i32| days.get(day).map_or(usize::MAX, |bucket| *bucket as usize);
        let rows = adjustments.days.iter().zip(own_days).zip(adjustments.amounts).zip(counts);
        for (index, (((day, own_day), amount), count)) in rows.enumerate() {
            let net = net.get_mut(place(*day));
            let activity = activity.get_mut(place(*own_day));
            let (Some(net), Some(activity)) = (net, activity) else { return index };
            let groups = columns.map(|column| column.get(index).copied().unwrap_or(u32::MAX) as usize);
            let small = small_adjustment(*amount, *count);
            if small == 0 || !net.has_room(groups, small) || !activity.has_room(groups, small) {
                return index;
            }
            net.adjust(groups, small, *amount, *count);
            activity.adjust(groups, small, *amount, *count);
        }
        adjustments.days.len()
    }

    fn drain(&mut self, side: Side, buckets: Range<u32>, hand_out: HandOut<'_>) -> Result<()> {
        let rows = &mut self.sides[side as usize];
        let rows = buckets.clone().zip(rows.iter_mut().skip(buckets.start as usize));
        for (bucket, row) in rows.filter(|(_, row)| !row.plain.is_empty()) {
            let parts = &mut row.parts.iter().map(|part| part.0.as_slice());
            hand_out(Drained { bucket, side, plain: row.plain, parts })?;
            *row = Row::EMPTY;
        }
        Ok(())
    }

    fn plain(&self, bucket: u32) -> [Plain; 3] {
        self.sides.each_ref().map(|rows| rows.get(bucket as usize).map(|row| row.plain).unwrap_or_default())
    }

    fn cells(&self, bucket: u32, part: usize) -> [&[i64]; 3] {
        self.sides.each_ref().map(|rows| {
            let part = rows.get(bucket as usize).and_then(|row| row.parts.get(part));
            part.map(|part| part.0.as_slice()).unwrap_or_default()
        })
    }

    fn check(&self, part: usize, dimension: Dimension, codes: usize) -> Result<()> {
        for row in self.sides.iter().flatten() {
            let unknown = row.parts.get(part).and_then(|part| part.0.get(codes..)).unwrap_or_default();
            if unknown.iter().fold(0, |seen, cell| seen | cell) != 0 {
                let index = unknown.iter().position(|cell| *cell != 0).unwrap_or_default() + codes;
                return Err(unknown_index(dimension, index, codes));
            }
        }
        Ok(())
    }
}

impl<const D: usize> Row<D> {
    const EMPTY: Self =
        Self { plain: Plain { minor: 0, count: 0, rows: 0 }, load: 0, parts: [Part([0; SHARED_GROUPS]); D] };

    /// Whether an adjustment in small form fits into the cells of these groups.
    fn has_room(&self, groups: [usize; D], small: i64) -> bool {
        let mut parts = self.parts.iter().zip(groups);
        self.plain.rows < ADJUSTMENTS_MAX
            && parts.all(|(part, group)| part.0.get(group).is_some_and(|cell| fits_adjustment(*cell, small)))
    }

    /// Adds an adjustment that fits.
    fn adjust(&mut self, groups: [usize; D], small: i64, amount: i64, count: i8) {
        for (part, group) in self.parts.iter_mut().zip(groups) {
            let cell = &mut part.0[group % SHARED_GROUPS];
            *cell = cell.wrapping_add(small);
        }
        self.plain.add(Plain { minor: amount, count: count.into(), rows: 1 });
    }
}

// Apart from its caller, whose own variables would push those of the loop out of the registers.
#[inline(never)]
fn add_block<const D: usize, const ROWS: usize>(
    rows: &mut [Row<D>],
    buckets: Days<'_>,
    days: &[i32; ROWS],
    groups: [&[u32; ROWS]; D],
    amounts: &[i64; ROWS],
) -> usize {
    // The compiler does not unroll so long a loop by itself; counting and comparing would be a twentieth of it.
    let unrolled = if ROWS.is_multiple_of(UNROLLED) { UNROLLED } else { 1 };
    for start in (0..ROWS).step_by(unrolled) {
        for index in start..ROWS.min(start + unrolled) {
            let Some(bucket) = buckets.get(days[index]) else { return index };
            let amount = amounts[index];
            let Some(row) = rows.get_mut(*bucket as usize) else { return index };
            // The complement of a negative amount falls short of its magnitude by one, which the weight covers.
            let load = row.load.wrapping_add((amount ^ (amount >> 63)).cast_unsigned() + SALE_WEIGHT);
            if load > LOAD_MAX {
                return index;
            }
            for column in groups {
                if column[index] as usize >= SHARED_GROUPS {
                    return index;
                }
            }
            let packed = (amount << SALE_BITS).wrapping_add(1);
            for (part, column) in row.parts.iter_mut().zip(groups) {
                let cell = &mut part.0[column[index] as usize % SHARED_GROUPS];
                *cell = cell.wrapping_add(packed);
            }
            row.plain.minor = row.plain.minor.wrapping_add(amount);
            row.plain.count += 1;
            row.load = load;
        }
    }
    ROWS
}
