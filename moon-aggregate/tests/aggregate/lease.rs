//! One run at a time: leases, heartbeats, take-overs, deadlines.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use moon_aggregate::{Aggregation, Busy, RunCommand, RunOptions, Silent};
use moon_core::{Basis, Clock as _, ErrorKind, FixedClock, RunOutcome, Warehouse};

use crate::common::{Fixture, Trick, Tricky, fixtures, memory, rows, sale};

/// Figures that were published, a sale since, and a warehouse that plays tricks.
async fn changed(fixture: Fixture, tricks: impl IntoIterator<Item = Trick>) -> (Fixture, Aggregation) {
    let mut fixture = fixture.filled().await;
    fixture.run().await.unwrap();
    fixture.record(&[sale("7", Some("AGT002"), "Junior", 5, "2026-06-01")]).await;
    let honest = fixture.aggregation();
    let tricky: Arc<dyn Warehouse> = Tricky::new(Arc::clone(&fixture.warehouse), tricks);
    fixture.warehouse = tricky;
    (fixture, honest)
}

fn move_on(clock: &FixedClock, length: Duration) {
    clock.set(clock.now() + length);
}

#[tokio::test]
async fn while_one_works_another_leaves_and_tells_why() {
    for fixture in fixtures().await {
        let (mut fixture, honest) = changed(fixture, []).await;
        let other = honest.clone();
        let meanwhile = Trick::AtWrite(Box::new(move || {
            Box::pin(async move {
                let refused = other.run(&RunCommand::full(), &RunOptions::default(), &Silent).await.unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::Refused);
                assert!(refused.to_string().contains("another aggregation run is at work"), "{refused}");
            })
        }));
        fixture.warehouse = Tricky::new(Arc::clone(&fixture.warehouse), [meanwhile]);
        fixture.run().await.unwrap();
        assert_eq!(fixture.totals("2026-06", Basis::Net).await[0], rows(&[("Beta", 5, 1)]), "{}", fixture.backend);
        assert_eq!(fixture.warehouse.runs(9).await.unwrap().len(), 2, "whoever leaves at once leaves no record");
    }
}

#[tokio::test]
async fn while_one_works_another_waits_if_it_is_told_to() {
    for fixture in fixtures().await {
        let slowly = || {
            Trick::AtWrite(Box::new(|| {
                Box::pin(async {
                    for _ in 0..20 {
                        tokio::task::yield_now().await;
                    }
                })
            }))
        };
        let (fixture, honest) = changed(fixture, [slowly(), slowly(), slowly()]).await;
        let options = RunOptions { busy: Busy::Wait, ..RunOptions::default() };
        let second = async {
            tokio::task::yield_now().await;
            honest.run(&RunCommand::incremental(), &options, &Silent).await.unwrap()
        };
        let (first, second) = tokio::join!(fixture.run(), second);
        let numbers = [first.unwrap().record.key.number, second.record.key.number];
        assert!(matches!(numbers, [2, 3] | [3, 2]), "{numbers:?}");
        assert_eq!(fixture.totals("2026-06", Basis::Net).await[0], rows(&[("Beta", 5, 1)]), "{}", fixture.backend);
    }
}

#[tokio::test]
async fn who_waits_at_most_so_long_is_refused_then() {
    let for_ever = Trick::AtWrite(Box::new(|| Box::pin(std::future::pending())));
    let (fixture, honest) = changed(memory().await, [for_ever]).await;
    assert!(fixture.run().now_or_never().is_none(), "it died while it staged");
    let wait = async |seconds| {
        let options = RunOptions { busy: Busy::WaitAtMost(Duration::from_secs(seconds)), ..RunOptions::default() };
        honest.run(&RunCommand::incremental(), &options, &Silent).await
    };
    assert_eq!(wait(0).await.unwrap_err().kind(), ErrorKind::Refused);
    let clock = Arc::clone(&fixture.clock);
    let time_goes_on = async {
        for _ in 0..3 {
            tokio::task::yield_now().await;
            move_on(&clock, Duration::from_secs(5));
        }
    };
    let (refused, ()) = tokio::join!(wait(15), time_goes_on);
    assert!(refused.unwrap_err().to_string().contains("at work"));
    // The lease ends before so long has passed.
    let time_goes_on = async {
        for _ in 0..4 {
            tokio::task::yield_now().await;
            move_on(&clock, Duration::from_secs(5));
        }
    };
    let (ran, ()) = tokio::join!(wait(600), time_goes_on);
    assert!(ran.unwrap().repeated);
}

#[tokio::test]
async fn the_lease_of_a_run_that_died_is_taken_over_when_it_has_expired() {
    let for_ever = Trick::AtWrite(Box::new(|| Box::pin(std::future::pending())));
    let (fixture, honest) = changed(memory().await, [for_ever]).await;
    assert!(fixture.run().now_or_never().is_none(), "it died while it staged");
    let again = async || honest.run(&RunCommand::incremental(), &RunOptions::default(), &Silent).await;
    assert_eq!(again().await.unwrap_err().kind(), ErrorKind::Refused);
    fixture.wait();
    let report = again().await.unwrap();
    assert!(report.repeated);
    assert_eq!(report.record.key.number, 2);
    assert_eq!(fixture.totals("2026-06", Basis::Net).await[0], rows(&[("Beta", 5, 1)]));
}

#[tokio::test]
async fn a_run_that_is_heard_of_keeps_its_lease_however_long_it_takes() {
    for fixture in fixtures().await {
        let (mut fixture, honest) = changed(fixture, []).await;
        let a_while = || {
            let clock = Arc::clone(&fixture.clock);
            Trick::AtWrite(Box::new(move || {
                Box::pin(async move { move_on(&clock, RunOptions::default().lease.mul_f32(0.9)) })
            }))
        };
        let other = Trick::AtWrite(Box::new(move || {
            Box::pin(async move {
                let refused = honest.run(&RunCommand::full(), &RunOptions::default(), &Silent).await.unwrap_err();
                assert!(refused.to_string().contains("at work"), "{refused}");
            })
        }));
        let tricks = [a_while(), a_while(), a_while(), other];
        fixture.warehouse = Tricky::new(Arc::clone(&fixture.warehouse), tricks);
        fixture.run().await.unwrap();
    }
}

#[tokio::test]
async fn a_run_stops_at_its_deadline_and_is_not_tried_again() {
    for fixture in fixtures().await {
        let (mut fixture, honest) = changed(fixture, []).await;
        let clock = Arc::clone(&fixture.clock);
        let late = Trick::AtWrite(Box::new(move || Box::pin(async move { move_on(&clock, Duration::from_secs(11)) })));
        fixture.warehouse = Tricky::new(Arc::clone(&fixture.warehouse), [late]);
        let options = RunOptions { deadline: Some(Duration::from_secs(10)), ..RunOptions::default() };
        let late = fixture.aggregation().run(&RunCommand::incremental(), &options, &Silent).await.unwrap_err();
        assert_eq!(late.kind(), ErrorKind::Timeout, "{late}");
        let record = honest.warehouse().runs(1).await.unwrap().remove(0);
        assert_eq!((record.outcome, record.key.number), (RunOutcome::Failed, 2));
        assert!(fixture.run().await.unwrap().repeated, "{}: the lease was given back", fixture.backend);
    }
}
