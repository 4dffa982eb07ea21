//! Packed accumulators that several dimensions share.

use std::array;
use std::ops::Range;

use super::BLOCK_ROWS;
use super::buckets::Buckets;
use super::packing::Packing;

/// The cells of a shared row. Its 1 KiB stays in the innermost cache, and lies in one page of memory.
pub(super) const SHARED_CELLS: usize = 128;
/// How many dimensions can share it.
const DIMENSIONS_MAX: usize = 4;

type Row = [i64; SHARED_CELLS];

/// One row for each bucket, of a length that the compiler knows, in which every dimension of few groups has a part. A
/// posting adds to its cells in all of them at once, next to one another.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedRows {
    rows: Vec<Row>,
}

impl SharedRows {
    /// Makes room for that many buckets.
    pub(super) fn fit(&mut self, buckets: usize) {
        if buckets > self.rows.len() {
            self.rows.resize(buckets, [0; SHARED_CELLS]);
        }
    }

    /// The rows of these buckets.
    pub(super) fn rows_mut(&mut self, buckets: Range<usize>) -> &mut [Row] {
        self.rows.get_mut(buckets).unwrap_or_default()
    }

    /// Adds a block to the parts that start at these offsets. A group beyond its part goes astray: whoever adds checks
    /// the groups.
    pub(super) fn add(&mut self, buckets: Buckets<'_>, parts: &[(usize, &[u32])], amounts: &[i64], packing: &Packing) {
        match parts {
            [] => {}
            [a] => self.add_parts([*a], buckets, amounts, packing),
            [a, b] => self.add_parts([*a, *b], buckets, amounts, packing),
            [a, b, c] => self.add_parts([*a, *b, *c], buckets, amounts, packing),
            [a, b, c, d, ..] => self.add_parts([*a, *b, *c, *d], buckets, amounts, packing),
        }
    }

    fn add_parts<const N: usize>(
        &mut self,
        parts: [(usize, &[u32]); N],
        buckets: Buckets<'_>,
        amounts: &[i64],
        packing: &Packing,
    ) {
        let offsets = parts.map(|(offset, _)| offset);
        let groups = parts.map(|(_, groups)| groups);
        match buckets {
            Buckets::One(bucket) => {
                let Some(row) = self.rows.get_mut(bucket as usize) else { return };
                match (full(groups), amounts.as_array::<BLOCK_ROWS>()) {
                    (Some(groups), Some(amounts)) => add_run(row, offsets, groups, amounts, packing),
                    _ => {
                        for (index, amount) in amounts.iter().enumerate() {
                            let groups = groups.map(|groups| groups.get(index).copied().unwrap_or(0));
                            add_posting(row, offsets, groups, packing.packed(*amount));
                        }
                    }
                }
            }
            Buckets::Each(buckets) => {
                let rows = self.rows.as_mut_slice();
                match (full(groups), amounts.as_array::<BLOCK_ROWS>(), buckets.as_array::<BLOCK_ROWS>()) {
                    (Some(groups), Some(amounts), Some(buckets)) => {
                        add_mixed(rows, buckets, offsets, groups, amounts, packing);
                    }
                    _ => {
                        for (index, (bucket, amount)) in buckets.iter().zip(amounts).enumerate() {
                            let groups = groups.map(|groups| groups.get(index).copied().unwrap_or(0));
                            if let Some(row) = rows.get_mut(*bucket as usize) {
                                add_posting(row, offsets, groups, packing.packed(*amount));
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The columns as those of a full block, which need no bounds.
fn full<const N: usize>(groups: [&[u32]; N]) -> Option<[&[u32; BLOCK_ROWS]; N]> {
    let arrays: [Option<&[u32; BLOCK_ROWS]>; N] = groups.map(|groups| groups.as_array());
    arrays.iter().all(Option::is_some).then(|| arrays.map(|array| array.unwrap_or(&[0; BLOCK_ROWS])))
}

fn add_run<const N: usize>(
    row: &mut Row,
    offsets: [usize; N],
    groups: [&[u32; BLOCK_ROWS]; N],
    amounts: &[i64; BLOCK_ROWS],
    packing: &Packing,
) {
    for (index, amount) in amounts.iter().enumerate() {
        add_posting(row, offsets, groups.map(|groups| groups[index]), packing.packed(*amount));
    }
}

fn add_mixed<const N: usize>(
    rows: &mut [Row],
    buckets: &[u32; BLOCK_ROWS],
    offsets: [usize; N],
    groups: [&[u32; BLOCK_ROWS]; N],
    amounts: &[i64; BLOCK_ROWS],
    packing: &Packing,
) {
    for (index, (bucket, amount)) in buckets.iter().zip(amounts).enumerate() {
        if let Some(row) = rows.get_mut(*bucket as usize) {
            add_posting(row, offsets, groups.map(|groups| groups[index]), packing.packed(*amount));
        }
    }
}

fn add_posting<const N: usize>(row: &mut Row, offsets: [usize; N], groups: [u32; N], packed: i64) {
    let places: [usize; N] = array::from_fn(|part| offsets[part].wrapping_add(groups[part] as usize) % SHARED_CELLS);
    for place in places {
        row[place] = row[place].wrapping_add(packed);
    }
}

/// Shares a row out among dimensions of so many groups, in their order: the part of each, or `None` for those that find
/// no room.
pub(super) fn share_out(groups: impl Iterator<Item = usize>) -> Vec<Option<Range<usize>>> {
    let mut start = 0;
    groups
        .take(DIMENSIONS_MAX)
        .map(|groups| {
            // A little more than needed, so that not every new code moves the parts.
            let end = start + groups.next_multiple_of(16);
            (end <= SHARED_CELLS).then(|| {
                let part = start..end;
                start = end;
                part
            })
        })
        .collect()
}
