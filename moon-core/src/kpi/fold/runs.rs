//! Accumulators of a run of rows on one day.

use super::control::{Control, Plain};
use super::packing::Packing;
use super::rows::SHARED_GROUPS;
use super::shared_rows::SharedRows;
use super::table::Table;
use super::tally::Side;
use super::{BLOCK_ROWS, DIMENSIONS_MAX};
use crate::Result;

/// How many groups a dimension may have: a group's lowest byte is its place, so that no bound has to be checked.
const GROUPS_MAX: usize = 256;
/// Amounts with no bit at or above this one can be summed in 64 bits many times over.
const MAGNITUDE_BITS_MAX: u32 = 40;

type Cells = [i64; GROUPS_MAX];

/// How many bits the largest of these amounts has; `None` when it is too large. The ones' complement of a negative amount
/// falls short of its magnitude by one, which the next power of two covers.
pub(super) fn bits(amounts: &[i64]) -> Option<u32> {
    let bits = bit_length(amounts.iter().fold(0, |bits, amount| bits | (amount ^ (amount >> 63))));
    (bits <= MAGNITUDE_BITS_MAX).then_some(bits)
}

fn bit_length(bits: i64) -> u32 {
    u64::BITS - bits.leading_zeros()
}

/// What one pass over a block has seen.
struct Seen {
    /// The bits that any group has.
    groups: u32,
    /// The bits that any magnitude has.
    bits: i64,
    sum: i64,
}

/// What a run adds up to.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunSums<'r> {
    pub(super) plain: Plain,
    /// An upper bound of the sum of the magnitudes.
    pub(super) magnitude: u64,
    /// How many bits of count the amount of a cell stands above.
    pub(super) count_bits: u32,
    /// The cells of the dimensions that share their rows.
    pub(super) parts: &'r [&'r [i64]],
}

/// One row of cells for each dimension of few groups, in the innermost cache, for as long as rows of one bucket follow one
/// another; then they move to the accumulators of that bucket.
#[derive(Debug, Clone)]
pub(super) struct Run {
    bucket: u32,
    plain: Plain,
    packing: Packing,
    /// How many bits an amount may have.
    bits: u32,
    /// Whether a group without a cell was among those added; then the sums are of no use any more.
    unknown: bool,
    cells: Box<[Cells; DIMENSIONS_MAX]>,
    /// The numbers of the tables that take part.
    tables: Vec<usize>,
}

impl Run {
    pub(super) fn new() -> Self {
        let cells = Box::new([[0; GROUPS_MAX]; DIMENSIONS_MAX]);
        Self {
            bucket: 0,
            plain: Plain::default(),
            packing: Packing::new(),
            bits: 0,
            unknown: false,
            cells,
            tables: Vec::new(),
        }
    }

    /// Which tables take part: those of few groups. Nothing may be waiting.
    pub(super) fn choose(&mut self, groups: impl Iterator<Item = usize>) {
        let few = groups.enumerate().filter(|(_, groups)| *groups <= GROUPS_MAX);
        self.tables = few.map(|(table, _)| table).take(DIMENSIONS_MAX).collect();
    }

    /// The numbers of the tables that take part.
    pub(super) fn tables(&self) -> &[usize] {
        &self.tables
    }

    /// Whether so many rows of that bucket can be added to what waits, unless an amount is too large.
    pub(super) fn has_room(&self, bucket: u32, rows: usize) -> bool {
        bucket == self.bucket && self.packing.has_room(rows, self.magnitude(rows))
    }

    /// Begins with another bucket, and rows whose amounts have so many bits. Nothing may be waiting.
    pub(super) fn restart(&mut self, bucket: u32, rows: usize, bits: u32) {
        self.bucket = bucket;
        // The next block's largest amount may well be larger.
        self.bits = (bits + 1).min(MAGNITUDE_BITS_MAX);
        self.packing.restart(rows, self.magnitude(rows));
    }

    /// Whether a group without a cell was among those added.
    pub(super) fn has_unknown(&self) -> bool {
        self.unknown
    }

    fn magnitude(&self, rows: usize) -> u64 {
        u64::try_from(rows).unwrap_or(u64::MAX) << self.bits
    }

    /// Adds rows for which there is room; `columns` are those of the tables that take part. False, and nothing added, when
    /// an amount is too large.
    pub(super) fn add(&mut self, columns: &[&[u32]], amounts: &[i64]) -> bool {
        let seen = self.add_signed::<1>(columns, amounts);
        if bit_length(seen.bits) > self.bits {
            // Sums that wrap around come back in the same way.
            self.add_signed::<-1>(columns, amounts);
            return false;
        }
        self.packing.note(amounts.len(), self.magnitude(amounts.len()));
        let count = i64::try_from(amounts.len()).unwrap_or(i64::MAX);
        self.plain.add(Plain { minor: seen.sum, count, rows: 0 });
        self.unknown |= seen.groups as usize >= GROUPS_MAX;
        true
    }

    fn add_signed<const SIGN: i64>(&mut self, columns: &[&[u32]], amounts: &[i64]) -> Seen {
        match *columns {
            [a] => self.add_columns::<SIGN, 1>([a], amounts),
            [a, b] => self.add_columns::<SIGN, 2>([a, b], amounts),
            [a, b, c] => self.add_columns::<SIGN, 3>([a, b, c], amounts),
            [a, b, c, d] => self.add_columns::<SIGN, 4>([a, b, c, d], amounts),
            _ => self.add_columns::<SIGN, 0>([], amounts),
        }
    }

    fn add_columns<const SIGN: i64, const N: usize>(&mut self, columns: [&[u32]; N], amounts: &[i64]) -> Seen {
        let mut seen = Seen { groups: 0, bits: 0, sum: 0 };
        let Some(cells) = self.cells.first_chunk_mut::<N>() else { return seen };
        let count_bits = self.packing.count_bits();
        if let (Some(columns), Some(amounts)) = (full(columns), amounts.as_array()) {
            // The compiler knows the length, so that this loop has no bounds to check.
            add_block::<SIGN, N, BLOCK_ROWS>(cells, columns, amounts, count_bits, &mut seen);
            return seen;
        }
        for (index, amount) in amounts.iter().enumerate() {
            let columns = columns.map(|column| [column.get(index).copied().unwrap_or(u32::MAX)]);
            add_block::<SIGN, N, 1>(cells, columns.each_ref(), &[*amount], count_bits, &mut seen);
        }
        seen
    }

    /// Moves what waits to the accumulators of its bucket.
    ///
    /// # Errors
    /// `Corrupt` when something was added to a group that has no code; `Refused` when a sum is too large to be exact.
    pub(super) fn flush(&mut self, tables: &mut [Table], shared: &mut SharedRows, control: &mut Control) -> Result<()> {
        if self.packing.is_empty() {
            return Ok(());
        }
        let (mut parts, mut width) = ([&[][..]; DIMENSIONS_MAX], 0);
        for (number, cells) in self.tables.iter().zip(self.cells.iter()) {
            let Some(table) = tables.get(*number) else { continue };
            table.check(cells)?;
            if table.shares() {
                parts[width] = cells.get(..SHARED_GROUPS).unwrap_or_default();
                width += 1;
            }
        }
        let (magnitude, count_bits) = (self.packing.magnitude(), self.packing.count_bits());
        let parts = parts.get(..width).unwrap_or_default();
        let is_shared =
            shared.rows_mut().add_run(self.bucket, &RunSums { plain: self.plain, magnitude, count_bits, parts });
        if !is_shared {
            control.add(self.bucket, Side::Sales, self.plain, magnitude)?;
        }
        for (number, cells) in self.tables.iter().zip(self.cells.iter_mut()) {
            let Some(table) = tables.get_mut(*number) else { continue };
            if !(is_shared && table.shares()) {
                table.unpack_row(self.bucket, cells, count_bits)?;
            }
            cells.fill(0);
        }
        (self.plain, self.packing) = (Plain::default(), Packing::new());
        Ok(())
    }
}

/// The columns as those of a full block.
pub(super) fn full<const N: usize>(columns: [&[u32]; N]) -> Option<[&[u32; BLOCK_ROWS]; N]> {
    let mut blocks = [&[0; BLOCK_ROWS]; N];
    for (block, column) in blocks.iter_mut().zip(columns) {
        *block = column.as_array()?;
    }
    Some(blocks)
}

fn add_block<const SIGN: i64, const N: usize, const ROWS: usize>(
    cells: &mut [Cells; N],
    columns: [&[u32; ROWS]; N],
    amounts: &[i64; ROWS],
    count_bits: u32,
    seen: &mut Seen,
) {
    let (mut groups, mut bits, mut sum) = (0, 0, 0_i64);
    for index in 0..ROWS {
        let amount = amounts[index];
        bits |= amount ^ (amount >> 63);
        sum = sum.wrapping_add(amount);
        let packed = (amount << count_bits).wrapping_add(1).wrapping_mul(SIGN);
        for (cells, column) in cells.iter_mut().zip(columns) {
            groups |= column[index];
            let [place, ..] = column[index].to_le_bytes();
            let cell = &mut cells[usize::from(place)];
            *cell = cell.wrapping_add(packed);
        }
    }
    seen.groups |= groups;
    seen.bits |= bits;
    seen.sum = seen.sum.wrapping_add(sum);
}
