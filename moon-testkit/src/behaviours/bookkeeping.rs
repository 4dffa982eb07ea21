//! What every call of the ledger leaves beside its effect: marks for the next run, and an audit entry.

use std::sync::Arc;

use moon_core::{
    Actor, Calendar, Consent, Consents, FixedClock, LifeMessage, Mark, NewTarget, PageRequest, PutRule, Reference,
    SaleKey, SaleMessage, Store, TargetKey, TargetScope,
};
use serde_json::json;
use uuid::Uuid;

use super::recording::record;
use crate::builders::{
    actor, agent, assignment, branch, cancel, content, content_message, date, fill, key, ledger_at, life_message, noon,
    opened, product, product_code, reading, reinstate, rupees, team, text, writing,
};

/// Takes all marks there are, and leaves out those of arrivals.
async fn take_marks(store: &Arc<dyn Store>) -> Vec<Mark> {
    let mut marks = take_all_marks(store).await;
    marks.retain(|mark| !matches!(mark, Mark::Arrival { .. }));
    marks
}

/// Takes all marks there are: what a run would claim.
async fn take_all_marks(store: &Arc<dyn Store>) -> Vec<Mark> {
    let run = Uuid::from_u128(1);
    let mut unit = writing(store).await;
    unit.marks().claim(run).await.unwrap();
    let marks = unit.marks().claimed(run).await.unwrap();
    unit.marks().settle(run).await.unwrap();
    unit.commit().await.unwrap();
    marks
}

fn marked(days: &[&str]) -> Vec<Mark> {
    days.iter().map(|day| Mark::Day(date(day))).collect()
}

/// A change of a sale marks every day on which any of its postings lay or lies.
pub async fn a_change_marks_every_day_that_it_touches(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    take_marks(&store).await;
    let on = |day: &str, amount| content("AGT001", "LIFE", day, rupees(amount));
    record(
        &ledger,
        &[content_message("S1", None, on("2026-02-10", 100)), content_message("S2", None, on("2026-02-11", 1))],
    )
    .await;
    assert_eq!(take_marks(&store).await, marked(&["2026-02-10", "2026-02-11"]), "recorded");
    record(&ledger, &[life_message("S1", None, cancel("2026-03-01"))]).await;
    assert_eq!(take_marks(&store).await, marked(&["2026-02-10", "2026-03-01"]), "cancelled");
    ledger.change_life(&actor(), &key("S1"), reinstate("2026-03-02")).await.unwrap();
    assert_eq!(take_marks(&store).await, marked(&["2026-02-10", "2026-03-01", "2026-03-02"]), "reinstated");
    record(&ledger, &[content_message("S1", None, on("2026-02-09", 90))]).await;
    let days = ["2026-02-09", "2026-02-10", "2026-03-01", "2026-03-02"];
    assert_eq!(take_marks(&store).await, marked(&days), "corrected to another day");
    ledger.assign(&actor(), &[assignment("AGT001", "2026-02-01", "BETA", "KANDY")]).await.unwrap();
    let days = ["2026-02-09", "2026-02-11", "2026-03-01", "2026-03-02"];
    assert_eq!(take_marks(&store).await, marked(&days), "moved");
    record(&ledger, &[life_message("S1", None, LifeMessage::Void)]).await;
    assert_eq!(take_marks(&store).await, marked(&["2026-02-09", "2026-03-01", "2026-03-02"]), "voided");
    record(&ledger, &[life_message("S3", Some(1), cancel("2026-03-07"))]).await;
    take_marks(&store).await;
    record(&ledger, &[content_message("S3", Some(0), on("2026-02-12", 5))]).await;
    assert_eq!(take_marks(&store).await, marked(&["2026-02-12", "2026-03-07"]), "came after its cancellation");
}

/// What changes nothing marks nothing: repeats, conflicts, what is rejected, assignments that move no sale.
pub async fn what_changes_nothing_marks_nothing(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    let sale = |amount| content("AGT001", "LIFE", "2026-02-10", rupees(amount));
    record(&ledger, &[content_message("S1", Some(1), sale(100))]).await;
    take_marks(&store).await;
    let messages = [
        content_message("S1", Some(1), sale(100)),
        content_message("S1", Some(1), sale(101)),
        content_message("S2", None, content("AGT009", "LIFE", "2026-02-10", rupees(1))),
        life_message("S1", None, reinstate("2026-03-01")),
    ];
    let outcomes = ["duplicate", "conflict payload_conflict", "rejected not_found", "rejected refused"];
    assert_eq!(record(&ledger, &messages).await, outcomes);
    ledger.assign(&actor(), &[assignment("AGT001", "2026-01-01", "ALPHA", "COLOMBO")]).await.unwrap();
    ledger.assign(&actor(), &[assignment("AGT001", "2026-05-01", "BETA", "KANDY")]).await.unwrap();
    ledger.put_teams(&actor(), &[team("ALPHA")], PutRule::Replace).await.unwrap();
    assert_eq!(take_all_marks(&store).await, []);
}

/// A call marks each source of which it has taken something in, once and to the second, whether or not a figure changes.
pub async fn what_is_taken_in_marks_its_source(store: Arc<dyn Store>) {
    opened(Arc::clone(&store)).await;
    let at = noon("2026-06-15") + chrono::Duration::microseconds(41_999_999);
    let ledger = ledger_at(Arc::clone(&store), Arc::new(FixedClock::new(at))).await;
    take_all_marks(&store).await;
    let from = |source: &str, message: SaleMessage| {
        let key = SaleKey::new(source, message.key.reference.as_str()).unwrap();
        SaleMessage { key, ..message }
    };
    let sale = |amount| content("AGT001", "LIFE", "2026-02-10", rupees(amount));
    let unknown = content("AGT009", "LIFE", "2026-02-10", rupees(1));
    let arrival = |source| Mark::Arrival {
        source: Reference::new("source", source).unwrap(),
        at: noon("2026-06-15") + chrono::Duration::seconds(41),
    };
    let messages = [
        from("a \"portal\" 😀", content_message("S1", Some(2), sale(1))),
        from("core", content_message("S1", None, sale(2))),
        from("core", content_message("S2", None, sale(3))),
        from("faulty", content_message("S3", None, unknown)),
    ];
    record(&ledger, &messages).await;
    let day = Mark::Day(date("2026-02-10"));
    assert_eq!(take_all_marks(&store).await, [day, arrival("a \"portal\" 😀"), arrival("core")]);
    let messages = [
        from("a \"portal\" 😀", content_message("S1", Some(1), sale(0))),
        from("core", content_message("S1", None, sale(2))),
        from("early", life_message("S9", Some(1), cancel("2026-03-01"))),
    ];
    assert_eq!(record(&ledger, &messages).await, ["stale", "duplicate", "kept 1"]);
    assert_eq!(take_all_marks(&store).await, [arrival("a \"portal\" 😀"), arrival("early")]);
}

/// Names, regions and lines mark the dimensions, but those of agents do not, since the warehouse does not know them.
pub async fn names_mark_the_dimensions(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    assert_eq!(take_marks(&store).await, [Mark::Dimensions]);
    let renamed = moon_core::Team { name: text("Another name"), ..team("ALPHA") };
    ledger.put_teams(&actor(), &[renamed], PutRule::Replace).await.unwrap();
    assert_eq!(take_marks(&store).await, [Mark::Dimensions]);
    let moved = moon_core::Branch { region: Some(text("Central")), ..branch("KANDY") };
    ledger.put_branches(&actor(), &[moved], PutRule::Replace).await.unwrap();
    assert_eq!(take_marks(&store).await, [Mark::Dimensions]);
    let line = moon_core::Product { line: Some(text("life")), ..product("LIFE") };
    ledger.put_products(&actor(), &[line], PutRule::Replace).await.unwrap();
    assert_eq!(take_marks(&store).await, [Mark::Dimensions]);
    let renamed = moon_core::Agent { name: text("Another name"), ..agent("AGT001") };
    ledger.put_agents(&actor(), &[renamed, agent("AGT003")], PutRule::Replace).await.unwrap();
    assert_eq!(take_marks(&store).await, []);
}

/// A consent for performance analytics that is given or withdrawn marks the consents; another answer to the same effect
/// does not, nor does one about notifications, nor any that a new agent brings.
pub async fn consents_mark_themselves(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    let consent = |granted, at: &str| Consent { granted, at: noon(at), how: text("portal") };
    let analytics =
        |granted, at: &str| Consents { performance_analytics: Some(consent(granted, at)), notifications: None };
    let with = |code: &str, consents: Consents| moon_core::Agent { consents, ..agent(code) };
    let granted = analytics(true, "2026-06-01");
    let notified = Consents { notifications: Some(consent(true, "2026-06-03")), ..granted.clone() };
    let steps = [
        (with("AGT001", analytics(false, "2026-05-01")), false),
        (with("AGT001", granted.clone()), true),
        (with("AGT001", analytics(true, "2026-06-02")), false),
        (with("AGT001", notified), false),
        (with("AGT009", granted), false),
        (with("AGT001", analytics(false, "2026-06-04")), true),
        (with("AGT001", Consents::default()), false),
    ];
    take_marks(&store).await;
    for (step, (agent, marked)) in steps.into_iter().enumerate() {
        ledger.put_agents(&actor(), &[agent], PutRule::Replace).await.unwrap();
        let expected = if marked { vec![Mark::Consents] } else { Vec::new() };
        assert_eq!(take_marks(&store).await, expected, "step {step}");
    }
}

/// Every call that changes something leaves one audit entry: who, when, what, to what, with how much effect. One that
/// changes nothing about assignments, targets or master data leaves none.
pub async fn every_call_leaves_one_audit_entry(store: Arc<dyn Store>) {
    fill(&store).await;
    let clock = Arc::new(FixedClock::new(noon("2026-06-15")));
    let ledger = ledger_at(Arc::clone(&store), Arc::<FixedClock>::clone(&clock)).await;
    let boss = Actor::new("desk '7'").unwrap();
    ledger.put_teams(&boss, &[team("GAMMA"), team("DELTA"), team("ALPHA")], PutRule::Ensure).await.unwrap();
    ledger.put_teams(&boss, &[team("GAMMA")], PutRule::Ensure).await.unwrap();
    clock.set(noon("2026-06-16"));
    let assignment = [assignment("AGT001", "2026-01-01", "ALPHA", "COLOMBO")];
    ledger.assign(&actor(), &assignment).await.unwrap();
    ledger.assign(&actor(), &assignment).await.unwrap();
    let sale = |amount| content("AGT001", "LIFE", "2026-02-10", rupees(amount));
    record(&ledger, &[content_message("S1", Some(0), sale(1)), content_message("S1", Some(0), sale(2))]).await;
    ledger.change_life(&actor(), &key("S1"), cancel("2026-03-01")).await.unwrap();
    ledger.change_life(&actor(), &key("S1"), cancel("2026-03-01")).await.unwrap_err();
    let period = Calendar::default().parse("2026-03").unwrap();
    let target = NewTarget {
        key: TargetKey { product: Some(product_code("LIFE")), scope: TargetScope::Ledger, period },
        from: None,
        amount: rupees(1),
        expected: None,
    };
    ledger.set_targets(&actor(), std::slice::from_ref(&target)).await.unwrap();
    ledger.set_targets(&actor(), &[target]).await.unwrap();
    let page = reading(&store).await.audit().list(&PageRequest::first(100)).await.unwrap();
    let told: Vec<_> = page.items.iter().map(|entry| (entry.action.as_str(), entry.subject.as_str())).collect();
    let expected = [
        ("put_teams", "3 teams"),
        ("assign", "AGT001 from 2026-01-01"),
        ("record_sales", "2 messages"),
        ("record_sales", "core/S1"),
        ("set_targets", "LIFE, ledger, 2026-03"),
    ];
    assert_eq!(told, expected);
    let first = &page.items[0];
    assert_eq!((first.at, &first.actor), (noon("2026-06-15"), &boss.0));
    assert_eq!(first.details, json!({ "created": 2, "updated": 0, "unchanged": 1 }));
    assert!(page.items[1..].iter().all(|entry| entry.at == noon("2026-06-16") && entry.actor == actor().0));
    assert_eq!((&page.items[2].details["recorded"], &page.items[2].details["conflicts"]), (&json!(1), &json!(1)));
}
