//! Attribution: which team and branch a sale counts under.

use std::collections::HashMap;

use crate::{AgentCode, Assignment, BusinessDate, Places, Result, SaleContent, UnitOfWork};

/// The current assignments of some agents.
#[derive(Debug, Default)]
pub(crate) struct Attribution {
    /// Ascending by start.
    by_agent: HashMap<AgentCode, Vec<Assignment>>,
}

impl Attribution {
    /// Reads the assignments of these agents. Whoever writes by them has locked the agents before.
    pub(crate) async fn load(unit: &mut dyn UnitOfWork, agents: &[AgentCode]) -> Result<Self> {
        Ok(Self::new(unit.agents().assignments(agents).await?))
    }

    /// Takes assignments that are ascending by agent and start.
    pub(crate) fn new(assignments: Vec<Assignment>) -> Self {
        let mut by_agent: HashMap<AgentCode, Vec<Assignment>> = HashMap::new();
        for assignment in assignments {
            by_agent.entry(assignment.agent.clone()).or_default().push(assignment);
        }
        Self { by_agent }
    }

    /// As sold: what is given stays, and what is not given is that of the agent's assignment on the sale's date.
    pub(crate) fn places(&self, content: &SaleContent) -> Places {
        Self::fill(content, || self.behind(content))
    }

    /// The assignment that fills in what a content does not give.
    pub(crate) fn behind(&self, content: &SaleContent) -> Option<&Assignment> {
        content.agent.as_ref().and_then(|agent| self.on(agent, content.date))
    }

    /// As now: what is given stays, and what is not given is that of the assignment in force today, else of the one that
    /// ended last.
    pub(crate) fn places_now(&self, agent: &AgentCode, today: BusinessDate) -> Option<&Assignment> {
        self.on(agent, today).or_else(|| {
            let started = self.started(agent, today);
            started.last()
        })
    }

    /// The assignment in force on a date.
    fn on(&self, agent: &AgentCode, date: BusinessDate) -> Option<&Assignment> {
        // Starts are distinct, so the last one started is cut by none before the date.
        self.started(agent, date).last().filter(|assignment| assignment.days(None).contains(date.epoch_day()))
    }

    /// The assignments that start on or before a date, ascending.
    fn started(&self, agent: &AgentCode, date: BusinessDate) -> &[Assignment] {
        let all = self.by_agent.get(agent).map(Vec::as_slice).unwrap_or_default();
        let count = all.partition_point(|assignment| assignment.from <= date);
        all.get(..count).unwrap_or_default()
    }

    fn fill<'a>(content: &SaleContent, assignment: impl Fn() -> Option<&'a Assignment>) -> Places {
        if content.team.is_some() && content.branch.is_some() {
            return Places { team: content.team.clone(), branch: content.branch.clone() };
        }
        let assignment = assignment();
        Places {
            team: content.team.clone().or_else(|| assignment.map(|assignment| assignment.team.clone())),
            branch: content.branch.clone().or_else(|| assignment.map(|assignment| assignment.branch.clone())),
        }
    }
}
