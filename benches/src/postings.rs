//! Postings of a sales force in memory.

use moon_core::{
    AdjustmentPostings, AgentCode, BranchCode, Code, CodeKind, NewCodes, PostingBatch, PostingColumns, ProductCode,
    Result, TeamCode,
};

/// As stores hand them out.
const BATCH_ROWS: usize = 65_536;
const TEAMS: u32 = 40;
const BRANCHES: u32 = 25;
const PRODUCTS: u32 = 30;
const AGENTS: u32 = 2_000;
/// 2024-01-01, in days since 1970-01-01, and the days of 24 months.
const FIRST_DAY: i32 = 19_723;
const DAYS: i32 = 731;
/// One posting in so many is a cancellation.
const ADJUSTMENT_EVERY: usize = 50;

/// In which order the postings lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Ascending by day, as a store scans them.
    Day,
    /// Any day next to any other.
    Random,
}

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct PostingShape {
    /// How many postings, cancellations included.
    pub rows: usize,
    /// In which order.
    pub order: Order,
}

/// Postings of 24 months, 40 teams, 25 branches, 30 products and 2,000 agents of whom a few sell most; one in fifty is a
/// cancellation some weeks later. The same shape always gives the same postings.
///
/// # Errors
/// `InvalidInput` never, as the codes are good ones.
pub fn postings(shape: PostingShape) -> Result<Vec<PostingBatch>> {
    let mut random = SplitMix(0x6d6f_6f6e);
    let mut batches = Vec::with_capacity(shape.rows / BATCH_ROWS + 1);
    let mut codes = Some(new_codes()?);
    for start in (0..shape.rows).step_by(BATCH_ROWS) {
        let mut batch = PostingBatch { new_codes: codes.take().unwrap_or_default(), ..PostingBatch::default() };
        for row in start..shape.rows.min(start + BATCH_ROWS) {
            let day = match shape.order {
                Order::Day => {
                    i32::try_from(row * usize::try_from(DAYS).unwrap_or(0) / shape.rows).unwrap_or(0) + FIRST_DAY
                }
                Order::Random => i32::try_from(random.below(DAYS.unsigned_abs())).unwrap_or(0) + FIRST_DAY,
            };
            if row % ADJUSTMENT_EVERY == 0 {
                let adjustments: &mut AdjustmentPostings = &mut batch.adjustments;
                random.sale(day, &mut adjustments.postings);
                if let Some(amount) = adjustments.postings.amount.last_mut() {
                    *amount = -*amount;
                }
                adjustments.own_day.push(day + i32::try_from(random.below(60)).unwrap_or(0));
                adjustments.count.push(-1);
            } else {
                random.sale(day, &mut batch.sales);
            }
        }
        batches.push(batch);
    }
    Ok(batches)
}

fn new_codes() -> Result<NewCodes> {
    fn codes<K: CodeKind>(prefix: &str, count: u32) -> Result<Vec<Code<K>>> {
        (1..=count).map(|number| Code::new(&format!("{prefix}{number:04}"))).collect()
    }
    let teams: Vec<TeamCode> = codes("TEAM", TEAMS)?;
    let branches: Vec<BranchCode> = codes("BR", BRANCHES)?;
    let products: Vec<ProductCode> = codes("PRD", PRODUCTS)?;
    let agents: Vec<AgentCode> = codes("AGT", AGENTS)?;
    Ok(NewCodes { teams, branches, products, agents })
}

/// A generator of good numbers in three lines; see Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators" (2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u32) -> u32 {
        let wide = (self.next() >> 32) * u64::from(limit);
        u32::try_from(wide >> 32).unwrap_or(0)
    }

    /// Small numbers far oftener than large ones.
    fn skewed_below(&mut self, limit: u32) -> u32 {
        let first = self.below(limit) + 1;
        self.below(first)
    }

    fn sale(&mut self, day: i32, into: &mut PostingColumns) {
        let agent = self.skewed_below(AGENTS);
        // An agent's own team and branch, save for the few who have moved.
        let moved = u32::from(self.below(10) == 0);
        into.day.push(day);
        into.team.push((agent + moved) % TEAMS + 1);
        into.branch.push((agent / 3 + moved) % BRANCHES + 1);
        into.product.push(self.skewed_below(PRODUCTS) + 1);
        into.agent.push(agent + 1);
        into.given.push(0);
        // From 10.00 to some 330,000.00, most of them below 30,000.00; one in a hundred negative.
        let amount = (1_000 + i64::from(self.below(32_000))) << self.below(11);
        into.amount.push(if self.below(100) == 0 { -amount } else { amount });
    }
}
