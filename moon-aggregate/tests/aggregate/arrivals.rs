//! When each source was last heard of, in records of runs and in the status.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use moon_aggregate::Aggregation;
use moon_core::{LifeMessage, RunKind, SaleKey, SaleMessage, Warehouse};
use moon_store_memory::MemoryWarehouse;

use crate::common::{Fixture, Trick, Tricky, actor, day, fixtures, life, sale};

/// The same from another source.
fn from(source: &str, message: SaleMessage) -> SaleMessage {
    let key = SaleKey::new(source, message.key.reference.as_str()).unwrap();
    SaleMessage { key, ..message }
}

/// Minutes after the fixture's noon.
fn at(minutes: i64) -> DateTime<Utc> {
    "2026-06-15T06:30:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

fn arrivals(expected: &[(&str, i64)]) -> BTreeMap<String, DateTime<Utc>> {
    expected.iter().map(|(source, minutes)| ((*source).to_owned(), at(*minutes))).collect()
}

async fn record_at(fixture: &Fixture, minutes: i64, message: SaleMessage) {
    fixture.clock.set(at(minutes) + TimeDelta::microseconds(999_999));
    fixture.record(&[message]).await;
}

async fn status(fixture: &Fixture) -> BTreeMap<String, DateTime<Utc>> {
    fixture.aggregation().status(1).await.unwrap().last_arrivals
}

#[tokio::test]
async fn a_record_tells_when_each_source_was_last_heard_of() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        record_at(&fixture, 1, from("portal", sale("1", None, "Junior", 5, "2026-06-01"))).await;
        record_at(&fixture, 3, from("portal", sale("2", None, "Junior", 5, "2026-06-01"))).await;
        record_at(&fixture, 2, from("portal", sale("3", None, "Junior", 5, "2026-06-01"))).await;
        let first = fixture.run().await.unwrap().record;
        assert_eq!(first.last_arrivals, arrivals(&[("portal", 3), ("test", 0)]), "{}", fixture.backend);

        // A source that says nothing new is not forgotten; what touches no figure touches no day.
        let early = LifeMessage::Cancel { date: day("2026-06-02"), amount: None };
        record_at(&fixture, 9, from("late", life("9", early))).await;
        let both = arrivals(&[("late", 9), ("portal", 3), ("test", 0)]);
        assert_eq!(status(&fixture).await, both, "what waits is told");
        let second = fixture.run().await.unwrap().record;
        assert_eq!((&second.last_arrivals, second.kind), (&both, RunKind::Incremental), "{}", fixture.backend);
        assert_eq!((second.rows_read, second.manifest.cells, second.days.is_empty()), (0, 0, true));
        let third = fixture.run().await.unwrap().record;
        assert_eq!(third.last_arrivals, both, "{}", fixture.backend);
        assert_eq!(fixture.warehouse.runs(3).await.unwrap(), [third, second, first], "{}", fixture.backend);
        assert_eq!(status(&fixture).await, both);
    }
}

#[tokio::test]
async fn a_repeat_and_what_is_refused_are_no_arrival() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        fixture.run().await.unwrap();
        record_at(&fixture, 5, sale("1", Some("AGT001"), "Junior", 10_000, "2026-03-01")).await;
        let unknown = from("faulty", sale("8", Some("AGT009"), "Junior", 1, "2026-03-01"));
        let report = fixture.ledger.record_sales(&actor(), &[unknown]).await.unwrap();
        assert_eq!(report.counts().rejected, 1);
        assert_eq!(fixture.marks().await.open, 0, "{}", fixture.backend);
        assert_eq!(fixture.run().await.unwrap().record.last_arrivals, arrivals(&[("test", 0)]));
    }
}

#[tokio::test]
async fn no_arrival_is_lost_by_a_crash_a_new_epoch_or_a_new_warehouse() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        fixture.run().await.unwrap();
        for (published, minutes) in [(false, 1), (true, 60)] {
            record_at(&fixture, minutes, from("portal", sale("1", None, "Junior", minutes, "2026-06-01"))).await;
            fixture.die(published).await;
            fixture.wait();
            let record = fixture.run().await.unwrap().record;
            let expected = arrivals(&[("portal", minutes), ("test", 0)]);
            assert_eq!(record.last_arrivals, expected, "{}, published: {published}", fixture.backend);
        }
        record_at(&fixture, 120, from("portal", sale("1", None, "Junior", 7, "2026-06-01"))).await;
        let late = {
            let ledger = fixture.ledger.clone();
            let message = from("meanwhile", sale("1", None, "Junior", 1, "2026-06-01"));
            Trick::AtWrite(Box::new(move || {
                Box::pin(async move {
                    ledger.record_sales(&actor(), &[message]).await.unwrap();
                })
            }))
        };
        let tricky: Arc<dyn Warehouse> = Tricky::new(Arc::clone(&fixture.warehouse), [late]);
        let during = fixture.aggregation_into(tricky);
        let record =
            during.run(&Default::default(), &Default::default(), &moon_aggregate::Silent).await.unwrap().record;
        assert_eq!(record.last_arrivals, arrivals(&[("portal", 120), ("test", 0)]), "the snapshot was older");

        fixture.aggregation().start_epoch(&actor()).await.unwrap();
        let warehouse = Arc::new(MemoryWarehouse::new("LKR".parse().unwrap()));
        let anew = Aggregation::new(fixture.ledger.clone(), warehouse);
        let record = anew.run(&Default::default(), &Default::default(), &moon_aggregate::Silent).await.unwrap().record;
        let all = arrivals(&[("meanwhile", 120), ("portal", 120), ("test", 0)]);
        assert_eq!(record.last_arrivals, all, "{}", fixture.backend);
    }
}
