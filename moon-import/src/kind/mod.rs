//! The kinds of rows: how each is read, and how it is written.

mod agents;
mod assignments;
mod organisation;
mod products;
mod sales;
mod targets;
mod unknown;

use async_trait::async_trait;
use moon_core::{Actor, Error, ErrorKind, Ledger, PutOutcome, Result, UnitOfWork};

pub(crate) use agents::{AgentReader, AgentWriter};
pub(crate) use assignments::{AssignmentReader, AssignmentWriter};
pub(crate) use organisation::{BranchReader, BranchWriter, TeamReader, TeamWriter};
pub(crate) use products::{ProductReader, ProductWriter};
pub(crate) use sales::{SaleReader, SaleWriter};
pub(crate) use targets::{TargetReader, TargetWriter};
pub(crate) use unknown::Known;

use crate::missing::References;
use crate::read::Row;
use crate::value::Fault;

/// Reads rows of one kind.
pub(crate) trait RowReader: Send + 'static {
    /// What a row says.
    type Item: Send + Sync + 'static;

    /// Reads a row.
    fn read(&mut self, row: &Row<'_>) -> Result<Self::Item, Fault>;

    /// The amount that a row brings to the sum of its file, in minor units.
    fn amount(item: &Self::Item) -> i64;

    /// The references met, for a snapshot.
    fn into_references(self) -> Option<References>;
}

/// Writes what rows of one kind say, in a unit of work that the caller commits.
#[async_trait]
pub(crate) trait RowWriter: Send + Sync {
    /// What a row says.
    type Item: Send + Sync + 'static;

    /// Writes rows; gives an outcome for each, in their order, and what now exists for certain.
    ///
    /// # Errors
    /// Those of the store; then the unit can only be rolled back.
    async fn write(
        &self,
        ledger: &Ledger,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        known: &Known,
        rows: &[Self::Item],
    ) -> Result<Written>;
}

/// What became of the rows of a unit.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) outcomes: Vec<RowOutcome>,
    /// What was seen to exist, or created; true once the unit is committed.
    pub(crate) known: Known,
}

/// What became of a row.
#[derive(Debug)]
pub(crate) enum RowOutcome {
    Recorded,
    Duplicate,
    Corrected,
    Stale,
    Conflict(Error),
    Rejected(Error),
}

impl From<PutOutcome> for RowOutcome {
    fn from(outcome: PutOutcome) -> Self {
        match outcome {
            PutOutcome::Created => Self::Recorded,
            PutOutcome::Updated => Self::Corrected,
            PutOutcome::Unchanged => Self::Duplicate,
        }
    }
}

impl RowOutcome {
    /// The outcome of a row that wrote a thing, and then more that belongs to it.
    fn and(self, more: Self) -> Self {
        match (self, more) {
            (Self::Duplicate, Self::Recorded | Self::Corrected) => Self::Corrected,
            (_, refused @ (Self::Conflict(_) | Self::Rejected(_))) => refused,
            (first, _) => first,
        }
    }

    /// The outcome of a row that the ledger refused.
    ///
    /// # Errors
    /// Gives back what is not about the row but about the store.
    fn refused(error: Error) -> Result<Self> {
        match error.kind() {
            ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::Refused => Ok(Self::Rejected(error)),
            ErrorKind::AlreadyExists | ErrorKind::PayloadConflict => Ok(Self::Conflict(error)),
            _ => Err(error),
        }
    }
}
