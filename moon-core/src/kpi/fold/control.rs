//! The plain sums that every grouping must add up to.

use super::buckets::{BucketMap, Buckets, OUTSIDE};
use crate::{ControlTotals, DayControl, Figures, Result, Sum};

/// Sums by bucket, without groups, and deliberately without anything of what the grouped accumulators do: no packing, no
/// dictionaries, one sum for each basis.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    /// Sale postings, which count alike on every basis.
    sales: Vec<Sum>,
    /// What adjustments add to the net figures of the sale's day; `None` without any.
    net: Vec<Option<Sum>>,
    /// What adjustments add to the activity of their own day; `None` without any.
    activity: Vec<Option<Sum>>,
}

impl Control {
    /// Makes room for that many buckets.
    pub(super) fn fit(&mut self, buckets: usize) {
        if buckets > self.sales.len() {
            self.sales.resize(buckets, Sum::ZERO);
            self.net.resize(buckets, None);
            self.activity.resize(buckets, None);
        }
    }

    /// Adds the rows of a block.
    pub(super) fn add_sales(&mut self, buckets: Buckets<'_>, amounts: &[i64]) -> Result<()> {
        match buckets {
            Buckets::One(OUTSIDE) => {}
            Buckets::One(bucket) => {
                let narrow = amounts.iter().try_fold(0_i64, |sum, amount| sum.checked_add(*amount));
                let minor = narrow.map_or_else(|| amounts.iter().map(|amount| i128::from(*amount)).sum(), i128::from);
                let count = i64::try_from(amounts.len()).unwrap_or(i64::MAX);
                if let Some(sum) = self.sales.get_mut(bucket as usize) {
                    *sum = sum.plus(Sum::new(minor, count))?;
                }
            }
            Buckets::Each(buckets) => {
                for (bucket, amount) in buckets.iter().zip(amounts) {
                    if let Some(sum) = self.sales.get_mut(*bucket as usize) {
                        *sum = sum.plus(Sum::new((*amount).into(), 1))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds an adjustment.
    pub(super) fn adjust(&mut self, sale_bucket: u32, own_bucket: u32, sum: Sum) -> Result<()> {
        for (sums, bucket) in [(&mut self.net, sale_bucket), (&mut self.activity, own_bucket)] {
            if let Some(place) = sums.get_mut(bucket as usize) {
                *place = Some(place.unwrap_or_default().plus(sum)?);
            }
        }
        Ok(())
    }

    /// Adds the sums of another; `bucket_of` translates its buckets.
    pub(super) fn merge(&mut self, other: &Self, bucket_of: &[u32]) -> Result<()> {
        for (bucket, sum) in bucket_of.iter().zip(&other.sales) {
            if let Some(own) = self.sales.get_mut(*bucket as usize) {
                *own = own.plus(*sum)?;
            }
        }
        for (own, other) in [(&mut self.net, &other.net), (&mut self.activity, &other.activity)] {
            for (bucket, sum) in bucket_of.iter().zip(other) {
                if let (Some(place), Some(sum)) = (own.get_mut(*bucket as usize), sum) {
                    *place = Some(place.unwrap_or_default().plus(*sum)?);
                }
            }
        }
        Ok(())
    }

    /// The totals of all buckets with a posting.
    pub(super) fn totals(&self, buckets: &BucketMap) -> Result<ControlTotals> {
        let mut days = Vec::new();
        for (day, bucket) in buckets.ascending() {
            let bucket = bucket as usize;
            let sales = self.sales.get(bucket).copied().unwrap_or_default();
            let net = self.net.get(bucket).copied().flatten();
            let activity = self.activity.get(bucket).copied().flatten();
            if sales.count != 0 || net.is_some() || activity.is_some() {
                let figures = Figures {
                    net: sales.plus(net.unwrap_or_default())?,
                    gross: sales,
                    activity: sales.plus(activity.unwrap_or_default())?,
                };
                days.push(DayControl { day, figures });
            }
        }
        Ok(ControlTotals { days })
    }
}
