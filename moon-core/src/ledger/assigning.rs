//! Assigning agents to teams and home branches, late entries included.

use serde_json::json;

use super::attribution::Attribution;
use super::masters::unknown;
use super::{Ledger, retry_contention, subject};
use crate::{
    Actor, AgentCode, Assignment, BranchCode, BusinessDate, DayRange, Error, ErrorKind, Lock, Mark, PAGE_LIMIT_MAX,
    PageRequest, Places, Result, Sale, SaleChange, SaleKey, SaleQuery, TeamCode, UnitOfWork, Version,
};

/// An assignment to enter. A later entry of the same (agent, from) with another payload is a correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAssignment {
    /// Whom.
    pub agent: AgentCode,
    /// The first day.
    pub from: BusinessDate,
    /// The day behind the last one; `None`: until the next assignment.
    pub to: Option<BusinessDate>,
    /// The team.
    pub team: TeamCode,
    /// The home branch.
    pub branch: BranchCode,
    /// The version that is to be corrected; `None`: whatever is there.
    pub expected: Option<Version>,
}

/// What became of an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignOutcome {
    /// It is new; so many sales count elsewhere now.
    Entered {
        /// Sales with a derived place that changed.
        moved: u64,
    },
    /// It took the place of an earlier version; so many sales count elsewhere now.
    Corrected {
        /// Sales with a derived place that changed.
        moved: u64,
    },
    /// The same is known already. Nothing changed.
    Duplicate,
}

impl Ledger {
    /// Enters assignments, in their order. Each cuts the interval that covers its first day there, and lasts until the
    /// agent's next one starts or its own end. The derived places of the agent's sales in that time are derived again in
    /// the same unit; given ones stay.
    ///
    /// # Errors
    /// `NotFound` for an unknown agent, team or branch; `InvalidInput` for an end that is not behind the start or lies
    /// beyond the start of the next assignment; `VersionConflict` when the expected version is not the present one;
    /// those of the store. Then nothing was entered.
    pub async fn assign(&self, actor: &Actor, assignments: &[NewAssignment]) -> Result<Vec<AssignOutcome>> {
        retry_contention(self.pause(), || async {
            let mut unit = self.begin().await?;
            let outcomes = self.assign_in(unit.as_mut(), actor, assignments).await?;
            unit.commit().await?;
            Ok(outcomes)
        })
        .await
    }

    /// [`assign`](Self::assign) in the caller's unit.
    ///
    /// # Errors
    /// As of [`assign`](Self::assign).
    pub async fn assign_in(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        assignments: &[NewAssignment],
    ) -> Result<Vec<AssignOutcome>> {
        self.check_assigned(unit, assignments).await?;
        let mut outcomes = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            outcomes.push(self.assign_one(unit, actor, assignment).await?);
        }
        let count = |wanted: fn(&AssignOutcome) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
        let entered = count(|outcome| matches!(outcome, AssignOutcome::Entered { .. }));
        let corrected = count(|outcome| matches!(outcome, AssignOutcome::Corrected { .. }));
        if entered + corrected > 0 {
            let moved: u64 = outcomes.iter().map(AssignOutcome::moved).sum();
            let details = json!({ "entered": entered, "corrected": corrected, "moved_sales": moved });
            let subject = subject(assignments, "assignments", |assignment| {
                format!("{} from {}", assignment.agent, assignment.from)
            });
            self.append_audit(unit, actor, "assign", subject, details, self.clock.now()).await?;
        }
        Ok(outcomes)
    }

    /// Whether everything named exists; locks the agents against recording.
    async fn check_assigned(&self, unit: &mut dyn UnitOfWork, assignments: &[NewAssignment]) -> Result<()> {
        let mut agents: Vec<_> = assignments.iter().map(|assignment| assignment.agent.clone()).collect();
        let mut teams: Vec<_> = assignments.iter().map(|assignment| assignment.team.clone()).collect();
        let mut branches: Vec<_> = assignments.iter().map(|assignment| assignment.branch.clone()).collect();
        agents.sort_unstable();
        agents.dedup();
        teams.sort_unstable();
        teams.dedup();
        branches.sort_unstable();
        branches.dedup();
        let found = unit.agents().find(&agents, Lock::Exclusive).await?;
        if let Some((code, _)) = agents.iter().zip(&found).find(|(_, found)| found.is_none()) {
            return Err(unknown(code));
        }
        let found = unit.organisation().find_teams(&teams).await?;
        if let Some((code, _)) = teams.iter().zip(&found).find(|(_, found)| found.is_none()) {
            return Err(unknown(code));
        }
        let found = unit.organisation().find_branches(&branches).await?;
        if let Some((code, _)) = branches.iter().zip(&found).find(|(_, found)| found.is_none()) {
            return Err(unknown(code));
        }
        Ok(())
    }

    async fn assign_one(&self, unit: &mut dyn UnitOfWork, actor: &Actor, new: &NewAssignment) -> Result<AssignOutcome> {
        let agents = std::slice::from_ref(&new.agent);
        let current = unit.agents().assignments(agents).await?;
        let known = current.iter().find(|known| known.from == new.from);
        if let Some(known) =
            known.filter(|known| (&known.team, &known.branch, known.to) == (&new.team, &new.branch, new.to))
        {
            debug_assert_eq!(known.agent, new.agent);
            return Ok(AssignOutcome::Duplicate);
        }
        // Only now: a repeat stays harmless where a later start has cut its end since.
        let next_start = current.iter().map(|known| known.from).filter(|from| *from > new.from).min();
        check_end(new, next_start)?;
        let version = known.map(|known| known.version);
        if new.expected.is_some_and(|expected| Some(expected) != version) {
            return Err(Error::new(
                ErrorKind::VersionConflict,
                "assignment was changed by somebody else; read it again",
            )
            .with("agent", &new.agent)
            .with("from", new.from));
        }
        let assignment = Assignment {
            agent: new.agent.clone(),
            from: new.from,
            to: new.to,
            team: new.team.clone(),
            branch: new.branch.clone(),
            version: version.map_or(Version::FIRST, Version::next),
            entered_at: self.clock.now(),
            entered_by: actor.0.clone(),
        };
        unit.agents().add_assignment(&assignment).await?;
        let attribution = Attribution::load(unit, agents).await?;
        // Behind an end of its own nothing is in force until the next start, also where the interval that was cut was.
        let days = DayRange::new(new.from.epoch_day(), next_start.map_or(DayRange::ALL.end(), BusinessDate::epoch_day));
        let moved = self.derive_again(unit, &attribution, &new.agent, days).await?;
        Ok(if version.is_none() { AssignOutcome::Entered { moved } } else { AssignOutcome::Corrected { moved } })
    }

    /// Derives the places of an agent's sales in some days again; returns how many changed.
    async fn derive_again(
        &self,
        unit: &mut dyn UnitOfWork,
        attribution: &Attribution,
        agent: &AgentCode,
        days: DayRange,
    ) -> Result<u64> {
        let query = SaleQuery { days, agent: Some(agent.clone()), ..SaleQuery::default() };
        let mut request = Some(PageRequest::first(PAGE_LIMIT_MAX));
        let mut moved = 0;
        while let Some(page_request) = request {
            let page = unit.sales().list(&query, &page_request).await?;
            request = page_request.following(&page);
            let elsewhere = |sale: &&Sale| attribution.places(&sale.content) != sale.places;
            let keys: Vec<SaleKey> = page.items.iter().filter(elsewhere).map(|sale| sale.key.clone()).collect();
            let mut changes = Vec::new();
            let mut marks = Vec::new();
            // The list locks nothing: a correction that names another agent now, or a cancellation, may have come since.
            // What is written must be what stands there, so each is read again under its lock.
            let found = if keys.is_empty() { Vec::new() } else { unit.sales().find(&keys).await? };
            for before in found.into_iter().flatten().filter(|sale| sale.content.agent.as_ref() == Some(agent)) {
                let places: Places = attribution.places(&before.content);
                if places != before.places {
                    let after = Sale { places, ..before.clone() };
                    marks.extend(after.posting_dates().map(Mark::Day));
                    changes.push(SaleChange { before: Some(before), after });
                    moved += 1;
                }
            }
            if !changes.is_empty() {
                unit.sales().write(&changes).await?;
                self.append_marks(unit, marks, self.clock.now()).await?;
            }
        }
        Ok(moved)
    }
}

impl AssignOutcome {
    /// How many sales count elsewhere now.
    #[must_use]
    pub fn moved(&self) -> u64 {
        match self {
            Self::Entered { moved } | Self::Corrected { moved } => *moved,
            Self::Duplicate => 0,
        }
    }
}

fn check_end(new: &NewAssignment, next_start: Option<BusinessDate>) -> Result<()> {
    let Some(to) = new.to else { return Ok(()) };
    let fault =
        |message: &'static str| Error::invalid(message).with("agent", &new.agent).with("from", new.from).with("to", to);
    if to <= new.from {
        return Err(fault("assignment ends before it starts"));
    }
    match next_start.filter(|next| to > *next) {
        Some(next) => Err(fault("assignment ends beyond the start of the next one").with("next_from", next)),
        None => Ok(()),
    }
}
