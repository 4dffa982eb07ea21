//! Sum and count of some blocks in 64 bits.

use super::BLOCK_ROWS;

/// Fewer bits for the count would mean unpacking after every few blocks; amounts so large are added in 128 bits instead.
const COUNT_BITS_MIN: u32 = 11;
const COUNT_BITS_MAX: u32 = 24;
/// A block of amounts below this can be summed in 64 bits.
const MAGNITUDE_MAX: u64 = 1 << (62 - COUNT_BITS_MIN);

/// How a row's amount and count share one number: the amount stands above `count_bits` bits of count. Before the rows
/// since the last unpacking could overflow either part, whoever adds must unpack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packing {
    count_bits: u32,
    rows: u64,
    /// The sum of the amounts' magnitudes, an upper bound of every cell's.
    magnitude: u64,
}

impl Packing {
    pub(super) fn new() -> Self {
        Self { count_bits: COUNT_BITS_MIN, rows: 0, magnitude: 0 }
    }

    /// Whether a block of that magnitude still fits.
    pub(super) fn has_room(&self, rows: usize, magnitude: u64) -> bool {
        let rows = self.rows.saturating_add(u64::try_from(rows).unwrap_or(u64::MAX));
        rows < 1 << self.count_bits && self.magnitude.saturating_add(magnitude) < 1 << (62 - self.count_bits)
    }

    /// Starts anew after unpacking, with bits shared out so that blocks like this one fit as often as can be.
    pub(super) fn restart(&mut self, rows: usize, magnitude: u64) {
        let mean = magnitude / u64::try_from(rows.max(1)).unwrap_or(1);
        let mean_bits = u64::BITS - mean.leading_zeros();
        let most = 62 - (u64::BITS - magnitude.leading_zeros());
        let count_bits = (62_u32.saturating_sub(mean_bits) / 2).clamp(COUNT_BITS_MIN, COUNT_BITS_MAX).min(most);
        *self = Self { count_bits, rows: 0, magnitude: 0 };
    }

    /// Takes note of rows that have room and are being added.
    pub(super) fn note(&mut self, rows: usize, magnitude: u64) {
        self.rows += u64::try_from(rows).unwrap_or(u64::MAX);
        self.magnitude += magnitude;
    }

    /// An upper bound of the magnitude of any cell.
    pub(super) fn magnitude(&self) -> u64 {
        self.magnitude
    }

    /// Whether nothing was added since the last unpacking.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// An amount with a count of one.
    pub(super) fn packed(&self, amount: i64) -> i64 {
        (amount << self.count_bits) + 1
    }

    /// Packs the amounts of a block.
    pub(super) fn pack<'b>(&self, amounts: &[i64], buffer: &'b mut [i64; BLOCK_ROWS]) -> &'b [i64] {
        for (packed, amount) in buffer.iter_mut().zip(amounts) {
            *packed = self.packed(*amount);
        }
        buffer.get(..amounts.len()).unwrap_or_default()
    }

    /// How many bits of count the amount stands above.
    pub(super) fn count_bits(&self) -> u32 {
        self.count_bits
    }
}

/// The sum and count in a cell.
pub(super) fn unpack(packed: i64, count_bits: u32) -> (i64, i32) {
    let count = packed & ((1 << count_bits) - 1);
    (packed >> count_bits, i32::try_from(count).unwrap_or(i32::MAX))
}

/// The sum of the magnitudes of at most [`BLOCK_ROWS`] amounts; `None` when they are too large to be packed.
pub(super) fn magnitude(amounts: &[i64]) -> Option<u64> {
    let (bits, sum) = amounts.iter().fold((0_u64, 0_u64), |(bits, sum), amount| {
        let magnitude = amount.unsigned_abs();
        (bits | magnitude, sum.wrapping_add(magnitude))
    });
    // With no bit at or above 2^51 in any of at most 2^10 amounts, the sum did not wrap.
    (bits < MAGNITUDE_MAX && sum < MAGNITUDE_MAX).then_some(sum)
}
