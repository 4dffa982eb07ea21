//! Closed periods as reported against what they are now.

use chrono::TimeDelta;
use moon_aggregate::{Comparison, LateSale, Reason, RunCommand};
use moon_core::{Amount, Calendar, Clock as _, Dimension, ErrorKind, LifeMessage, NewAssignment, Period, Sum};

use crate::common::{Fixture, actor, code, day, fixtures, life, sale};

fn march() -> Period {
    Calendar::default().parse("2026-03").unwrap()
}

/// Figures of March, closed an hour after all was entered, and another hour later.
async fn closed(fixture: Fixture) -> Fixture {
    let fixture = fixture.filled().await;
    fixture.clock.set(fixture.clock.now() + TimeDelta::hours(1));
    fixture.run().await.unwrap();
    fixture.run_as(&RunCommand { close: vec![march()], ..RunCommand::default() }).await.unwrap();
    fixture.clock.set(fixture.clock.now() + TimeDelta::hours(1));
    fixture
}

async fn compare(fixture: &Fixture) -> Comparison {
    fixture.aggregation().compare(march(), 100).await.unwrap()
}

/// The net sums of a team as reported and now.
fn team(comparison: &Comparison, team: &str) -> (Sum, Sum) {
    let own = comparison.groups.iter().find(|group| group.dimension == Dimension::Team && &*group.code == team);
    own.map(|group| (group.reported.net, group.current.net)).unwrap_or_default()
}

fn references(comparison: &Comparison) -> Vec<&str> {
    comparison.sales.iter().map(|sale| sale.key.reference.as_str()).collect()
}

#[tokio::test]
async fn a_period_that_has_not_changed_is_as_it_was_reported() {
    for fixture in fixtures().await {
        let fixture = closed(fixture).await;
        let same = compare(&fixture).await;
        assert_eq!(team(&same, "Alpha"), (Sum::new(10_000, 1), Sum::new(10_000, 1)), "{}", fixture.backend);
        assert_eq!((same.cells.as_slice(), same.sales.as_slice()), (&[][..], &[][..]));
        assert_eq!(same.closing.period, march());
        let open = Calendar::default().parse("2026-02").unwrap();
        assert_eq!(fixture.aggregation().compare(open, 1).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn what_differs_by_which_run_and_because_of_which_sales() {
    for fixture in fixtures().await {
        let fixture = closed(fixture).await;
        // A cancellation in June of a sale of March, a sale that comes late, and one in June, which is not closed.
        let cancel = LifeMessage::Cancel { date: day("2026-06-02"), amount: Some(Amount::from_minor(1000).unwrap()) };
        fixture.record(&[life("1", cancel), sale("9", None, "Senior", 1, "2026-06-03")]).await;
        let first = fixture.run().await.unwrap().record.key;
        fixture.record(&[sale("8", Some("AGT002"), "Junior", 300, "2026-03-31")]).await;
        let second = fixture.run().await.unwrap().record.key;

        let found = compare(&fixture).await;
        assert_eq!(team(&found, "Alpha"), (Sum::new(10_000, 1), Sum::new(9000, 1)), "{}", fixture.backend);
        assert_eq!(team(&found, "Beta"), (Sum::new(4000, 1), Sum::new(4300, 2)));
        let teams: Vec<_> = found.cells.iter().filter(|cell| cell.change.dimension == Dimension::Team).collect();
        let [alpha, beta] = teams.as_slice() else { panic!("{teams:?}") };
        assert_eq!((alpha.change.day, alpha.runs.as_slice()), (day("2026-03-01"), &[first][..]));
        assert_eq!((beta.change.day, beta.runs.as_slice()), (day("2026-03-31"), &[second][..]));
        assert_eq!(references(&found), ["1", "8"]);
        assert!(matches!(found.sales[0].reasons[..], [(_, Reason::Life("cancel", _))]), "{:?}", found.sales);
        assert!(matches!(found.sales[1].reasons[..], [(_, Reason::Content(_))]), "{:?}", found.sales);
        let few = fixture.aggregation().compare(march(), 1).await.unwrap();
        assert_eq!((few.sales.len(), few.more_sales), (1, 1));
    }
}

#[tokio::test]
async fn voids_corrections_cancellations_within_and_late_assignments_are_told() {
    for fixture in fixtures().await {
        let fixture = closed(fixture).await;
        let late = NewAssignment {
            agent: code("AGT002"),
            from: day("2026-03-15"),
            to: None,
            team: code("Alpha"),
            branch: code("Kandy"),
            expected: None,
        };
        fixture.ledger.assign(&actor(), &[late]).await.unwrap();
        fixture.record(&[life("1", LifeMessage::Void)]).await;
        // The sale is of February; its activity falls into March.
        fixture.record(&[life("3", LifeMessage::Cancel { date: day("2026-03-20"), amount: None })]).await;
        fixture.insist(&RunCommand::incremental()).await.unwrap();
        let found = compare(&fixture).await;
        assert_eq!(team(&found, "Alpha"), (Sum::new(10_000, 1), Sum::new(4000, 1)), "{}", fixture.backend);
        assert_eq!(references(&found), ["3", "1", "2"], "by their dates");
        let reasons: Vec<_> = found.sales.iter().map(|sale| &sale.reasons[0].1).collect();
        assert!(matches!(reasons[0], Reason::Life("cancel", _)), "{reasons:?}");
        assert!(matches!(reasons[1], Reason::Life("void", _)), "{reasons:?}");
        assert!(matches!(reasons[2], Reason::Assigned(late) if late.team.as_str() == "Alpha"), "{reasons:?}");
    }
}

#[tokio::test]
async fn a_sale_that_was_moved_out_of_the_period_is_named() {
    for fixture in fixtures().await {
        let fixture = closed(fixture).await;
        // To another month; and to one where nothing is closed and back, which changes nothing.
        fixture
            .record(&[
                sale("1", Some("AGT001"), "Junior", 10_000, "2026-06-09"),
                sale("9", None, "Junior", 1, "2026-06-09"),
            ])
            .await;
        fixture.record(&[sale("2", Some("AGT002"), "Junior", 4000, "2026-07-01")]).await;
        fixture.run().await.unwrap();
        fixture.record(&[sale("2", Some("AGT002"), "Junior", 4000, "2026-03-31")]).await;
        let moved = fixture.run().await.unwrap();
        assert_eq!(moved.restatements, 3, "{}", fixture.backend);
        let found = compare(&fixture).await;
        assert_eq!(references(&found), ["1"], "{}", fixture.backend);
        let LateSale { day: now, moved_from, reasons, .. } = &found.sales[0];
        assert_eq!((*now, *moved_from), (day("2026-06-09"), Some(day("2026-03-01"))));
        assert!(matches!(reasons[..], [(_, Reason::Content(_))]), "{reasons:?}");

        // Moved once more, by a run that changes nothing in March, and voided there: it is the same sale that is missing.
        fixture.record(&[sale("1", Some("AGT002"), "Senior", 9000, "2027-01-31")]).await;
        fixture.run().await.unwrap();
        fixture.record(&[life("1", LifeMessage::Void)]).await;
        fixture.run().await.unwrap();
        let found = compare(&fixture).await;
        assert_eq!(references(&found), ["1"], "{}", fixture.backend);
        assert_eq!(found.sales[0].moved_from, Some(day("2026-03-01")));
        assert_eq!(found.sales[0].reasons.len(), 3, "{:?}", found.sales[0].reasons);
        let none = fixture.aggregation().compare(march(), 0).await.unwrap();
        assert_eq!((none.sales.len(), none.more_sales), (0, 1));
    }
}

#[tokio::test]
async fn a_sale_whose_cancellation_left_the_period_is_named() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        let early = LifeMessage::Cancel { date: day("2026-03-20"), amount: None };
        fixture.record(&[life("3", early)]).await;
        fixture.clock.set(fixture.clock.now() + TimeDelta::hours(1));
        fixture.run_as(&RunCommand { close: vec![march()], ..RunCommand::default() }).await.unwrap();
        fixture.clock.set(fixture.clock.now() + TimeDelta::hours(1));
        // A sale of February, cancelled in March, that turns out to be of April: no cancellation lies before its sale.
        fixture.record(&[sale("3", Some("AGT002"), "Senior", -750, "2026-04-09")]).await;
        fixture.run().await.unwrap();
        let found = compare(&fixture).await;
        assert!(!found.cells.is_empty(), "{}", fixture.backend);
        assert_eq!(references(&found), ["3"], "{}", fixture.backend);
        assert_eq!(found.sales[0].moved_from, Some(day("2026-02-10")));
    }
}

#[tokio::test]
async fn a_reopened_period_is_compared_with_its_last_closing() {
    for fixture in fixtures().await {
        let fixture = closed(fixture).await;
        fixture.run_as(&RunCommand { reopen: vec![march()], ..RunCommand::default() }).await.unwrap();
        fixture.record(&[sale("8", Some("AGT002"), "Junior", 300, "2026-03-31")]).await;
        fixture.run().await.unwrap();
        let found = compare(&fixture).await;
        assert_eq!(team(&found, "Beta"), (Sum::new(4000, 1), Sum::new(4300, 2)), "{}", fixture.backend);
        assert!(!found.closing.is_standing());
        assert!(found.cells.iter().all(|cell| cell.runs.is_empty()), "nothing is restated while it is open");
        fixture.run_as(&RunCommand { close: vec![march()], ..RunCommand::default() }).await.unwrap();
        let anew = compare(&fixture).await;
        assert!(anew.closing.is_standing() && anew.cells.is_empty());
    }
}
