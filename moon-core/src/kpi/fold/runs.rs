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

/// What one look at the days and amounts of a block tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunBlock {
    /// The day of all rows.
    pub(super) day: i32,
    /// The sum of the amounts.
    pub(super) sum: i64,
    /// An upper bound of the sum of their magnitudes.
    pub(super) magnitude: u64,
}

impl RunBlock {
    /// `None` when the days differ or amounts are too large.
    pub(super) fn of(days: &[i32], amounts: &[i64]) -> Option<Self> {
        let (day, last) = (*days.first()?, *days.last()?);
        if day != last || days.iter().fold(0, |differing, other| differing | (other ^ day)) != 0 {
            return None;
        }
        let (bits, sum) = amounts
            .iter()
            .fold((0, 0_i64), |(bits, sum), amount| (bits | (amount ^ (amount >> 63)), sum.wrapping_add(*amount)));
        // The ones' complement of a negative amount falls short of its magnitude by one, which the next power of two covers.
        let bits = u64::BITS - bits.leading_zeros();
        let magnitude = u64::try_from(amounts.len()).ok()? << bits.min(MAGNITUDE_BITS_MAX);
        (bits <= MAGNITUDE_BITS_MAX).then_some(Self { day, sum, magnitude })
    }
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
    cells: Box<[Cells; DIMENSIONS_MAX]>,
    /// The numbers of the tables that take part.
    tables: Vec<usize>,
}

impl Run {
    pub(super) fn new() -> Self {
        let cells = Box::new([[0; GROUPS_MAX]; DIMENSIONS_MAX]);
        Self { bucket: 0, plain: Plain::default(), packing: Packing::new(), cells, tables: Vec::new() }
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

    /// Whether rows of that bucket, so many and so large, can be added to what waits.
    pub(super) fn has_room(&self, bucket: u32, rows: usize, magnitude: u64) -> bool {
        bucket == self.bucket && self.packing.has_room(rows, magnitude)
    }

    /// Begins with another bucket. Nothing may be waiting.
    pub(super) fn restart(&mut self, bucket: u32, rows: usize, magnitude: u64) {
        self.bucket = bucket;
        self.packing.restart(rows, magnitude);
    }

    /// Adds rows for which there is room; `columns` are those of the tables that take part. False when a group has no
    /// cell; then the sums are of no use any more.
    pub(super) fn add(&mut self, columns: &[&[u32]], amounts: &[i64], block: &RunBlock) -> bool {
        self.packing.note(amounts.len(), block.magnitude);
        let count = i64::try_from(amounts.len()).unwrap_or(i64::MAX);
        self.plain.add(Plain { minor: block.sum, count, rows: 0 });
        let seen = match *columns {
            [a] => self.add_columns([a], amounts),
            [a, b] => self.add_columns([a, b], amounts),
            [a, b, c] => self.add_columns([a, b, c], amounts),
            [a, b, c, d] => self.add_columns([a, b, c, d], amounts),
            _ => 0,
        };
        (seen as usize) < GROUPS_MAX
    }

    /// Returns the bits that any group has.
    fn add_columns<const N: usize>(&mut self, columns: [&[u32]; N], amounts: &[i64]) -> u32 {
        let Some(cells) = self.cells.first_chunk_mut::<N>() else { return u32::MAX };
        let packing = &self.packing;
        if let (Some(columns), Some(amounts)) = (full(columns), amounts.as_array()) {
            // The compiler knows the length, so that this loop has no bounds to check.
            return add_block::<N, BLOCK_ROWS>(cells, columns, amounts, packing);
        }
        let mut seen = 0;
        for (index, amount) in amounts.iter().enumerate() {
            let packed = packing.packed(*amount);
            for (cells, column) in cells.iter_mut().zip(columns) {
                let group = column.get(index).copied().unwrap_or(u32::MAX);
                seen |= group;
                add_to(cells, group, packed);
            }
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

fn add_block<const N: usize, const ROWS: usize>(
    cells: &mut [Cells; N],
    columns: [&[u32; ROWS]; N],
    amounts: &[i64; ROWS],
    packing: &Packing,
) -> u32 {
    let packing = *packing;
    let mut seen = 0;
    for index in 0..ROWS {
        let packed = packing.packed(amounts[index]);
        for dimension in 0..N {
            let group = columns[dimension][index];
            seen |= group;
            add_to(&mut cells[dimension], group, packed);
        }
    }
    seen
}

fn add_to(cells: &mut Cells, group: u32, packed: i64) {
    let [place, ..] = group.to_le_bytes();
    let cell = &mut cells[usize::from(place)];
    *cell = cell.wrapping_add(packed);
}
