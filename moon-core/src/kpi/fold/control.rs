//! The plain sums that every grouping must add up to.

use super::buckets::{BucketMap, Buckets};
use crate::{ControlTotals, DayControl, Figures, Result, Sum};

/// Sums by bucket, without groups, and deliberately without anything of what the grouped accumulators do: no packing, no
/// dictionaries, one sum for each basis.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    /// Sale postings, which count alike on every basis: 64 bits of each sum, and the number of postings.
    sales: Vec<(i64, i64)>,
    /// What did not fit into those 64 bits.
    carried: Vec<i128>,
    /// What adjustments add to the net figures of the sale's day; `None` without any.
    net: Vec<Option<Sum>>,
    /// What adjustments add to the activity of their own day; `None` without any.
    activity: Vec<Option<Sum>>,
}

impl Control {
    /// Makes room for that many buckets.
    pub(super) fn fit(&mut self, buckets: usize) {
        if buckets > self.sales.len() {
            self.sales.resize(buckets, (0, 0));
            self.carried.resize(buckets, 0);
            self.net.resize(buckets, None);
            self.activity.resize(buckets, None);
        }
    }

    /// Adds the rows of a block; `narrow` says that 64 bits hold any sum of them.
    pub(super) fn add_sales(&mut self, buckets: Buckets<'_>, amounts: &[i64], narrow: bool) -> Result<()> {
        match buckets {
            Buckets::One(bucket) if narrow => {
                self.add(bucket, amounts.iter().sum(), i64::try_from(amounts.len()).unwrap_or(i64::MAX))
            }
            Buckets::One(bucket) => amounts.iter().try_for_each(|amount| self.add(bucket, *amount, 1)),
            Buckets::Each(buckets) => {
                let sums = self.sales.as_mut_slice();
                let fits = |(bucket, amount): &(&u32, &i64)| {
                    let Some((sum, count)) = sums.get_mut(**bucket as usize) else { return true };
                    let (total, rows) = (sum.checked_add(**amount), count.checked_add(1));
                    total.zip(rows).map(|total| (*sum, *count) = total).is_some()
                };
                // What does not fit goes the slower way, with all behind it.
                let fitting = buckets.iter().zip(amounts).take_while(fits).count();
                let rest = buckets.iter().zip(amounts).skip(fitting);
                rest.into_iter().try_for_each(|(bucket, amount)| self.add(*bucket, *amount, 1))
            }
        }
    }

    fn add(&mut self, bucket: u32, amount: i64, rows: i64) -> Result<()> {
        let Some((sum, count)) = self.sales.get_mut(bucket as usize) else { return Ok(()) };
        if let Some((total, rows)) = sum.checked_add(amount).zip(count.checked_add(rows)) {
            (*sum, *count) = (total, rows);
            return Ok(());
        }
        let added = Sum::new(amount.into(), rows).plus(self.sales(bucket as usize)?)?;
        self.set_sales(bucket as usize, added);
        Ok(())
    }

    fn set_sales(&mut self, bucket: usize, total: Sum) {
        if let (Some(sales), Some(carried)) = (self.sales.get_mut(bucket), self.carried.get_mut(bucket)) {
            (*sales, *carried) = ((0, total.count), total.minor);
        }
    }

    fn sales(&self, bucket: usize) -> Result<Sum> {
        let (sum, count) = self.sales.get(bucket).copied().unwrap_or_default();
        Sum::new(sum.into(), count).plus(Sum::new(self.carried.get(bucket).copied().unwrap_or_default(), 0))
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
        for (theirs, own) in bucket_of.iter().enumerate() {
            let total = self.sales(*own as usize)?.plus(other.sales(theirs)?)?;
            self.set_sales(*own as usize, total);
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
            let sales = self.sales(bucket)?;
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
