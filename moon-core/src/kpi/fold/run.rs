//! The accumulators of a run of rows that lie in one bucket.

use super::BLOCK_ROWS;
use super::buckets::OUTSIDE;

/// Dimensions of at most this many groups take part.
pub(super) const RUN_GROUPS_MAX: usize = 128;
/// How many dimensions there can be.
pub(super) const RUN_DIMENSIONS_MAX: usize = 4;

type Row = [i64; RUN_GROUPS_MAX];

/// One short row of packed cells for each dimension: small enough to stay in the innermost cache, of a length that the
/// compiler knows, and added to in one go, so that rows of full blocks cost little more than their loads and stores.
#[derive(Debug, Clone)]
pub(super) struct Run {
    bucket: u32,
    rows: [Row; RUN_DIMENSIONS_MAX],
}

impl Run {
    pub(super) fn new() -> Self {
        Self { bucket: OUTSIDE, rows: [[0; RUN_GROUPS_MAX]; RUN_DIMENSIONS_MAX] }
    }

    /// The bucket of what was added since the last [`take`](Self::take); [`OUTSIDE`] when there is nothing worth taking.
    pub(super) fn bucket(&self) -> u32 {
        self.bucket
    }

    /// Adds a full block of that bucket; what was added before must be of the same one. A group beyond the row goes
    /// astray: whoever adds checks the groups.
    pub(super) fn add(
        &mut self,
        bucket: u32,
        groups: &[&[u32; BLOCK_ROWS]],
        amounts: &[i64; BLOCK_ROWS],
        count_bits: u32,
    ) {
        self.bucket = bucket;
        match groups {
            [] => {}
            [a] => add_block(&mut self.rows, [a], amounts, count_bits),
            [a, b] => add_block(&mut self.rows, [a, b], amounts, count_bits),
            [a, b, c] => add_block(&mut self.rows, [a, b, c], amounts, count_bits),
            [a, b, c, d, ..] => add_block(&mut self.rows, [a, b, c, d], amounts, count_bits),
        }
    }

    /// Takes out what was added, in the order of the dimensions.
    pub(super) fn take(&mut self) -> [Row; RUN_DIMENSIONS_MAX] {
        std::mem::replace(self, Self::new()).rows
    }
}

fn add_block<const N: usize>(
    rows: &mut [Row; RUN_DIMENSIONS_MAX],
    groups: [&[u32; BLOCK_ROWS]; N],
    amounts: &[i64; BLOCK_ROWS],
    count_bits: u32,
) {
    for (row, amount) in amounts.iter().enumerate() {
        let packed = (amount << count_bits) + 1;
        for (cells, groups) in rows.iter_mut().zip(groups) {
            // The compiler sees that both indices are below their array's length.
            let cell = &mut cells[groups[row] as usize % RUN_GROUPS_MAX];
            *cell = cell.wrapping_add(packed);
        }
    }
}
