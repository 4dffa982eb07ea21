//! Rows of agents, with assignments where they have them.

use std::collections::HashMap;

use async_trait::async_trait;
use moon_core::{
    Actor, Agent, AgentCode, AgentStatus, BranchCode, BusinessDate, Code, CodeKind, Error, ErrorKind, Ledger,
    LedgerSettings, Lock, Name, NewAssignment, PutRule, Result, TeamCode, Text, UnitOfWork,
};

use super::assignments::assign;
use super::unknown::{Known, Named, ensure, new_agent};
use super::{RowOutcome, RowReader, RowWriter, Written};
use crate::map::{AgentColumns, UnknownRules};
use crate::missing::References;
use crate::read::Row;
use crate::value::{AgentCell, BranchCell, Cell, DateCell, Fault, Slots, TeamCell, read_optional};

/// Reads agents.
#[derive(Debug)]
pub(crate) struct AgentReader {
    settings: LedgerSettings,
    code: AgentCell,
    name: Option<Cell>,
    email: Option<Cell>,
    phone: Option<Cell>,
    time_zone: Option<Cell>,
    status: Option<Cell>,
    team: Option<TeamCell>,
    branch: Option<BranchCell>,
    from: Option<DateCell>,
}

/// What a row of agents says. The outer `None` is what the map does not speak of: there, what is known stays.
#[derive(Debug)]
pub(crate) struct AgentItem {
    code: AgentCode,
    name: Option<Name>,
    email: Option<Option<Text>>,
    phone: Option<Option<Text>>,
    time_zone: Option<Option<chrono_tz::Tz>>,
    status: Option<AgentStatus>,
    place: Option<(TeamCode, BranchCode, BusinessDate)>,
}

impl AgentReader {
    pub(crate) fn new(columns: &AgentColumns, settings: LedgerSettings, slots: &mut Slots) -> Self {
        Self {
            settings,
            code: AgentCell::new(&columns.code, slots),
            name: Cell::optional(columns.name.as_ref(), slots),
            email: Cell::optional(columns.email.as_ref(), slots),
            phone: Cell::optional(columns.phone.as_ref(), slots),
            time_zone: Cell::optional(columns.time_zone.as_ref(), slots),
            status: Cell::optional(columns.status.as_ref(), slots),
            team: TeamCell::optional(columns.team.as_ref(), slots),
            branch: BranchCell::optional(columns.branch.as_ref(), slots),
            from: columns.from.as_ref().map(|from| DateCell::new(from, slots)),
        }
    }

    /// Where the row places the agent; all three values or none.
    fn place(&mut self, row: &Row<'_>) -> Result<Option<(TeamCode, BranchCode, BusinessDate)>, Fault> {
        let team = read_optional(self.team.as_mut(), row)?;
        let branch = read_optional(self.branch.as_mut(), row)?;
        let settings = self.settings;
        let from = self.from.as_mut().map_or(Ok(None), |from| from.read(row, &settings))?;
        match (team, branch, from) {
            (Some(team), Some(branch), Some(from)) => Ok(Some((team, branch, from))),
            (None, None, _) => Ok(None),
            _ => Err(Fault {
                column: String::new(),
                reason: "an assignment needs a team, a branch and a first day".to_owned(),
            }),
        }
    }
}

impl RowReader for AgentReader {
    type Item = AgentItem;

    fn read(&mut self, row: &Row<'_>) -> Result<AgentItem, Fault> {
        let place = self.place(row)?;
        let time_zone = |cell: &Cell| -> Result<_, Fault> {
            let Some(name) = cell.read(row)? else { return Ok(None) };
            let zone = name.parse().map_err(|_| cell.fault(&format_args!("there is no such time zone: {name:?}")))?;
            Ok(Some(zone))
        };
        Ok(AgentItem {
            code: self.code.require(row)?,
            name: self.name.as_ref().map_or(Ok(None), |cell| cell.text(row, "name"))?,
            email: self.email.as_ref().map(|cell| cell.text(row, "e-mail address")).transpose()?,
            phone: self.phone.as_ref().map(|cell| cell.text(row, "telephone number")).transpose()?,
            time_zone: self.time_zone.as_ref().map(time_zone).transpose()?,
            status: self.status.as_ref().map_or(Ok(None), |cell| status(cell, row))?,
            place,
        })
    }

    fn amount(_: &AgentItem) -> i64 {
        0
    }

    fn into_references(self) -> Option<References> {
        None
    }
}

fn status(cell: &Cell, row: &Row<'_>) -> Result<Option<AgentStatus>, Fault> {
    let Some(name) = cell.read(row)? else { return Ok(None) };
    let known = [AgentStatus::Active, AgentStatus::Suspended, AgentStatus::Left];
    let fault = || cell.fault(&format_args!("status is not one of active, suspended, left (status: {name:?})"));
    known.into_iter().find(|status| status.name() == name).map(Some).ok_or_else(fault)
}

/// Writes agents and enters their assignments.
#[derive(Debug)]
pub(crate) struct AgentWriter {
    pub(crate) unknown: UnknownRules,
}

#[async_trait]
impl RowWriter for AgentWriter {
    type Item = AgentItem;

    async fn write(
        &self,
        ledger: &Ledger,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        known: &Known,
        rows: &[AgentItem],
    ) -> Result<Written> {
        let named: Vec<Named> = rows.iter().map(named).collect();
        let found = ensure(ledger, unit, actor, self.unknown, known, &named).await?;
        let codes: Vec<AgentCode> = rows.iter().map(|row| row.code.clone()).collect();
        let mut present: HashMap<AgentCode, Agent> = HashMap::new();
        for agent in unit.agents().find(&codes, Lock::Exclusive).await?.into_iter().flatten() {
            present.insert(agent.code.clone(), agent);
        }
        // A row whose place does not exist brings nothing into being, so it is left out before anything is written.
        let refused: Vec<Option<Error>> = rows.iter().map(|row| unknown_place(row, known, &found)).collect();
        let mut agents = Vec::with_capacity(rows.len());
        for (row, _) in rows.iter().zip(&refused).filter(|(_, refused)| refused.is_none()) {
            let agent = present.get(&row.code).cloned().map_or_else(|| new_agent(&row.code), Ok)?;
            let agent = row.over(agent);
            present.insert(row.code.clone(), agent.clone());
            agents.push(agent);
        }
        let mut put = ledger.put_agents_in(unit, actor, &agents, PutRule::Replace).await?.into_iter();
        let mut outcomes = Vec::with_capacity(rows.len());
        for (row, refused) in rows.iter().zip(refused) {
            if let Some(error) = refused {
                outcomes.push(RowOutcome::Rejected(error));
                continue;
            }
            let mut outcome = put.next().map_or(RowOutcome::Duplicate, RowOutcome::from);
            if let Some((team, branch, from)) = row.place.clone() {
                let agent = row.code.clone();
                let assignment = NewAssignment { agent, from, to: None, team, branch, expected: None };
                outcome = outcome.and(assign(ledger, unit, actor, assignment).await?);
            }
            outcomes.push(outcome);
        }
        Ok(Written { outcomes, known: found })
    }
}

fn named(row: &AgentItem) -> Named {
    let (team, branch) = row.place.clone().map(|(team, branch, _)| (team, branch)).unzip();
    Named { team, branch, ..Named::default() }
}

fn unknown_place(row: &AgentItem, known: &Known, found: &Known) -> Option<Error> {
    let (team, branch, _) = row.place.as_ref()?;
    if !known.has_team(team) && !found.has_team(team) {
        return Some(unknown(team));
    }
    (!known.has_branch(branch) && !found.has_branch(branch)).then(|| unknown(branch))
}

fn unknown<K: CodeKind>(code: &Code<K>) -> Error {
    Error::new(ErrorKind::NotFound, format!("{} is not known", K::NOUN)).with("code", code)
}

impl AgentItem {
    /// The agent with what the row says.
    fn over(&self, mut agent: Agent) -> Agent {
        agent.name = self.name.clone().unwrap_or(agent.name);
        agent.contact.email = self.email.clone().unwrap_or(agent.contact.email);
        agent.contact.phone = self.phone.clone().unwrap_or(agent.contact.phone);
        agent.time_zone = self.time_zone.unwrap_or(agent.time_zone);
        agent.status = self.status.unwrap_or(agent.status);
        agent
    }
}
