//! A history in a ledger keeps the law.
#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot read")]

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use moon_core::{
    BusinessDate, Calendar, DayControl, DaySet, Dimension, Figures, Fold, FoldPlan, Ledger, LedgerOptions, Period,
    PostingFilter, TargetScope, Totals,
};
use moon_datagen::{Arrived, Plan, Progress, Rates, SalesForce, Summary, populate};
use moon_store_memory::MemoryStore;

async fn ledger() -> Ledger {
    Ledger::open(Arc::new(MemoryStore::new()), &LedgerOptions::default()).await.unwrap()
}

async fn totals(ledger: &Ledger) -> Totals {
    let mut unit = ledger.snapshot().await.unwrap();
    let filter = PostingFilter::default();
    let mut batches = unit.postings().scan(&filter);
    let mut fold = Fold::new(FoldPlan::daily(&Dimension::DAILY, DaySet::all()));
    while let Some(batch) = batches.next().await {
        fold.push(&batch.unwrap()).unwrap();
    }
    fold.finish().unwrap()
}

fn by_day(totals: &Totals, dimension: Dimension) -> Vec<DayControl> {
    let mut days: BTreeMap<BusinessDate, Figures> = BTreeMap::new();
    for cell in totals.cells.iter().filter(|cell| cell.dimension == dimension) {
        let figures = days.entry(cell.day).or_default();
        *figures = figures.plus(cell.figures).unwrap();
    }
    days.into_iter().map(|(day, figures)| DayControl { day, figures }).collect()
}

/// Groups by their net sum over all time.
fn by_code(totals: &Totals, dimension: Dimension) -> BTreeMap<String, i128> {
    let mut codes = BTreeMap::new();
    for cell in totals.cells.iter().filter(|cell| cell.dimension == dimension) {
        *codes.entry(cell.code.to_string()).or_default() += cell.figures.net.minor;
    }
    codes
}

fn plan() -> Plan {
    Plan { sales: 6_000, ..Plan::demo() }
}

#[tokio::test]
async fn teams_branches_and_products_add_up_to_what_was_generated() {
    let ledger = ledger().await;
    let mut steps: Vec<Progress> = Vec::new();
    let summary = populate(&ledger, &plan(), |progress| steps.push(*progress)).await.unwrap();
    let Summary { arrived, outcomes, .. } = summary;
    assert_eq!(
        (outcomes.recorded, outcomes.corrections, outcomes.life),
        (arrived.sales, arrived.corrections, arrived.life())
    );
    assert_eq!((outcomes.duplicates, outcomes.stale, outcomes.conflicts, outcomes.rejected), (0, 0, 0, 0));
    assert!(summary.moved > 0 && summary.targets > 100 && summary.first_assignments > 80, "{summary:?}");
    let last = steps.last().unwrap();
    assert_eq!((last.messages, last.sales, last.sales_planned), (arrived.messages(), arrived.sales, 6_000));
    assert!(steps.is_sorted_by_key(|step| (step.day, step.messages)));

    let totals = totals(&ledger).await;
    for dimension in Dimension::DAILY {
        totals.control.check(dimension, &by_day(&totals, dimension)).unwrap();
    }
    let total = totals.control.total().unwrap();
    assert_eq!((total.gross, total.net, total.activity), (arrived.gross, arrived.net, arrived.net));
    assert!(by_code(&totals, Dimension::Team).contains_key("unassigned"));
    assert_eq!(by_code(&totals, Dimension::Product).len(), 12);

    // All postings lie within the plan.
    let days = &totals.control.days;
    assert!(days.first().unwrap().day >= plan().first_day);
    assert!(days.last().unwrap().day <= plan().last_day().unwrap());
}

#[tokio::test]
async fn some_targets_are_achieved_and_some_are_not() {
    let ledger = ledger().await;
    populate(&ledger, &plan(), |_| {}).await.unwrap();
    let sold = by_code(&totals(&ledger).await, Dimension::Product);
    let force = SalesForce::new(&plan(), ledger.settings().currency, Calendar::default()).unwrap();
    let all_time = force.targets().iter().filter(|target| target.key.period == Period::ALL);
    let (mut achieved, mut missed) = (0, 0);
    for target in all_time.filter(|target| target.key.scope == TargetScope::Ledger) {
        let sold = sold.get(target.key.product.as_ref().unwrap().as_str()).copied().unwrap_or(0);
        if sold >= i128::from(target.amount.minor()) {
            achieved += 1
        } else {
            missed += 1
        }
        assert!(sold < 2 * i128::from(target.amount.minor()), "{target:?} against {sold}");
    }
    assert!(achieved >= 2 && missed >= 2, "{achieved} achieved, {missed} missed");
}

#[tokio::test]
async fn a_repeat_changes_nothing() {
    let ledger = ledger().await;
    let plan = Plan { sales: 1_500, ..plan() };
    let first = populate(&ledger, &plan, |_| {}).await.unwrap();
    let before = totals(&ledger).await;
    let second = populate(&ledger, &plan, |_| {}).await.unwrap();
    assert_eq!(second.outcomes.duplicates, first.arrived.messages());
    assert_eq!((second.outcomes.recorded, second.outcomes.life, second.moved), (0, 0, 0));
    assert_eq!(second.arrived, first.arrived);
    assert_eq!(totals(&ledger).await, before);
}

#[tokio::test]
async fn another_history_of_the_same_source_is_refused() {
    let ledger = ledger().await;
    let plan = Plan { sales: 200, ..plan() };
    populate(&ledger, &plan, |_| {}).await.unwrap();
    let error = populate(&ledger, &Plan { seed: 9, ..plan }, |_| {}).await.unwrap_err();
    assert!(matches!(error.kind(), moon_core::ErrorKind::Refused | moon_core::ErrorKind::AlreadyExists), "{error}");
}

#[tokio::test]
async fn postings_are_those_of_the_ledger_where_nothing_is_corrected_or_late() {
    let ledger = ledger().await;
    let rates = Rates { corrections: 0, backdated: 0, cancellations: 2_000, voids: 500, ..Rates::default() };
    let plan = Plan { sales: 3_000, rates, ..plan() };
    populate(&ledger, &plan, |_| {}).await.unwrap();
    let force = SalesForce::new(&plan, ledger.settings().currency, Calendar::default()).unwrap();
    let mut fold = Fold::new(FoldPlan::daily(&Dimension::DAILY, DaySet::all()));
    let mut batches = 0;
    for batch in force.postings(1_024) {
        fold.push(&batch.unwrap()).unwrap();
        batches += 1;
    }
    assert_eq!(batches, 3);
    assert_eq!(fold.finish().unwrap(), totals(&ledger).await);
}

#[tokio::test]
async fn an_empty_plan_fills_nothing() {
    let ledger = ledger().await;
    let plan = Plan { sales: 0, agents: 0, teams: 0, branches: 0, products: 0, days: 0, ..plan() };
    let summary = populate(&ledger, &plan, |_| {}).await.unwrap();
    assert_eq!((summary.arrived, summary.targets), (Arrived::default(), 0));
    assert!(totals(&ledger).await.control.days.is_empty());
}
