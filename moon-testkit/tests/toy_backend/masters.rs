//! Teams, branches, agents, assignments, products and targets.

use std::collections::BTreeMap;

use async_trait::async_trait;
use moon_core::{
    Agent, AgentCode, AgentRepository, Assignment, Branch, BranchCode, Code, CodeKind, Error, ErrorKind, Lock,
    OrganisationRepository, Page, PageRequest, Product, ProductCode, ProductRepository, Result, Target, TargetKey,
    TargetScope, Team, TeamCode, Version,
};

use super::{ToyUnit, not_found, version_conflict};

/// Writes a row into a map if what is there is as expected.
fn put<K: CodeKind, T: Clone>(
    rows: &mut BTreeMap<Code<K>, T>,
    code: &Code<K>,
    row: &T,
    version: fn(&T) -> Version,
    expected: Option<Version>,
) -> Result<()> {
    match (rows.get(code).map(version), expected) {
        (Some(_), None) => {
            return Err(Error::new(ErrorKind::AlreadyExists, format!("{} exists already", K::NOUN)).with("code", code));
        }
        (found, Some(_)) if found != expected => return Err(version_conflict(K::NOUN)),
        _ => {}
    }
    rows.insert(code.clone(), row.clone());
    Ok(())
}

/// A page of a map, ascending by code.
fn page<K: CodeKind, T: Clone>(rows: &BTreeMap<Code<K>, T>, request: &PageRequest) -> Result<Page<T>> {
    let after = request.after.as_ref().map(moon_core::Cursor::sort_key).transpose()?;
    let behind = rows.iter().filter(|(code, _)| after.as_deref().is_none_or(|after| code.as_str() > after));
    let wanted = usize::try_from(request.limit).unwrap_or(usize::MAX).saturating_add(1);
    let fetched: Vec<_> = behind.take(wanted).map(|(code, row)| (code.clone(), row.clone())).collect();
    let page = Page::from_fetched(fetched, request.limit, |(code, _)| code.as_str().to_owned());
    Ok(Page { items: page.items.into_iter().map(|(_, row)| row).collect(), next: page.next })
}

fn find<K: CodeKind, T: Clone>(rows: &BTreeMap<Code<K>, T>, codes: &[Code<K>]) -> Vec<Option<T>> {
    codes.iter().map(|code| rows.get(code).cloned()).collect()
}

#[async_trait]
impl OrganisationRepository for ToyUnit {
    async fn find_teams(&mut self, codes: &[TeamCode]) -> Result<Vec<Option<Team>>> {
        Ok(find(&self.state.teams, codes))
    }

    async fn find_branches(&mut self, codes: &[BranchCode]) -> Result<Vec<Option<Branch>>> {
        Ok(find(&self.state.branches, codes))
    }

    async fn put_team(&mut self, team: &Team, expected: Option<Version>) -> Result<()> {
        put(&mut self.writable()?.teams, &team.code, team, |team| team.version, expected)
    }

    async fn put_branch(&mut self, branch: &Branch, expected: Option<Version>) -> Result<()> {
        put(&mut self.writable()?.branches, &branch.code, branch, |branch| branch.version, expected)
    }

    async fn list_teams(&mut self, request: &PageRequest) -> Result<Page<Team>> {
        page(&self.state.teams, request)
    }

    async fn list_branches(&mut self, request: &PageRequest) -> Result<Page<Branch>> {
        page(&self.state.branches, request)
    }
}

#[async_trait]
impl AgentRepository for ToyUnit {
    // The unit is alone, so there is nothing to lock.
    async fn find(&mut self, codes: &[AgentCode], _lock: Lock) -> Result<Vec<Option<Agent>>> {
        Ok(find(&self.state.agents, codes))
    }

    async fn put(&mut self, agent: &Agent, expected: Option<Version>) -> Result<()> {
        put(&mut self.writable()?.agents, &agent.code, agent, |agent| agent.version, expected)
    }

    async fn list(&mut self, request: &PageRequest) -> Result<Page<Agent>> {
        page(&self.state.agents, request)
    }

    async fn assignments(&mut self, agents: &[AgentCode]) -> Result<Vec<Assignment>> {
        let mut current = BTreeMap::new();
        for assignment in self.state.assignments.iter().filter(|assignment| agents.contains(&assignment.agent)) {
            let slot = current.entry((assignment.agent.clone(), assignment.from)).or_insert_with(|| assignment.clone());
            if slot.version < assignment.version {
                *slot = assignment.clone();
            }
        }
        Ok(current.into_values().collect())
    }

    async fn add_assignment(&mut self, assignment: &Assignment) -> Result<()> {
        let state = self.writable()?;
        if !state.agents.contains_key(&assignment.agent) {
            return Err(not_found("agent", &assignment.agent));
        }
        if !state.teams.contains_key(&assignment.team) {
            return Err(not_found("team", &assignment.team));
        }
        if !state.branches.contains_key(&assignment.branch) {
            return Err(not_found("branch", &assignment.branch));
        }
        let key = |assignment: &Assignment| (assignment.agent.clone(), assignment.from, assignment.version);
        if state.assignments.iter().any(|known| key(known) == key(assignment)) {
            return Err(version_conflict("assignment"));
        }
        state.assignments.push(assignment.clone());
        Ok(())
    }

    async fn assignment_history(&mut self, agent: &AgentCode) -> Result<Vec<Assignment>> {
        let mut history: Vec<_> =
            self.state.assignments.iter().filter(|assignment| assignment.agent == *agent).cloned().collect();
        history.sort_by_key(|assignment| (assignment.from, assignment.version));
        Ok(history)
    }
}

#[async_trait]
impl ProductRepository for ToyUnit {
    async fn find(&mut self, codes: &[ProductCode]) -> Result<Vec<Option<Product>>> {
        Ok(find(&self.state.products, codes))
    }

    async fn put(&mut self, product: &Product, expected: Option<Version>) -> Result<()> {
        put(&mut self.writable()?.products, &product.code, product, |product| product.version, expected)
    }

    async fn list(&mut self, request: &PageRequest) -> Result<Page<Product>> {
        page(&self.state.products, request)
    }

    async fn find_targets(&mut self, keys: &[TargetKey]) -> Result<Vec<Target>> {
        let current = self.targets().await?;
        Ok(current.into_iter().filter(|target| keys.contains(&target.key)).collect())
    }

    async fn targets(&mut self) -> Result<Vec<Target>> {
        let mut current: BTreeMap<_, Target> = BTreeMap::new();
        for target in &self.state.targets {
            let slot = current.entry((target.key.clone(), target.from)).or_insert_with(|| target.clone());
            if slot.version < target.version {
                *slot = target.clone();
            }
        }
        Ok(current.into_values().collect())
    }

    async fn add_target(&mut self, target: &Target) -> Result<()> {
        let state = self.writable()?;
        if let Some(product) = target.key.product.as_ref().filter(|product| !state.products.contains_key(*product)) {
            return Err(not_found("product", product));
        }
        match &target.key.scope {
            TargetScope::Branch(branch) if !state.branches.contains_key(branch) => {
                return Err(not_found("branch", branch));
            }
            TargetScope::Team(team) if !state.teams.contains_key(team) => return Err(not_found("team", team)),
            TargetScope::Agent(agent) if !state.agents.contains_key(agent) => return Err(not_found("agent", agent)),
            TargetScope::Ledger | TargetScope::Branch(_) | TargetScope::Team(_) | TargetScope::Agent(_) => {}
        }
        let key = |target: &Target| (target.key.clone(), target.from, target.version);
        if state.targets.iter().any(|known| key(known) == key(target)) {
            return Err(version_conflict("target"));
        }
        state.targets.push(target.clone());
        Ok(())
    }
}
