//! Master data: agents, teams, branches and products.

use std::collections::HashMap;

use serde_json::json;

use super::{Ledger, retry_contention, subject};
use crate::{
    Actor, Agent, AgentCode, Branch, BranchCode, Code, CodeKind, Error, ErrorKind, Lock, Mark, Product, ProductCode,
    Result, Team, TeamCode, UnitOfWork, Version,
};

/// What to do with a row whose code exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutRule {
    /// The code must be new.
    Create,
    /// Leave what is there as it is.
    Ensure,
    /// Take its place if it differs.
    Replace,
    /// Take the place of this very version.
    Update(Version),
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is new.
    Created,
    /// It took the place of what was there.
    Updated,
    /// It was there already, or was left as it was. Nothing changed.
    Unchanged,
}

/// Master data has a code and a version, and is compared without the version.
trait Master: Clone + PartialEq + Send + Sync {
    type Kind: CodeKind;
    fn code(&self) -> &Code<Self::Kind>;
    fn version(&self) -> Version;
    fn with_version(&self, version: Version) -> Self;
}

impl Master for Agent {
    type Kind = crate::AgentKind;
    fn code(&self) -> &AgentCode {
        &self.code
    }
    fn version(&self) -> Version {
        self.version
    }
    fn with_version(&self, version: Version) -> Self {
        Self { version, ..self.clone() }
    }
}

impl Master for Team {
    type Kind = crate::TeamKind;
    fn code(&self) -> &TeamCode {
        &self.code
    }
    fn version(&self) -> Version {
        self.version
    }
    fn with_version(&self, version: Version) -> Self {
        Self { version, ..self.clone() }
    }
}

impl Master for Branch {
    type Kind = crate::BranchKind;
    fn code(&self) -> &BranchCode {
        &self.code
    }
    fn version(&self) -> Version {
        self.version
    }
    fn with_version(&self, version: Version) -> Self {
        Self { version, ..self.clone() }
    }
}

impl Master for Product {
    type Kind = crate::ProductKind;
    fn code(&self) -> &ProductCode {
        &self.code
    }
    fn version(&self) -> Version {
        self.version
    }
    fn with_version(&self, version: Version) -> Self {
        Self { version, ..self.clone() }
    }
}

/// A row to write, and the version that it takes the place of.
struct Write<M> {
    row: M,
    expected: Option<Version>,
}

/// Decides about a row; `None` for the write when nothing changes.
fn decide<M: Master>(row: &M, found: Option<&M>, rule: PutRule) -> Result<(PutOutcome, Option<Write<M>>)> {
    let Some(found) = found else {
        return match rule {
            PutRule::Update(_) => Err(unknown(row.code())),
            PutRule::Create | PutRule::Ensure | PutRule::Replace => {
                Ok((PutOutcome::Created, Some(Write { row: row.with_version(Version::FIRST), expected: None })))
            }
        };
    };
    match rule {
        PutRule::Create => {
            return Err(Error::new(ErrorKind::AlreadyExists, format!("{} exists already", M::Kind::NOUN))
                .with("code", row.code()));
        }
        PutRule::Update(version) if version != found.version() => {
            return Err(Error::new(
                ErrorKind::VersionConflict,
                format!("{} was changed by somebody else; read it again", M::Kind::NOUN),
            )
            .with("code", row.code())
            .with("expected_version", version)
            .with("version", found.version()));
        }
        PutRule::Ensure | PutRule::Replace | PutRule::Update(_) => {}
    }
    if rule == PutRule::Ensure || row.with_version(found.version()) == *found {
        return Ok((PutOutcome::Unchanged, None));
    }
    Ok((
        PutOutcome::Updated,
        Some(Write { row: row.with_version(found.version().next()), expected: Some(found.version()) }),
    ))
}

/// Decides about all rows of a call; a second row of the same code is judged against the first.
fn decide_all<M: Master>(
    rows: &[M],
    found: Vec<Option<M>>,
    rule: PutRule,
) -> Result<Vec<(PutOutcome, Option<Write<M>>)>> {
    let mut latest: HashMap<Code<M::Kind>, M> = HashMap::new();
    let mut decisions = Vec::with_capacity(rows.len());
    for (row, found) in rows.iter().zip(found) {
        let found = latest.get(row.code()).cloned().or(found);
        let decision = decide(row, found.as_ref(), rule)?;
        if let Some(write) = &decision.1 {
            latest.insert(row.code().clone(), write.row.clone());
        }
        decisions.push(decision);
    }
    Ok(decisions)
}

/// The error for a code that names nothing.
pub(super) fn unknown<K: CodeKind>(code: &Code<K>) -> Error {
    Error::new(ErrorKind::NotFound, format!("{} is not known", K::NOUN)).with("code", code)
}

impl Ledger {
    /// Writes teams; the versions of the rows are ignored. A repeat with `Ensure` or `Replace` changes nothing.
    ///
    /// # Errors
    /// `AlreadyExists` under `Create`; `NotFound` or `VersionConflict` under `Update`; those of the store. Then nothing
    /// was written.
    pub async fn put_teams(&self, actor: &Actor, teams: &[Team], rule: PutRule) -> Result<Vec<PutOutcome>> {
        retry_contention(self.pause(), || async {
            let mut unit = self.begin().await?;
            let outcomes = self.put_teams_in(unit.as_mut(), actor, teams, rule).await?;
            unit.commit().await?;
            Ok(outcomes)
        })
        .await
    }

    /// [`put_teams`](Self::put_teams) in the caller's unit.
    ///
    /// # Errors
    /// As of [`put_teams`](Self::put_teams).
    pub async fn put_teams_in(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        teams: &[Team],
        rule: PutRule,
    ) -> Result<Vec<PutOutcome>> {
        let codes: Vec<_> = teams.iter().map(|team| team.code.clone()).collect();
        let found = unit.organisation().find_teams(&codes).await?;
        let mut outcomes = Vec::with_capacity(teams.len());
        for (outcome, write) in decide_all(teams, found, rule)? {
            if let Some(write) = write {
                unit.organisation().put_team(&write.row, write.expected).await?;
            }
            outcomes.push(outcome);
        }
        self.masters_written(
            unit,
            actor,
            "put_teams",
            subject(teams, "teams", |team| team.code.to_string()),
            &outcomes,
        )
        .await?;
        Ok(outcomes)
    }

    /// Writes branches, by the rules of [`put_teams`](Self::put_teams).
    ///
    /// # Errors
    /// As of [`put_teams`](Self::put_teams).
    pub async fn put_branches(&self, actor: &Actor, branches: &[Branch], rule: PutRule) -> Result<Vec<PutOutcome>> {
        retry_contention(self.pause(), || async {
            let mut unit = self.begin().await?;
            let outcomes = self.put_branches_in(unit.as_mut(), actor, branches, rule).await?;
            unit.commit().await?;
            Ok(outcomes)
        })
        .await
    }

    /// [`put_branches`](Self::put_branches) in the caller's unit.
    ///
    /// # Errors
    /// As of [`put_teams`](Self::put_teams).
    pub async fn put_branches_in(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        branches: &[Branch],
        rule: PutRule,
    ) -> Result<Vec<PutOutcome>> {
        let codes: Vec<_> = branches.iter().map(|branch| branch.code.clone()).collect();
        let found = unit.organisation().find_branches(&codes).await?;
        let mut outcomes = Vec::with_capacity(branches.len());
        for (outcome, write) in decide_all(branches, found, rule)? {
            if let Some(write) = write {
                unit.organisation().put_branch(&write.row, write.expected).await?;
            }
            outcomes.push(outcome);
        }
        self.masters_written(
            unit,
            actor,
            "put_branches",
            subject(branches, "branches", |branch| branch.code.to_string()),
            &outcomes,
        )
        .await?;
        Ok(outcomes)
    }

    /// Writes products, by the rules of [`put_teams`](Self::put_teams).
    ///
    /// # Errors
    /// As of [`put_teams`](Self::put_teams).
    pub async fn put_products(&self, actor: &Actor, products: &[Product], rule: PutRule) -> Result<Vec<PutOutcome>> {
        retry_contention(self.pause(), || async {
            let mut unit = self.begin().await?;
            let outcomes = self.put_products_in(unit.as_mut(), actor, products, rule).await?;
            unit.commit().await?;
            Ok(outcomes)
        })
        .await
    }

    /// [`put_products`](Self::put_products) in the caller's unit.
    ///
    /// # Errors
    /// As of [`put_teams`](Self::put_teams).
    pub async fn put_products_in(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        products: &[Product],
        rule: PutRule,
    ) -> Result<Vec<PutOutcome>> {
        let codes: Vec<_> = products.iter().map(|product| product.code.clone()).collect();
        let found = unit.products().find(&codes).await?;
        let mut outcomes = Vec::with_capacity(products.len());
        for (outcome, write) in decide_all(products, found, rule)? {
            if let Some(write) = write {
                unit.products().put(&write.row, write.expected).await?;
            }
            outcomes.push(outcome);
        }
        self.masters_written(
            unit,
            actor,
            "put_products",
            subject(products, "products", |product| product.code.to_string()),
            &outcomes,
        )
        .await?;
        Ok(outcomes)
    }

    /// Writes agents, by the rules of [`put_teams`](Self::put_teams).
    ///
    /// # Errors
    /// As of [`put_teams`](Self::put_teams).
    pub async fn put_agents(&self, actor: &Actor, agents: &[Agent], rule: PutRule) -> Result<Vec<PutOutcome>> {
        retry_contention(self.pause(), || async {
            let mut unit = self.begin().await?;
            let outcomes = self.put_agents_in(unit.as_mut(), actor, agents, rule).await?;
            unit.commit().await?;
            Ok(outcomes)
        })
        .await
    }

    /// [`put_agents`](Self::put_agents) in the caller's unit.
    ///
    /// # Errors
    /// As of [`put_teams`](Self::put_teams).
    pub async fn put_agents_in(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        agents: &[Agent],
        rule: PutRule,
    ) -> Result<Vec<PutOutcome>> {
        let codes: Vec<_> = agents.iter().map(|agent| agent.code.clone()).collect();
        let found = unit.agents().find(&codes, Lock::None).await?;
        let analytics = |agent: &Agent| (agent.code.clone(), agent.consents.allows_analytics());
        let before: HashMap<AgentCode, bool> = found.iter().flatten().map(analytics).collect();
        let mut outcomes = Vec::with_capacity(agents.len());
        let mut consents_changed = false;
        for (outcome, write) in decide_all(agents, found, rule)? {
            if let Some(write) = write {
                unit.agents().put(&write.row, write.expected).await?;
                // A new agent has no figures yet.
                let (code, allowed) = analytics(&write.row);
                consents_changed |= before.get(&code).is_some_and(|before| *before != allowed);
            }
            outcomes.push(outcome);
        }
        // No other mark: the warehouse knows nothing else about agents as persons.
        if consents_changed {
            self.append_marks(unit, vec![Mark::Consents], self.clock.now()).await?;
        }
        self.audit_written(
            unit,
            actor,
            "put_agents",
            subject(agents, "agents", |agent| agent.code.to_string()),
            &outcomes,
        )
        .await?;
        Ok(outcomes)
    }

    async fn masters_written(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        action: &str,
        subject: String,
        outcomes: &[PutOutcome],
    ) -> Result<()> {
        if outcomes.iter().any(|outcome| *outcome != PutOutcome::Unchanged) {
            self.append_marks(unit, vec![Mark::Dimensions], self.clock.now()).await?;
        }
        self.audit_written(unit, actor, action, subject, outcomes).await
    }

    async fn audit_written(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        action: &str,
        subject: String,
        outcomes: &[PutOutcome],
    ) -> Result<()> {
        let count = |wanted: PutOutcome| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        let (created, updated) = (count(PutOutcome::Created), count(PutOutcome::Updated));
        if created + updated == 0 {
            // Nothing was changed, so there is nothing to account for.
            return Ok(());
        }
        let details = json!({ "created": created, "updated": updated, "unchanged": count(PutOutcome::Unchanged) });
        self.append_audit(unit, actor, action, subject, details, self.clock.now()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Name;

    fn team(name: &str, version: u32) -> Team {
        Team {
            code: TeamCode::new("ALPHA").unwrap(),
            name: Name::new("name", name).unwrap(),
            version: Version(version),
        }
    }

    #[test]
    fn each_rule_decides_by_what_is_there() {
        let there = team("Alpha", 3);
        let same = team("Alpha", 0);
        let other = team("Beta", 0);
        let outcome = |row: &Team, found: Option<&Team>, rule| {
            decide(row, found, rule).map(|(outcome, _)| outcome).map_err(|error| error.kind())
        };
        for rule in [PutRule::Create, PutRule::Ensure, PutRule::Replace] {
            assert_eq!(outcome(&same, None, rule), Ok(PutOutcome::Created));
        }
        assert_eq!(outcome(&same, None, PutRule::Update(Version(3))), Err(ErrorKind::NotFound));
        assert_eq!(outcome(&same, Some(&there), PutRule::Create), Err(ErrorKind::AlreadyExists));
        assert_eq!(outcome(&other, Some(&there), PutRule::Ensure), Ok(PutOutcome::Unchanged));
        assert_eq!(outcome(&same, Some(&there), PutRule::Replace), Ok(PutOutcome::Unchanged));
        assert_eq!(outcome(&other, Some(&there), PutRule::Update(Version(2))), Err(ErrorKind::VersionConflict));
        let (_, write) = decide(&other, Some(&there), PutRule::Update(Version(3))).unwrap();
        let write = write.unwrap();
        assert_eq!((write.row, write.expected), (team("Beta", 4), Some(Version(3))));
    }

    #[test]
    fn a_second_row_of_a_call_is_judged_against_the_first() {
        let decisions = decide_all(
            &[team("Alpha", 0), team("Alpha", 0), team("Beta", 0)],
            vec![None, None, None],
            PutRule::Replace,
        )
        .unwrap();
        let outcomes: Vec<_> = decisions.iter().map(|(outcome, _)| *outcome).collect();
        assert_eq!(outcomes, [PutOutcome::Created, PutOutcome::Unchanged, PutOutcome::Updated]);
    }
}
