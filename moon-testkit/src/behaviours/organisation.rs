//! Assignments and targets at the ports: versions, what is current, what stays in the history.

use std::sync::Arc;

use chrono::Duration;
use moon_core::{
    AMOUNT_MINOR_MAX, Amount, Assignment, BusinessDate, Calendar, ErrorKind, Period, Store, Target, TargetKey,
    TargetScope, Version,
};

use crate::builders::{
    agent_code, branch_code, date, fill, noon, product_code, reading, rupees, team_code, text, writing,
};

fn assignment(agent: &str, from: &str, version: u32, team: &str) -> Assignment {
    Assignment {
        agent: agent_code(agent),
        from: date(from),
        to: None,
        team: team_code(team),
        branch: branch_code("KANDY"),
        version: Version(version),
        entered_at: noon("2026-06-15") + Duration::microseconds(version.into()),
        entered_by: text("tests"),
    }
}

fn target(key: TargetKey, from: BusinessDate, version: u32, amount: Amount) -> Target {
    let (version, entered_at) = (Version(version), noon("2026-06-15"));
    Target { key, from, amount, version, entered_at, entered_by: text("tests") }
}

fn target_key(product: Option<&str>, scope: TargetScope, period: &str) -> TargetKey {
    let period = Calendar::default().parse(period).unwrap();
    TargetKey { product: product.map(product_code), scope, period }
}

/// The current assignment of an (agent, from) is its highest version; those of several agents ascend by agent and start.
pub async fn the_highest_version_of_an_assignment_is_current(store: Arc<dyn Store>) {
    fill(&store).await;
    let ends = Assignment { to: Some(date("9999-12-31")), ..assignment("AGT001", "2026-03-01", 2, "BETA") };
    let first = assignment("AGT001", "1000-01-01", 1, "ALPHA");
    let second = assignment("AGT001", "2026-03-01", 1, "ALPHA");
    let other = assignment("AGT002", "2026-01-01", 1, "BETA");
    let mut unit = writing(&store).await;
    for assignment in [&other, &second, &ends, &first] {
        unit.agents().add_assignment(assignment).await.unwrap();
    }
    unit.commit().await.unwrap();
    let mut unit = reading(&store).await;
    let current = unit.agents().assignments(&["AGT002", "AGT009", "AGT001"].map(agent_code)).await.unwrap();
    assert_eq!(current, [first.clone(), ends.clone(), other.clone()]);
    assert_eq!(unit.agents().assignments(&[agent_code("AGT002")]).await.unwrap(), [other]);
    assert_eq!(unit.agents().assignments(&[]).await.unwrap(), []);
    assert_eq!(unit.agents().assignment_history(&agent_code("AGT001")).await.unwrap(), [first, second, ends]);
    assert_eq!(unit.agents().assignment_history(&agent_code("AGT009")).await.unwrap(), []);
}

/// A version of an assignment is entered once.
pub async fn a_version_of_an_assignment_is_entered_once(store: Arc<dyn Store>) {
    fill(&store).await;
    let mut unit = writing(&store).await;
    unit.agents().add_assignment(&assignment("AGT001", "2026-03-01", 1, "ALPHA")).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = writing(&store).await;
    let error = unit.agents().add_assignment(&assignment("AGT001", "2026-03-01", 1, "BETA")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::VersionConflict, "{error}");
    unit.rollback().await.unwrap();
    let history = reading(&store).await.agents().assignment_history(&agent_code("AGT001")).await.unwrap();
    assert_eq!(history, [assignment("AGT001", "2026-03-01", 1, "ALPHA")]);
}

/// Targets of every scope and period, with and without a product, are kept apart and come back in full.
pub async fn targets_are_kept_in_full(store: Arc<dyn Store>) {
    fill(&store).await;
    let scopes = [
        TargetScope::Ledger,
        TargetScope::Branch(branch_code("KANDY")),
        TargetScope::Team(team_code("ALPHA")),
        TargetScope::Agent(agent_code("AGT001")),
    ];
    let mut targets = Vec::new();
    for product in [None, Some("LIFE"), Some("MOTOR")] {
        for scope in &scopes {
            for period in ["2026-03", "2026-Q1", "2026", "1000-01", "9999-12", "all"] {
                let key = target_key(product, scope.clone(), period);
                let from = key.period.days().first().unwrap();
                let minor = if targets.len() % 2 == 0 { AMOUNT_MINOR_MAX } else { 0 };
                targets.push(target(key, from, 1, Amount::from_minor(minor).unwrap()));
            }
        }
    }
    let mut unit = writing(&store).await;
    for target in &targets {
        unit.products().add_target(target).await.unwrap();
    }
    unit.commit().await.unwrap();
    let mut unit = reading(&store).await;
    let mut found = unit.products().targets().await.unwrap();
    found.sort_by(|left, right| left.key.cmp(&right.key));
    targets.sort_by(|left, right| left.key.cmp(&right.key));
    assert_eq!(found, targets);
    for target in &targets {
        let found = unit.products().find_targets(std::slice::from_ref(&target.key)).await.unwrap();
        assert_eq!(found, std::slice::from_ref(target));
    }
}

/// Of each (key, from) the highest version is current; several dates of one key stand beside one another.
pub async fn the_highest_version_of_a_target_is_current(store: Arc<dyn Store>) {
    fill(&store).await;
    let key = target_key(Some("LIFE"), TargetScope::Ledger, "2026-03");
    let other = target_key(Some("LIFE"), TargetScope::Ledger, "2026-04");
    let early = target(key.clone(), date("2026-03-01"), 1, rupees(1_000));
    let corrected = target(key.clone(), date("2026-03-01"), 2, rupees(900));
    let late = target(key.clone(), date("2026-03-15"), 1, rupees(2_000));
    let april = target(other.clone(), date("2026-04-01"), 1, rupees(5));
    let mut unit = writing(&store).await;
    for target in [&early, &late, &corrected, &april] {
        unit.products().add_target(target).await.unwrap();
    }
    unit.commit().await.unwrap();
    let mut unit = writing(&store).await;
    let error = unit.products().add_target(&target(key.clone(), date("2026-03-15"), 1, rupees(7))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::VersionConflict, "{error}");
    unit.rollback().await.unwrap();
    let mut unit = reading(&store).await;
    let mut found = unit.products().find_targets(std::slice::from_ref(&key)).await.unwrap();
    found.sort_by_key(|target| target.from);
    assert_eq!(found, [corrected, late]);
    assert_eq!(unit.products().find_targets(&[key, other]).await.unwrap().len(), 3);
    assert_eq!(unit.products().targets().await.unwrap().len(), 3);
    let absent = TargetKey { product: None, scope: TargetScope::Ledger, period: Period::ALL };
    assert_eq!(unit.products().find_targets(&[absent]).await.unwrap(), []);
    assert_eq!(unit.products().find_targets(&[]).await.unwrap(), []);
}
