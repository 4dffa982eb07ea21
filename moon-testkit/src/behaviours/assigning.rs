//! Assignments through the ledger: late ones, corrections, and what they move.

use std::sync::Arc;

use moon_core::{
    AssignOutcome, ErrorKind, Ledger, LifeMessage, NewAssignment, Places, SaleContent, Store, UNASSIGNED, Version, View,
};

use super::recording::{at, places, record};
use crate::builders::{
    actor, agent_code, assignment, branch_code, cancel, content, content_message, date, enter, key, life_message, noon,
    opened, reading, rupees, team_code,
};
use crate::figures::{assert_group, figures, in_rupees};

fn on(day: &str) -> SaleContent {
    content("AGT001", "LIFE", day, rupees(1))
}

/// Sales of `AGT001`, named by their days.
async fn sell(ledger: &Ledger, days: &[&str]) {
    let messages: Vec<_> = days.iter().map(|day| content_message(day, None, on(day))).collect();
    record(ledger, &messages).await;
}

/// Until a day, which is not in it any more.
fn until(to: &str, assignment: NewAssignment) -> NewAssignment {
    NewAssignment { to: Some(date(to)), ..assignment }
}

async fn assign(ledger: &Ledger, assignments: &[NewAssignment]) -> Vec<AssignOutcome> {
    ledger.assign(&actor(), assignments).await.unwrap()
}

/// An assignment that is entered late moves exactly the derived places of the agent's sales from its first day to the day
/// before the next one starts.
pub async fn a_late_assignment_moves_exactly_its_days(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    assign(&ledger, &[assignment("AGT001", "2026-04-01", "ALPHA", "KANDY")]).await;
    assign(&ledger, &[assignment("AGT002", "2026-01-01", "ALPHA", "COLOMBO")]).await;
    sell(&ledger, &["2025-12-31", "2026-02-14", "2026-02-15", "2026-03-31", "2026-04-01"]).await;
    let others = SaleContent { agent: Some(agent_code("AGT002")), ..on("2026-02-20") };
    let team = SaleContent { team: Some(team_code("ALPHA")), ..on("2026-02-20") };
    let both = SaleContent { branch: Some(branch_code("COLOMBO")), ..team.clone() };
    let messages = [("others", others), ("team", team), ("both", both)];
    record(&ledger, &messages.map(|(reference, content)| content_message(reference, None, content))).await;
    let outcomes = assign(&ledger, &[assignment("AGT001", "2026-02-15", "BETA", "KANDY")]).await;
    assert_eq!(outcomes, [AssignOutcome::Entered { moved: 3 }]);
    for (sale, expected) in [
        ("2025-12-31", (None, None)),
        ("2026-02-14", at("ALPHA", "COLOMBO")),
        ("2026-02-15", at("BETA", "KANDY")),
        ("2026-03-31", at("BETA", "KANDY")),
        ("2026-04-01", at("ALPHA", "KANDY")),
        ("others", at("ALPHA", "COLOMBO")),
        ("team", at("ALPHA", "KANDY")),
        ("both", at("ALPHA", "COLOMBO")),
    ] {
        assert_eq!(places(&ledger, sale).await, expected, "{sale}");
    }
}

/// Behind an end of its own nothing is in force until the next start, also where another one had been.
pub async fn an_assignment_may_end_before_the_next_starts(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    assign(&ledger, &[assignment("AGT001", "2026-04-01", "ALPHA", "KANDY")]).await;
    sell(&ledger, &["2026-02-14", "2026-02-15", "2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01"]).await;
    let ends = until("2026-03-01", assignment("AGT001", "2026-02-15", "BETA", "KANDY"));
    assert_eq!(assign(&ledger, &[ends]).await, [AssignOutcome::Entered { moved: 4 }]);
    sell(&ledger, &["2026-03-02"]).await;
    for (sale, expected) in [
        ("2026-02-14", at("ALPHA", "COLOMBO")),
        ("2026-02-28", at("BETA", "KANDY")),
        ("2026-03-01", (None, None)),
        ("2026-03-02", (None, None)),
        ("2026-03-31", (None, None)),
        ("2026-04-01", at("ALPHA", "KANDY")),
    ] {
        assert_eq!(places(&ledger, sale).await, expected, "{sale}");
    }
    let march = figures(&ledger, View::AsSold, "2026-03").await;
    assert_group(&march, moon_core::Dimension::Team, UNASSIGNED, in_rupees((3, 3), (3, 3), (3, 3)));
}

/// The same again is a duplicate; anything else under the same first day a correction by version. What was there stays in
/// the history, with who and when.
pub async fn an_assignment_is_corrected_by_version(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    sell(&ledger, &["2026-02-10"]).await;
    let first = assignment("AGT001", "2026-01-01", "ALPHA", "COLOMBO");
    assert_eq!(assign(&ledger, std::slice::from_ref(&first)).await, [AssignOutcome::Duplicate]);
    let expecting = |version| NewAssignment {
        expected: Some(Version(version)),
        ..assignment("AGT001", "2026-01-01", "BETA", "COLOMBO")
    };
    for wrong in [2, 0] {
        let error = ledger.assign(&actor(), &[expecting(wrong)]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VersionConflict, "{error}");
    }
    let absent = NewAssignment { from: date("2026-06-01"), ..expecting(1) };
    assert_eq!(ledger.assign(&actor(), &[absent]).await.unwrap_err().kind(), ErrorKind::VersionConflict);
    assert_eq!(assign(&ledger, &[expecting(1)]).await, [AssignOutcome::Corrected { moved: 1 }]);
    assert_eq!(places(&ledger, "2026-02-10").await, at("BETA", "COLOMBO"));
    let ended = until("2026-02-01", assignment("AGT001", "2026-01-01", "BETA", "COLOMBO"));
    assert_eq!(assign(&ledger, &[ended]).await, [AssignOutcome::Corrected { moved: 1 }]);
    assert_eq!(places(&ledger, "2026-02-10").await, (None, None));
    let history = reading(&store).await.agents().assignment_history(&agent_code("AGT001")).await.unwrap();
    let told: Vec<_> = history.iter().map(|entry| (entry.version.0, entry.team.as_str(), entry.to.is_some())).collect();
    assert_eq!(told, [(1, "ALPHA", false), (2, "BETA", false), (3, "BETA", true)]);
    assert!(history.iter().all(|entry| entry.entered_at == noon("2026-06-15") && entry.entered_by == actor().0));
}

/// An assignment that breaks a rule is refused, and with it the whole call.
pub async fn a_wrong_assignment_refuses_the_call(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    assign(&ledger, &[assignment("AGT001", "2026-04-01", "ALPHA", "KANDY")]).await;
    let of = |from| assignment("AGT001", from, "BETA", "KANDY");
    let wrong = [
        (until("2026-04-02", of("2026-03-01")), ErrorKind::InvalidInput),
        (until("2026-03-01", of("2026-03-01")), ErrorKind::InvalidInput),
        (until("2026-02-01", of("2026-03-01")), ErrorKind::InvalidInput),
        (assignment("AGT009", "2026-03-01", "BETA", "KANDY"), ErrorKind::NotFound),
        (assignment("AGT001", "2026-03-01", "GAMMA", "KANDY"), ErrorKind::NotFound),
        (assignment("AGT001", "2026-03-01", "BETA", "GALLE"), ErrorKind::NotFound),
    ];
    for (assignment, kind) in wrong {
        let call = [of("2026-02-01"), assignment.clone()];
        let error = ledger.assign(&actor(), &call).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{assignment:?}: {error}");
    }
    let current = reading(&store).await.agents().assignments(&[agent_code("AGT001")]).await.unwrap();
    assert_eq!(current.iter().map(|entry| entry.from).collect::<Vec<_>>(), [date("2026-01-01"), date("2026-04-01")]);
    // Up to the very start of the next one is no overlap.
    let ends = until("2026-04-01", of("2026-03-01"));
    assert_eq!(assign(&ledger, &[ends]).await, [AssignOutcome::Entered { moved: 0 }]);
}

/// Several assignments of one call are entered in their order, in whatever order their days are.
pub async fn one_call_enters_many_assignments(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    sell(&ledger, &["2026-01-31", "2026-02-01", "2026-03-01"]).await;
    let call = [
        assignment("AGT001", "2026-03-01", "BETA", "KANDY"),
        assignment("AGT002", "2026-03-01", "BETA", "KANDY"),
        assignment("AGT001", "2026-02-01", "ALPHA", "KANDY"),
        assignment("AGT001", "2026-02-01", "ALPHA", "KANDY"),
        assignment("AGT001", "2026-02-01", "BETA", "COLOMBO"),
    ];
    let outcomes = [
        AssignOutcome::Entered { moved: 1 },
        AssignOutcome::Entered { moved: 0 },
        AssignOutcome::Entered { moved: 1 },
        AssignOutcome::Duplicate,
        AssignOutcome::Corrected { moved: 1 },
    ];
    assert_eq!(assign(&ledger, &call).await, outcomes);
    assert_eq!(places(&ledger, "2026-01-31").await, at("ALPHA", "COLOMBO"));
    assert_eq!(places(&ledger, "2026-02-01").await, at("BETA", "COLOMBO"));
    assert_eq!(places(&ledger, "2026-03-01").await, at("BETA", "KANDY"));
}

/// Everything about a moved sale but its derived places stays: its life, its messages, its instants. Voided ones move too.
pub async fn a_moved_sale_keeps_everything_else(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let messages = [
        content_message("S1", Some(3), on("2026-02-20")),
        life_message("S1", Some(4), cancel("2026-03-05")),
        content_message("S1", Some(1), on("2026-02-21")),
        content_message("S2", None, on("2026-02-20")),
        life_message("S2", None, LifeMessage::Void),
    ];
    record(&ledger, &messages).await;
    let find = async |reference: &str| ledger.find_sale(&key(reference)).await.unwrap().unwrap();
    let before = [find("S1").await, find("S2").await];
    let history = ledger.sale_history(before[0].id).await.unwrap().unwrap().messages;
    let outcomes = assign(&ledger, &[assignment("AGT001", "2026-02-15", "BETA", "KANDY")]).await;
    assert_eq!(outcomes, [AssignOutcome::Entered { moved: 2 }]);
    let moved = Places { team: Some(team_code("BETA")), branch: Some(branch_code("KANDY")) };
    for before in &before {
        let after = find(before.key.reference.as_str()).await;
        assert_eq!(after, moon_core::Sale { places: moved.clone(), ..before.clone() });
    }
    assert_eq!(ledger.sale_history(before[0].id).await.unwrap().unwrap().messages, history);
    assert_eq!(record(&ledger, &messages[..3]).await, ["duplicate", "duplicate", "duplicate"]);
}

/// A late assignment moves every sale, also of an agent who has more than fit on one page.
pub async fn a_late_assignment_moves_more_than_a_page(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    enter(&ledger, &["GAMMA"], &["GALLE"], &[], &[]).await;
    let messages: Vec<_> = (0..1_100)
        .map(|number| content_message(&format!("S{number}"), None, on(["2026-02-10", "2026-02-11"][number % 2])))
        .collect();
    record(&ledger, &messages).await;
    let outcomes = assign(&ledger, &[assignment("AGT001", "2026-02-01", "GAMMA", "GALLE")]).await;
    assert_eq!(outcomes, [AssignOutcome::Entered { moved: 1_100 }]);
    let february = figures(&ledger, View::AsSold, "2026-02").await;
    let all = in_rupees((1_100, 1_100), (1_100, 1_100), (1_100, 1_100));
    assert_group(&february, moon_core::Dimension::Team, "GAMMA", all);
    assert_group(&february, moon_core::Dimension::Branch, "GALLE", all);
}

/// As now, derived places follow the assignment in force, else the one that ended last; given ones stay; who was never
/// assigned is unassigned.
pub async fn as_now_follows_the_last_assignment(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    enter(&ledger, &[], &[], &[], &["AGT003", "AGT004"]).await;
    // Today is 2026-06-15: AGT001 has moved, AGT002 has ended, AGT003 has not begun, AGT004 never will.
    assign(&ledger, &[assignment("AGT001", "2026-06-15", "BETA", "KANDY")]).await;
    let ended = until("2026-03-01", assignment("AGT002", "2026-01-01", "BETA", "COLOMBO"));
    assign(&ledger, &[ended, assignment("AGT003", "2026-06-16", "BETA", "KANDY")]).await;
    let of = |agent: &str, amount| content(agent, "LIFE", "2026-04-10", rupees(amount));
    let contents = [
        of("AGT001", 1),
        SaleContent { team: Some(team_code("ALPHA")), ..of("AGT001", 10) },
        of("AGT002", 100),
        of("AGT003", 1_000),
        of("AGT004", 10_000),
        SaleContent { agent: None, branch: Some(branch_code("KANDY")), ..of("AGT001", 100_000) },
    ];
    let messages: Vec<_> =
        (0..).zip(contents).map(|(number, content)| content_message(&format!("S{number}"), None, content)).collect();
    record(&ledger, &messages).await;
    let now = figures(&ledger, View::AsNow, "2026-04").await;
    let sum = |amount, count| in_rupees((amount, count), (amount, count), (amount, count));
    let (team, branch) = (moon_core::Dimension::Team, moon_core::Dimension::Branch);
    assert_group(&now, team, "ALPHA", sum(10, 1));
    assert_group(&now, team, "BETA", sum(101, 2));
    assert_group(&now, team, UNASSIGNED, sum(111_000, 3));
    assert_group(&now, branch, "KANDY", sum(100_011, 3));
    assert_group(&now, branch, "COLOMBO", sum(100, 1));
    assert_group(&now, branch, UNASSIGNED, sum(11_000, 2));
}
