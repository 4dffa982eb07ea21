//! The postings behind a published figure.

use std::sync::Arc;

use moon_core::{
    Adjustment, AdjustmentKind, AgentCode, Amount, Assignment, Basis, BusinessDate, DaySet, Dimension, Error,
    ErrorKind, Period, Places, ProductCode, Published, Result, Revision, RunRecord, Sale, SaleId, SaleKey, Sum,
    UnitOfWork,
};

use crate::Aggregation;
use crate::state::Waiting;
use crate::touching::{Group, SalesOf, sale_days};

/// Which figure: that of a group over a period; a day is a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Team, branch or product.
    pub dimension: Dimension,
    /// The group's code, or [`UNASSIGNED`](moon_core::UNASSIGNED).
    pub code: Arc<str>,
    /// When.
    pub period: Period,
    /// Which postings count.
    pub basis: Basis,
}

/// What a posting does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostingKind {
    /// The sale itself.
    Sale,
    /// It follows from a life message.
    Adjustment(AdjustmentKind),
}

impl PostingKind {
    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Adjustment(AdjustmentKind::Cancellation) => "cancellation",
            Self::Adjustment(AdjustmentKind::Reinstatement) => "reinstatement",
        }
    }
}

/// How a sale came to count under a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Its source said so.
    Given,
    /// By this assignment of its agent.
    Derived(Box<Assignment>),
    /// Nobody knows a place: the source gave none, and there is no agent, or the agent has no assignment on the day.
    Unassigned,
    /// It is stored so, and nothing that is known explains it: written past the library.
    Unexplained,
}

impl Origin {
    /// The stable lower-case name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Derived(_) => "derived",
            Self::Unassigned => "unassigned",
            Self::Unexplained => "unexplained",
        }
    }
}

/// A posting behind a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedPosting {
    /// The ledger's identifier of the sale.
    pub sale: SaleId,
    /// The sale's source and reference.
    pub key: SaleKey,
    /// The revision from which the posting follows.
    pub revision: Revision,
    /// What it does.
    pub kind: PostingKind,
    /// The sale's date.
    pub sale_day: BusinessDate,
    /// Its own date.
    pub own_day: BusinessDate,
    /// Who is credited.
    pub agent: Option<AgentCode>,
    /// What was sold.
    pub product: ProductCode,
    /// Where it counts.
    pub places: Places,
    /// Signed.
    pub amount: Amount,
    /// −1, 0 or +1.
    pub count: i64,
    /// How it came to count under the group that was asked for.
    pub origin: Origin,
}

/// A figure and what its postings add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// How many postings there are.
    pub postings: u64,
    /// What they add up to.
    pub explained: Sum,
    /// What is published.
    pub published: Sum,
    /// The run that published it; `None` before the first.
    pub run: Option<RunRecord>,
    /// The days of the period that have changed since, as far as marks tell: reason enough for a difference.
    pub pending: DaySet,
}

impl Explanation {
    /// Whether the postings add up to exactly what is published.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.explained == self.published
    }
}

impl Aggregation {
    /// Gives each posting behind a published figure, from one snapshot of the source, ascending by the sale's date, the
    /// sale and the revision; then what they add up to and what is published. In constant memory.
    ///
    /// # Errors
    /// `InvalidInput` for what cannot be a code, and for agents; `NotFound` for a group that neither ledger nor warehouse
    /// knows; that of `each`, which ends it; those of store and warehouse.
    pub async fn explain(
        &self,
        question: &Question,
        each: &mut (dyn FnMut(ExplainedPosting) -> Result<()> + Send),
    ) -> Result<Explanation> {
        let group = Group::new(question.dimension, &question.code)?;
        let days = question.period.days();
        // First what is published: what changes in between has a mark in the snapshot.
        let published = self.warehouse().read(days).await?;
        let mut snapshot = self.ledger().snapshot().await?;
        let unit = snapshot.as_mut();
        let touched = Waiting::read(unit).await?.days;
        let wanted = DaySet::from(days);
        let sale_days = match question.basis {
            Basis::Gross | Basis::Net => wanted.clone(),
            Basis::Activity => sale_days(unit, &wanted, Some(&group)).await?,
        };
        let mut explanation = Explanation {
            postings: 0,
            explained: Sum::ZERO,
            published: sum_of(&published, question),
            run: published.run.clone(),
            pending: touched.ranges().iter().map(|range| range.intersect(days)).collect(),
        };
        let mut pages = SalesOf::new(&sale_days, Some(&group));
        while let Some(sales) = pages.next(unit).await? {
            let behind = self.ledger().assignments_behind_in(unit, &sales).await?;
            for (sale, assignment) in sales.iter().zip(behind) {
                let origin = origin(question.dimension, sale, assignment);
                for posting in postings(sale, &origin) {
                    let counts = match question.basis {
                        Basis::Gross => posting.kind == PostingKind::Sale,
                        Basis::Net => true,
                        Basis::Activity => wanted.contains(posting.own_day.epoch_day()),
                    };
                    if counts {
                        let sum = Sum::new(posting.amount.minor().into(), posting.count);
                        explanation.explained = explanation.explained.plus(sum)?;
                        explanation.postings = explanation.postings.saturating_add(1);
                        each(posting)?;
                    }
                }
            }
        }
        if explanation.postings == 0 && !knows(unit, &group).await? {
            return Err(Error::new(ErrorKind::NotFound, "there is no such group")
                .with("dimension", question.dimension.name())
                .with("code", &question.code));
        }
        snapshot.rollback().await?;
        Ok(explanation)
    }
}

fn sum_of(published: &Published, question: &Question) -> Sum {
    let own = |sum: &&moon_core::GroupSum| sum.dimension == question.dimension && sum.code == question.code;
    published.sums.iter().find(own).map_or(Sum::ZERO, |sum| sum.figures.of(question.basis))
}

async fn knows(unit: &mut dyn UnitOfWork, group: &Group) -> Result<bool> {
    let known = match group {
        Group::Team(None) | Group::Branch(None) => true,
        Group::Team(Some(code)) => {
            unit.organisation().find_teams(std::slice::from_ref(code)).await?.iter().any(Option::is_some)
        }
        Group::Branch(Some(code)) => {
            unit.organisation().find_branches(std::slice::from_ref(code)).await?.iter().any(Option::is_some)
        }
        Group::Product(code) => unit.products().find(std::slice::from_ref(code)).await?.iter().any(Option::is_some),
    };
    Ok(known)
}

/// All postings of a sale; none when it is voided.
fn postings(sale: &Sale, origin: &Origin) -> Vec<ExplainedPosting> {
    if sale.voided {
        return Vec::new();
    }
    let own = ExplainedPosting {
        sale: sale.id,
        key: sale.key.clone(),
        revision: sale.revision,
        kind: PostingKind::Sale,
        sale_day: sale.content.date,
        own_day: sale.content.date,
        agent: sale.content.agent.clone(),
        product: sale.content.product.clone(),
        places: sale.places.clone(),
        amount: sale.content.amount,
        count: 1,
        origin: origin.clone(),
    };
    let adjusted = |adjustment: &Adjustment| ExplainedPosting {
        revision: adjustment.revision,
        kind: PostingKind::Adjustment(adjustment.kind),
        own_day: adjustment.date,
        amount: adjustment.amount,
        count: adjustment.count.into(),
        ..own.clone()
    };
    let adjustments: Vec<_> = sale.adjustments.iter().map(adjusted).collect();
    std::iter::once(own).chain(adjustments).collect()
}

/// How a sale came to count under its team, branch or product.
fn origin(dimension: Dimension, sale: &Sale, assignment: Option<Assignment>) -> Origin {
    let (given, stored, derived) = match dimension {
        Dimension::Team => (
            sale.content.team.as_ref().map(|code| code.as_str()),
            sale.places.team.as_ref().map(|code| code.as_str()),
            assignment.as_ref().map(|assignment| assignment.team.as_str()),
        ),
        Dimension::Branch => (
            sale.content.branch.as_ref().map(|code| code.as_str()),
            sale.places.branch.as_ref().map(|code| code.as_str()),
            assignment.as_ref().map(|assignment| assignment.branch.as_str()),
        ),
        Dimension::Product | Dimension::Agent => return Origin::Given,
    };
    if given.is_some() {
        return if given == stored { Origin::Given } else { Origin::Unexplained };
    }
    if derived != stored {
        return Origin::Unexplained;
    }
    assignment.map_or(Origin::Unassigned, |assignment| Origin::Derived(Box::new(assignment)))
}
