//! Agents and their assignments.

use async_trait::async_trait;

use super::{Page, PageRequest};
use crate::{Agent, AgentCode, Assignment, Result, Version};

/// How rows that are read are locked until the unit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Not at all.
    None,
    /// Others may read them with `Share` too, but not with `Exclusive`, nor change them.
    Share,
    /// Nobody else may lock or change them.
    Exclusive,
}

/// Keeps agents and assignments.
#[async_trait]
pub trait AgentRepository: Send {
    /// The agents of these codes, each at the place of its code; `None` where there is none. Locks are taken in
    /// ascending order of the codes. A store in which only one unit can write at a time has nothing to lock.
    async fn find(&mut self, codes: &[AgentCode], lock: Lock) -> Result<Vec<Option<Agent>>>;

    /// Writes an agent: a new one when `expected` is `None`, else in place of the one with that version.
    ///
    /// # Errors
    /// `AlreadyExists`, or `VersionConflict` when no agent of that code has the expected version.
    async fn put(&mut self, agent: &Agent, expected: Option<Version>) -> Result<()>;

    /// Agents ascending by code, byte by byte.
    async fn list(&mut self, page: &PageRequest) -> Result<Page<Agent>>;

    /// The current assignments of these agents: the highest version of each (agent, from), ascending by agent and from.
    async fn assignments(&mut self, agents: &[AgentCode]) -> Result<Vec<Assignment>>;

    /// Adds an assignment, which becomes the current one of its (agent, from); what was there stays in the history.
    ///
    /// # Errors
    /// `VersionConflict` when this version of the key is there already.
    async fn add_assignment(&mut self, assignment: &Assignment) -> Result<()>;

    /// Everything ever entered about one agent, ascending by from and version.
    async fn assignment_history(&mut self, agent: &AgentCode) -> Result<Vec<Assignment>>;
}
