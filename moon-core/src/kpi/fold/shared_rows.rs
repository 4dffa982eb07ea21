//! The accumulators of all dimensions of few groups, in rows as wide as there are such dimensions.

use std::ops::Range;

use super::DIMENSIONS_MAX;
use super::buckets::Days;
use super::control::Plain;
use super::rows::Rows;
use super::runs::RunSums;
use super::tally::Side;
use crate::{Dimension, Result};

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

/// Takes what is drained.
pub(super) type HandOut<'h> = &'h mut dyn FnMut(Drained<'_>) -> Result<()>;

/// What rows of any width do. Parts are numbered as the dimensions that take part.
pub(super) trait Accumulators {
    /// Makes room for that many buckets.
    fn fit(&mut self, buckets: usize);

    /// Adds sales from the first on, up to one that cannot be added here, and returns how many they were. It has a day
    /// without a bucket, a group without a place, or an amount for which its row has no room.
    fn add_sales(&mut self, sales: &MixedBlock<'_>, days: Days<'_>) -> usize;

    /// Adds what sales of one bucket add up to, and says whether there was room; if not, nothing was added.
    fn add_run(&mut self, bucket: u32, run: &RunSums<'_>) -> bool;

    /// Adds adjustments from the first on, up to one that cannot be added here, and returns how many they were: each to
    /// the net figures in the bucket of the sale's day, and to the activity in that of its own.
    fn adjust(&mut self, adjustments: &MixedBlock<'_>, own_days: &[i32], counts: &[i8], days: Days<'_>) -> usize;

    /// Takes out what these buckets have summed up.
    fn drain(&mut self, side: Side, buckets: Range<u32>, hand_out: HandOut<'_>) -> Result<()>;

    /// The plain sums of a bucket by [`Side`].
    fn plain(&self, bucket: u32) -> [Plain; 3];

    /// The cells of a part of a bucket, by [`Side`]; empty where nothing was ever added.
    fn cells(&self, bucket: u32, part: usize) -> [&[i64]; 3];

    /// `Corrupt` when something was added to a group of a part that has none of so many codes.
    fn check(&self, part: usize, dimension: Dimension, codes: usize) -> Result<()>;
}

impl SharedRows {
    /// Rows of that many dimensions; of one at least, to whose first group all rows belong that have none.
    pub(super) fn of_width(width: usize) -> Self {
        match width {
            0 | 1 => Self::One(Rows::default()),
            2 => Self::Two(Rows::default()),
            3 => Self::Three(Rows::default()),
            DIMENSIONS_MAX.. => Self::Four(Rows::default()),
        }
    }

    /// Whatever their width.
    pub(super) fn rows(&self) -> &dyn Accumulators {
        match self {
            Self::One(rows) => rows,
            Self::Two(rows) => rows,
            Self::Three(rows) => rows,
            Self::Four(rows) => rows,
        }
    }

    /// Whatever their width.
    pub(super) fn rows_mut(&mut self) -> &mut dyn Accumulators {
        match self {
            Self::One(rows) => rows,
            Self::Two(rows) => rows,
            Self::Three(rows) => rows,
            Self::Four(rows) => rows,
        }
    }
}
