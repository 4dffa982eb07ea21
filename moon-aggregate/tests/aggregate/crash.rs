//! Runs that break off, and two at once.

use std::sync::Arc;

use crate::common::{Fixture, Trick, Tricky, actor, fixtures, rows, sale};
use moon_aggregate::{Aggregation, RunCommand, RunOptions, Silent};
use moon_core::{Basis, Clock as _, ErrorKind, RunOutcome, Warehouse};

/// A ledger whose figures were published and which has changed since, before a warehouse that plays tricks.
async fn changed(fixture: Fixture, tricks: impl IntoIterator<Item = Trick>) -> (Fixture, Arc<Tricky>) {
    let mut fixture = fixture.filled().await;
    fixture.run().await.unwrap();
    fixture.record(&[sale("7", Some("AGT002"), "Junior", 5, "2026-06-01")]).await;
    let tricky = Tricky::new(Arc::clone(&fixture.warehouse), tricks);
    fixture.warehouse = Arc::clone(&tricky) as Arc<dyn Warehouse>;
    (fixture, tricky)
}

async fn june(fixture: &Fixture) -> Vec<(String, i128, i64)> {
    let [teams, ..] = fixture.totals("2026-06", Basis::Net).await;
    teams
}

#[tokio::test]
async fn a_run_that_died_before_publishing_left_nothing_and_is_repeated_under_its_key() {
    let tricks = [|| Trick::DieAtOpen, || Trick::DieAtWrite, || Trick::DieBeforePublishing];
    for trick in tricks {
        for fixture in fixtures().await {
            let (fixture, tricky) = changed(fixture, [trick()]).await;
            let seen = fixture.seen().await;
            assert_eq!(fixture.run().await.unwrap_err().kind(), ErrorKind::Backend);
            assert!(tricky.is_used_up());
            assert_eq!(fixture.seen().await, seen, "{}", fixture.backend);
            let failed = fixture.warehouse.runs(1).await.unwrap().remove(0);
            assert_eq!((failed.outcome, failed.error.as_deref()), (RunOutcome::Failed, Some("the process died")));
            let marks = fixture.marks().await;
            assert_eq!((marks.open, marks.claimed), (0, 2), "a day and a source");

            let report = fixture.run().await.unwrap();
            assert_eq!((report.record.key, report.repeated), (failed.key, true), "{}", fixture.backend);
            assert_eq!(june(&fixture).await, rows(&[("Beta", 5, 1)]));
            assert_eq!(fixture.marks().await.claimed, 0);
            assert_eq!(fixture.warehouse.runs(9).await.unwrap().len(), 2, "the repeat replaced the failed record");
        }
    }
}

#[tokio::test]
async fn a_run_that_died_after_publishing_is_settled_before_the_next() {
    for fixture in fixtures().await {
        let (fixture, tricky) = changed(fixture, [Trick::DieAfterPublishing]).await;
        assert_eq!(fixture.run().await.unwrap_err().kind(), ErrorKind::Backend);
        assert!(tricky.is_used_up());
        assert_eq!(june(&fixture).await, rows(&[("Beta", 5, 1)]), "{}: it was published", fixture.backend);
        let died = fixture.warehouse.runs(1).await.unwrap().remove(0);
        assert_eq!(died.outcome, RunOutcome::Published, "the failure did not replace its record");
        assert_eq!(fixture.marks().await.claimed, 2);

        // This one came too late for the run that died, and must not be settled along with it.
        fixture.record(&[sale("8", Some("AGT001"), "Junior", 3, "2026-06-02")]).await;
        let report = fixture.run().await.unwrap();
        assert_eq!(report.settled, Some(died.key));
        assert_eq!(report.record.key.number, died.key.number + 1);
        assert_eq!(june(&fixture).await, rows(&[("Alpha", 3, 1), ("Beta", 5, 1)]), "{}", fixture.backend);
        let marks = fixture.marks().await;
        assert_eq!((marks.open, marks.claimed), (0, 0));
    }
}

#[tokio::test]
async fn figures_that_do_not_add_up_are_refused() {
    for fixture in fixtures().await {
        let (fixture, _) = changed(fixture, [Trick::LoseCell]).await;
        let seen = fixture.seen().await;
        let error = fixture.run().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(error.to_string().contains("product"), "the lost cell was one by product: {error}");
        assert_eq!(fixture.seen().await, seen, "{}", fixture.backend);
        let refused = fixture.warehouse.runs(1).await.unwrap().remove(0);
        assert_eq!(refused.outcome, RunOutcome::Refused);
        assert!(refused.error.unwrap().contains("do not add up"));
        assert_eq!(fixture.marks().await.claimed, 2);
        fixture.run().await.unwrap();
        assert_eq!(june(&fixture).await, rows(&[("Beta", 5, 1)]));
    }
}

#[tokio::test]
async fn a_run_that_was_taken_over_stops_and_the_other_publishes() {
    for fixture in fixtures().await {
        let (mut fixture, _) = changed(fixture, []).await;
        let honest = Arc::clone(&fixture.warehouse);
        let other = Aggregation::new(fixture.ledger.clone(), Arc::clone(&honest));
        let clock = Arc::clone(&fixture.clock);
        let took_over = Trick::AtWrite(Box::new(move || {
            Box::pin(async move {
                clock.set(clock.now() + RunOptions::default().lease);
                let report = other.run(&RunCommand::incremental(), &RunOptions::default(), &Silent).await.unwrap();
                assert!(report.repeated, "it takes the unfinished run for a crashed one");
            })
        }));
        fixture.warehouse = Tricky::new(honest, [took_over]);
        let error = fixture.run().await.unwrap_err();
        assert_eq!(june(&fixture).await, rows(&[("Beta", 5, 1)]), "{}: {error}", fixture.backend);
        let record = fixture.warehouse.runs(1).await.unwrap().remove(0);
        assert_eq!((record.key.number, record.outcome), (2, RunOutcome::Published), "{}", fixture.backend);
        let marks = fixture.marks().await;
        assert_eq!((marks.open, marks.claimed), (0, 0));
        assert_eq!(fixture.run().await.unwrap().record.key.number, 3);
    }
}

#[tokio::test]
async fn many_runs_at_once_leave_the_right_figures() {
    for fixture in fixtures().await {
        let (fixture, _) = changed(fixture, []).await;
        let runs = (0..4).map(|_| {
            let aggregation = fixture.aggregation();
            tokio::spawn(
                async move { aggregation.run(&RunCommand::incremental(), &RunOptions::default(), &Silent).await },
            )
        });
        for run in futures_util::future::join_all(runs).await {
            // Each either publishes or stops because of another; which one does what is not for us to say.
            if let Err(error) = run.unwrap() {
                assert!(
                    error.kind() == ErrorKind::Refused
                        || error.is_retryable()
                        || error.kind() == ErrorKind::InvalidInput,
                    "{error}"
                );
            }
        }
        fixture.run().await.unwrap();
        assert_eq!(june(&fixture).await, rows(&[("Beta", 5, 1)]), "{}", fixture.backend);
        let marks = fixture.marks().await;
        assert_eq!((marks.open, marks.claimed), (0, 0), "{}", fixture.backend);
        let seen = fixture.seen().await;
        fixture.run().await.unwrap();
        assert_eq!(fixture.seen().await, seen);
    }
}

#[tokio::test]
async fn a_restored_store_needs_a_new_epoch() {
    for fixture in fixtures().await {
        let (fixture, _) = changed(fixture, []).await;
        fixture.run().await.unwrap();
        // The store comes back from a time before both runs; the warehouse does not.
        let mut restored = match fixture.backend {
            "memory" => crate::common::memory().await,
            _ => crate::common::sqlite().await,
        }
        .filled()
        .await;
        restored.warehouse = Arc::clone(&fixture.warehouse);
        let error = restored.run().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert_eq!(restored.aggregation().start_epoch(&actor()).await.unwrap(), 2);
        let marks = restored.marks().await;
        assert!(marks.open > 0 && marks.claimed == 0, "the marks wait again: {marks:?}");
        let report = restored.run().await.unwrap();
        assert_eq!((report.record.key.epoch, report.record.key.number), (2, 1), "{}", restored.backend);
        assert_eq!(june(&restored).await, []);
        assert_eq!(fixture.run().await.unwrap_err().kind(), ErrorKind::Refused, "the old source is fenced off");
    }
}

#[tokio::test]
async fn a_run_with_nothing_to_do_may_die_too() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        fixture.run().await.unwrap();
        let seen = fixture.seen().await;
        for (published, number) in [(false, 2), (true, 4)] {
            fixture.die(published).await;
            fixture.wait();
            let report = fixture.run().await.unwrap();
            assert_eq!((report.repeated, report.settled.is_some()), (!published, published), "{}", fixture.backend);
            assert_eq!((report.record.key.number, report.record.manifest.cells), (number, 0));
            assert_eq!(fixture.seen().await, seen, "{}", fixture.backend);
            let marks = fixture.marks().await;
            assert_eq!((marks.open, marks.claimed), (0, 0));
        }
        assert_eq!(fixture.warehouse.runs(9).await.unwrap().len(), 4, "{}", fixture.backend);
    }
}
