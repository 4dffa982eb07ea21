//! Master data: agents, teams, branches and products.

mod put;

use serde_json::json;

pub use self::put::{PutOutcome, PutRule};
use self::put::{Versioned, Write, decide_all};
use super::{Ledger, retry_contention, subject};
use crate::{
    Actor, Agent, AgentCode, Branch, BranchCode, Code, CodeKind, Error, ErrorKind, Lock, Mark, Product, ProductCode,
    Result, Team, TeamCode, UnitOfWork, Version,
};

/// A kind of master data, and where it is kept.
trait Master: Versioned {
    /// In the plural, as audit entries name them.
    const NAMES: &'static str;
    /// What a change leaves for the next run, if it concerns what is published.
    const MARK: Mark;

    fn find(
        unit: &mut dyn UnitOfWork,
        codes: &[Code<Self::Kind>],
    ) -> impl Future<Output = Result<Vec<Option<Self>>>> + Send;

    fn write(
        unit: &mut dyn UnitOfWork,
        row: &Self,
        expected: Option<Version>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Whether a change concerns what is published.
    fn is_published(_write: &Write<Self>) -> bool {
        true
    }
}

impl Versioned for Team {
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

impl Master for Team {
    const NAMES: &'static str = "teams";
    const MARK: Mark = Mark::Dimensions;

    async fn find(unit: &mut dyn UnitOfWork, codes: &[TeamCode]) -> Result<Vec<Option<Self>>> {
        unit.organisation().find_teams(codes).await
    }

    async fn write(unit: &mut dyn UnitOfWork, row: &Self, expected: Option<Version>) -> Result<()> {
        unit.organisation().put_team(row, expected).await
    }
}

impl Versioned for Branch {
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

impl Master for Branch {
    const NAMES: &'static str = "branches";
    const MARK: Mark = Mark::Dimensions;

    async fn find(unit: &mut dyn UnitOfWork, codes: &[BranchCode]) -> Result<Vec<Option<Self>>> {
        unit.organisation().find_branches(codes).await
    }

    async fn write(unit: &mut dyn UnitOfWork, row: &Self, expected: Option<Version>) -> Result<()> {
        unit.organisation().put_branch(row, expected).await
    }
}

impl Versioned for Product {
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

impl Master for Product {
    const NAMES: &'static str = "products";
    const MARK: Mark = Mark::Dimensions;

    async fn find(unit: &mut dyn UnitOfWork, codes: &[ProductCode]) -> Result<Vec<Option<Self>>> {
        unit.products().find(codes).await
    }

    async fn write(unit: &mut dyn UnitOfWork, row: &Self, expected: Option<Version>) -> Result<()> {
        unit.products().put(row, expected).await
    }
}

impl Versioned for Agent {
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

impl Master for Agent {
    const NAMES: &'static str = "agents";
    const MARK: Mark = Mark::Consents;

    async fn find(unit: &mut dyn UnitOfWork, codes: &[AgentCode]) -> Result<Vec<Option<Self>>> {
        unit.agents().find(codes, Lock::None).await
    }

    async fn write(unit: &mut dyn UnitOfWork, row: &Self, expected: Option<Version>) -> Result<()> {
        unit.agents().put(row, expected).await
    }

    /// The warehouse knows nothing else about agents as persons, and of new ones there are no figures yet.
    fn is_published(write: &Write<Self>) -> bool {
        let analytics = |agent: &Self| agent.consents.allows_analytics();
        write.before.as_ref().is_some_and(|before| analytics(before) != analytics(&write.row))
    }
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
        self.put(actor, teams, rule).await
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
        self.put_in(unit, actor, teams, rule).await
    }

    /// Writes branches, by the rules of [`put_teams`](Self::put_teams).
    ///
    /// # Errors
    /// As of [`put_teams`](Self::put_teams).
    pub async fn put_branches(&self, actor: &Actor, branches: &[Branch], rule: PutRule) -> Result<Vec<PutOutcome>> {
        self.put(actor, branches, rule).await
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
        self.put_in(unit, actor, branches, rule).await
    }

    /// Writes products, by the rules of [`put_teams`](Self::put_teams).
    ///
    /// # Errors
    /// As of [`put_teams`](Self::put_teams).
    pub async fn put_products(&self, actor: &Actor, products: &[Product], rule: PutRule) -> Result<Vec<PutOutcome>> {
        self.put(actor, products, rule).await
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
        self.put_in(unit, actor, products, rule).await
    }

    /// Writes agents, by the rules of [`put_teams`](Self::put_teams).
    ///
    /// # Errors
    /// As of [`put_teams`](Self::put_teams).
    pub async fn put_agents(&self, actor: &Actor, agents: &[Agent], rule: PutRule) -> Result<Vec<PutOutcome>> {
        self.put(actor, agents, rule).await
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
        self.put_in(unit, actor, agents, rule).await
    }

    async fn put<M: Master>(&self, actor: &Actor, rows: &[M], rule: PutRule) -> Result<Vec<PutOutcome>> {
        retry_contention(self.pause(), || async {
            let mut unit = self.begin().await?;
            let outcomes = self.put_in(unit.as_mut(), actor, rows, rule).await?;
            unit.commit().await?;
            Ok(outcomes)
        })
        .await
    }

    async fn put_in<M: Master>(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        rows: &[M],
        rule: PutRule,
    ) -> Result<Vec<PutOutcome>> {
        let codes: Vec<_> = rows.iter().map(|row| row.code().clone()).collect();
        let found = M::find(unit, &codes).await?;
        let mut outcomes = Vec::with_capacity(rows.len());
        let mut published = false;
        for (outcome, write) in decide_all(rows, found, rule)? {
            if let Some(write) = write {
                M::write(unit, &write.row, write.before.as_ref().map(M::version)).await?;
                published |= M::is_published(&write);
            }
            outcomes.push(outcome);
        }
        let count = |wanted: PutOutcome| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        let (created, updated) = (count(PutOutcome::Created), count(PutOutcome::Updated));
        if created + updated == 0 {
            // Nothing was changed, so there is nothing to account for.
            return Ok(outcomes);
        }
        let now = self.clock.now();
        if published {
            self.append_marks(unit, vec![M::MARK], now).await?;
        }
        let details = json!({ "created": created, "updated": updated, "unchanged": count(PutOutcome::Unchanged) });
        let subject = subject(rows, M::NAMES, |row| row.code().to_string());
        self.append_audit(unit, actor, &format!("put_{}", M::NAMES), subject, details, now).await?;
        Ok(outcomes)
    }
}
