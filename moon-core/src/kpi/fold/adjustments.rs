//! Cancellations and reinstatements.

use std::ops::Range;

use super::columns::{block_of, check_lengths, unequal_lengths};
use super::control::Plain;
use super::table::Placed;
use super::tally::{Side, small_adjustment};
use super::{BLOCK_ROWS, Fold, unpack};
use crate::{AdjustmentPostings, PostingColumns, Result};

/// How many adjustments wait at most, beside a batch. Their cells are many, and each time that they are visited they push
/// those of the sales out of the caches.
const WAITING_MAX: usize = 16_384;
/// Those of sales of so few days do not wait: their cells are few.
const NEAR_DAYS: u32 = 62;

impl Fold {
    /// Takes adjustments, which may wait for more.
    pub(super) fn push_adjustments(&mut self, adjustments: &AdjustmentPostings) -> Result<()> {
        check_lengths(&adjustments.postings)?;
        if [adjustments.own_day.len(), adjustments.count.len()] != [adjustments.postings.len(); 2] {
            return Err(unequal_lengths());
        }
        self.check_groups(&adjustments.postings, &(0..adjustments.postings.len()))?;
        if are_near(&adjustments.postings.day) {
            return self.adjust(adjustments);
        }
        append(&mut self.waiting, adjustments);
        if self.waiting.postings.len() < WAITING_MAX { Ok(()) } else { self.adjust_waiting() }
    }

    /// Adds the adjustments that wait.
    pub(super) fn adjust_waiting(&mut self) -> Result<()> {
        let mut adjustments = std::mem::take(&mut self.waiting);
        self.adjust(&adjustments)?;
        clear(&mut adjustments);
        self.waiting = adjustments;
        Ok(())
    }

    /// Adds adjustments: to the net figures in the bucket of the sale's day, to the activity in that of their own.
    fn adjust(&mut self, adjustments: &AdjustmentPostings) -> Result<()> {
        let rows = adjustments.postings.len();
        self.adjusted |= rows > 0;
        let (mut start, mut emptied_for) = (0, None);
        while start < rows {
            let block = start..rows.min(start + BLOCK_ROWS);
            start += self.adjust_shared(adjustments, &block);
            if start == block.end || self.learn_days(adjustments, &(start..block.end))? {
                continue;
            }
            // What is in the way now is what was added before, or the size of the amount.
            if emptied_for == Some(start) {
                self.adjust_alone(adjustments, start, true)?;
                start += 1;
            } else {
                self.unpack_adjustments()?;
                self.adjusted = true;
                emptied_for = Some(start);
            }
        }
        if self.tables.iter().any(|table| !table.shares()) {
            (0..rows).try_for_each(|row| self.adjust_alone(adjustments, row, false))?;
        }
        Ok(())
    }

    /// Moves what adjustments have added into the exact sums.
    pub(super) fn unpack_adjustments(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.adjusted) {
            return Ok(());
        }
        let (tables, control) = (&mut self.tables, &mut self.control);
        for side in [Side::Net, Side::Activity] {
            self.shared.rows_mut().drain(side, 0..u32::MAX, &mut |drained| unpack(drained, tables, control))?;
        }
        Ok(())
    }

    /// Adds the first rows of a block to the shared rows, up to one that something is in the way of.
    fn adjust_shared(&mut self, adjustments: &AdjustmentPostings, block: &Range<usize>) -> usize {
        let AdjustmentPostings { postings, own_day, count } = adjustments;
        let own_days = own_day.get(block.clone()).unwrap_or_default();
        let counts = count.get(block.clone()).unwrap_or_default();
        let block = self.mixed_block(postings, block);
        self.shared.rows_mut().adjust(&block, own_days, counts, self.buckets.days())
    }

    /// Gives buckets to the days of a block; false when its first row had them.
    fn learn_days(&mut self, adjustments: &AdjustmentPostings, block: &Range<usize>) -> Result<bool> {
        let days = adjustments.postings.day.get(block.clone()).unwrap_or_default();
        let own_days = adjustments.own_day.get(block.clone()).unwrap_or_default();
        if days.first().into_iter().chain(own_days.first()).all(|day| self.buckets.knows(*day)) {
            return Ok(false);
        }
        let mut buffer = [0; BLOCK_ROWS];
        self.buckets.find(&self.plan, days, &mut buffer)?;
        self.buckets.find(&self.plan, own_days, &mut buffer)?;
        self.fit();
        Ok(true)
    }

    /// Adds one adjustment to the tables that share their rows, and the plain sums; or to those that do not.
    fn adjust_alone(&mut self, adjustments: &AdjustmentPostings, row: usize, sharing: bool) -> Result<()> {
        let AdjustmentPostings { postings, own_day, count } = adjustments;
        let days = postings.day.get(row).zip(own_day.get(row));
        let Some(((day, own_day), (amount, count))) = days.zip(postings.amount.get(row).zip(count.get(row))) else {
            return Ok(());
        };
        let (amount, count) = (*amount, *count);
        let sale_bucket = self.buckets.bucket(&self.plan, *day)?;
        let own_bucket = self.buckets.bucket(&self.plan, *own_day)?;
        self.fit();
        if sharing {
            let sum = Plain { minor: amount, count: count.into(), rows: 1 };
            self.control.add(sale_bucket, Side::Net, sum, amount.unsigned_abs())?;
            self.control.add(own_bucket, Side::Activity, sum, amount.unsigned_abs())?;
        }
        let adjustment = Placed { sale_bucket, own_bucket, amount, count, small: small_adjustment(amount, count) };
        for table in self.tables.iter_mut().filter(|table| table.shares() == sharing) {
            let group = block_of(postings, table.dimension, &(row..row + 1)).first().copied().unwrap_or_default();
            table.adjust(group, &adjustment)?;
        }
        Ok(())
    }
}

/// Whether these days lie within a few, as in day order.
fn are_near(days: &[i32]) -> bool {
    let range = days.iter().fold(None, |range: Option<(i32, i32)>, day| {
        Some(range.map_or((*day, *day), |(min, max)| (min.min(*day), max.max(*day))))
    });
    range.is_none_or(|(min, max)| min.abs_diff(max) <= NEAR_DAYS)
}

fn append(waiting: &mut AdjustmentPostings, more: &AdjustmentPostings) {
    let AdjustmentPostings { postings, own_day, count } = more;
    let PostingColumns { day, team, branch, product, agent, given, amount } = postings;
    waiting.postings.day.extend_from_slice(day);
    waiting.postings.team.extend_from_slice(team);
    waiting.postings.branch.extend_from_slice(branch);
    waiting.postings.product.extend_from_slice(product);
    waiting.postings.agent.extend_from_slice(agent);
    waiting.postings.given.extend_from_slice(given);
    waiting.postings.amount.extend_from_slice(amount);
    waiting.own_day.extend_from_slice(own_day);
    waiting.count.extend_from_slice(count);
}

/// Keeps the memory.
fn clear(waiting: &mut AdjustmentPostings) {
    let AdjustmentPostings { postings, own_day, count } = waiting;
    let PostingColumns { day, team, branch, product, agent, given, amount } = postings;
    for column in [day, own_day] {
        column.clear();
    }
    for column in [team, branch, product, agent] {
        column.clear();
    }
    given.clear();
    amount.clear();
    count.clear();
}
