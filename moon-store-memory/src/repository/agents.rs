//! Agents and their assignments.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use moon_core::{
    Agent, AgentCode, AgentRepository, Assignment, BusinessDate, Error, ErrorKind, Lock, Page, PageRequest, Result,
    Version,
};

use crate::state::State;
use crate::store::MemoryUnit;

#[async_trait]
impl AgentRepository for MemoryUnit {
    /// There is nothing to lock: only one unit writes at a time.
    async fn find(&mut self, codes: &[AgentCode], _lock: Lock) -> Result<Vec<Option<Agent>>> {
        Ok(self.state().agents.find(codes))
    }

    async fn put(&mut self, agent: &Agent, expected: Option<Version>) -> Result<()> {
        self.state_mut()?.agents.put(agent, expected)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Agent>> {
        self.state().agents.list(page)
    }

    async fn assignments(&mut self, agents: &[AgentCode]) -> Result<Vec<Assignment>> {
        let agents: BTreeSet<&AgentCode> = agents.iter().collect();
        let mut current: Vec<Assignment> = Vec::new();
        for assignment in agents.into_iter().flat_map(|agent| history(self.state(), agent)) {
            match current.last_mut() {
                // Versions ascend, so that the last one of a key stays.
                Some(last) if last.agent == assignment.agent && last.from == assignment.from => {
                    assignment.clone_into(last);
                }
                _ => current.push(assignment.clone()),
            }
        }
        Ok(current)
    }

    async fn add_assignment(&mut self, assignment: &Assignment) -> Result<()> {
        let state = self.state_mut()?;
        state.agents.required(&assignment.agent)?;
        state.teams.required(&assignment.team)?;
        state.branches.required(&assignment.branch)?;
        let key = (assignment.agent.clone(), assignment.from, assignment.version);
        if state.assignments.get(&key).is_some() {
            return Err(Error::new(ErrorKind::VersionConflict, "this version of the assignment is there already")
                .with("agent", &assignment.agent)
                .with("from", assignment.from)
                .with("version", assignment.version));
        }
        state.assignments.insert(key, Arc::new(assignment.clone()));
        Ok(())
    }

    async fn assignment_history(&mut self, agent: &AgentCode) -> Result<Vec<Assignment>> {
        Ok(history(self.state(), agent).cloned().collect())
    }
}

/// All assignments of an agent, ascending by from and version.
fn history<'a>(state: &'a State, agent: &AgentCode) -> impl Iterator<Item = &'a Assignment> {
    let wanted = agent.clone();
    state
        .assignments
        .starting_at(&(agent.clone(), BusinessDate::MIN, Version(0)))
        .take_while(move |((agent, ..), _)| *agent == wanted)
        .map(|(_, assignment)| &**assignment)
}
