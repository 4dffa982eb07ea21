//! The engine: folds postings into sums by bucket and group, in one pass, exactly.
//!
//! Rows are taken in blocks. A block whose rows lie on one day, as nearly all do in day order, adds to one dense row of
//! cells for each dimension; any other block looks up the bucket of each row. Inside, sum and count of a sale share one
//! 64-bit number as long as the magnitudes prove that it cannot overflow; outside, sums have 128 bits and are checked.

mod buckets;
mod control;
mod dictionary;
mod packing;
mod parallel;
mod run;
mod table;

use std::ops::Range;

use self::buckets::{BucketMap, Buckets, block_length};
use self::control::Control;
use self::dictionary::Dictionary;
use self::packing::{Packing, magnitude};
pub use self::parallel::fold_parallel;
use self::run::{RUN_DIMENSIONS_MAX, Run};
use self::table::Table;
use crate::{
    AdjustmentPostings, Calendar, Cell, DaySet, Dimension, Error, ErrorKind, Granularity, NewCodes, PostingBatch,
    PostingColumns, Result, Sum, Totals,
};

/// How many rows are checked and added at a time: all their columns stay in the innermost cache.
const BLOCK_ROWS: usize = 256;

/// What to sum, and into which buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldPlan {
    /// Grouped by what; a repeated dimension counts once. None at all leaves the control totals.
    pub dimensions: Vec<Dimension>,
    /// The wanted days. A posting's sale's day decides for gross and net, its own day for activity.
    pub days: DaySet,
    /// The length of a bucket. [`Cell::day`] is its first day, also where that is not a wanted one.
    pub granularity: Granularity,
    /// Cuts time into buckets.
    pub calendar: Calendar,
}

impl FoldPlan {
    /// By day.
    #[must_use]
    pub fn daily(dimensions: &[Dimension], days: DaySet) -> Self {
        Self { dimensions: dimensions.to_vec(), days, granularity: Granularity::Day, calendar: Calendar::default() }
    }

    /// All wanted days in one bucket.
    #[must_use]
    pub fn whole(dimensions: &[Dimension], days: DaySet) -> Self {
        Self { granularity: Granularity::All, ..Self::daily(dimensions, days) }
    }
}

/// Folds the batches of a scan into [`Totals`]. The result depends neither on the borders of batches, nor on their order
/// (as long as codes come before their use), nor on how they were shared out among folds that are merged.
///
/// Takes 40 bytes for each pair of bucket and group, whether it has a posting or not: agents are better folded by month.
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
    packing: Packing,
    run: Run,
    tables: Vec<Table>,
    control: Control,
}

impl Fold {
    /// An empty fold.
    #[must_use]
    pub fn new(mut plan: FoldPlan) -> Self {
        plan.dimensions.sort_unstable();
        plan.dimensions.dedup();
        let tables = plan.dimensions.iter().copied().map(Table::new).collect();
        Self {
            plan,
            dictionaries: Dictionaries::new(),
            buckets: BucketMap::new(),
            packing: Packing::new(),
            run: Run::new(),
            tables,
            control: Control::default(),
        }
    }

    /// Adds the postings of a batch.
    ///
    /// # Errors
    /// `Corrupt` for an index without a code, a code brought twice, columns of unequal length or an impossible date;
    /// `Refused` when a sum is too large to be exact. The fold is of no use after an error.
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
        // A dimension may grow out of the run.
        self.settle_run();
        self.dictionaries.learn(new_codes)?;
        self.fit();
        Ok(())
    }

    /// Adds what another fold has summed, of this scan or another one.
    ///
    /// # Errors
    /// `InvalidInput` when it has another plan; `Refused` when a sum is too large to be exact.
    pub fn merge(&mut self, mut other: Self) -> Result<()> {
        if self.plan != other.plan {
            return Err(Error::invalid("folds of different plans cannot be merged"));
        }
        self.unpack()?;
        other.unpack()?;
        let mut bucket_of = vec![buckets::OUTSIDE; other.buckets.len()];
        for (day, bucket) in other.buckets.ascending() {
            if let Some(own) = bucket_of.get_mut(bucket as usize) {
                *own = self.buckets.starting(day)?;
            }
        }
        self.control.fit(self.buckets.len());
        self.control.merge(&other.control, &bucket_of)?;
        for (table, other_table) in self.tables.iter_mut().zip(&other.tables) {
            let dictionary = self.dictionaries.of_mut(table.dimension);
            let codes = other.dictionaries.of(table.dimension).codes();
            let group_of = codes.iter().map(|code| dictionary.intern(code)).collect::<Result<Vec<_>>>()?;
            table.fit(self.buckets.len(), dictionary.codes().len());
            table.merge(other_table, &bucket_of, &group_of)?;
        }
        Ok(())
    }

    /// The sums.
    ///
    /// # Errors
    /// `Refused` when a sum is too large to be exact.
    pub fn finish(mut self) -> Result<Totals> {
        self.unpack()?;
        let mut cells = Vec::with_capacity(self.tables.iter().map(Table::groups).sum());
        for table in &self.tables {
            let groups = self.dictionaries.of(table.dimension).ascending();
            for (day, bucket) in self.buckets.ascending() {
                for (group, code) in &groups {
                    if let Some(figures) = table.figures(bucket, *group)? {
                        cells.push(Cell { dimension: table.dimension, day, code: (*code).clone(), figures });
                    }
                }
            }
        }
        Ok(Totals { cells, control: self.control.totals(&self.buckets)? })
    }

    fn push_sales(&mut self, sales: &PostingColumns) -> Result<()> {
        check_lengths(sales)?;
        let mut bucket_buffer = [0; BLOCK_ROWS];
        let mut start = 0;
        while let Some(days) = sales.day.get(start..).filter(|days| !days.is_empty()) {
            let block = start..start + block_length(days);
            start = block.end;
            let days = sales.day.get(block.clone()).unwrap_or_default();
            let amounts = sales.amount.get(block.clone()).unwrap_or_default();
            let buckets = self.buckets.find(&self.plan, days, &mut bucket_buffer)?;
            self.fit();
            let magnitude = magnitude(amounts);
            self.control.add_sales(buckets, amounts, magnitude.is_some())?;
            match magnitude {
                Some(magnitude) => self.add_packed(sales, block.clone(), buckets, amounts, magnitude)?,
                None => {
                    for table in &mut self.tables {
                        let groups = column(sales, table.dimension).get(block.clone()).unwrap_or_default();
                        check_indices(table.dimension, groups, self.dictionaries.of(table.dimension).scanned())?;
                        add_large(table, buckets, groups, amounts)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds a block whose sums fit into 64 bits.
    fn add_packed(
        &mut self,
        sales: &PostingColumns,
        block: Range<usize>,
        buckets: Buckets<'_>,
        amounts: &[i64],
        magnitude: u64,
    ) -> Result<()> {
        if !self.packing.has_room(amounts.len(), magnitude) {
            self.unpack()?;
            self.packing.restart(amounts.len(), magnitude);
        }
        self.packing.note(buckets, amounts.len(), magnitude);
        let run = match (buckets, amounts.as_array::<BLOCK_ROWS>()) {
            (Buckets::One(bucket), Some(amounts)) => Some((bucket, amounts)),
            _ => None,
        };
        if let Some((bucket, amounts)) = run {
            if self.run.bucket() != bucket {
                self.settle_run();
            }
            let mut groups = [&[0; BLOCK_ROWS]; RUN_DIMENSIONS_MAX];
            let narrow = self.tables.iter().filter(|table| table.is_narrow());
            let columns = narrow.filter_map(|table| column(sales, table.dimension).get(block.clone())?.as_array());
            let dimensions = groups.iter_mut().zip(columns).map(|(place, groups)| *place = groups).count();
            let groups = groups.get(..dimensions).unwrap_or_default();
            self.run.add(bucket, groups, amounts, self.packing.count_bits());
        }
        let mut value_buffer = [0; BLOCK_ROWS];
        let mut values: &[i64] = &[];
        for table in &mut self.tables {
            let groups = column(sales, table.dimension).get(block.clone()).unwrap_or_default();
            // After the run has read them: it waits for memory anyway, and now they are near.
            check_indices(table.dimension, groups, self.dictionaries.of(table.dimension).scanned())?;
            if run.is_none() || !table.is_narrow() {
                if values.is_empty() {
                    values = self.packing.pack(amounts, &mut value_buffer);
                }
                table.add_packed(buckets, groups, values);
            }
        }
        Ok(())
    }

    fn push_adjustments(&mut self, adjustments: &AdjustmentPostings) -> Result<()> {
        let postings = &adjustments.postings;
        check_lengths(postings)?;
        if [adjustments.own_day.len(), adjustments.count.len()] != [postings.len(); 2] {
            return Err(unequal_lengths());
        }
        let mut places = Vec::with_capacity(postings.len());
        let counts = postings.amount.iter().zip(&adjustments.count);
        for ((day, own_day), (amount, count)) in postings.day.iter().zip(&adjustments.own_day).zip(counts) {
            let sale_bucket = self.buckets.bucket(&self.plan, *day)?;
            let own_bucket = self.buckets.bucket(&self.plan, *own_day)?;
            places.push((sale_bucket, own_bucket, Sum::new((*amount).into(), (*count).into())));
        }
        self.fit();
        for (sale_bucket, own_bucket, sum) in &places {
            self.control.adjust(*sale_bucket, *own_bucket, *sum)?;
        }
        for table in &mut self.tables {
            let groups = column(postings, table.dimension);
            check_indices(table.dimension, groups, self.dictionaries.of(table.dimension).scanned())?;
            for (group, (sale_bucket, own_bucket, sum)) in groups.iter().zip(&places) {
                table.adjust(*sale_bucket, *own_bucket, *group, *sum)?;
            }
        }
        Ok(())
    }

    /// Makes room for all buckets and groups.
    fn fit(&mut self) {
        self.control.fit(self.buckets.len());
        for table in &mut self.tables {
            table.fit(self.buckets.len(), self.dictionaries.of(table.dimension).codes().len());
        }
    }

    /// Moves what the run has added to the tables.
    fn settle_run(&mut self) {
        let bucket = self.run.bucket();
        let rows = self.run.take();
        if bucket != buckets::OUTSIDE {
            for (table, row) in self.tables.iter_mut().filter(|table| table.is_narrow()).zip(&rows) {
                table.add_run(bucket, row);
            }
        }
    }

    /// Moves everything into the exact sums.
    fn unpack(&mut self) -> Result<()> {
        self.settle_run();
        for table in &mut self.tables {
            table.unpack(&self.packing)?;
        }
        self.packing = Packing::new();
        Ok(())
    }
}

/// The dictionaries of a scan.
#[derive(Debug, Clone)]
struct Dictionaries {
    teams: Dictionary,
    branches: Dictionary,
    products: Dictionary,
    agents: Dictionary,
}

impl Dictionaries {
    fn new() -> Self {
        let empty = Dictionary::new();
        Self { teams: empty.clone(), branches: empty.clone(), products: empty.clone(), agents: empty }
    }

    fn learn(&mut self, new_codes: &NewCodes) -> Result<()> {
        self.teams.learn(&new_codes.teams)?;
        self.branches.learn(&new_codes.branches)?;
        self.products.learn(&new_codes.products)?;
        self.agents.learn(&new_codes.agents)
    }

    fn of(&self, dimension: Dimension) -> &Dictionary {
        match dimension {
            Dimension::Team => &self.teams,
            Dimension::Branch => &self.branches,
            Dimension::Product => &self.products,
            Dimension::Agent => &self.agents,
        }
    }

    fn of_mut(&mut self, dimension: Dimension) -> &mut Dictionary {
        match dimension {
            Dimension::Team => &mut self.teams,
            Dimension::Branch => &mut self.branches,
            Dimension::Product => &mut self.products,
            Dimension::Agent => &mut self.agents,
        }
    }
}

fn column(postings: &PostingColumns, dimension: Dimension) -> &[u32] {
    match dimension {
        Dimension::Team => &postings.team,
        Dimension::Branch => &postings.branch,
        Dimension::Product => &postings.product,
        Dimension::Agent => &postings.agent,
    }
}

fn check_lengths(postings: &PostingColumns) -> Result<()> {
    let PostingColumns { day, team, branch, product, agent, given, amount } = postings;
    let lengths = [day.len(), team.len(), branch.len(), product.len(), agent.len(), given.len()];
    if lengths == [amount.len(); 6] { Ok(()) } else { Err(unequal_lengths()) }
}

fn unequal_lengths() -> Error {
    Error::new(ErrorKind::Corrupt, "batch has columns of unequal length")
}

fn check_indices(dimension: Dimension, groups: &[u32], codes: usize) -> Result<()> {
    // Whether any index lies above the last one, without a branch for each: its sign bit is set, or the difference's is.
    let last = u32::try_from(codes.saturating_sub(1)).unwrap_or(u32::MAX);
    let signs = groups.iter().fold(0, |signs, group| signs | last.wrapping_sub(*group) | group);
    if signs <= u32::MAX >> 1 && last <= u32::MAX >> 1 {
        return Ok(());
    }
    let highest = groups.iter().fold(0, |highest, group| highest.max(*group));
    Err(Error::new(ErrorKind::Corrupt, "posting has an index without a code")
        .with("dimension", dimension.name())
        .with("index", highest)
        .with("codes", codes))
}

fn add_large(table: &mut Table, buckets: Buckets<'_>, groups: &[u32], amounts: &[i64]) -> Result<()> {
    for (row, (group, amount)) in groups.iter().zip(amounts).enumerate() {
        let bucket = match buckets {
            Buckets::One(bucket) => bucket,
            Buckets::Each(buckets) => buckets.get(row).copied().unwrap_or(buckets::OUTSIDE),
        };
        table.add_large(bucket, *group, *amount)?;
    }
    Ok(())
}
