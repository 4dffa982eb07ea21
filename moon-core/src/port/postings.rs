//! Postings for the engine.

use async_trait::async_trait;
use futures_core::stream::BoxStream;

use crate::{AgentCode, BranchCode, DaySet, Dimension, PostingBatch, ProductCode, Result, SaleKind, TeamCode, Totals};

/// Which postings. Absent parts match all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingFilter {
    /// Postings whose sale's day or whose own day lies in it.
    pub days: DaySet,
    /// Of these agents.
    pub agents: Option<Vec<AgentCode>>,
    /// Of these products.
    pub products: Option<Vec<ProductCode>>,
    /// Of these teams as sold.
    pub teams: Option<Vec<TeamCode>>,
    /// Of these branches as sold.
    pub branches: Option<Vec<BranchCode>>,
    /// Of sales of these kinds.
    pub kinds: Option<Vec<SaleKind>>,
    /// Whether the reader does not look at agents and given places. A store may then leave them at
    /// [`UNASSIGNED_INDEX`](crate::UNASSIGNED_INDEX) and 0, which spares it two columns of each row.
    pub without_agents: bool,
}

impl PostingFilter {
    /// All postings that touch these days.
    #[must_use]
    pub fn days(days: DaySet) -> Self {
        Self { days, agents: None, products: None, teams: None, branches: None, kinds: None, without_agents: false }
    }
}

impl Default for PostingFilter {
    fn default() -> Self {
        Self::days(DaySet::all())
    }
}

/// Sums wanted from the store itself: by day and each of these dimensions, on all bases, with the plain sums beside
/// them. Only days in the filter's set get a cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TotalsPlan {
    /// Over which postings.
    pub filter: PostingFilter,
    /// Grouped by what.
    pub dimensions: Vec<Dimension>,
}

/// The answer to a [`TotalsPlan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushdown {
    /// The sums: exactly what folding the same postings yields.
    Answered(Totals),
    /// The store cannot or would rather not; scan and fold.
    Declined,
}

/// Gives postings to the engine.
#[async_trait]
pub trait PostingSource: Send {
    /// Streams the postings that match, in batches, ascending by the sale's day (see [`PostingBatch`]), in constant
    /// memory. Voided sales have none. A batch may be empty.
    fn scan<'a>(&'a mut self, filter: &'a PostingFilter) -> BoxStream<'a, Result<PostingBatch>>;

    /// Sums in the store.
    async fn totals(&mut self, plan: &TotalsPlan) -> Result<Pushdown>;
}
