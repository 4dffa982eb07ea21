//! Recording: messages about sales, many at once.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::json;

use super::attribution::Attribution;
use super::message::{RecordReport, RevisionRule, SaleMessage, SaleOutcome};
use super::sale_state::SaleState;
use super::{Ledger, retry_contention, subject};
use crate::{
    Actor, AgentCode, BranchCode, Code, CodeKind, Error, ErrorKind, LifeMessage, Lock, Mark, MessageBody, ProductCode,
    Reference, Result, Revision, Sale, SaleChange, SaleKey, Source, StoredMessage, TeamCode, UnitOfWork,
};

impl Ledger {
    /// Takes in messages about sales: contents, cancellations, reinstatements and voids, in one unit of work. Each gets an
    /// outcome of its own; one that is rejected or in conflict leaves the others alone. A repeat of the whole call
    /// changes nothing where messages carry a revision or an entry, or are contents.
    ///
    /// # Errors
    /// Those of the store; then nothing was recorded.
    pub async fn record_sales(&self, actor: &Actor, messages: &[SaleMessage]) -> Result<RecordReport> {
        retry_contention(self.pause(), || async {
            let mut unit = self.begin().await?;
            let report = self.record_sales_in(unit.as_mut(), actor, messages).await?;
            unit.commit().await?;
            Ok(report)
        })
        .await
    }

    /// [`record_sales`](Self::record_sales) in the caller's unit.
    ///
    /// # Errors
    /// Those of the store; then the unit can only be rolled back.
    pub async fn record_sales_in(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        messages: &[SaleMessage],
    ) -> Result<RecordReport> {
        let now = self.clock.now();
        let known = KnownCodes::load(unit, messages).await?;
        let mut outcomes: Vec<Option<SaleOutcome>> =
            messages.iter().map(|message| known.check(message).err().map(SaleOutcome::Rejected)).collect();

        let fresh = self.insert_fresh(unit, &known.attribution, messages, &mut outcomes).await?;
        let mut marks: Vec<Mark> = fresh.iter().flat_map(Sale::posting_dates).map(Mark::Day).collect();
        self.take_known(unit, &known.attribution, messages, &mut outcomes, &mut marks).await?;

        // Every message has an outcome by now; the fallback says so rather than panic should that ever be wrong.
        let undecided = || SaleOutcome::Rejected(Error::new(ErrorKind::Corrupt, "message was not decided"));
        let report =
            RecordReport { outcomes: outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(undecided)).collect() };
        marks.extend(arrivals(messages, &report, now));
        self.append_marks(unit, marks, now).await?;
        let counts = report.counts();
        let details = json!({
            "recorded": counts.recorded, "corrections": counts.corrections, "life": counts.life,
            "duplicates": counts.duplicates, "stale": counts.stale, "conflicts": counts.conflicts, "rejected": counts.rejected,
        });
        let subject = subject(messages, "messages", |message| message.key.to_string());
        self.append_audit(unit, actor, "record_sales", subject, details, now).await?;
        Ok(report)
    }

    /// Carries out a command about the life of a known sale as it stands, and returns the sale as it stands then.
    ///
    /// # Errors
    /// `NotFound`; `Refused` or `InvalidInput` when it could not have its full effect; those of the store.
    pub async fn change_life(&self, actor: &Actor, key: &SaleKey, message: LifeMessage) -> Result<Sale> {
        retry_contention(self.pause(), || async {
            let mut unit = self.begin().await?;
            let sale = self.change_life_in(unit.as_mut(), actor, key, message.clone()).await?;
            unit.commit().await?;
            Ok(sale)
        })
        .await
    }

    /// [`change_life`](Self::change_life) in the caller's unit.
    ///
    /// # Errors
    /// As of [`change_life`](Self::change_life).
    pub async fn change_life_in(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        key: &SaleKey,
        message: LifeMessage,
    ) -> Result<Sale> {
        let unknown = || Error::new(ErrorKind::NotFound, "there is no such sale").with("sale", key);
        let keys = std::slice::from_ref(key);
        if unit.sales().find(keys).await?.into_iter().flatten().next().is_none() {
            return Err(unknown());
        }
        let message = SaleMessage {
            key: key.clone(),
            revision: RevisionRule::Next,
            body: MessageBody::Life(message),
            entry: None,
        };
        let report = self.record_sales_in(unit, actor, &[message]).await?;
        match report.outcomes.into_iter().next() {
            Some(SaleOutcome::Rejected(error) | SaleOutcome::Conflict(error)) => Err(error),
            _ => unit.sales().find(keys).await?.into_iter().flatten().next().ok_or_else(unknown),
        }
    }

    /// The clean path: contents whose key is met for the first time are inserted at once. Those that the store knows
    /// already are left undecided. Returns the sales that were inserted.
    async fn insert_fresh(
        &self,
        unit: &mut dyn UnitOfWork,
        attribution: &Attribution,
        messages: &[SaleMessage],
        outcomes: &mut [Option<SaleOutcome>],
    ) -> Result<Vec<Sale>> {
        let now = self.clock.now();
        let mut met: HashSet<&SaleKey> = HashSet::with_capacity(messages.len());
        let mut candidates: Vec<Sale> = Vec::with_capacity(messages.len());
        let mut positions: Vec<usize> = Vec::with_capacity(messages.len());
        for (position, (message, outcome)) in messages.iter().zip(outcomes.iter()).enumerate() {
            // A rejected message tells nothing about its sale, so it does not count as met.
            if outcome.is_some() || !met.insert(&message.key) {
                continue;
            }
            let MessageBody::Content(content) = &message.body else { continue };
            let revision = match message.revision {
                RevisionRule::Given(revision) => revision,
                RevisionRule::Next | RevisionRule::Only => Revision::FIRST,
            };
            positions.push(position);
            candidates.push(Sale {
                id: self.ids.next(now),
                key: message.key.clone(),
                content: content.clone(),
                places: attribution.places(content),
                revision,
                last_revision: revision,
                voided: false,
                adjustments: Vec::new(),
                recorded_at: now,
                content_at: now,
            });
        }
        if candidates.is_empty() {
            return Ok(candidates);
        }
        let collisions = unit.sales().insert_absent(&candidates).await?;
        let mut collisions = collisions.into_iter().peekable();
        let mut inserted = Vec::with_capacity(candidates.len());
        for (place, (sale, position)) in candidates.into_iter().zip(positions).enumerate() {
            if collisions.next_if_eq(&place).is_some() {
                continue;
            }
            if let Some(outcome) = outcomes.get_mut(position) {
                *outcome = Some(SaleOutcome::Recorded(sale.id, sale.revision));
            }
            inserted.push(sale);
        }
        Ok(inserted)
    }

    /// The careful path: whatever is still undecided is taken in, message by message, against what is known.
    async fn take_known(
        &self,
        unit: &mut dyn UnitOfWork,
        attribution: &Attribution,
        messages: &[SaleMessage],
        outcomes: &mut [Option<SaleOutcome>],
        marks: &mut Vec<Mark>,
    ) -> Result<()> {
        let undecided = || {
            messages.iter().zip(outcomes.iter()).filter(|(_, outcome)| outcome.is_none()).map(|(message, _)| message)
        };
        let keys = distinct(undecided().map(|message| &message.key));
        if keys.is_empty() {
            return Ok(());
        }
        let mut entries = KnownEntries::load(unit, undecided()).await?;
        let mut states = load_states(unit, keys).await?;
        let now = self.clock.now();
        for (message, outcome) in messages.iter().zip(outcomes.iter_mut()).filter(|(_, outcome)| outcome.is_none()) {
            let Some(state) = states.get_mut(&message.key) else { continue };
            let decided =
                entries.known(message).unwrap_or_else(|| state.take(message, attribution, || self.ids.next(now), now));
            entries.remember(message, &decided);
            *outcome = Some(decided);
        }
        let mut changes: Vec<SaleChange> = Vec::new();
        let mut kept: Vec<StoredMessage> = Vec::new();
        let mut states: Vec<_> = states.into_iter().collect();
        // One order for all units, so that two of them never wait for each other in a ring.
        states.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        for (_, state) in states {
            let change = state.into_change();
            kept.extend(change.messages);
            changes.extend(change.sale);
        }
        for change in &changes {
            marks.extend(change.before.iter().chain([&change.after]).flat_map(Sale::posting_dates).map(Mark::Day));
        }
        if !kept.is_empty() {
            unit.sales().add_messages(&kept).await?;
        }
        if !changes.is_empty() {
            unit.sales().write(&changes).await?;
        }
        Ok(())
    }
}

/// A mark for each source of which something was taken in.
fn arrivals(messages: &[SaleMessage], report: &RecordReport, now: DateTime<Utc>) -> impl Iterator<Item = Mark> {
    let taken_in = messages.iter().zip(&report.outcomes).filter(|(_, outcome)| outcome.is_taken_in());
    let sources = distinct(taken_in.map(|(message, _)| &message.key.source));
    let at = now.trunc_subsecs(0);
    sources.into_iter().map(move |source| Mark::Arrival { source, at })
}

async fn load_states(unit: &mut dyn UnitOfWork, keys: Vec<SaleKey>) -> Result<HashMap<SaleKey, SaleState>> {
    let sales = unit.sales().find(&keys).await?;
    let mut messages: HashMap<SaleKey, Vec<StoredMessage>> = HashMap::new();
    for message in unit.sales().messages(&keys).await? {
        messages.entry(message.key.clone()).or_default().push(message);
    }
    let states = keys.into_iter().zip(sales).map(|(key, sale)| {
        let known = messages.remove(&key).unwrap_or_default();
        (key.clone(), SaleState::new(key, sale, known))
    });
    Ok(states.collect())
}

/// What exists of all that the messages of a call name, with the agents locked in share mode.
struct KnownCodes {
    agents: HashSet<AgentCode>,
    products: HashSet<ProductCode>,
    teams: HashSet<TeamCode>,
    branches: HashSet<BranchCode>,
    attribution: Attribution,
}

impl KnownCodes {
    async fn load(unit: &mut dyn UnitOfWork, messages: &[SaleMessage]) -> Result<Self> {
        let contents = || {
            messages.iter().filter_map(|message| match &message.body {
                MessageBody::Content(content) => Some(content),
                MessageBody::Life(_) => None,
            })
        };
        let mut agents = distinct(contents().filter_map(|content| content.agent.as_ref()));
        agents.sort_unstable();
        let products = distinct(contents().map(|content| &content.product));
        let teams = distinct(contents().filter_map(|content| content.team.as_ref()));
        let branches = distinct(contents().filter_map(|content| content.branch.as_ref()));
        // Agents first: nobody can assign one of them from here on, so what is derived below stays true.
        let known_agents = existing(&agents, unit.agents().find(&agents, Lock::Share).await?);
        let derived: Vec<AgentCode> = {
            let open = contents().filter(|content| content.team.is_none() || content.branch.is_none());
            distinct(open.filter_map(|content| content.agent.as_ref()))
                .into_iter()
                .filter(|agent| known_agents.contains(agent))
                .collect()
        };
        let attribution =
            if derived.is_empty() { Attribution::default() } else { Attribution::load(unit, &derived).await? };
        Ok(Self {
            agents: known_agents,
            products: existing(&products, unit.products().find(&products).await?),
            teams: existing(&teams, unit.organisation().find_teams(&teams).await?),
            branches: existing(&branches, unit.organisation().find_branches(&branches).await?),
            attribution,
        })
    }

    /// Whether everything that a message names exists.
    fn check(&self, message: &SaleMessage) -> Result<()> {
        let MessageBody::Content(content) = &message.body else { return Ok(()) };
        check_code(content.agent.as_ref(), &self.agents)?;
        check_code(Some(&content.product), &self.products)?;
        check_code(content.team.as_ref(), &self.teams)?;
        check_code(content.branch.as_ref(), &self.branches)
    }
}

fn check_code<K: CodeKind>(code: Option<&Code<K>>, known: &HashSet<Code<K>>) -> Result<()> {
    match code.filter(|code| !known.contains(*code)) {
        Some(code) => Err(super::masters::unknown(code)),
        None => Ok(()),
    }
}

fn existing<C: Clone + Eq + Hash, T>(codes: &[C], found: Vec<Option<T>>) -> HashSet<C> {
    codes.iter().zip(found).filter(|(_, found)| found.is_some()).map(|(code, _)| code.clone()).collect()
}

/// Each once, in the order of their first appearance.
fn distinct<'a, T: Clone + Eq + Hash + 'a>(items: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut met = HashSet::new();
    items.filter(|item| met.insert(*item)).cloned().collect()
}

/// The entries by which life messages were carried, as far as the messages of a call name them.
struct KnownEntries(HashMap<(Source, Reference), (SaleKey, MessageBody)>);

impl KnownEntries {
    async fn load(unit: &mut dyn UnitOfWork, messages: impl Iterator<Item = &SaleMessage>) -> Result<Self> {
        let mut wanted: HashMap<&Source, Vec<Reference>> = HashMap::new();
        for message in messages {
            if let Some(entry) = &message.entry {
                wanted.entry(&message.key.source).or_default().push(entry.clone());
            }
        }
        let mut known = HashMap::new();
        for (source, entries) in wanted {
            for message in unit.sales().find_entries(source, &entries).await? {
                if let Some(entry) = message.entry {
                    known.insert((source.clone(), entry), (message.key, message.body));
                }
            }
        }
        Ok(Self(known))
    }

    /// The outcome of a message whose entry arrived before.
    fn known(&self, message: &SaleMessage) -> Option<SaleOutcome> {
        let entry = message.entry.as_ref()?;
        let (key, body) = self.0.get(&(message.key.source.clone(), entry.clone()))?;
        if *key == message.key && *body == message.body {
            return Some(SaleOutcome::Duplicate(None));
        }
        let error = Error::new(ErrorKind::PayloadConflict, "entry arrived before with another payload");
        Some(SaleOutcome::Conflict(error.with("sale", &message.key).with("entry", entry)))
    }

    /// Makes the entry of a message that was taken in known to the rest of the call.
    fn remember(&mut self, message: &SaleMessage, outcome: &SaleOutcome) {
        if let (Some(entry), SaleOutcome::Applied(..) | SaleOutcome::Kept(_)) = (&message.entry, outcome) {
            let place = (message.key.source.clone(), entry.clone());
            self.0.insert(place, (message.key.clone(), message.body.clone()));
        }
    }
}
