//! Sum and count in eight bytes.

use crate::Sum;

/// Sales count one each, so that rows and count are one number.
pub(super) const SALE_BITS: u32 = 20;
/// Adjustments count -1, 0 or +1: rows and count are two numbers of so many bits.
const ADJUSTED_BITS: u32 = 12;

/// One of the sums of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Sales,
    Net,
    Activity,
}

impl Side {
    pub(super) const ALL: [Self; 3] = [Self::Sales, Self::Net, Self::Activity];
}

/// A sum that knows whether anything was added, since amounts and counts may cancel out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) sum: Sum,
    pub(super) rows: u64,
}

impl Tally {
    /// Both added; `None` when that leaves 128 bits of amount or 64 of count.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        Some(Self { sum: self.sum.plus(other.sum).ok()?, rows: self.rows.saturating_add(other.rows) })
    }

    /// The small form, with the amount above count and rows; `None` when it does not fit. No rows are zero.
    pub(super) fn small(self, side: Side) -> Option<i64> {
        let rows = i64::try_from(self.rows).ok()?;
        let minor = i64::try_from(self.sum.minor).ok()?;
        let (bits, low) = if side == Side::Sales {
            (SALE_BITS, (self.sum.count == rows && rows < 1 << SALE_BITS).then_some(rows)?)
        } else {
            let fits = rows < 1 << (ADJUSTED_BITS - 1) && self.sum.count.unsigned_abs() <= self.rows;
            (2 * ADJUSTED_BITS, fits.then_some((self.sum.count << ADJUSTED_BITS) + rows)?)
        };
        // Half of what there is room for, so that the count below cannot make it overflow.
        (minor.unsigned_abs() < 1 << (62 - bits)).then_some((minor << bits) + low)
    }

    /// What a small form stands for.
    pub(super) fn of_small(small: i64, side: Side) -> Self {
        let (minor, count, rows) = if side == Side::Sales {
            let rows = small & ((1 << SALE_BITS) - 1);
            (small >> SALE_BITS, rows, rows)
        } else {
            let rows = small & ((1 << ADJUSTED_BITS) - 1);
            let above = (small - rows) >> ADJUSTED_BITS;
            // The lower bits of what stands above the rows, with their sign.
            let unused = i64::BITS - ADJUSTED_BITS;
            let count = (above << unused) >> unused;
            ((above - count) >> ADJUSTED_BITS, count, rows)
        };
        Self { sum: Sum::new(minor.into(), count), rows: rows.unsigned_abs() }
    }
}

/// The small form of some sales; zero when it does not fit.
pub(super) fn small_sales(minor: i64, count: i32) -> i64 {
    let fits = minor.unsigned_abs() < 1 << (62 - SALE_BITS) && count < 1 << SALE_BITS;
    if fits { (minor << SALE_BITS) + i64::from(count) } else { 0 }
}

/// The small form of an adjustment; zero when it does not fit.
pub(super) fn small_adjustment(amount: i64, count: i8) -> i64 {
    let fits = amount.unsigned_abs() < 1 << (62 - 2 * ADJUSTED_BITS) && (-1..=1).contains(&count);
    if fits { (amount << (2 * ADJUSTED_BITS)) + (i64::from(count) << ADJUSTED_BITS) + 1 } else { 0 }
}

/// Adds some sales in small form, and says whether they fitted; if not, nothing was added.
pub(super) fn try_add_sales(cell: &mut i64, small: i64) -> bool {
    let mask = (1 << SALE_BITS) - 1;
    let (sum, overflows) = cell.overflowing_add(small);
    let fits = !overflows && (*cell & mask) + (small & mask) <= mask && small != 0;
    if fits {
        *cell = sum;
    }
    fits
}

/// Whether an adjustment in small form can be added to a sum in small form.
pub(super) fn fits_adjustment(cell: i64, small: i64) -> bool {
    let most = (1 << (ADJUSTED_BITS - 1)) - 1;
    cell & ((1 << ADJUSTED_BITS) - 1) < most && small != 0 && cell.checked_add(small).is_some()
}

/// Adds one adjustment in small form, and says whether it fitted; if not, nothing was added.
pub(super) fn try_add_adjustment(cell: &mut i64, small: i64) -> bool {
    let fits = fits_adjustment(*cell, small);
    if fits {
        *cell = cell.wrapping_add(small);
    }
    fits
}
