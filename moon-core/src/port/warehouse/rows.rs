//! What a run stages, and what readers see.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Amount, BranchCode, BusinessDate, Calendar, Cell, Dimension, Error, Figures, Granularity, Name, Period,
    ProductCode, ProductRow, Restatement, Result, RunKey, RunRecord, Scope, TargetScope, TeamCode, Text,
};

/// A team in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TeamEntry {
    /// The key.
    pub code: TeamCode,
    /// For people.
    pub name: Name,
}

/// A branch in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BranchEntry {
    /// The key.
    pub code: BranchCode,
    /// For people.
    pub name: Name,
    /// Where it lies.
    pub region: Option<Text>,
}

/// A product in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProductEntry {
    /// The key.
    pub code: ProductCode,
    /// For people.
    pub name: Name,
    /// Line of business.
    pub line: Option<Text>,
}

/// A target as in force on the day of the run. Those of agents are not published: the warehouse knows no agent codes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublishedTarget {
    /// One product, or all together.
    pub product: Option<ProductCode>,
    /// Whose sales.
    pub scope: TargetScope,
    /// When.
    pub period: Period,
    /// How much.
    pub amount: Amount,
}

/// Target against sales by product, for a month or for all time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductMetrics {
    /// The first day of the month; `None`: all time.
    pub month: Option<BusinessDate>,
    /// A row for each product with a target or a sale, ascending by product where it was read. What was sold a year
    /// before is not published.
    pub rows: Vec<ProductRow>,
}

/// The figures of an agent in a month, without anything that tells who it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AgentCell {
    /// The first day of the month.
    pub month: BusinessDate,
    /// A keyed pseudonym, `withheld` for all who gave no consent, or [`UNASSIGNED`](crate::UNASSIGNED).
    pub agent: String,
    /// Its sums.
    pub figures: Figures,
}

/// Rows for staging. Each list may come in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagedRows {
    /// Cells of the daily tables, within the scope, each (dimension, day, code) once. `Agent` cells are not among them.
    Cells(Vec<Cell>),
    /// The teams; together they replace what was published.
    Teams(Vec<TeamEntry>),
    /// The branches; together they replace what was published.
    Branches(Vec<BranchEntry>),
    /// The products; together they replace what was published.
    Products(Vec<ProductEntry>),
    /// The targets; together they replace what was published.
    Targets(Vec<PublishedTarget>),
    /// Target against sales by product.
    ProductMetrics {
        /// The first day of the month; `None`: all time.
        month: Option<BusinessDate>,
        /// A row for each product with a target or a sale.
        rows: Vec<ProductRow>,
    },
    /// Monthly figures of agents, within the months of the scope, each (month, agent) once. They need
    /// [`Scope::agents`](crate::Scope).
    AgentCells(Vec<AgentCell>),
    /// What the run changes in periods that are closed, within the days of the scope, each (dimension, day, code) once.
    /// They are kept beside the frozen figures. Those of agents are not among them.
    Restatements(Vec<Restatement>),
    /// Freezes the daily cells of the period as they are once this run is published. A period that is closed already
    /// stays as it was frozen.
    Close(Period),
    /// Opens the period again from this run on, which changes nothing where it is open. Its frozen figures stay readable.
    /// A run opens before it closes: with both it freezes the period anew.
    Reopen(Period),
}

impl StagedRows {
    /// Checks that the rows belong to the run and its scope; every backend asks before it stages. Whether a row comes
    /// twice is not looked at here.
    ///
    /// # Errors
    /// `InvalidInput` naming the first row that does not.
    pub fn check(&self, run: &RunKey, scope: &Scope) -> Result<()> {
        match self {
            Self::Cells(cells) => {
                cells.iter().try_for_each(|cell| check_cell(scope, cell.dimension, cell.day, &cell.code))
            }
            Self::Restatements(rows) => rows.iter().try_for_each(|row| {
                if row.run != *run {
                    return Err(Error::invalid("restatement is that of another run").with("run", row.run.id));
                }
                check_cell(scope, row.dimension, row.day, &row.code)
            }),
            Self::ProductMetrics { month, .. } => month.iter().try_for_each(|month| check_month(scope, *month)),
            Self::AgentCells(cells) if !scope.agents && !cells.is_empty() => {
                Err(Error::invalid("run does not replace the figures of agents"))
            }
            Self::AgentCells(cells) => cells.iter().try_for_each(|cell| check_month(scope, cell.month)),
            Self::Targets(targets) => targets.iter().try_for_each(|target| match target.scope {
                TargetScope::Agent(_) => Err(Error::invalid("targets of agents are not published")),
                TargetScope::Ledger | TargetScope::Branch(_) | TargetScope::Team(_) => Ok(()),
            }),
            Self::Teams(_) | Self::Branches(_) | Self::Products(_) | Self::Close(_) | Self::Reopen(_) => Ok(()),
        }
    }
}

fn check_cell(scope: &Scope, dimension: Dimension, day: BusinessDate, code: &str) -> Result<()> {
    let fail = |fault: &'static str| {
        Err(Error::invalid(fault).with("dimension", dimension.name()).with("day", day).with("code", code))
    };
    if !Dimension::DAILY.contains(&dimension) {
        return fail("the warehouse has no daily figures of agents");
    }
    if !scope.days.contains(day.epoch_day()) {
        return fail("cell lies outside of the run's scope");
    }
    Ok(())
}

fn check_month(scope: &Scope, month: BusinessDate) -> Result<()> {
    if Calendar::default().period_of(Granularity::Month, month).days().first() != Some(month) {
        return Err(Error::invalid("month must be given by its first day").with("day", month));
    }
    if !scope.has_month(month) {
        return Err(Error::invalid("month lies outside of the run's scope").with("month", month));
    }
    Ok(())
}

/// The sums of one group over a range of days.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupSum {
    /// What kind of group.
    pub dimension: Dimension,
    /// Its code, or [`UNASSIGNED`](crate::UNASSIGNED).
    pub code: Arc<str>,
    /// Its sums.
    pub figures: Figures,
}

/// What readers see, in one snapshot: sums over a range of days with everything that a report needs beside them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// A sum for each group with a cell in the range, ascending by dimension and code.
    pub sums: Vec<GroupSum>,
    /// Ascending by code.
    pub teams: Vec<TeamEntry>,
    /// Ascending by code.
    pub branches: Vec<BranchEntry>,
    /// Ascending by code.
    pub products: Vec<ProductEntry>,
    /// Ascending.
    pub targets: Vec<PublishedTarget>,
    /// The last published run; `None` before the first.
    pub run: Option<RunRecord>,
}
