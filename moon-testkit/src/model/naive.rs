//! A ledger that is right by being simple: it keeps every message and assignment that was taken in, and makes the sales
//! anew from them whenever they are asked for. It shares no rule with the real one; each stands here in the words of the
//! domain.

use std::collections::{BTreeMap, BTreeSet};

use moon_core::{
    AgentCode, Amount, BusinessDate, ErrorKind, Granularity, LifeMessage, Mark, MessageBody, NewAssignment, NewTarget,
    Places, Reference, Revision, RevisionRule, Sale, SaleContent, SaleId, SaleKey, SaleMessage, TargetKey, TargetScope,
    Version,
};
use uuid::Uuid;

use super::command::{AGENTS, BRANCHES, Change, PRODUCTS, TEAMS};
use super::standing::Standing;
use crate::builders::noon;

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Recorded(u32),
    Corrected(u32),
    Applied(u32),
    Kept(u32),
    Duplicate,
    Stale,
    Conflict,
    Rejected,
}

/// What a change answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Outcomes(Vec<Outcome>),
    /// Entered (or else corrected), and how many sales moved; `None` for a duplicate.
    Assigned(Vec<Option<(bool, u64)>>),
    /// New (or else corrected); `None` for a duplicate.
    Targets(Vec<Option<bool>>),
    Done,
}

/// Marks that wait: those that must be there, and those that may be there beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) required: BTreeSet<Mark>,
    pub(super) allowed: BTreeSet<Mark>,
}

/// A message as it was taken in.
pub(super) type Taken = (MessageBody, Option<Reference>);

/// The naive ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    /// By sale and revision.
    pub(super) messages: BTreeMap<SaleKey, BTreeMap<u32, Taken>>,
    /// All versions, in the order of entry.
    pub(super) assignments: Vec<(NewAssignment, Version)>,
    /// The present amount and version of each (key, from).
    pub(super) targets: BTreeMap<(TargetKey, BusinessDate), (Amount, Version)>,
    /// What was done, in order.
    pub(super) audit: Vec<&'static str>,
    /// For the next run.
    pub(super) open: Marks,
    /// Of the run that is under way.
    pub(super) claimed: Marks,
    /// How many runs have ended.
    pub(super) runs: u32,
}

impl Model {
    /// A ledger in which master data were entered.
    pub(super) fn new() -> Self {
        let dimensions = BTreeSet::from([Mark::Dimensions]);
        Self {
            audit: vec!["put_teams", "put_branches", "put_products", "put_agents"],
            open: Marks { required: dimensions.clone(), allowed: dimensions },
            ..Self::default()
        }
    }

    /// Names the run that is under way.
    pub(super) fn run(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.runs) + 1)
    }

    /// Makes a change. After an error the model is of no use: it is put back to what it was before.
    pub(super) fn change(&mut self, change: &Change) -> Result<Answer, ErrorKind> {
        let before = self.sales();
        let mut touched = BTreeSet::new();
        let answer = match change {
            Change::Record(messages) => {
                self.audit.push("record_sales");
                let outcomes = messages.iter().map(|message| {
                    touched.extend(self.days_of(&message.key));
                    let outcome = self.take(message);
                    touched.extend(self.days_of(&message.key));
                    if !matches!(outcome, Outcome::Duplicate | Outcome::Conflict | Outcome::Rejected) {
                        self.arrived(&message.key);
                    }
                    outcome
                });
                Answer::Outcomes(outcomes.collect())
            }
            Change::Life(key, life) => {
                if !before.contains_key(key) {
                    return Err(ErrorKind::NotFound);
                }
                self.audit.push("record_sales");
                let (revision, body) = (RevisionRule::Next, MessageBody::Life(life.clone()));
                touched.extend(self.days_of(key));
                self.place(&SaleMessage { key: key.clone(), revision, body, entry: None })?;
                self.arrived(key);
                touched.extend(self.days_of(key));
                Answer::Done
            }
            Change::Assign(assignments) => self.assign(assignments)?,
            Change::SetTargets(targets) => self.set_targets(targets)?,
            Change::Claim => {
                let Marks { required, allowed } = std::mem::take(&mut self.open);
                self.claimed.required.extend(required);
                self.claimed.allowed.extend(allowed);
                Answer::Done
            }
            Change::Settle => {
                self.claimed = Marks::default();
                self.runs += 1;
                Answer::Done
            }
        };
        self.mark(&before, touched);
        Ok(answer)
    }

    /// Every sale that changed marks the days of its postings, before and after. Days on which a sale lay while it was told
    /// of may be marked too.
    fn mark(&mut self, before: &BTreeMap<SaleKey, Sale>, touched: BTreeSet<Mark>) {
        for (key, sale) in &self.sales() {
            let old = before.get(key);
            let part = |sale: &Sale| (sale.content.clone(), sale.places.clone(), sale.voided, sale.adjustments.clone());
            if old.map(part) != Some(part(sale)) {
                self.open.required.extend(old.into_iter().chain([sale]).flat_map(Sale::posting_dates).map(Mark::Day));
            }
        }
        self.open.allowed.extend(touched);
        self.open.allowed.extend(self.open.required.iter().cloned());
    }

    /// Something about a sale was taken in from its source. Time stands.
    fn arrived(&mut self, key: &SaleKey) {
        self.open.required.insert(Mark::Arrival { source: key.source.clone(), at: noon("2026-06-15") });
    }

    fn days_of(&self, key: &SaleKey) -> Vec<Mark> {
        self.sale(key).iter().flat_map(Sale::posting_dates).map(Mark::Day).collect()
    }

    /// All sales, made from what was said about them. Identifiers and instants are made up.
    pub(super) fn sales(&self) -> BTreeMap<SaleKey, Sale> {
        self.messages.keys().filter_map(|key| Some((key.clone(), self.sale(key)?))).collect()
    }

    fn sale(&self, key: &SaleKey) -> Option<Sale> {
        let messages = self.messages.get(key)?;
        let (revision, content) = content_of(messages)?;
        let lives = messages.iter().filter_map(|(revision, (body, _))| Some((*revision, life_of(body)?)));
        let life = Standing::after(content, lives);
        Some(Sale {
            id: SaleId(Uuid::nil()),
            key: key.clone(),
            content: content.clone(),
            places: self.places(content),
            revision: Revision(revision),
            last_revision: Revision(*messages.keys().max()?),
            voided: life.voided,
            adjustments: life.postings,
            recorded_at: noon("2026-06-15"),
            content_at: noon("2026-06-15"),
        })
    }

    /// What is given stays; the rest is that of the assignment on the sale's date.
    fn places(&self, content: &SaleContent) -> Places {
        let assignment = content.agent.as_ref().and_then(|agent| self.assignment_on(agent, content.date));
        Places {
            team: content.team.clone().or(assignment.map(|assignment| assignment.team.clone())),
            branch: content.branch.clone().or(assignment.map(|assignment| assignment.branch.clone())),
        }
    }

    /// What is given stays; the rest is that of the assignment in force today, else of the one that ended last.
    pub(super) fn places_now(&self, content: &SaleContent, today: BusinessDate) -> Places {
        let assignment = content.agent.as_ref().and_then(|agent| {
            let ended = || self.starts(agent).into_iter().rev().find(|assignment| assignment.from <= today);
            self.assignment_on(agent, today).or_else(ended)
        });
        Places {
            team: content.team.clone().or(assignment.map(|assignment| assignment.team.clone())),
            branch: content.branch.clone().or(assignment.map(|assignment| assignment.branch.clone())),
        }
    }

    /// The present versions of an agent's assignments, ascending by start.
    fn starts(&self, agent: &AgentCode) -> Vec<&NewAssignment> {
        let of_agent = self.assignments.iter().filter(|(assignment, _)| assignment.agent == *agent);
        // A later version takes the place of an earlier one.
        let present: BTreeMap<_, _> = of_agent.map(|(assignment, _)| (assignment.from, assignment)).collect();
        present.into_values().collect()
    }

    /// An assignment holds until its own end or the next start, whichever comes first.
    fn assignment_on(&self, agent: &AgentCode, day: BusinessDate) -> Option<&NewAssignment> {
        let starts = self.starts(agent);
        let ends = starts.iter().skip(1).map(|next| Some(next.from)).chain([None]);
        let holds = |(assignment, next): &(&&NewAssignment, Option<BusinessDate>)| {
            assignment.from <= day && assignment.to.is_none_or(|to| day < to) && next.is_none_or(|next| day < next)
        };
        starts.iter().zip(ends).find(holds).map(|(assignment, _)| *assignment)
    }

    fn take(&mut self, message: &SaleMessage) -> Outcome {
        let known = self.sale(&message.key);
        match self.place(message) {
            Ok(Some(revision)) => match (&message.body, known) {
                (MessageBody::Content(_), None) => Outcome::Recorded(revision),
                (MessageBody::Content(_), Some(sale)) if revision < sale.revision.0 => Outcome::Stale,
                (MessageBody::Content(_), Some(_)) => Outcome::Corrected(revision),
                (MessageBody::Life(_), None) => Outcome::Kept(revision),
                (MessageBody::Life(_), Some(_)) => Outcome::Applied(revision),
            },
            Ok(None) => Outcome::Duplicate,
            Err(ErrorKind::PayloadConflict) => Outcome::Conflict,
            Err(_) => Outcome::Rejected,
        }
    }

    /// Puts a message in its place and returns its revision; `None` for a repeat.
    fn place(&mut self, message: &SaleMessage) -> Result<Option<u32>, ErrorKind> {
        if let MessageBody::Content(content) = &message.body {
            let place = |known: &[&str], code: Option<&str>| code.is_none_or(|code| known.contains(&code));
            let all_known = place(&AGENTS, content.agent.as_ref().map(|code| code.as_str()))
                && place(&PRODUCTS, Some(content.product.as_str()))
                && place(&TEAMS, content.team.as_ref().map(|code| code.as_str()))
                && place(&BRANCHES, content.branch.as_ref().map(|code| code.as_str()));
            if !all_known {
                return Err(ErrorKind::NotFound);
            }
        }
        // An entry of a source is told once: the same again is a repeat, anything else a conflict.
        if let Some(entry) = &message.entry {
            for (key, messages) in &self.messages {
                for (body, carried_by) in messages.values() {
                    if key.source == message.key.source && carried_by.as_ref() == Some(entry) {
                        let same = *key == message.key && *body == message.body;
                        return if same { Ok(None) } else { Err(ErrorKind::PayloadConflict) };
                    }
                }
            }
        }
        let messages = self.messages.get(&message.key).cloned().unwrap_or_default();
        let content = content_of(&messages).map(|(_, content)| content);
        let next = messages.keys().max().map_or(0, |last| last + 1);
        let taken = (message.body.clone(), message.entry.clone());
        let revision = match (message.revision, &message.body) {
            (RevisionRule::Given(Revision(revision)), _) => match messages.get(&revision) {
                Some(known) if *known == taken => return Ok(None),
                Some(_) => return Err(ErrorKind::PayloadConflict),
                None => revision,
            },
            (_, MessageBody::Content(new)) if content == Some(new) => return Ok(None),
            (RevisionRule::Only, MessageBody::Content(_)) if content.is_some() => {
                return Err(ErrorKind::PayloadConflict);
            }
            (_, MessageBody::Content(_)) => next,
            (_, MessageBody::Life(command)) => {
                if let Some(content) = content {
                    let lives = messages.iter().filter_map(|(revision, (body, _))| Some((*revision, life_of(body)?)));
                    Standing::after(content, lives).permits(content, command)?;
                }
                next
            }
        };
        self.messages.entry(message.key.clone()).or_default().insert(revision, taken);
        Ok(Some(revision))
    }

    fn assign(&mut self, assignments: &[NewAssignment]) -> Result<Answer, ErrorKind> {
        for new in assignments {
            let all_known = AGENTS.contains(&new.agent.as_str())
                && TEAMS.contains(&new.team.as_str())
                && BRANCHES.contains(&new.branch.as_str());
            if !all_known {
                return Err(ErrorKind::NotFound);
            }
        }
        let mut answers = Vec::new();
        for new in assignments {
            let known =
                self.assignments.iter().rfind(|(known, _)| (&known.agent, known.from) == (&new.agent, new.from));
            if known
                .is_some_and(|(known, _)| (&known.team, &known.branch, known.to) == (&new.team, &new.branch, new.to))
            {
                answers.push(None);
                continue;
            }
            let next = self.starts(&new.agent).into_iter().map(|other| other.from).find(|from| *from > new.from);
            if new.to.is_some_and(|to| to <= new.from || next.is_some_and(|next| to > next)) {
                return Err(ErrorKind::InvalidInput);
            }
            let version = known.map(|(_, version)| *version);
            if new.expected.is_some() && new.expected != version {
                return Err(ErrorKind::VersionConflict);
            }
            let before = self.sales();
            self.assignments.push((new.clone(), version.map_or(Version::FIRST, |version| Version(version.0 + 1))));
            let after = self.sales();
            let moved = after.iter().filter(|(key, sale)| before[*key].places != sale.places).count();
            answers.push(Some((version.is_none(), u64::try_from(moved).unwrap())));
        }
        if answers.iter().any(Option::is_some) {
            self.audit.push("assign");
        }
        Ok(Answer::Assigned(answers))
    }

    fn set_targets(&mut self, targets: &[NewTarget]) -> Result<Answer, ErrorKind> {
        let mut met = BTreeSet::new();
        let mut twice = false;
        for new in targets {
            let first = new.key.period.days().first().unwrap();
            let last = new.key.period.days().last().unwrap();
            let from = new.from.unwrap_or(first);
            let granularity = new.key.period.granularity();
            let allowed = [Granularity::Month, Granularity::Quarter, Granularity::Year, Granularity::All];
            if !allowed.contains(&granularity) || from > last || new.amount < Amount::ZERO {
                return Err(ErrorKind::InvalidInput);
            }
            twice |= !met.insert((new.key.clone(), from));
        }
        if twice {
            return Err(ErrorKind::InvalidInput);
        }
        for new in targets {
            let scope_known = match &new.key.scope {
                TargetScope::Ledger => true,
                TargetScope::Branch(code) => BRANCHES.contains(&code.as_str()),
                TargetScope::Team(code) => TEAMS.contains(&code.as_str()),
                TargetScope::Agent(code) => AGENTS.contains(&code.as_str()),
            };
            let product_known = new.key.product.as_ref().is_none_or(|code| PRODUCTS.contains(&code.as_str()));
            if !scope_known || !product_known {
                return Err(ErrorKind::NotFound);
            }
        }
        let mut answers = Vec::new();
        for new in targets {
            let from = new.from.unwrap_or(new.key.period.days().first().unwrap());
            let known = self.targets.get(&(new.key.clone(), from)).copied();
            let version = match (known, new.expected) {
                (Some((amount, _)), _) if amount == new.amount => {
                    answers.push(None);
                    continue;
                }
                (None, None) => Version::FIRST,
                (Some((_, version)), Some(expected)) if version == expected => Version(version.0 + 1),
                (Some(_), None) => return Err(ErrorKind::AlreadyExists),
                (_, Some(_)) => return Err(ErrorKind::VersionConflict),
            };
            answers.push(Some(known.is_none()));
            self.targets.insert((new.key.clone(), from), (new.amount, version));
            self.open.required.insert(Mark::Target { product: new.key.product.clone(), period: new.key.period });
        }
        if answers.iter().any(Option::is_some) {
            self.audit.push("set_targets");
        }
        Ok(Answer::Targets(answers))
    }
}

/// The content of the highest content revision.
pub(super) fn content_of(messages: &BTreeMap<u32, Taken>) -> Option<(u32, &SaleContent)> {
    messages.iter().rev().find_map(|(revision, (body, _))| match body {
        MessageBody::Content(content) => Some((*revision, content)),
        MessageBody::Life(_) => None,
    })
}

fn life_of(body: &MessageBody) -> Option<&LifeMessage> {
    match body {
        MessageBody::Life(life) => Some(life),
        MessageBody::Content(_) => None,
    }
}
