//! Targets through the ledger.

use std::sync::Arc;

use moon_core::{
    Amount, ErrorKind, Granularity, Ledger, Mark, NewTarget, Period, Result, Store, TargetKey, TargetOutcome,
    TargetScope, Version,
};
use uuid::Uuid;

use crate::builders::{
    actor, agent_code, branch_code, date, noon, opened, product_code, reading, rupees, team_code, writing,
};

/// The ledger's target for `LIFE` in a period, from its first day on.
fn target(ledger: &Ledger, period: &str, amount: i64) -> NewTarget {
    let period = ledger.settings().calendar.parse(period).unwrap();
    let key = TargetKey { product: Some(product_code("LIFE")), scope: TargetScope::Ledger, period };
    NewTarget { key, from: None, amount: rupees(amount), expected: None }
}

async fn set(ledger: &Ledger, targets: &[NewTarget]) -> Result<Vec<TargetOutcome>, ErrorKind> {
    ledger.set_targets(&actor(), targets).await.map_err(|error| error.kind())
}

/// First day in force, whole rupees and version of all targets.
async fn there(store: &Arc<dyn Store>) -> Vec<(String, i64, u32)> {
    let mut targets = reading(store).await.products().targets().await.unwrap();
    targets.sort_by(|left, right| (&left.key, left.from).cmp(&(&right.key, right.from)));
    targets.iter().map(|target| (target.from.to_string(), target.amount.minor() / 100, target.version.0)).collect()
}

/// A target is in force from its period's first day unless told otherwise; a later date stands beside it, the same again is
/// a duplicate, another amount needs the version that is to be corrected.
pub async fn a_target_is_set_once_and_corrected_by_version(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    let march = |amount| target(&ledger, "2026-03", amount);
    let expecting = |amount, version| NewTarget { expected: Some(Version(version)), ..march(amount) };
    let late = NewTarget { from: Some(date("2026-03-15")), ..march(2_000) };
    let steps = [
        (expecting(1_000, 1), Err(ErrorKind::VersionConflict)),
        (march(1_000), Ok(TargetOutcome::Set)),
        (march(1_000), Ok(TargetOutcome::Duplicate)),
        (NewTarget { from: Some(date("2026-03-01")), ..march(1_000) }, Ok(TargetOutcome::Duplicate)),
        (late.clone(), Ok(TargetOutcome::Set)),
        (late, Ok(TargetOutcome::Duplicate)),
        (march(900), Err(ErrorKind::AlreadyExists)),
        (expecting(900, 2), Err(ErrorKind::VersionConflict)),
        (expecting(900, 1), Ok(TargetOutcome::Corrected)),
        (expecting(800, 1), Err(ErrorKind::VersionConflict)),
        (expecting(0, 2), Ok(TargetOutcome::Corrected)),
    ];
    for (number, (target, expected)) in steps.into_iter().enumerate() {
        assert_eq!(set(&ledger, &[target]).await, expected.map(|outcome| vec![outcome]), "step {number}");
    }
    let expected = [("2026-03-01".to_owned(), 0, 3), ("2026-03-15".to_owned(), 2_000, 1)];
    assert_eq!(there(&store).await, expected);
    let targets = reading(&store).await.products().targets().await.unwrap();
    assert!(targets.iter().all(|target| target.entered_at == noon("2026-06-15") && target.entered_by == actor().0));
}

/// A target that breaks a rule refuses the whole call.
pub async fn a_wrong_target_refuses_the_call(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    let march = || target(&ledger, "2026-03", 1);
    let in_period = |period| {
        let mut target = march();
        target.key.period = period;
        target
    };
    let scoped = |scope| {
        let mut target = march();
        target.key.scope = scope;
        target
    };
    let mut unknown_product = march();
    unknown_product.key.product = Some(product_code("HEALTH"));
    let of = |granularity| ledger.settings().calendar.period_of(granularity, date("2026-03-10"));
    let wrong = [
        (NewTarget { amount: Amount::from_minor(-1).unwrap(), ..march() }, ErrorKind::InvalidInput),
        (in_period(of(Granularity::Day)), ErrorKind::InvalidInput),
        (in_period(of(Granularity::Week)), ErrorKind::InvalidInput),
        (NewTarget { from: Some(date("2026-04-01")), ..march() }, ErrorKind::InvalidInput),
        (target(&ledger, "2026-02", 5), ErrorKind::InvalidInput),
        (unknown_product, ErrorKind::NotFound),
        (scoped(TargetScope::Branch(branch_code("GALLE"))), ErrorKind::NotFound),
        (scoped(TargetScope::Team(team_code("GAMMA"))), ErrorKind::NotFound),
        (scoped(TargetScope::Agent(agent_code("AGT009"))), ErrorKind::NotFound),
    ];
    for (number, (target_, kind)) in wrong.into_iter().enumerate() {
        // The fifth one is the same target twice in the call.
        assert_eq!(set(&ledger, &[target(&ledger, "2026-02", 5), target_]).await, Err(kind), "{number}");
    }
    assert_eq!(there(&store).await, []);
}

/// One call sets targets of every scope and period; those in force before their period are allowed.
pub async fn one_call_sets_many_targets(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    let mut targets = Vec::new();
    for period in ["2026-03", "2026-Q1", "2026", "all"] {
        for scope in [
            TargetScope::Ledger,
            TargetScope::Branch(branch_code("KANDY")),
            TargetScope::Team(team_code("ALPHA")),
            TargetScope::Agent(agent_code("AGT001")),
        ] {
            let mut target = target(&ledger, period, 7);
            target.key.scope = scope;
            targets.push(target.clone());
            target.key.product = None;
            targets.push(target);
        }
    }
    targets.push(NewTarget { from: Some(date("2025-11-30")), ..target(&ledger, "2026-04", 8) });
    assert_eq!(set(&ledger, &targets).await, Ok(vec![TargetOutcome::Set; 33]));
    assert_eq!(set(&ledger, &targets).await, Ok(vec![TargetOutcome::Duplicate; 33]));
    assert_eq!(there(&store).await.len(), 33);
}

/// A changed target marks its product and period; a duplicate marks nothing.
pub async fn a_changed_target_is_marked(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    let take = async || {
        let run = Uuid::from_u128(1);
        let mut unit = writing(&store).await;
        unit.marks().claim(run).await.unwrap();
        let marks = unit.marks().claimed(run).await.unwrap();
        unit.marks().settle(run).await.unwrap();
        unit.commit().await.unwrap();
        marks
    };
    take().await;
    let march = target(&ledger, "2026-03", 1);
    let mut all = target(&ledger, "all", 1);
    all.key.product = None;
    set(&ledger, &[march.clone(), all.clone()]).await.unwrap();
    let mut expected = vec![
        Mark::Target { product: Some(product_code("LIFE")), period: march.key.period },
        Mark::Target { product: None, period: Period::ALL },
    ];
    expected.sort_unstable();
    assert_eq!(take().await, expected);
    set(&ledger, &[march.clone(), all]).await.unwrap();
    assert_eq!(take().await, []);
    let corrected = NewTarget { amount: rupees(2), expected: Some(Version::FIRST), ..march.clone() };
    set(&ledger, &[corrected]).await.unwrap();
    assert_eq!(take().await, [Mark::Target { product: march.key.product, period: march.key.period }]);
}
