//! The plain sums that every grouping must add up to.

use super::buckets::BucketMap;
use super::tally::Side;
use crate::{ControlTotals, DayControl, Figures, Result, Sum};

/// No sum of magnitudes up to this one leaves 64 bits.
const BOUND_MAX: u64 = u64::MAX >> 2;

/// Sums by bucket, without groups, and deliberately without anything of what the grouped accumulators do: no packing, no
/// dictionaries, amounts and counts apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    /// By bucket and [`Side`]: 64 bits of each sum.
    near: Vec<[Plain; 3]>,
    /// What did not fit into those.
    far: Vec<[i128; 3]>,
    /// An upper bound of the magnitude of any near sum.
    bound: u64,
}

/// A sum without groups.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Plain {
    pub(super) minor: i64,
    pub(super) count: i64,
    /// How many adjustments; sales are as many as they count.
    pub(super) rows: u64,
}

impl Plain {
    /// Adds another; the caller knows that the amounts stay within 64 bits.
    pub(super) fn add(&mut self, other: Self) {
        self.minor = self.minor.wrapping_add(other.minor);
        self.count += other.count;
        self.rows = self.rows.saturating_add(other.rows);
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(self) -> bool {
        self.count == 0 && self.rows == 0
    }
}

impl Control {
    /// Makes room for that many buckets.
    pub(super) fn fit(&mut self, buckets: usize) {
        if buckets > self.near.len() {
            self.near.resize(buckets, [Plain::default(); 3]);
            self.far.resize(buckets, [0; 3]);
        }
    }

    /// Adds to a sum of a bucket; `magnitude` is a bound of that of the amount.
    ///
    /// # Errors
    /// `Refused` when a count leaves 64 bits.
    pub(super) fn add(&mut self, bucket: u32, side: Side, sum: Plain, magnitude: u64) -> Result<()> {
        self.make_room(magnitude);
        if let Some(plain) = self.near.get_mut(bucket as usize).map(|near| &mut near[side as usize]) {
            // Only the count of folds that were merged many times over can be so large.
            Sum::new(0, plain.count).plus(Sum::new(0, sum.count))?;
            plain.add(sum);
        }
        Ok(())
    }

    /// Makes sure that amounts of that magnitude can be added to any 64-bit sum.
    fn make_room(&mut self, magnitude: u64) {
        self.bound = self.bound.saturating_add(magnitude);
        if self.bound > BOUND_MAX {
            self.bound = magnitude;
            for (near, far) in self.near.iter_mut().flatten().zip(self.far.iter_mut().flatten()) {
                *far = far.wrapping_add(i128::from(std::mem::take(&mut near.minor)));
            }
        }
    }

    /// Adds the sums of another; `bucket_of` translates its buckets.
    ///
    /// # Errors
    /// `Refused` when a count leaves 64 bits or a sum 128.
    pub(super) fn merge(&mut self, other: &Self, bucket_of: &[u32]) -> Result<()> {
        for (theirs, own) in bucket_of.iter().enumerate() {
            let own = *own as usize;
            let (sums, their_sums) = (self.sums(own)?, other.sums(theirs)?);
            let their_near = other.near.get(theirs).copied().unwrap_or_default();
            let Some((near, far)) = self.near.get_mut(own).zip(self.far.get_mut(own)) else { continue };
            for side in Side::ALL.map(|side| side as usize) {
                let sum = sums[side].plus(their_sums[side])?;
                near[side] =
                    Plain { minor: 0, count: sum.count, rows: near[side].rows.saturating_add(their_near[side].rows) };
                far[side] = sum.minor;
            }
        }
        Ok(())
    }

    /// What sales add on every basis, and adjustments to net and activity.
    fn sums(&self, bucket: usize) -> Result<[Sum; 3]> {
        let near = self.near.get(bucket).copied().unwrap_or_default();
        let far = self.far.get(bucket).copied().unwrap_or_default();
        let sum = |side: Side| {
            let Plain { minor, count, .. } = near[side as usize];
            Sum::new(far[side as usize], count).plus(Sum::new(minor.into(), 0))
        };
        Ok([sum(Side::Sales)?, sum(Side::Net)?, sum(Side::Activity)?])
    }

    /// The totals of all buckets with a posting.
    ///
    /// # Errors
    /// `Refused` when a sum leaves 128 bits.
    pub(super) fn totals(&self, buckets: &BucketMap) -> Result<ControlTotals> {
        let mut days = Vec::new();
        for (day, bucket) in buckets.ascending() {
            let bucket = bucket as usize;
            let [gross, net, activity] = self.sums(bucket)?;
            let adjusted = self.near.get(bucket).is_some_and(|near| near.iter().any(|plain| plain.rows != 0));
            if gross.count != 0 || adjusted {
                let figures = Figures { net: gross.plus(net)?, gross, activity: gross.plus(activity)? };
                days.push(DayControl { day, figures });
            }
        }
        Ok(ControlTotals { days })
    }
}
