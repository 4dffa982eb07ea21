//! Rows of teams and branches.

use std::collections::HashMap;

use async_trait::async_trait;
use moon_core::{Actor, Branch, BranchCode, Ledger, Name, PutRule, Result, Team, TeamCode, Text, UnitOfWork};

use super::unknown::{Known, new_branch, new_team};
use super::{RowReader, RowWriter, Written};
use crate::map::{BranchColumns, TeamColumns};
use crate::missing::References;
use crate::read::Row;
use crate::value::{BranchCell, Cell, Fault, Slots, TeamCell};

/// Reads teams.
#[derive(Debug)]
pub(crate) struct TeamReader {
    code: TeamCell,
    name: Option<Cell>,
}

/// What a row of teams says.
#[derive(Debug)]
pub(crate) struct TeamItem {
    code: TeamCode,
    name: Option<Name>,
}

impl TeamReader {
    pub(crate) fn new(columns: &TeamColumns, slots: &mut Slots) -> Self {
        Self { code: TeamCell::new(&columns.code, slots), name: Cell::optional(columns.name.as_ref(), slots) }
    }
}

impl RowReader for TeamReader {
    type Item = TeamItem;

    fn read(&mut self, row: &Row<'_>) -> Result<TeamItem, Fault> {
        let name = self.name.as_ref().map_or(Ok(None), |cell| cell.text(row, "name"))?;
        Ok(TeamItem { code: self.code.require(row)?, name })
    }

    fn amount(_: &TeamItem) -> i64 {
        0
    }

    fn into_references(self) -> Option<References> {
        None
    }
}

/// Writes teams.
#[derive(Debug)]
pub(crate) struct TeamWriter;

#[async_trait]
impl RowWriter for TeamWriter {
    type Item = TeamItem;

    async fn write(
        &self,
        ledger: &Ledger,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        _: &Known,
        rows: &[TeamItem],
    ) -> Result<Written> {
        let codes: Vec<TeamCode> = rows.iter().map(|row| row.code.clone()).collect();
        let mut present: HashMap<TeamCode, Team> = unit
            .organisation()
            .find_teams(&codes)
            .await?
            .into_iter()
            .flatten()
            .map(|team| (team.code.clone(), team))
            .collect();
        let mut teams = Vec::with_capacity(rows.len());
        for row in rows {
            let mut team = present.get(&row.code).cloned().map_or_else(|| new_team(&row.code), Ok)?;
            team.name = row.name.clone().unwrap_or(team.name);
            present.insert(row.code.clone(), team.clone());
            teams.push(team);
        }
        let outcomes = ledger.put_teams_in(unit, actor, &teams, PutRule::Replace).await?;
        Ok(Written { outcomes: outcomes.into_iter().map(Into::into).collect(), known: Known::default() })
    }
}

/// Reads branches.
#[derive(Debug)]
pub(crate) struct BranchReader {
    code: BranchCell,
    name: Option<Cell>,
    region: Option<Cell>,
}

/// What a row of branches says.
#[derive(Debug)]
pub(crate) struct BranchItem {
    code: BranchCode,
    name: Option<Name>,
    /// `None` where the map does not speak of regions: then what is there stays.
    region: Option<Option<Text>>,
}

impl BranchReader {
    pub(crate) fn new(columns: &BranchColumns, slots: &mut Slots) -> Self {
        Self {
            code: BranchCell::new(&columns.code, slots),
            name: Cell::optional(columns.name.as_ref(), slots),
            region: Cell::optional(columns.region.as_ref(), slots),
        }
    }
}

impl RowReader for BranchReader {
    type Item = BranchItem;

    fn read(&mut self, row: &Row<'_>) -> Result<BranchItem, Fault> {
        let name = self.name.as_ref().map_or(Ok(None), |cell| cell.text(row, "name"))?;
        let region = self.region.as_ref().map(|cell| cell.text(row, "region")).transpose()?;
        Ok(BranchItem { code: self.code.require(row)?, name, region })
    }

    fn amount(_: &BranchItem) -> i64 {
        0
    }

    fn into_references(self) -> Option<References> {
        None
    }
}

/// Writes branches.
#[derive(Debug)]
pub(crate) struct BranchWriter;

#[async_trait]
impl RowWriter for BranchWriter {
    type Item = BranchItem;

    async fn write(
        &self,
        ledger: &Ledger,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        _: &Known,
        rows: &[BranchItem],
    ) -> Result<Written> {
        let codes: Vec<BranchCode> = rows.iter().map(|row| row.code.clone()).collect();
        let found = unit.organisation().find_branches(&codes).await?;
        let mut present: HashMap<BranchCode, Branch> =
            found.into_iter().flatten().map(|branch| (branch.code.clone(), branch)).collect();
        let mut branches = Vec::with_capacity(rows.len());
        for row in rows {
            let mut branch = present.get(&row.code).cloned().map_or_else(|| new_branch(&row.code), Ok)?;
            branch.name = row.name.clone().unwrap_or(branch.name);
            branch.region = row.region.clone().unwrap_or(branch.region);
            present.insert(row.code.clone(), branch.clone());
            branches.push(branch);
        }
        let outcomes = ledger.put_branches_in(unit, actor, &branches, PutRule::Replace).await?;
        Ok(Written { outcomes: outcomes.into_iter().map(Into::into).collect(), known: Known::default() })
    }
}
