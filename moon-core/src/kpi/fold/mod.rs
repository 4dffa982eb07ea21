//! The engine: folds postings into sums by bucket and group, in one pass, exactly.
//!
//! Rows are taken in blocks. A block whose rows lie on one day, as nearly all do in day order, adds to one dense row of
//! cells for each dimension; any other block looks up the bucket of each row. Inside, sum and count of a sale share one
//! 64-bit number as long as the magnitudes prove that it cannot overflow; outside, sums have 128 bits and are checked.

mod adjustments;
mod buckets;
mod columns;
mod control;
mod dictionary;
mod merge;
mod mixed;
mod packing;
mod parallel;
mod plan;
mod results;
mod rows;
mod runs;
mod shared_rows;
mod table;
mod tally;

use std::ops::Range;

use self::buckets::{BucketMap, next_block};
use self::columns::{block_of, check_indices, check_lengths};
use self::control::Control;
use self::dictionary::Dictionaries;
use self::merge::Aside;
use self::packing::{Packing, magnitude};
pub use self::parallel::fold_parallel;
pub use self::plan::FoldPlan;
use self::runs::{Run, bits};
use self::shared_rows::{Drained, SharedRows};
use self::table::{Table, shares};
use self::tally::Side;
use crate::{AdjustmentPostings, NewCodes, PostingBatch, PostingColumns, Result};

/// How many dimensions there are.
const DIMENSIONS_MAX: usize = 4;
/// How many rows are checked and added at a time: all their columns stay in the innermost cache.
const BLOCK_ROWS: usize = 512;
/// A column without groups.
const NO_GROUPS: &[u32] = &[0; BLOCK_ROWS];

/// Folds the batches of a scan into [`Totals`](crate::Totals). The result depends neither on the borders of batches, nor on their order
/// (as long as codes come before their use), nor on how they were shared out among folds that are merged.
///
/// Takes 8 to 32 bytes for each pair of bucket and group, whether it has a posting or not: agents are better folded by
/// month.
///
/// ```
/// use moon_core::{DaySet, Dimension, Fold, FoldPlan, NewCodes, PostingBatch, PostingColumns, ProductCode};
///
/// let batch = PostingBatch {
///     new_codes: NewCodes { products: vec![ProductCode::new("Junior")?], ..NewCodes::default() },
///     sales: PostingColumns {
///         day: vec![20_500, 20_500],
///         team: vec![0, 0],
///         branch: vec![0, 0],
///         product: vec![1, 1],
///         agent: vec![0, 0],
///         given: vec![0, 0],
///         amount: vec![150_00, -20_00],
///     },
///     ..PostingBatch::default()
/// };
/// let mut fold = Fold::new(FoldPlan::daily(&[Dimension::Product], DaySet::all()));
/// fold.push(&batch)?;
/// let totals = fold.finish()?;
/// assert_eq!(totals.cells.len(), 1);
/// assert_eq!((totals.cells[0].figures.net.minor, totals.cells[0].figures.net.count), (130_00, 2));
/// # Ok::<(), moon_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fold {
    plan: FoldPlan,
    dictionaries: Dictionaries,
    buckets: BucketMap,
    /// How many buckets there is room for.
    fitted: usize,
    run: Run,
    packing: Packing,
    shared: SharedRows,
    /// Those of merged folds.
    aside: Vec<Aside>,
    tables: Vec<Table>,
    control: Control,
    /// Adjustments that wait.
    waiting: AdjustmentPostings,
    /// Whether any are in the shared rows.
    adjusted: bool,
}

impl Fold {
    /// An empty fold.
    #[must_use]
    pub fn new(mut plan: FoldPlan) -> Self {
        plan.dimensions.sort_unstable();
        plan.dimensions.dedup();
        let tables: Vec<_> = plan.dimensions.iter().copied().map(Table::new).collect();
        Self {
            plan,
            dictionaries: Dictionaries::new(),
            buckets: BucketMap::new(),
            fitted: 0,
            run: Run::new(),
            packing: Packing::new(),
            shared: SharedRows::of_width(tables.len()),
            aside: Vec::new(),
            tables,
            control: Control::default(),
            waiting: AdjustmentPostings::default(),
            adjusted: false,
        }
    }

    /// Adds the postings of a batch.
    ///
    /// # Errors
    /// `Corrupt` for an index without a code, a code brought twice, columns of unequal length or an impossible date;
    /// `Refused` when a sum is too large to be exact. An index without a code and a sum that is too large may also be found
    /// only by a later call, at the latest by [`finish`](Self::finish). The fold is of no use after an error.
    pub fn push(&mut self, batch: &PostingBatch) -> Result<()> {
        self.learn(&batch.new_codes)?;
        self.push_sales(&batch.sales)?;
        self.push_adjustments(&batch.adjustments)
    }

    /// Takes the codes of a batch whose postings another fold of the same scan adds. Batches that bring codes must be
    /// learned or pushed in the order of the scan.
    ///
    /// # Errors
    /// `Corrupt` for a code brought twice; `Refused` after merging a fold that knew other codes.
    pub fn learn(&mut self, new_codes: &NewCodes) -> Result<()> {
        if self.fitted == 0 || *new_codes != NewCodes::default() {
            self.dictionaries.learn(new_codes)?;
            self.make_room()?;
        }
        Ok(())
    }

    fn push_sales(&mut self, sales: &PostingColumns) -> Result<()> {
        check_lengths(sales)?;
        let mut start = 0;
        while let Some(days) = sales.day.get(start..).filter(|days| !days.is_empty()) {
            let (rows, day) = next_block(days);
            let block = start..start + rows;
            start = block.end;
            let added = match day {
                Some(day) => self.add_run(sales, &block, day)?,
                None => false,
            };
            if !added {
                self.add_mixed(sales, &block)?;
            }
        }
        self.flush_run()
    }

    /// Adds a block of one day, as nearly all are in day order; false, and nothing added, when amounts are too large.
    fn add_run(&mut self, sales: &PostingColumns, block: &Range<usize>, day: i32) -> Result<bool> {
        let amounts = sales.amount.get(block.clone()).unwrap_or_default();
        let bucket = self.buckets.bucket(&self.plan, day)?;
        self.fit();
        let mut columns = [&[][..]; DIMENSIONS_MAX];
        let count = self.run.tables().len();
        for (column, number) in columns.iter_mut().zip(self.run.tables()) {
            if let Some(table) = self.tables.get(*number) {
                *column = block_of(sales, table.dimension, block);
            }
        }
        let columns = columns.get(..count).unwrap_or_default();
        if !(self.run.has_room(bucket, amounts.len()) && self.run.add(columns, amounts)) {
            let Some(bits) = bits(amounts) else { return Ok(false) };
            self.flush_run()?;
            self.run.restart(bucket, amounts.len(), bits);
            self.run.add(columns, amounts);
        }
        if self.run.has_unknown() {
            self.check_groups(sales, block)?;
        }
        if count == self.tables.len() {
            return Ok(true);
        }
        let magnitude = magnitude(amounts).unwrap_or_default();
        self.reserve(amounts.len(), magnitude)?;
        let mut buffer = [0; BLOCK_ROWS];
        let values = self.packing.pack(amounts, &mut buffer);
        let many = |number: usize| !self.run.tables().contains(&number);
        for (_, table) in self.tables.iter_mut().enumerate().filter(|(number, _)| many(*number)) {
            let groups = block_of(sales, table.dimension, block);
            check_indices(table.dimension, groups, self.dictionaries.of(table.dimension).scanned())?;
            table.add_packed(&[bucket; BLOCK_ROWS], groups, values);
        }
        Ok(true)
    }

    /// Makes room for rows in the packed cells.
    fn reserve(&mut self, rows: usize, magnitude: u64) -> Result<()> {
        if !self.packing.has_room(rows, magnitude) {
            self.unpack_others()?;
            self.packing.restart(rows, magnitude);
        }
        self.packing.note(rows, magnitude);
        Ok(())
    }

    fn check_groups(&self, postings: &PostingColumns, block: &Range<usize>) -> Result<()> {
        self.tables.iter().try_for_each(|table| {
            let codes = self.dictionaries.of(table.dimension).scanned();
            check_indices(table.dimension, block_of(postings, table.dimension, block), codes)
        })
    }

    /// Makes room for the groups of all codes.
    fn make_room(&mut self) -> Result<()> {
        // What was added so far may name the codes so far, and no others.
        self.flush_run()?;
        self.check_shared()?;
        let groups = |table: &Table| self.dictionaries.of(table.dimension).codes().len();
        if self.tables.iter().all(|table| table.shares() == shares(groups(table))) {
            self.choose_tables();
            self.fitted = 0;
            self.fit();
        } else {
            self.unpack()?;
            self.refit();
        }
        Ok(())
    }

    /// Shares rows out anew, all of which must be empty.
    fn refit(&mut self) {
        self.choose_tables();
        let groups = self.tables.iter().map(|table| self.dictionaries.of(table.dimension).codes().len());
        self.shared = SharedRows::of_width(groups.filter(|groups| shares(*groups)).count());
        self.fitted = 0;
        self.fit();
    }

    fn choose_tables(&mut self) {
        self.run.choose(self.tables.iter().map(|table| self.dictionaries.of(table.dimension).codes().len()));
    }

    /// Makes room for all buckets.
    fn fit(&mut self) {
        if self.fitted == self.buckets.len() {
            return;
        }
        self.fitted = self.buckets.len();
        self.control.fit(self.buckets.len());
        for table in &mut self.tables {
            let dictionary = self.dictionaries.of(table.dimension);
            table.fit(self.buckets.len(), dictionary.codes().len(), dictionary.scanned());
        }
        self.shared.rows_mut().fit(self.buckets.len());
    }

    /// Moves what waits to the accumulators of its bucket, and checks what they were added to.
    fn settle(&mut self) -> Result<()> {
        self.flush_run()?;
        self.adjust_waiting()?;
        self.unpack_others()?;
        self.check_shared()
    }

    /// Moves everything into the tables, also what is in shared rows.
    fn unpack(&mut self) -> Result<()> {
        self.settle()?;
        self.unpack_aside()?;
        self.unpack_adjustments()?;
        let (tables, control) = (&mut self.tables, &mut self.control);
        self.shared.rows_mut().drain(Side::Sales, 0..u32::MAX, &mut |drained| unpack(drained, tables, control))
    }

    fn flush_run(&mut self) -> Result<()> {
        self.run.flush(&mut self.tables, &mut self.shared, &mut self.control)
    }

    /// `Corrupt` when something was added in shared rows to a group that has no code.
    fn check_shared(&self) -> Result<()> {
        let mut sharing = self.tables.iter().filter(|table| table.shares()).enumerate();
        sharing.try_for_each(|(part, table)| self.shared.rows().check(part, table.dimension, table.scanned()))
    }

    /// Moves what tables of many groups have packed into their exact sums.
    fn unpack_others(&mut self) -> Result<()> {
        if !self.packing.is_empty() {
            for table in &mut self.tables {
                table.unpack(self.packing.count_bits())?;
            }
            self.packing = Packing::new();
        }
        Ok(())
    }
}

/// Moves the sums of a shared row into the tables.
fn unpack(drained: Drained<'_>, tables: &mut [Table], control: &mut Control) -> Result<()> {
    let Drained { bucket, side, plain, parts } = drained;
    control.add(bucket, side, plain, plain.minor.unsigned_abs())?;
    let mut sharing = tables.iter_mut().filter(|table| table.shares()).zip(parts);
    sharing.try_for_each(|(table, cells)| {
        table.check(cells)?;
        table.add_small_row(bucket, side, cells)
    })
}

/// Lengthens a list of accumulators, and makes room for four times as many, and for `least` at any rate: days arrive one by
/// one, and memory that waits untouched costs less than moving what is there.
fn lengthen<T: Clone>(list: &mut Vec<T>, length: usize, least: usize, empty: T) {
    if length > list.capacity() {
        list.reserve_exact(length.saturating_mul(4).max(least) - list.len());
    }
    if length > list.len() {
        list.resize(length, empty);
    }
}
