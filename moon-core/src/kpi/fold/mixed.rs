//! Rows of several days.

use std::ops::Range;

use super::columns::block_of;
use super::control::Plain;
use super::packing::magnitude;
use super::shared_rows::MixedBlock;
use super::tally::Side;
use super::{BLOCK_ROWS, DIMENSIONS_MAX, Fold, NO_GROUPS, unpack};
use crate::{PostingColumns, Result};

impl Fold {
    /// Adds a block of several days: at once if nothing is in the way, as nearly always.
    pub(super) fn add_mixed(&mut self, sales: &PostingColumns, block: &Range<usize>) -> Result<()> {
        let mut rest = block.clone();
        while !rest.is_empty() {
            rest.start += self.add_shared(sales, &rest)?;
            if !rest.is_empty() {
                rest.start += self.overcome(sales, &rest)?;
            }
        }
        Ok(())
    }

    /// At most [`BLOCK_ROWS`] postings with their groups in the dimensions that share their rows.
    pub(super) fn mixed_block<'p>(&self, postings: &'p PostingColumns, block: &Range<usize>) -> MixedBlock<'p> {
        // Without a dimension of few groups, all rows are of one.
        let mut groups = [NO_GROUPS.get(..block.len()).unwrap_or_default(); DIMENSIONS_MAX];
        let sharing = self.tables.iter().filter(|table| table.shares());
        for (column, table) in groups.iter_mut().zip(sharing) {
            *column = block_of(postings, table.dimension, block);
        }
        let days = postings.day.get(block.clone()).unwrap_or_default();
        MixedBlock { days, groups, amounts: postings.amount.get(block.clone()).unwrap_or_default() }
    }

    /// Adds the first rows of a block, up to one that something is in the way of, and returns how many they were.
    fn add_shared(&mut self, sales: &PostingColumns, block: &Range<usize>) -> Result<usize> {
        let days = sales.day.get(block.clone()).unwrap_or_default();
        let amounts = sales.amount.get(block.clone()).unwrap_or_default();
        let sharing = self.mixed_block(sales, block);
        let rows = self.shared.rows_mut().add_sales(&sharing, self.buckets.days());
        if rows > 0 && self.tables.iter().any(|table| !table.shares()) {
            let days = days.get(..rows).unwrap_or_default();
            self.add_to_others(
                sales,
                &(block.start..block.start + rows),
                days,
                amounts.get(..rows).unwrap_or_default(),
            )?;
        }
        Ok(rows)
    }

    /// Adds rows to the tables of many groups.
    fn add_to_others(
        &mut self,
        sales: &PostingColumns,
        block: &Range<usize>,
        days: &[i32],
        amounts: &[i64],
    ) -> Result<()> {
        let (mut buckets, mut values) = ([0; BLOCK_ROWS], [0; BLOCK_ROWS]);
        let buckets = self.buckets.find(&self.plan, days, &mut buckets)?;
        self.check_groups(sales, block)?;
        let Some(magnitude) = magnitude(amounts) else {
            let mut others = self.tables.iter_mut().filter(|table| !table.shares());
            return others
                .try_for_each(|table| table.add_large(buckets, block_of(sales, table.dimension, block), amounts));
        };
        self.reserve(amounts.len(), magnitude)?;
        let values = self.packing.pack(amounts, &mut values);
        for table in self.tables.iter_mut().filter(|table| !table.shares()) {
            table.add_packed(buckets, block_of(sales, table.dimension, block), values);
        }
        Ok(())
    }

    /// Deals with what is in the way of the first row of a block, and returns how many rows it has added itself.
    fn overcome(&mut self, sales: &PostingColumns, block: &Range<usize>) -> Result<usize> {
        let days = sales.day.get(block.clone()).unwrap_or_default();
        let mut buffer = [0; BLOCK_ROWS];
        if !days.first().is_some_and(|day| self.buckets.knows(*day)) {
            self.buckets.find(&self.plan, days, &mut buffer)?;
            self.fit();
            return Ok(0);
        }
        let row = block.start..block.start + 1;
        self.check_groups(sales, &row)?;
        let buckets = self.buckets.find(&self.plan, days.get(..1).unwrap_or_default(), &mut buffer)?;
        // What is in the way now is what was added before, or the size of the amount.
        let bucket = buckets.first().copied().unwrap_or_default();
        let (tables, control) = (&mut self.tables, &mut self.control);
        let mut emptied = false;
        self.shared.rows_mut().drain(Side::Sales, bucket..bucket.saturating_add(1), &mut |drained| {
            emptied = true;
            unpack(drained, tables, control)
        })?;
        if emptied {
            return Ok(0);
        }
        let amounts = sales.amount.get(row.clone()).unwrap_or_default();
        for (bucket, amount) in buckets.iter().zip(amounts) {
            let sum = Plain { minor: *amount, count: 1, rows: 0 };
            self.control.add(*bucket, Side::Sales, sum, amount.unsigned_abs())?;
        }
        for table in &mut self.tables {
            table.add_large(buckets, block_of(sales, table.dimension, &row), amounts)?;
        }
        Ok(1)
    }
}
