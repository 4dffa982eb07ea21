//! Rows of assignments.

use async_trait::async_trait;
use moon_core::{
    Actor, AgentCode, AssignOutcome, BranchCode, BusinessDate, Ledger, LedgerSettings, NewAssignment, Result, TeamCode,
    UnitOfWork,
};

use super::unknown::{Known, Named, ensure};
use super::{RowOutcome, RowReader, RowWriter, Written};
use crate::map::{AssignmentColumns, UnknownRules};
use crate::missing::References;
use crate::read::Row;
use crate::value::{AgentCell, BranchCell, DateCell, Fault, Slots, TeamCell};

/// Reads assignments.
#[derive(Debug)]
pub(crate) struct AssignmentReader {
    settings: LedgerSettings,
    agent: AgentCell,
    team: TeamCell,
    branch: BranchCell,
    from: DateCell,
    to: Option<DateCell>,
}

/// What a row of assignments says.
#[derive(Debug)]
pub(crate) struct AssignmentItem {
    agent: AgentCode,
    team: TeamCode,
    branch: BranchCode,
    from: BusinessDate,
    to: Option<BusinessDate>,
}

impl AssignmentReader {
    pub(crate) fn new(columns: &AssignmentColumns, settings: LedgerSettings, slots: &mut Slots) -> Self {
        Self {
            settings,
            agent: AgentCell::new(&columns.agent, slots),
            team: TeamCell::new(&columns.team, slots),
            branch: BranchCell::new(&columns.branch, slots),
            from: DateCell::new(&columns.from, slots),
            to: columns.to.as_ref().map(|to| DateCell::new(to, slots)),
        }
    }
}

impl RowReader for AssignmentReader {
    type Item = AssignmentItem;

    fn read(&mut self, row: &Row<'_>) -> Result<AssignmentItem, Fault> {
        let settings = self.settings;
        Ok(AssignmentItem {
            agent: self.agent.require(row)?,
            team: self.team.require(row)?,
            branch: self.branch.require(row)?,
            from: self.from.require(row, &settings)?,
            to: self.to.as_mut().map_or(Ok(None), |to| to.read(row, &settings))?,
        })
    }

    fn amount(_: &AssignmentItem) -> i64 {
        0
    }

    fn into_references(self) -> Option<References> {
        None
    }
}

/// Enters assignments.
#[derive(Debug)]
pub(crate) struct AssignmentWriter {
    pub(crate) unknown: UnknownRules,
}

#[async_trait]
impl RowWriter for AssignmentWriter {
    type Item = AssignmentItem;

    async fn write(
        &self,
        ledger: &Ledger,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        known: &Known,
        rows: &[AssignmentItem],
    ) -> Result<Written> {
        let named: Vec<Named> = rows
            .iter()
            .map(|row| Named {
                agent: Some(row.agent.clone()),
                team: Some(row.team.clone()),
                branch: Some(row.branch.clone()),
                ..Named::default()
            })
            .collect();
        let known = ensure(ledger, unit, actor, self.unknown, known, &named).await?;
        let mut outcomes = Vec::with_capacity(rows.len());
        for row in rows {
            let assignment = NewAssignment {
                agent: row.agent.clone(),
                from: row.from,
                to: row.to,
                team: row.team.clone(),
                branch: row.branch.clone(),
                expected: None,
            };
            outcomes.push(assign(ledger, unit, actor, assignment).await?);
        }
        Ok(Written { outcomes, known })
    }
}

/// Enters one assignment, by itself, so that one that is refused leaves the others alone.
pub(super) async fn assign(
    ledger: &Ledger,
    unit: &mut dyn UnitOfWork,
    actor: &Actor,
    assignment: NewAssignment,
) -> Result<RowOutcome> {
    match ledger.assign_in(unit, actor, &[assignment]).await {
        Ok(outcomes) => Ok(match outcomes.first() {
            Some(AssignOutcome::Entered { .. }) => RowOutcome::Recorded,
            Some(AssignOutcome::Corrected { .. }) => RowOutcome::Corrected,
            Some(AssignOutcome::Duplicate) | None => RowOutcome::Duplicate,
        }),
        Err(error) => RowOutcome::refused(error),
    }
}
