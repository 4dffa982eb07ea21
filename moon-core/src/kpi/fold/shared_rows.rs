//! Packed accumulators for rows of many days next to one another.

use super::buckets::look_up;
use super::control::PlainSales;
use super::packing::{MAGNITUDE_MAX, Packing};
use super::runs::full;
use super::{BLOCK_ROWS, DIMENSIONS_MAX};

/// How many groups a dimension may have to take part.
pub(super) const SHARED_GROUPS: usize = 64;

/// The accumulators of one dimension of few groups in one bucket, at places that the compiler knows.
/// They begin where a line of the cache does, so that no more lines are in use than need be.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Part([i64; SHARED_GROUPS]);

impl Part {
    const EMPTY: Self = Self([0; SHARED_GROUPS]);

    /// By group.
    pub(super) fn cells(&self) -> &[i64] {
        &self.0
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        *self = Self::EMPTY;
    }
}

/// For each bucket a part for each dimension of few groups. A posting adds to its cells in all parts at once.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedRows {
    /// How many parts a bucket has.
    width: usize,
    parts: Vec<Part>,
}

/// Rows of sales, as columns; `groups` are the columns of the dimensions that take part.
#[derive(Debug, Clone, Copy)]
pub(super) struct MixedBlock<'p> {
    pub(super) days: &'p [i32],
    pub(super) groups: [&'p [u32]; DIMENSIONS_MAX],
    pub(super) amounts: &'p [i64],
}

/// Where rows go: the buckets of the days, and the sums without groups.
#[derive(Debug)]
pub(super) struct Target<'f> {
    pub(super) first_day: i32,
    pub(super) by_day: &'f [u32],
    pub(super) plain: &'f mut [PlainSales],
    pub(super) packing: Packing,
}

/// What one pass over a block has seen on its way.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// A row without a bucket, which was left out.
    unknown: bool,
    /// The bits of all groups.
    groups: u32,
    /// The bits of all amounts; of negative ones, those of the complement.
    bits: u64,
    /// The sum of the magnitudes, if the bits are low.
    magnitude: u64,
}

impl SharedRows {
    /// Makes room for that many buckets, and dimensions. Nothing may be waiting when the dimensions change.
    pub(super) fn fit(&mut self, buckets: usize, width: usize) {
        if width != self.width {
            self.parts.clear();
            self.width = width;
        }
        if buckets * width > self.parts.len() {
            self.parts.resize(buckets * width, Part::EMPTY);
        }
    }

    /// The parts of each bucket.
    pub(super) fn buckets_mut(&mut self) -> impl Iterator<Item = &mut [Part]> {
        self.parts.chunks_mut(self.width.max(1))
    }

    /// Adds a block in one pass, and learns on the way whether it can be added: each row has a bucket, each group a place,
    /// and the sums stay small. If not, takes everything back, which wrapping sums allow, and returns `None`; else the
    /// sum of the magnitudes.
    pub(super) fn try_add(&mut self, block: &MixedBlock<'_>, into: &mut Target<'_>) -> Option<u64> {
        match self.width {
            0 => None,
            1 => self.try_add_columns::<1>(block, into),
            2 => self.try_add_columns::<2>(block, into),
            3 => self.try_add_columns::<3>(block, into),
            _ => self.try_add_columns::<DIMENSIONS_MAX>(block, into),
        }
    }

    fn try_add_columns<const N: usize>(&mut self, block: &MixedBlock<'_>, into: &mut Target<'_>) -> Option<u64> {
        let seen = self.pass::<N, false>(block, into);
        let fits = !seen.unknown && (seen.groups as usize) < SHARED_GROUPS && seen.bits < MAGNITUDE_MAX;
        if fits && into.packing.has_room(block.amounts.len(), seen.magnitude) {
            return Some(seen.magnitude);
        }
        self.pass::<N, true>(block, into);
        None
    }

    /// Adds the rows of a block, or subtracts them.
    fn pass<const N: usize, const UNDO: bool>(&mut self, block: &MixedBlock<'_>, into: &mut Target<'_>) -> Seen {
        let Some(groups) = block.groups.first_chunk::<N>() else { return Seen::default() };
        let (parts, _) = self.parts.as_chunks_mut::<N>();
        if let (Some(groups), Some(days), Some(amounts)) =
            (full(*groups), block.days.as_array(), block.amounts.as_array())
        {
            // The compiler knows the length, so that this loop has no bounds to check.
            return add_block::<N, BLOCK_ROWS, UNDO>(parts, into, days, groups, amounts);
        }
        let mut all = Seen::default();
        for (index, (day, amount)) in block.days.iter().zip(block.amounts).enumerate() {
            let groups = groups.map(|column| [column.get(index).copied().unwrap_or(u32::MAX)]);
            let seen = add_block::<N, 1, UNDO>(parts, into, &[*day], groups.each_ref(), &[*amount]);
            all.unknown |= seen.unknown;
            all.groups |= seen.groups;
            all.bits |= seen.bits;
            all.magnitude = all.magnitude.wrapping_add(seen.magnitude);
        }
        all
    }
}

fn add_block<const N: usize, const ROWS: usize, const UNDO: bool>(
    parts: &mut [[Part; N]],
    into: &mut Target<'_>,
    days: &[i32; ROWS],
    groups: [&[u32; ROWS]; N],
    amounts: &[i64; ROWS],
) -> Seen {
    let (first_day, by_day, packing) = (into.first_day, into.by_day, into.packing);
    let plain = &mut *into.plain;
    let mut seen = Seen::default();
    for index in 0..ROWS {
        let bucket = look_up(first_day, by_day, days[index]) as usize;
        let (Some(row), Some(plain)) = (parts.get_mut(bucket), plain.get_mut(bucket)) else {
            seen.unknown = true;
            continue;
        };
        let amount = amounts[index];
        let bits = (amount ^ (amount >> 63)).cast_unsigned();
        seen.bits |= bits;
        seen.magnitude = seen.magnitude.wrapping_add(bits);
        let packed = packing.packed(amount);
        for (part, column) in row.iter_mut().zip(groups) {
            let group = column[index];
            seen.groups |= group;
            let cell = &mut part.0[group as usize % SHARED_GROUPS];
            *cell = if UNDO { cell.wrapping_sub(packed) } else { cell.wrapping_add(packed) };
        }
        if UNDO {
            plain.minor = plain.minor.wrapping_sub(amount);
            plain.count -= 1;
        } else {
            plain.minor = plain.minor.wrapping_add(amount);
            plain.count += 1;
        }
    }
    // Each complement falls short of its magnitude by one.
    seen.magnitude = seen.magnitude.wrapping_add(ROWS as u64);
    seen
}
