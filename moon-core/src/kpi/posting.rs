//! Postings as columns.

use crate::{AgentCode, BranchCode, ProductCode, TeamCode};

/// The dictionary index of what is not assigned: no team, no branch, no agent. Codes start behind it.
pub const UNASSIGNED_INDEX: u32 = 0;
/// Bit of [`PostingColumns::given`]: the source gave the team.
pub const GIVEN_TEAM: u8 = 1;
/// Bit of [`PostingColumns::given`]: the source gave the branch.
pub const GIVEN_BRANCH: u8 = 2;

/// Some postings of a scan. Sale postings and adjustments stand apart, since a sale's posting always lies on the sale's
/// own day and counts one, which spares the engine two columns for nearly every row.
///
/// Codes are dictionary indices. The dictionaries belong to the scan and only grow: index 0 of each means not assigned,
/// and the codes in `new_codes` take the next free indices in their order. An index is first used in the batch that
/// brings its code, or later.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PostingBatch {
    /// Codes that appear for the first time.
    pub new_codes: NewCodes,
    /// The postings of sales themselves, ascending by day within the scan.
    pub sales: PostingColumns,
    /// Cancellations and reinstatements, ascending by the sale's day within the scan.
    pub adjustments: AdjustmentPostings,
}

impl PostingBatch {
    /// How many postings it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sales.len() + self.adjustments.postings.len()
    }

    /// Whether it holds no posting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Codes in the order of their indices, behind those that came before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewCodes {
    /// Teams.
    pub teams: Vec<TeamCode>,
    /// Branches.
    pub branches: Vec<BranchCode>,
    /// Products.
    pub products: Vec<ProductCode>,
    /// Agents.
    pub agents: Vec<AgentCode>,
}

/// Columns of one length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PostingColumns {
    /// The sale's date, in days since 1970-01-01.
    pub day: Vec<i32>,
    /// Index of the team as sold.
    pub team: Vec<u32>,
    /// Index of the branch as sold.
    pub branch: Vec<u32>,
    /// Index of the product.
    pub product: Vec<u32>,
    /// Index of the agent.
    pub agent: Vec<u32>,
    /// Which places the source gave: [`GIVEN_TEAM`] and [`GIVEN_BRANCH`].
    pub given: Vec<u8>,
    /// Signed minor units.
    pub amount: Vec<i64>,
}

impl PostingColumns {
    /// How many postings it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.amount.len()
    }

    /// Whether it holds no posting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.amount.is_empty()
    }
}

/// Adjustments: two columns more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdjustmentPostings {
    /// Where and how much.
    pub postings: PostingColumns,
    /// The adjustment's own date, in days since 1970-01-01.
    pub own_day: Vec<i32>,
    /// −1, 0 or +1.
    pub count: Vec<i8>,
}
