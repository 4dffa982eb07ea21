//! The plain sums that every grouping must add up to.

use super::buckets::BucketMap;
use super::table::Placed;
use crate::{ControlTotals, DayControl, Figures, Result, Sum};

/// No sum of magnitudes up to this one leaves 64 bits.
const BOUND_MAX: u64 = u64::MAX >> 2;

/// Sums by bucket, without groups, and deliberately without anything of what the grouped accumulators do: no packing, no
/// dictionaries, amounts and counts apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    /// By bucket: sale postings, which count alike on every basis; 64 bits of each sum.
    sales: Vec<PlainSales>,
    /// By bucket: adjustments; 64 bits of each sum.
    adjusted: Vec<PlainAdjustments>,
    /// By bucket: what did not fit into those.
    far: Vec<[i128; 3]>,
    /// An upper bound of the magnitude of any near sum.
    bound: u64,
}

/// The sale postings of a bucket.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PlainSales {
    pub(super) minor: i64,
    pub(super) count: i64,
}

/// What adjustments add to the net figures of the sale's day, and to the activity of their own.
#[derive(Debug, Clone, Copy, Default)]
struct PlainAdjustments {
    minor: [i64; 2],
    count: [i64; 2],
    rows: u64,
}

const NET: usize = 0;
const ACTIVITY: usize = 1;

impl Control {
    /// Makes room for that many buckets.
    pub(super) fn fit(&mut self, buckets: usize) {
        if buckets > self.sales.len() {
            self.sales.resize(buckets, PlainSales::default());
            self.adjusted.resize(buckets, PlainAdjustments::default());
            self.far.resize(buckets, [0; 3]);
        }
    }

    /// Adds to the sum of a bucket; `magnitude` is a bound of the sum of the amounts' magnitudes.
    pub(super) fn add_run(&mut self, bucket: u32, sum: PlainSales, magnitude: u64) {
        self.make_room(magnitude);
        if let Some(plain) = self.sales.get_mut(bucket as usize) {
            plain.minor = plain.minor.wrapping_add(sum.minor);
            plain.count += sum.count;
        }
    }

    /// The sums of sales by bucket, to which may be added what is then noted; there is room for one block.
    pub(super) fn sales_mut(&mut self) -> &mut [PlainSales] {
        &mut self.sales
    }

    /// Takes note of what was added to [`sales_mut`](Self::sales_mut), by the sum of its magnitudes.
    pub(super) fn note(&mut self, magnitude: u64) {
        self.make_room(magnitude);
        self.make_room(0);
    }

    /// Adds rows of any size one by one.
    pub(super) fn add_large(&mut self, buckets: &[u32], amounts: &[i64]) {
        for (bucket, amount) in buckets.iter().zip(amounts) {
            self.add_run(*bucket, PlainSales { minor: *amount, count: 1 }, amount.unsigned_abs());
        }
    }

    /// Adds adjustments.
    pub(super) fn adjust(&mut self, adjustments: &[Placed]) {
        for adjustment in adjustments {
            self.make_room(adjustment.amount.unsigned_abs());
            for (side, bucket) in [(NET, adjustment.sale_bucket), (ACTIVITY, adjustment.own_bucket)] {
                if let Some(plain) = self.adjusted.get_mut(bucket as usize) {
                    plain.minor[side] = plain.minor[side].wrapping_add(adjustment.amount);
                    plain.count[side] += i64::from(adjustment.count);
                    plain.rows += 1;
                }
            }
        }
    }

    /// Makes sure that amounts of that magnitude can be added to any 64-bit sum.
    fn make_room(&mut self, magnitude: u64) {
        self.bound = self.bound.saturating_add(magnitude);
        if self.bound > BOUND_MAX {
            self.bound = magnitude;
            for ((sales, adjusted), far) in self.sales.iter_mut().zip(&mut self.adjusted).zip(&mut self.far) {
                let [net, activity] = &mut adjusted.minor;
                for (near, far) in [&mut sales.minor, net, activity].into_iter().zip(far) {
                    *far = far.wrapping_add(i128::from(std::mem::take(near)));
                }
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
            let [mut sales, mut net, mut activity] = self.sums(own)?;
            let [their_sales, their_net, their_activity] = other.sums(theirs)?;
            (sales, net, activity) = (sales.plus(their_sales)?, net.plus(their_net)?, activity.plus(their_activity)?);
            let rows = self.rows(own).saturating_add(other.rows(theirs));
            let places = self.sales.get_mut(own).zip(self.adjusted.get_mut(own)).zip(self.far.get_mut(own));
            if let Some(((near, adjusted), far)) = places {
                *near = PlainSales { minor: 0, count: sales.count };
                *adjusted = PlainAdjustments { minor: [0; 2], count: [net.count, activity.count], rows };
                *far = [sales.minor, net.minor, activity.minor];
            }
        }
        Ok(())
    }

    /// What sales add on every basis, and adjustments to net and activity.
    fn sums(&self, bucket: usize) -> Result<[Sum; 3]> {
        let far = self.far.get(bucket).copied().unwrap_or_default();
        let sales = self.sales.get(bucket).copied().unwrap_or_default();
        let adjusted = self.adjusted.get(bucket).copied().unwrap_or_default();
        let sum = |far: i128, near: i64, count: i64| Sum::new(far, count).plus(Sum::new(near.into(), 0));
        Ok([
            sum(far[0], sales.minor, sales.count)?,
            sum(far[1], adjusted.minor[NET], adjusted.count[NET])?,
            sum(far[2], adjusted.minor[ACTIVITY], adjusted.count[ACTIVITY])?,
        ])
    }

    /// How many adjustments touch a bucket.
    fn rows(&self, bucket: usize) -> u64 {
        self.adjusted.get(bucket).map_or(0, |adjusted| adjusted.rows)
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
            if gross.count != 0 || self.rows(bucket) != 0 {
                let figures = Figures { net: gross.plus(net)?, gross, activity: gross.plus(activity)? };
                days.push(DayControl { day, figures });
            }
        }
        Ok(ControlTotals { days })
    }
}
