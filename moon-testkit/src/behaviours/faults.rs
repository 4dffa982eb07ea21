//! Calls of the ledger over a store that fails in the middle of them: all of a call is kept, or nothing, and a repeat
//! brings what is missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use moon_core::{
    AssignOutcome, BusinessDate, Calendar, ErrorKind, Ledger, Mark, NewTarget, PAGE_LIMIT_MAX, Page, PageRequest,
    Result, Sale, SaleKey, SaleMessage, SaleOutcome, SaleQuery, Store, StoredMessage, Target, TargetKey, TargetOutcome,
    TargetScope, Version,
};
use uuid::Uuid;

use crate::builders::{
    actor, agent, agent_code, assignment, cancel, cancel_part, content, content_message, date, enter, key, ledger,
    life_message, product_code, rupees, writing,
};
use crate::faulty::{Fault, FaultyStore, Moment};

/// A call that is made to fail. Each round of it is about an agent, sales, days and periods of its own.
#[derive(Debug, Clone, Copy)]
enum Work {
    Record,
    Assign,
    SetTargets,
}

fn round_agent(round: u32) -> String {
    format!("AGT{round:03}")
}

/// A day of the round: 0 to 3.
fn round_day(round: u32, day: i32) -> BusinessDate {
    let first = date("2026-01-01").epoch_day() + 4 * i32::try_from(round).unwrap();
    BusinessDate::from_epoch_day(first + day).unwrap()
}

fn messages(round: u32) -> Vec<SaleMessage> {
    let day = |day| round_day(round, day).to_string();
    let of_agent = |place: i32, units| content(&round_agent(round), "LIFE", &day(place), rupees(units));
    vec![
        content_message(&format!("NEW{round}"), Some(0), of_agent(0, 100)),
        content_message(&format!("OLD{round}"), Some(1), of_agent(1, 250)),
        life_message(&format!("OLD{round}"), Some(2), cancel_part(&day(2), rupees(50))),
        life_message(&format!("EARLY{round}"), Some(3), cancel(&day(3))),
    ]
}

fn targets(round: u32) -> Vec<NewTarget> {
    let period = Calendar::default().parse(&format!("{}-03", 2000 + round)).unwrap();
    let target = |product, units, expected| NewTarget {
        key: TargetKey { product: Some(product_code(product)), scope: TargetScope::Ledger, period },
        from: None,
        amount: rupees(units),
        expected,
    };
    vec![target("LIFE", 100, None), target("MOTOR", 300, Some(Version::FIRST))]
}

impl Work {
    /// Brings about what the call changes, and leaves no mark open.
    async fn prepare(self, ledger: &Ledger, round: u32) {
        let agents = [agent(&round_agent(round))];
        ledger.put_agents(&actor(), &agents, moon_core::PutRule::Create).await.unwrap();
        let day = round_day(round, 0).to_string();
        let old =
            content_message(&format!("OLD{round}"), Some(0), content(&round_agent(round), "LIFE", &day, rupees(200)));
        ledger.record_sales(&actor(), &[old]).await.unwrap();
        let old: Vec<_> = targets(round)
            .into_iter()
            .skip(1)
            .map(|target| NewTarget { amount: rupees(200), expected: None, ..target })
            .collect();
        ledger.set_targets(&actor(), &old).await.unwrap();
        let mut unit = writing(ledger.store()).await;
        unit.marks().claim(Uuid::from_u128(1)).await.unwrap();
        unit.marks().settle(Uuid::from_u128(1)).await.unwrap();
        unit.commit().await.unwrap();
    }

    /// Makes the call; whether it found everything done already.
    async fn call(self, ledger: &Ledger, round: u32) -> Result<bool> {
        Ok(match self {
            Self::Record => {
                let report = ledger.record_sales(&actor(), &messages(round)).await?;
                report.outcomes.iter().all(|outcome| matches!(outcome, SaleOutcome::Duplicate(_)))
            }
            Self::Assign => {
                let day = |place| round_day(round, place).to_string();
                let new = [(0, "ALPHA"), (2, "BETA")]
                    .map(|(place, team)| assignment(&round_agent(round), &day(place), team, "COLOMBO"));
                let outcomes = ledger.assign(&actor(), &new).await?;
                outcomes.iter().all(|outcome| *outcome == AssignOutcome::Duplicate)
            }
            Self::SetTargets => {
                let outcomes = ledger.set_targets(&actor(), &targets(round)).await?;
                outcomes.iter().all(|outcome| *outcome == TargetOutcome::Duplicate)
            }
        })
    }
}

/// Everything that calls change.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    sales: BTreeMap<SaleKey, Sale>,
    messages: Vec<StoredMessage>,
    assignments: usize,
    targets: Vec<Target>,
    audit: usize,
    marks: Vec<Mark>,
}

/// How much of it a call has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Effect {
    sales: usize,
    messages: usize,
    assignments: usize,
    targets: usize,
    audit: usize,
    marks: usize,
}

fn whole<T>(page: Page<T>) -> Vec<T> {
    assert!(page.next.is_none(), "all on one page");
    page.items
}

impl Held {
    async fn of(store: &Arc<dyn Store>, round: u32) -> Self {
        let page = PageRequest::first(PAGE_LIMIT_MAX);
        let keys = ["NEW", "OLD", "EARLY"].map(|name| key(&format!("{name}{round}")));
        // A writing unit, so that the open marks can be claimed for a look.
        let mut unit = writing(store).await;
        unit.marks().claim(Uuid::from_u128(2)).await.unwrap();
        let marks = unit.marks().claimed(Uuid::from_u128(2)).await.unwrap();
        let query = SaleQuery { agent: Some(agent_code(&round_agent(round))), ..SaleQuery::default() };
        let sales = whole(unit.sales().list(&query, &page).await.unwrap());
        let mut targets = unit.products().targets().await.unwrap();
        targets.sort_by_key(|target| (target.key.clone(), target.from));
        let held = Self {
            sales: sales.into_iter().map(|sale| (sale.key.clone(), sale)).collect(),
            messages: unit.sales().messages(&keys).await.unwrap(),
            assignments: unit.agents().assignment_history(&agent_code(&round_agent(round))).await.unwrap().len(),
            targets,
            audit: whole(unit.audit().list(&page).await.unwrap()).len(),
            marks,
        };
        unit.rollback().await.unwrap();
        held
    }

    fn effect_since(&self, before: &Self) -> Effect {
        Effect {
            sales: self.sales.iter().filter(|(key, sale)| before.sales.get(key) != Some(sale)).count(),
            messages: self.messages.len() - before.messages.len(),
            assignments: self.assignments - before.assignments,
            targets: self.targets.iter().filter(|target| !before.targets.contains(target)).count(),
            audit: self.audit - before.audit,
            marks: self.marks.len() - before.marks.len(),
        }
    }
}

/// A ledger over the store, and another one over the same store with faults.
async fn ledgers(store: &Arc<dyn Store>) -> (Ledger, FaultyStore, Ledger) {
    let plain = ledger(Arc::clone(store)).await;
    enter(&plain, &["ALPHA", "BETA"], &["COLOMBO"], &["LIFE", "MOTOR"], &[]).await;
    let faulty = FaultyStore::new(Arc::clone(store));
    let failing = ledger(Arc::new(faulty.clone())).await;
    (plain, faulty, failing)
}

/// What the call does when nothing fails.
async fn whole_effect(store: &Arc<dyn Store>, plain: &Ledger, work: Work) -> Effect {
    work.prepare(plain, 0).await;
    let before = Held::of(store, 0).await;
    assert!(!work.call(plain, 0).await.unwrap());
    let effect = Held::of(store, 0).await.effect_since(&before);
    assert!(effect.audit == 1 && effect.marks > 0, "{effect:?}");
    effect
}

/// Lets each call to the store fail in turn, before and after it took effect.
async fn all_or_nothing(store: Arc<dyn Store>, work: Work) {
    let (plain, faulty, failing) = ledgers(&store).await;
    let whole = whole_effect(&store, &plain, work).await;
    let mut round = 0;
    for (moment, kind) in [(Moment::Before, ErrorKind::Backend), (Moment::After, ErrorKind::Unavailable)] {
        let mut kept = 0;
        for at in 0.. {
            round += 1;
            work.prepare(&plain, round).await;
            let before = Held::of(&store, round).await;
            faulty.set(Some(Fault { at, times: 1, moment, kind }));
            let outcome = work.call(&failing, round).await;
            let effect = Held::of(&store, round).await.effect_since(&before);
            if faulty.failures() == 0 {
                assert!(outcome.is_ok() && effect == whole, "{outcome:?}: {effect:?}");
                assert!(at > 3, "at least a beginning, a look, a write and a commit");
                break;
            }
            let told = outcome.unwrap_err().kind();
            assert_eq!(told, kind, "call {at}, {moment:?}");
            assert!(effect == Effect::default() || effect == whole, "half done, call {at}, {moment:?}: {effect:?}");
            kept += usize::from(effect == whole);

            // A repeat brings the rest, and does nothing where all is there.
            assert_eq!(work.call(&plain, round).await.unwrap(), effect == whole, "call {at}, {moment:?}");
            let repeated = Held::of(&store, round).await.effect_since(&before);
            assert_eq!(Effect { audit: 1, ..repeated }, whole, "repeated after call {at}, {moment:?}");
        }
        // Only a commit that took effect before it failed keeps anything.
        assert_eq!(kept, usize::from(moment == Moment::After), "{moment:?}");
    }
}

/// Recording, whichever call to the store fails, has its whole effect or none.
pub async fn recording_is_all_or_nothing(store: Arc<dyn Store>) {
    all_or_nothing(store, Work::Record).await;
}

/// Assigning, whichever call to the store fails, has its whole effect or none.
pub async fn assigning_is_all_or_nothing(store: Arc<dyn Store>) {
    all_or_nothing(store, Work::Assign).await;
}

/// Setting targets, whichever call to the store fails, has its whole effect or none.
pub async fn setting_targets_is_all_or_nothing(store: Arc<dyn Store>) {
    all_or_nothing(store, Work::SetTargets).await;
}

/// Where another unit stands in the way of any call, commit included, the ledger repeats its unit: the caller sees none of
/// it, and the effect is there once.
pub async fn contention_is_overcome(store: Arc<dyn Store>) {
    let (plain, faulty, failing) = ledgers(&store).await;
    let whole = whole_effect(&store, &plain, Work::Record).await;
    for at in 0_u32.. {
        let round = at + 1;
        Work::Record.prepare(&plain, round).await;
        let before = Held::of(&store, round).await;
        let at = usize::try_from(at).unwrap();
        faulty.set(Some(Fault { at, times: 1, moment: Moment::Before, kind: ErrorKind::Contention }));
        let repeated = Work::Record.call(&failing, round).await.unwrap();
        assert!(!repeated, "nothing of the attempt that failed is left, call {at}");
        assert_eq!(Held::of(&store, round).await.effect_since(&before), whole, "call {at}");
        if faulty.failures() == 0 {
            return;
        }
    }
}

/// Contention that does not end is told in the end, and nothing was changed.
pub async fn endless_contention_is_told(store: Arc<dyn Store>) {
    let (plain, faulty, failing) = ledgers(&store).await;
    for (round, work) in (1..).zip([Work::Record, Work::Assign, Work::SetTargets]) {
        work.prepare(&plain, round).await;
        let before = Held::of(&store, round).await;
        // From the beginning of the first unit on, and from the first call within it on.
        for at in 0..2 {
            faulty.set(Some(Fault { at, times: usize::MAX, moment: Moment::Before, kind: ErrorKind::Contention }));
            let error = work.call(&failing, round).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Contention, "{error}");
            assert!(faulty.failures() > 1, "it was repeated");
            assert_eq!(Held::of(&store, round).await, before);
        }
    }
}
