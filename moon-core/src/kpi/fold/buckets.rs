//! From days to buckets.

use std::collections::BTreeMap;

use super::{BLOCK_ROWS, FoldPlan};
use crate::{BusinessDate, Error, ErrorKind, Result};

/// The bucket of all days that are not wanted. What is added to it is never read.
pub(super) const OUTSIDE: u32 = 0;
const UNKNOWN: u32 = u32::MAX;
/// A block costs about as much as this many rows beside those in it.
const RUN_ROWS_MIN: usize = 32;

/// The buckets of days.
#[derive(Debug, Clone, Copy)]
pub(super) struct Days<'f> {
    /// The first day that may have a bucket, and the buckets from there on; see [`look_up`].
    first: i32,
    by_day: &'f [u32],
}

impl<'f> Days<'f> {
    /// The bucket of a day, or what stands for an unknown one; `None` outside of the table.
    pub(super) fn get(self, day: i32) -> Option<&'f u32> {
        self.by_day.get(offset(self.first, day))
    }
}

/// Numbers the buckets in the order in which their first row arrives, behind [`OUTSIDE`], and remembers the bucket of
/// each day in a dense table over the range of days seen so far: at most 13 MB for all business dates.
#[derive(Debug, Clone)]
pub(super) struct BucketMap {
    /// The day of the first entry of `by_day`, in days since 1970-01-01.
    base: i32,
    by_day: Vec<u32>,
    by_first_day: BTreeMap<BusinessDate, u32>,
}

impl BucketMap {
    pub(super) fn new() -> Self {
        Self { base: 0, by_day: Vec::new(), by_first_day: BTreeMap::new() }
    }

    /// How many there are, [`OUTSIDE`] included.
    pub(super) fn len(&self) -> usize {
        self.by_first_day.len() + 1
    }

    /// The buckets by day.
    pub(super) fn days(&self) -> Days<'_> {
        Days { first: self.base, by_day: &self.by_day }
    }

    /// Whether a day has a bucket.
    pub(super) fn knows(&self, day: i32) -> bool {
        look_up(self.base, &self.by_day, day) != UNKNOWN
    }

    /// The buckets with their first days, ascending by day.
    pub(super) fn ascending(&self) -> impl Iterator<Item = (BusinessDate, u32)> {
        self.by_first_day.iter().map(|(day, bucket)| (*day, *bucket))
    }

    /// The buckets of at most [`BLOCK_ROWS`] days.
    pub(super) fn find<'b>(
        &mut self,
        plan: &FoldPlan,
        days: &[i32],
        buffer: &'b mut [u32; BLOCK_ROWS],
    ) -> Result<&'b [u32]> {
        let (base, by_day) = (self.base, self.by_day.as_slice());
        let mut unknown = false;
        for (bucket, day) in buffer.iter_mut().zip(days) {
            *bucket = look_up(base, by_day, *day);
            unknown |= *bucket == UNKNOWN;
        }
        if unknown {
            if let (Some(min), Some(max)) = (days.iter().min(), days.iter().max()) {
                self.cover(*min, *max)?;
            }
            for (bucket, day) in buffer.iter_mut().zip(days).filter(|(bucket, _)| **bucket == UNKNOWN) {
                *bucket = self.bucket(plan, *day)?;
            }
        }
        Ok(buffer.get(..days.len()).unwrap_or_default())
    }

    /// The bucket of a day.
    pub(super) fn bucket(&mut self, plan: &FoldPlan, day: i32) -> Result<u32> {
        let known = look_up(self.base, &self.by_day, day);
        if known != UNKNOWN {
            return Ok(known);
        }
        self.cover(day, day)?;
        let bucket = if plan.days.contains(day) {
            let date = BusinessDate::from_epoch_day(day)?;
            let first_day = plan.calendar.period_of(plan.granularity, date).days().first().unwrap_or(date);
            self.starting(first_day)?
        } else {
            OUTSIDE
        };
        let offset = self.offset(day);
        if let Some(entry) = self.by_day.get_mut(offset) {
            *entry = bucket;
        }
        Ok(bucket)
    }

    /// The bucket of that first day, a new one if there is none.
    pub(super) fn starting(&mut self, first_day: BusinessDate) -> Result<u32> {
        let next = u32::try_from(self.len())
            .map_err(|cause| Error::new(ErrorKind::Refused, "fold has too many buckets").caused_by(cause))?;
        Ok(*self.by_first_day.entry(first_day).or_insert(next))
    }

    /// The place of a day in the table; beyond its end for a day before its base.
    fn offset(&self, day: i32) -> usize {
        offset(self.base, day)
    }

    /// Extends the table to these days, to the double of its length if that is more, so that many small steps cost no
    /// more than one large one.
    fn cover(&mut self, min: i32, max: i32) -> Result<()> {
        for day in [min, max] {
            BusinessDate::from_epoch_day(day)
                .map_err(|cause| Error::new(ErrorKind::Corrupt, "posting has an impossible date").caused_by(cause))?;
        }
        if self.by_day.is_empty() {
            self.base = min;
        }
        let step = i32::try_from(self.by_day.len()).unwrap_or(i32::MAX).max(64);
        if min < self.base {
            let base = min.min(self.base.saturating_sub(step)).max(BusinessDate::MIN.epoch_day());
            let added = self.base.abs_diff(base) as usize;
            self.by_day.splice(0..0, std::iter::repeat_n(UNKNOWN, added));
            self.base = base;
        }
        if self.offset(max) >= self.by_day.len() {
            let length = self.offset(max).max(self.by_day.len().saturating_mul(2)) + 1;
            let longest = self.offset(BusinessDate::MAX.epoch_day()) + 1;
            self.by_day.resize(length.min(longest), UNKNOWN);
        }
        Ok(())
    }
}

/// How many of the next days make a block, and their day if they are all of one: at most [`BLOCK_ROWS`], and fewer where a
/// run of one day ends, unless days are so mixed that runs are not worth a block.
pub(super) fn next_block(days: &[i32]) -> (usize, Option<i32>) {
    let block = days.get(..BLOCK_ROWS).unwrap_or(days);
    let (Some(first), Some(last)) = (block.first(), block.last()) else { return (0, None) };
    // What comes first is at hand; looking at the end before would wait for it to come from memory.
    let head = block.get(..RUN_ROWS_MIN).unwrap_or(block);
    if !is_one_day(head) {
        // Where the next day follows after a few rows, these are a block of their own: short, yet of one day, as the next.
        let ends = head.is_sorted() && head.last() == Some(last);
        return if ends { (head.partition_point(|day| day == first), Some(*first)) } else { (block.len(), None) };
    }
    if is_one_day(block) {
        return (block.len(), Some(*first));
    }
    // The end of the run, if the days ascend; whether they do is seen from the run itself.
    let run = block.partition_point(|day| day == first);
    let worth = block.get(..run).is_some_and(is_one_day);
    if worth { (run, Some(*first)) } else { (block.len(), None) }
}

fn is_one_day(days: &[i32]) -> bool {
    days.first().is_none_or(|first| days.iter().fold(0, |differing, day| differing | (day ^ first)) == 0)
}

fn offset(base: i32, day: i32) -> usize {
    day.wrapping_sub(base).cast_unsigned() as usize
}

/// The bucket of a day in such a table; no bucket has the number that stands for an unknown one.
fn look_up(base: i32, by_day: &[u32], day: i32) -> u32 {
    by_day.get(offset(base, day)).copied().unwrap_or(UNKNOWN)
}
