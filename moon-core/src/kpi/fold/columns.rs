//! The columns of postings, and what must hold for them.

use std::fmt;
use std::ops::Range;

use crate::{Dimension, Error, ErrorKind, PostingColumns, Result};

/// The groups of postings in one dimension.
pub(super) fn column(postings: &PostingColumns, dimension: Dimension) -> &[u32] {
    match dimension {
        Dimension::Team => &postings.team,
        Dimension::Branch => &postings.branch,
        Dimension::Product => &postings.product,
        Dimension::Agent => &postings.agent,
    }
}

/// Those of a block.
pub(super) fn block_of<'p>(postings: &'p PostingColumns, dimension: Dimension, block: &Range<usize>) -> &'p [u32] {
    column(postings, dimension).get(block.clone()).unwrap_or_default()
}

/// `Corrupt` when the columns are of unequal length.
pub(super) fn check_lengths(postings: &PostingColumns) -> Result<()> {
    let PostingColumns { day, team, branch, product, agent, given, amount } = postings;
    let lengths = [day.len(), team.len(), branch.len(), product.len(), agent.len(), given.len()];
    if lengths == [amount.len(); 6] { Ok(()) } else { Err(unequal_lengths()) }
}

pub(super) fn unequal_lengths() -> Error {
    Error::new(ErrorKind::Corrupt, "batch has columns of unequal length")
}

/// `Corrupt` when a group is none of so many codes.
pub(super) fn check_indices(dimension: Dimension, groups: &[u32], codes: usize) -> Result<()> {
    // Whether any index lies above the last one, without a branch for each: its sign bit is set, or the difference's is.
    let last = u32::try_from(codes.saturating_sub(1)).unwrap_or(u32::MAX);
    let signs = groups.iter().fold(0, |signs, group| signs | last.wrapping_sub(*group) | group);
    if signs <= u32::MAX >> 1 && last <= u32::MAX >> 1 {
        return Ok(());
    }
    let highest = groups.iter().fold(0, |highest, group| highest.max(*group));
    Err(unknown_index(dimension, highest, codes))
}

pub(super) fn unknown_index(dimension: Dimension, index: impl fmt::Display, codes: usize) -> Error {
    Error::new(ErrorKind::Corrupt, "posting has an index without a code")
        .with("dimension", dimension.name())
        .with("index", index)
        .with("codes", codes)
}
