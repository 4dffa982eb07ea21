//! Marks and the audit trail at the ports.

use std::sync::Arc;

use chrono::Duration;
use moon_core::{AuditEntry, Calendar, ErrorKind, Mark, MarkCounts, PageRequest, Period, Store, UnitOfWork};
use serde_json::json;
use uuid::Uuid;

use crate::builders::{date, fill, key, noon, product_code, reading, text, writing};

fn run(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn day(text: &str) -> Mark {
    Mark::Day(date(text))
}

async fn append(store: &Arc<dyn Store>, marks: &[Mark], at: &str) {
    let mut unit = writing(store).await;
    unit.marks().append(marks, noon(at)).await.unwrap();
    unit.commit().await.unwrap();
}

async fn claim(store: &Arc<dyn Store>, number: u128) -> Vec<Mark> {
    let mut unit = writing(store).await;
    unit.marks().claim(run(number)).await.unwrap();
    unit.commit().await.unwrap();
    reading(store).await.marks().claimed(run(number)).await.unwrap()
}

async fn open(store: &Arc<dyn Store>) -> Vec<Mark> {
    reading(store).await.marks().open().await.unwrap()
}

async fn settle(store: &Arc<dyn Store>, number: u128) {
    let mut unit = writing(store).await;
    unit.marks().settle(run(number)).await.unwrap();
    unit.commit().await.unwrap();
}

async fn counts(store: &Arc<dyn Store>) -> MarkCounts {
    reading(store).await.marks().counts().await.unwrap()
}

/// Marks of every form go to the run that claims them, each once, ascending.
pub async fn a_run_claims_every_mark_once(store: Arc<dyn Store>) {
    fill(&store).await;
    let march = Calendar::default().parse("2026-03").unwrap();
    let marks = [
        day("1000-01-01"),
        day("2026-02-10"),
        day("9999-12-31"),
        Mark::Target { product: None, period: Period::ALL },
        Mark::Target { product: None, period: march },
        Mark::Target { product: Some(product_code("LIFE")), period: march },
        Mark::Target { product: Some(product_code("MOTOR")), period: march },
        Mark::Dimensions,
        Mark::Consents,
        Mark::Arrival { source: key("S1").source, at: noon("2026-06-15") },
        Mark::Arrival { source: key("S1").source, at: noon("2026-06-16") },
    ];
    let mut shuffled = marks.to_vec();
    shuffled.reverse();
    append(&store, &shuffled, "2026-06-15").await;
    append(&store, &marks[1..7], "2026-06-16").await;
    let mut expected = marks.to_vec();
    expected.sort_unstable();
    assert_eq!(open(&store).await, expected);
    assert_eq!(claim(&store, 1).await, expected);
    assert_eq!(open(&store).await, [], "what is claimed is not open");
    assert_eq!(claim(&store, 2).await, [], "all belong to the first run");
    assert_eq!(claim(&store, 1).await, expected, "a repeat changes nothing");
}

/// A repeated claim adds what came since; another run gets only what is open.
pub async fn a_repeated_claim_adds_what_came_since(store: Arc<dyn Store>) {
    append(&store, &[day("2026-02-10")], "2026-06-15").await;
    assert_eq!(claim(&store, 1).await, [day("2026-02-10")]);
    append(&store, &[day("2026-02-09")], "2026-06-15").await;
    assert_eq!(claim(&store, 1).await, [day("2026-02-09"), day("2026-02-10")]);
    append(&store, &[day("2026-02-11")], "2026-06-15").await;
    assert_eq!(claim(&store, 2).await, [day("2026-02-11")]);
    settle(&store, 1).await;
    let mut unit = reading(&store).await;
    assert_eq!(unit.marks().claimed(run(1)).await.unwrap(), []);
    assert_eq!(unit.marks().claimed(run(2)).await.unwrap(), [day("2026-02-11")]);
}

/// A mark that is appended while an equal one is claimed outlives the settling of that claim.
pub async fn a_mark_beside_a_claimed_one_waits_for_the_next_run(store: Arc<dyn Store>) {
    append(&store, &[day("2026-02-10"), Mark::Dimensions], "2026-06-15").await;
    claim(&store, 1).await;
    append(&store, &[day("2026-02-10")], "2026-06-16").await;
    settle(&store, 1).await;
    settle(&store, 1).await;
    assert_eq!(claim(&store, 2).await, [day("2026-02-10")]);
    settle(&store, 2).await;
    assert_eq!(counts(&store).await, MarkCounts::default());
    assert_eq!(claim(&store, 3).await, []);
}

/// The counts tell what is open, what is claimed, and since when the oldest of either waits.
pub async fn counts_tell_what_waits(store: Arc<dyn Store>) {
    assert_eq!(counts(&store).await, MarkCounts::default());
    append(&store, &[day("2026-02-11"), day("2026-02-10")], "2026-06-15").await;
    append(&store, &[day("2026-02-12")], "2026-06-14").await;
    append(&store, &[], "2026-06-13").await;
    let oldest = Some(noon("2026-06-14"));
    assert_eq!(counts(&store).await, MarkCounts { open: 3, claimed: 0, oldest });
    claim(&store, 1).await;
    append(&store, &[Mark::Dimensions], "2026-06-16").await;
    assert_eq!(counts(&store).await, MarkCounts { open: 1, claimed: 3, oldest });
    settle(&store, 1).await;
    assert_eq!(counts(&store).await, MarkCounts { open: 1, claimed: 0, oldest: Some(noon("2026-06-16")) });
}

/// What is appended, claimed or settled in a unit that is rolled back did not happen.
pub async fn marks_follow_their_unit(store: Arc<dyn Store>) {
    append(&store, &[day("2026-02-10")], "2026-06-15").await;
    let mut unit = writing(&store).await;
    unit.marks().append(&[day("2026-02-11")], noon("2026-06-15")).await.unwrap();
    unit.marks().claim(run(1)).await.unwrap();
    assert_eq!(unit.marks().claimed(run(1)).await.unwrap().len(), 2);
    unit.rollback().await.unwrap();
    assert_eq!(counts(&store).await, MarkCounts { open: 1, claimed: 0, oldest: Some(noon("2026-06-15")) });
    claim(&store, 1).await;
    let mut unit = writing(&store).await;
    unit.marks().settle(run(1)).await.unwrap();
    drop(unit);
    assert_eq!(reading(&store).await.marks().claimed(run(1)).await.unwrap(), [day("2026-02-10")]);
}

fn entry(number: u32) -> AuditEntry {
    AuditEntry {
        // The instants fall: what counts is the order of appending.
        at: noon("2026-06-15") - Duration::microseconds(number.into()),
        actor: text("desk '7'; --"),
        action: "record_sales".to_owned(),
        subject: format!("core/S{number} 😀"),
        details: json!({ "recorded": number, "note": "'); DROP TABLE ledger_audit;--" }),
    }
}

async fn audit(unit: &mut dyn UnitOfWork, limit: u32) -> Vec<AuditEntry> {
    let mut request = Some(PageRequest::first(limit));
    let mut all = Vec::new();
    while let Some(now) = request {
        let page = unit.audit().list(&now).await.unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap(), "a page longer than asked for");
        request = now.following(&page);
        all.extend(page.items);
    }
    all
}

/// Audit entries come back in full in the order in which they were appended, in pages of any size.
pub async fn audit_entries_keep_their_order(store: Arc<dyn Store>) {
    let entries: Vec<_> = (0..12).map(entry).collect();
    for part in entries.chunks(5) {
        let mut unit = writing(&store).await;
        for entry in part {
            unit.audit().append(entry).await.unwrap();
        }
        unit.commit().await.unwrap();
    }
    let mut unit = writing(&store).await;
    unit.audit().append(&entry(99)).await.unwrap();
    unit.rollback().await.unwrap();
    let mut unit = reading(&store).await;
    for limit in [1, 5, 12, 13, 1_000] {
        assert_eq!(audit(unit.as_mut(), limit).await, entries, "by {limit}");
    }
    let foreign = PageRequest { after: Some(moon_core::Cursor::behind("not a place")), limit: 1 };
    let outcome = unit.audit().list(&foreign).await;
    assert!(outcome.is_ok() || outcome.is_err_and(|error| error.kind() == ErrorKind::InvalidInput));
}
