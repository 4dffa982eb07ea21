//! Accumulators for rows of many days next to one another.

use std::ops::Range;

use super::buckets::{Days, look_up};
use super::control::Plain;
use super::runs::full;
use super::tally::{Side, fits_adjustment, small_adjustment};
use super::{BLOCK_ROWS, DIMENSIONS_MAX, lengthen};

/// How many groups a dimension may have to take part.
pub(super) const SHARED_GROUPS: usize = 64;
/// A sale's amount stands above so many bits of count in its cells.
pub(super) const COUNT_BITS: u32 = 20;
/// How much load a row of sales takes before it is drained. A sale weighs its magnitude and [`SALE_WEIGHT`], so that
/// neither part of any cell can overflow, whichever groups they are of.
const LOAD_MAX: u64 = 1 << (62 - COUNT_BITS);
/// So much that the sales of a row are fewer than there are counts.
const SALE_WEIGHT: u64 = (LOAD_MAX >> COUNT_BITS) + 1;
/// How many adjustments a row takes at most: their plain sum cannot leave 64 bits.
const ADJUSTMENTS_MAX: u64 = 1 << 24;

/// The accumulators of one dimension of few groups in one bucket, at places that the compiler knows.
/// They begin where a line of the cache does, so that no more lines are in use than need be.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Part([i64; SHARED_GROUPS]);

/// All accumulators of one bucket and side next to one another: the plain sums, and a part for each dimension.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<const D: usize> {
    plain: Plain,
    /// What the sales weigh.
    load: u64,
    parts: [Part; D],
}

/// A row for each bucket.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows<const D: usize> {
    /// Packed.
    sales: Vec<Row<D>>,
    /// In small form, as the activity; both are empty before the first adjustment.
    net: Vec<Row<D>>,
    activity: Vec<Row<D>>,
}

/// Rows as wide as there are dimensions of few groups. A posting adds to its cells in all parts at once.
#[derive(Debug, Clone)]
pub(super) enum SharedRows {
    One(Rows<1>),
    Two(Rows<2>),
    Three(Rows<3>),
    Four(Rows<DIMENSIONS_MAX>),
}

/// Postings, as columns; `groups` are the columns of the dimensions that take part.
#[derive(Debug, Clone, Copy)]
pub(super) struct MixedBlock<'p> {
    pub(super) days: &'p [i32],
    pub(super) groups: [&'p [u32]; DIMENSIONS_MAX],
    pub(super) amounts: &'p [i64],
}

/// What a row has summed up: its bucket and side, the plain sums, and for each part its cells by group.
pub(super) struct Drained<'r> {
    pub(super) bucket: u32,
    pub(super) side: Side,
    pub(super) plain: Plain,
    pub(super) parts: &'r mut dyn Iterator<Item = &'r [i64]>,
}

impl SharedRows {
    /// Without rows.
    pub(super) fn new() -> Self {
        Self::One(Rows::default())
    }

    /// Makes room for that many buckets, and dimensions (at least one). Nothing may be waiting when these change.
    pub(super) fn fit(&mut self, buckets: usize, width: usize) {
        match (self, width) {
            (Self::One(rows), 0 | 1) => rows.fit(buckets),
            (Self::Two(rows), 2) => rows.fit(buckets),
            (Self::Three(rows), 3) => rows.fit(buckets),
            (Self::Four(rows), DIMENSIONS_MAX..) => rows.fit(buckets),
            (other, width) => {
                *other = match width {
                    0 | 1 => Self::One(Rows::default()),
                    2 => Self::Two(Rows::default()),
                    3 => Self::Three(Rows::default()),
                    DIMENSIONS_MAX.. => Self::Four(Rows::default()),
                };
                other.fit(buckets, width);
            }
        }
    }

    /// Adds sales from the first on, up to one that cannot be added here, and returns how many they were. It has a day
    /// without a bucket, a group without a place, or an amount for which its row has no room.
    pub(super) fn add_sales(&mut self, sales: &MixedBlock<'_>, days: Days<'_>) -> usize {
        match self {
            Self::One(rows) => rows.add_sales(sales, days),
            Self::Two(rows) => rows.add_sales(sales, days),
            Self::Three(rows) => rows.add_sales(sales, days),
            Self::Four(rows) => rows.add_sales(sales, days),
        }
    }

    /// Adds adjustments from the first on, up to one that cannot be added here, and returns how many they were: each to
    /// the net figures in the bucket of the sale's day, and to the activity in that of its own.
    pub(super) fn adjust(
        &mut self,
        adjustments: &MixedBlock<'_>,
        own_days: &[i32],
        counts: &[i8],
        days: Days<'_>,
    ) -> usize {
        match self {
            Self::One(rows) => rows.adjust(adjustments, own_days, counts, days),
            Self::Two(rows) => rows.adjust(adjustments, own_days, counts, days),
            Self::Three(rows) => rows.adjust(adjustments, own_days, counts, days),
            Self::Four(rows) => rows.adjust(adjustments, own_days, counts, days),
        }
    }

    /// Takes the sales out of these buckets.
    pub(super) fn drain_sales<E>(
        &mut self,
        buckets: Range<u32>,
        mut hand_out: impl FnMut(Drained<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::One(rows) => drain(Side::Sales, buckets, &mut rows.sales, &mut hand_out),
            Self::Two(rows) => drain(Side::Sales, buckets, &mut rows.sales, &mut hand_out),
            Self::Three(rows) => drain(Side::Sales, buckets, &mut rows.sales, &mut hand_out),
            Self::Four(rows) => drain(Side::Sales, buckets, &mut rows.sales, &mut hand_out),
        }
    }

    /// Takes out the adjustments.
    pub(super) fn drain_adjustments<E>(
        &mut self,
        mut hand_out: impl FnMut(Drained<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::One(rows) => rows.drain_adjustments(&mut hand_out),
            Self::Two(rows) => rows.drain_adjustments(&mut hand_out),
            Self::Three(rows) => rows.drain_adjustments(&mut hand_out),
            Self::Four(rows) => rows.drain_adjustments(&mut hand_out),
        }
    }
}

impl<const D: usize> Row<D> {
    const EMPTY: Self =
        Self { plain: Plain { minor: 0, count: 0, rows: 0 }, load: 0, parts: [Part([0; SHARED_GROUPS]); D] };
}

impl<const D: usize> Rows<D> {
    fn fit(&mut self, buckets: usize) {
        lengthen(&mut self.sales, buckets, Row::EMPTY);
    }

    fn add_sales(&mut self, sales: &MixedBlock<'_>, days: Days<'_>) -> usize {
        let rows = &mut self.sales;
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

    fn adjust(&mut self, adjustments: &MixedBlock<'_>, own_days: &[i32], counts: &[i8], days: Days<'_>) -> usize {
        let Some(columns) = adjustments.groups.first_chunk::<D>() else { return 0 };
        for side in [&mut self.net, &mut self.activity] {
            lengthen(side, self.sales.len(), Row::EMPTY);
        }
        let rows = adjustments.days.iter().zip(own_days).zip(adjustments.amounts).zip(counts);
        for (index, (((day, own_day), amount), count)) in rows.enumerate() {
            let net = self.net.get_mut(look_up(days.first, days.by_day, *day) as usize);
            let activity = self.activity.get_mut(look_up(days.first, days.by_day, *own_day) as usize);
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

    fn drain_adjustments<E>(&mut self, hand_out: &mut impl FnMut(Drained<'_>) -> Result<(), E>) -> Result<(), E> {
        drain(Side::Net, 0..u32::MAX, &mut self.net, hand_out)?;
        drain(Side::Activity, 0..u32::MAX, &mut self.activity, hand_out)
    }
}

impl<const D: usize> Row<D> {
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
        self.plain.minor = self.plain.minor.wrapping_add(amount);
        self.plain.count += i64::from(count);
        self.plain.rows += 1;
    }
}

fn drain<const D: usize, E>(
    side: Side,
    buckets: Range<u32>,
    rows: &mut [Row<D>],
    hand_out: &mut impl FnMut(Drained<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let rows = buckets.clone().zip(rows.iter_mut().skip(buckets.start as usize));
    for (bucket, row) in rows.filter(|(_, row)| row.plain.count != 0 || row.plain.rows != 0) {
        let parts = &mut row.parts.iter().map(|part| part.0.as_slice());
        hand_out(Drained { bucket, side, plain: row.plain, parts })?;
        *row = Row::EMPTY;
    }
    Ok(())
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
    for index in 0..ROWS {
        let bucket = look_up(buckets.first, buckets.by_day, days[index]);
        let amount = amounts[index];
        let Some(row) = rows.get_mut(bucket as usize) else { return index };
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
        let packed = (amount << COUNT_BITS).wrapping_add(1);
        for (part, column) in row.parts.iter_mut().zip(groups) {
            let cell = &mut part.0[column[index] as usize % SHARED_GROUPS];
            *cell = cell.wrapping_add(packed);
        }
        row.plain.minor = row.plain.minor.wrapping_add(amount);
        row.plain.count += 1;
        row.load = load;
    }
    ROWS
}
