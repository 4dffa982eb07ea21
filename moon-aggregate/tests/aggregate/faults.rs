//! A fault at every single call of a run.

use std::sync::Arc;

use moon_aggregate::{RunCommand, Silent};
use moon_core::{Amount, Calendar, ErrorKind, LifeMessage, Warehouse};
use moon_testkit::faulty::{Fault, FaultyStore, Moment};

use crate::common::{FaultyWarehouse, Fixture, agent_figures, day, life, memory, sale, sqlite};

/// How far apart the calls are that fail on SQLite, where a ledger takes longer to make. In memory each one fails.
const STRIDE: usize = 4;
/// More calls than a run makes.
const CALLS_MAX: usize = 1_000;

/// A closed month, and changes in it, before it and behind it.
async fn changed(backend: &str) -> Fixture {
    let mut fixture = if backend == "memory" { memory().await } else { sqlite().await }.filled().await;
    fixture.agents = Some(agent_figures(1));
    fixture.consent("AGT001", Some(true)).await;
    let april = Calendar::default().parse("2026-04").unwrap();
    fixture.run_as(&RunCommand { close: vec![april], ..RunCommand::default() }).await.unwrap();
    let amount = Some(Amount::from_minor(500).unwrap());
    fixture
        .record(&[
            sale("7", Some("AGT002"), "Junior", 5, "2026-06-01"),
            life("6", LifeMessage::Cancel { date: day("2026-06-02"), amount }),
            life("4", LifeMessage::Void),
        ])
        .await;
    fixture
}

/// The figures are those of the ledger, no mark is lost and none is left, and nothing was restated twice.
async fn check(fixture: &Fixture, told: &str) {
    let would_change = fixture.aggregation().preview(&RunCommand::full(), &Silent).await.unwrap();
    assert!(would_change.is_empty(), "{told}: {would_change:#?}");
    let marks = fixture.marks().await;
    assert_eq!((marks.open, marks.claimed), (0, 0), "{told}");
    let april = Calendar::default().parse("2026-04").unwrap();
    assert_eq!(fixture.warehouse.restatements(april.days()).await.unwrap().len(), 3, "{told}");
    assert_eq!(fixture.warehouse.closings().await.unwrap().len(), 1, "{told}");
}

fn backends() -> [(&'static str, usize, RunCommand); 3] {
    let incremental = RunCommand::incremental;
    [("memory", 1, incremental()), ("memory", 1, RunCommand::full()), ("sqlite", STRIDE, incremental())]
}

#[tokio::test]
async fn wherever_a_call_of_the_store_fails_the_next_run_makes_up_for_it() {
    for (backend, stride, command) in backends() {
        for moment in [Moment::Before, Moment::After] {
            let mut failures = 0;
            for at in (0..CALLS_MAX).step_by(stride) {
                let mut fixture = changed(backend).await;
                let honest = fixture.ledger.clone();
                let faulty = FaultyStore::new(Arc::clone(honest.store()));
                fixture.ledger = fixture.over(Arc::new(faulty.clone())).await;
                faulty.set(Some(Fault { at, times: 1, moment, kind: ErrorKind::Backend }));
                // The call that fails may be one that the run can do without: giving back what is gone anyway.
                let _ = fixture.run_as(&command).await;
                let failed = faulty.failures() > 0;
                faulty.set(None);
                fixture.ledger = honest;
                fixture.wait();
                fixture.run().await.unwrap();
                check(&fixture, &format!("{backend}, {moment:?} {at}")).await;
                if !failed {
                    break;
                }
                failures += 1;
            }
            assert!((20 / stride..CALLS_MAX / stride).contains(&failures), "{backend}: {failures}");
        }
    }
}

#[tokio::test]
async fn wherever_a_call_of_the_warehouse_fails_the_next_run_makes_up_for_it() {
    for (backend, stride, command) in backends() {
        for moment in [Moment::Before, Moment::After] {
            let mut failures = 0;
            for at in (0..CALLS_MAX).step_by(stride) {
                let mut fixture = changed(backend).await;
                let honest = Arc::clone(&fixture.warehouse);
                let fault = Fault { at, times: 1, moment, kind: ErrorKind::Backend };
                let faulty = FaultyWarehouse::new(Arc::clone(&honest), fault);
                fixture.warehouse = Arc::<FaultyWarehouse>::clone(&faulty) as Arc<dyn Warehouse>;
                let ended = fixture.run_as(&command).await;
                assert_eq!(ended.is_err(), faulty.has_failed(), "{backend}, {moment:?} {at}: {ended:?}");
                fixture.warehouse = honest;
                fixture.run().await.unwrap();
                check(&fixture, &format!("{backend}, {moment:?} {at}")).await;
                if !faulty.has_failed() {
                    break;
                }
                failures += 1;
            }
            assert!((16 / stride..CALLS_MAX / stride).contains(&failures), "{backend}: {failures}");
        }
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_by_the_run_itself() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Contention] {
        for moment in [Moment::Before, Moment::After] {
            for at in 0..CALLS_MAX {
                let mut fixture = changed("memory").await;
                let faulty = FaultyStore::new(Arc::clone(fixture.ledger.store()));
                let honest = fixture.ledger.clone();
                fixture.ledger = fixture.over(Arc::new(faulty.clone())).await;
                faulty.set(Some(Fault { at, times: 1, moment, kind }));
                fixture.run().await.unwrap();
                let failed = faulty.failures() > 0;
                faulty.set(None);
                fixture.ledger = honest;
                check(&fixture, &format!("{kind:?}, {moment:?} {at}")).await;
                if !failed {
                    break;
                }
            }
        }
    }
}
