//! Packed accumulators for rows of many days next to one another.

use super::control::PlainSales;
use super::packing::Packing;
use super::runs::full;
use super::{BLOCK_ROWS, DIMENSIONS_MAX};

/// How many groups a dimension may have to take part.
pub(super) const SHARED_GROUPS: usize = 64;

/// The accumulators of a bucket, near one another: a part for each dimension of few groups, at a place that the compiler
/// knows, and the plain sums beside them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    parts: [[i64; SHARED_GROUPS]; DIMENSIONS_MAX],
    plain: PlainSales,
}

impl Row {
    const EMPTY: Self = Self { parts: [[0; SHARED_GROUPS]; DIMENSIONS_MAX], plain: PlainSales { minor: 0, count: 0 } };

    /// The packed cells of the parts.
    pub(super) fn parts(&self) -> &[[i64; SHARED_GROUPS]] {
        &self.parts
    }

    /// The sums without groups.
    pub(super) fn plain(&self) -> PlainSales {
        self.plain
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        *self = Self::EMPTY;
    }
}

/// A row for each bucket. A posting adds to its cells in all parts at once.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedRows {
    rows: Vec<Row>,
}

impl SharedRows {
    /// Makes room for that many buckets.
    pub(super) fn fit(&mut self, buckets: usize) {
        if buckets > self.rows.len() {
            self.rows.resize(buckets, Row::EMPTY);
        }
    }

    /// The rows, by bucket.
    pub(super) fn rows_mut(&mut self) -> &mut [Row] {
        &mut self.rows
    }

    /// Adds a block; `columns` are those of the parts. A group beyond its part goes astray: whoever adds checks the groups.
    pub(super) fn add(&mut self, buckets: &[u32], columns: &[&[u32]], amounts: &[i64], packing: &Packing) {
        match *columns {
            [] => self.add_columns([], buckets, amounts, packing),
            [a] => self.add_columns([a], buckets, amounts, packing),
            [a, b] => self.add_columns([a, b], buckets, amounts, packing),
            [a, b, c] => self.add_columns([a, b, c], buckets, amounts, packing),
            [a, b, c, d, ..] => self.add_columns([a, b, c, d], buckets, amounts, packing),
        }
    }

    fn add_columns<const N: usize>(
        &mut self,
        columns: [&[u32]; N],
        buckets: &[u32],
        amounts: &[i64],
        packing: &Packing,
    ) {
        match (full(columns), amounts.as_array(), buckets.as_array()) {
            // The compiler knows the length, so that this loop has no bounds to check.
            (Some(columns), Some(amounts), Some(buckets)) => {
                add_block::<N, BLOCK_ROWS>(&mut self.rows, buckets, columns, amounts, *packing);
            }
            _ => {
                for (index, (bucket, amount)) in buckets.iter().zip(amounts).enumerate() {
                    let columns = columns.map(|column| [column.get(index).copied().unwrap_or(0)]);
                    add_block(&mut self.rows, &[*bucket], columns.each_ref(), &[*amount], *packing);
                }
            }
        }
    }
}

fn add_block<const N: usize, const ROWS: usize>(
    rows: &mut [Row],
    buckets: &[u32; ROWS],
    columns: [&[u32; ROWS]; N],
    amounts: &[i64; ROWS],
    packing: Packing,
) {
    for index in 0..ROWS {
        if let Some(row) = rows.get_mut(buckets[index] as usize) {
            let packed = packing.packed(amounts[index]);
            for (part, column) in row.parts.iter_mut().zip(columns) {
                let cell = &mut part[column[index] as usize % SHARED_GROUPS];
                *cell = cell.wrapping_add(packed);
            }
            row.plain.minor = row.plain.minor.wrapping_add(amounts[index]);
            row.plain.count += 1;
        }
    }
}
