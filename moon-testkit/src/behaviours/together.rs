//! Units of work beside one another: whichever comes first, nothing slips between them.
//!
//! Each behaviour holds one unit open while others run, for long enough that they usually meet it. The outcome is the same
//! where they do not, so that nothing here depends on time.

use std::sync::Arc;
use std::time::Duration;

use moon_core::{Expected, Mark, NoPause, Record, RecordKey, Store, UnitOfWork, Version, retry_contention};
use serde_json::json;
use uuid::Uuid;

use super::recording::{at, places};
use crate::builders::{
    actor, assignment, content, content_message, date, enter, fill, key, life_message, noon, opened, reading, rupees,
    sale, writing,
};

/// Commits after a while, in which others meet what the unit holds.
async fn commit_late(unit: Box<dyn UnitOfWork>) {
    tokio::time::sleep(Duration::from_millis(20)).await;
    unit.commit().await.unwrap();
}

/// A sale that is being recorded while its agent is assigned late counts where the assignment says.
pub async fn no_sale_slips_past_an_assignment(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    let message =
        |reference: &str| content_message(reference, None, content("AGT001", "LIFE", "2026-02-10", rupees(1)));
    let mut unit = writing(&store).await;
    ledger.record_sales_in(unit.as_mut(), &actor(), &[message("S1")]).await.unwrap();
    let (actor, late) = (actor(), [assignment("AGT001", "2026-02-01", "BETA", "KANDY")]);
    let ((), outcome) = tokio::join!(commit_late(unit), ledger.assign(&actor, &late));
    assert_eq!(outcome.unwrap()[0].moved(), 1);
    assert_eq!(places(&ledger, "S1").await, at("BETA", "KANDY"));

    let mut unit = writing(&store).await;
    let later = [assignment("AGT001", "2026-02-05", "ALPHA", "KANDY")];
    ledger.assign_in(unit.as_mut(), &actor, &later).await.unwrap();
    let messages = [message("S2")];
    let ((), outcome) = tokio::join!(commit_late(unit), ledger.record_sales(&actor, &messages));
    outcome.unwrap();
    assert_eq!(places(&ledger, "S2").await, at("ALPHA", "KANDY"));
}

/// A sale that is corrected or cancelled while its agent is assigned late stays corrected and cancelled.
pub async fn a_late_assignment_undoes_no_correction(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    let message = |reference: &str, revision: u32, agent: &str, units: i64| {
        content_message(reference, Some(revision), content(agent, "LIFE", "2026-02-10", rupees(units)))
    };
    let first = [message("S1", 0, "AGT001", 100), message("S2", 0, "AGT001", 100)];
    ledger.record_sales(&actor(), &first).await.unwrap();
    let mut unit = writing(&store).await;
    let changes = [message("S1", 1, "AGT002", 200), life_message("S2", Some(1), crate::builders::cancel("2026-02-20"))];
    ledger.record_sales_in(unit.as_mut(), &actor(), &changes).await.unwrap();
    let (actor, late) = (actor(), [assignment("AGT001", "2026-02-01", "BETA", "KANDY")]);
    let ((), outcome) = tokio::join!(commit_late(unit), ledger.assign(&actor, &late));
    assert_eq!(outcome.unwrap()[0].moved(), 1);
    let found = reading(&store).await.sales().find(&[key("S1"), key("S2")]).await.unwrap();
    let [corrected, cancelled] = [0, 1].map(|place: usize| found[place].clone().unwrap());
    assert_eq!(corrected.content, content("AGT002", "LIFE", "2026-02-10", rupees(200)));
    assert_eq!((corrected.last_revision.0, cancelled.last_revision.0), (1, 1));
    assert_eq!(cancelled.adjustments.len(), 1);
    assert_eq!(places(&ledger, "S2").await, at("BETA", "KANDY"));
}

/// Sales of many agents, recorded and assigned at once in opposite orders, neither hang nor get lost.
pub async fn calls_in_opposite_orders_do_not_hang(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let agents: Vec<_> = (0..6).map(|number| format!("A{number}")).collect();
    let codes: Vec<_> = agents.iter().map(String::as_str).collect();
    enter(&ledger, &[], &[], &[], &codes).await;
    let calls = (0..4_usize).map(async |call| {
        let mut order = agents.clone();
        if call % 2 == 0 {
            order.reverse();
        }
        let message = |agent: &String| {
            content_message(&format!("{agent} {call}"), None, content(agent, "LIFE", "2026-02-10", rupees(1)))
        };
        let shared =
            |agent: &String| life_message(&format!("{agent} shared"), None, crate::builders::cancel("2026-03-01"));
        let messages: Vec<_> = order.iter().map(message).chain(order.iter().map(shared)).collect();
        ledger.record_sales(&actor(), &messages).await.unwrap();
        let assignments: Vec<_> = order.iter().map(|agent| assignment(agent, "2026-01-01", "BETA", "KANDY")).collect();
        ledger.assign(&actor(), &assignments).await.unwrap();
    });
    futures_util::future::join_all(calls).await;
    for agent in &agents {
        for call in 0..4 {
            assert_eq!(places(&ledger, &format!("{agent} {call}")).await, at("BETA", "KANDY"));
        }
    }
}

/// Records that several count up at once lose no step.
pub async fn a_record_counted_up_at_once_loses_no_step(store: Arc<dyn Store>) {
    let of = |version: u32| Record {
        key: RecordKey::new("lease", "counter"),
        value: json!(version),
        expires_at: None,
        version: Version(version),
    };
    let mut unit = writing(&store).await;
    unit.records().put(&of(1), Expected::Absent).await.unwrap();
    unit.commit().await.unwrap();
    let steps = (0..4).map(async |_| {
        let step = async || {
            let mut unit = writing(&store).await;
            let version = unit.records().get(&of(1).key).await?.unwrap().version;
            tokio::task::yield_now().await;
            unit.records().put(&of(version.0 + 1), Expected::Version(version)).await?;
            unit.commit().await
        };
        retry_contention(&NoPause, step).await.unwrap();
    });
    futures_util::future::join_all(steps).await;
    assert_eq!(reading(&store).await.records().get(&of(1).key).await.unwrap(), Some(of(5)));
}

/// A mark that commits while a run claims belongs to this run or to the next, never to neither.
pub async fn a_mark_that_commits_during_a_claim_is_not_lost(store: Arc<dyn Store>) {
    let (run, next) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let early = Mark::Day(date("2026-02-10"));
    let late = Mark::Day(date("2026-02-11"));
    let mut unit = writing(&store).await;
    unit.marks().append(std::slice::from_ref(&early), noon("2026-06-15")).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = writing(&store).await;
    unit.marks().append(&[early.clone(), late.clone()], noon("2026-06-15")).await.unwrap();
    let claiming = async |run| {
        let mut unit = writing(&store).await;
        unit.marks().claim(run).await.unwrap();
        unit.commit().await.unwrap();
        reading(&store).await.marks().claimed(run).await.unwrap()
    };
    let ((), claimed) = tokio::join!(commit_late(unit), claiming(run));
    assert!(claimed.contains(&early));
    let mut unit = writing(&store).await;
    unit.marks().settle(run).await.unwrap();
    unit.commit().await.unwrap();
    let rest = claiming(next).await;
    if claimed.contains(&late) {
        assert_eq!(rest, [], "both belonged to the first run");
    } else {
        assert_eq!(rest, [early, late], "the unit committed behind the claim");
    }
}

/// Of two units that insert the same sale at once one finds it known, and neither fails.
pub async fn one_of_two_insertions_finds_the_sale_known(store: Arc<dyn Store>) {
    fill(&store).await;
    let mut first = writing(&store).await;
    assert_eq!(first.sales().insert_absent(&[sale(1, "2026-02-10", rupees(1))]).await.unwrap(), [0; 0]);
    let second = async {
        retry_contention(&NoPause, || async {
            let mut unit = writing(&store).await;
            let other = moon_core::Sale { key: key("S1"), ..sale(2, "2026-02-11", rupees(2)) };
            let collisions = unit.sales().insert_absent(&[sale(3, "2026-02-12", rupees(3)), other]).await?;
            unit.commit().await.map(|()| collisions)
        })
        .await
    };
    let ((), collisions) = tokio::join!(commit_late(first), second);
    assert_eq!(collisions.unwrap(), [1]);
    let found = reading(&store).await.sales().find(&[key("S1"), key("S3")]).await.unwrap();
    assert_eq!(found, [Some(sale(1, "2026-02-10", rupees(1))), Some(sale(3, "2026-02-12", rupees(3)))]);
}
