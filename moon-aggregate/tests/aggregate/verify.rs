//! Everything computed anew and compared with what is published.

use crate::common::{Fixture, actor, code, fixtures, life, sale, sqlite};
use moon_aggregate::{Difference, Found, Path, RunCommand, Silent, Verification, VerifyOptions};
use moon_core::{
    Amount, Calendar, Dimension, LifeMessage, NewTarget, PutRule, Sum, TargetKey, TargetScope, Team, Version,
};

async fn verify(fixture: &Fixture) -> Verification {
    fixture.aggregation().verify(&VerifyOptions::default(), &Silent).await.unwrap()
}

/// The cells that differ: dimension, day and code, the net sums of warehouse and source, and whether a mark explains it.
fn cells(found: &Verification) -> Vec<(Dimension, String, String, Sum, Sum, bool)> {
    let cell = |found: &Found| match &found.difference {
        Difference::Cell(cell) => Some((
            cell.dimension,
            cell.day.to_string(),
            cell.code.to_string(),
            cell.before.net,
            cell.after.net,
            found.pending,
        )),
        _ => None,
    };
    found.differences.iter().filter_map(cell).collect()
}

#[tokio::test]
async fn nothing_differs_after_a_run() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        let record = fixture.run().await.unwrap().record;
        let found = verify(&fixture).await;
        assert_eq!((found.differences.as_slice(), found.wrong, found.pending), (&[][..], 0, 0), "{}", fixture.backend);
        assert_eq!(found.cells, record.manifest.cells);
        assert_eq!(found.run, Some(record));
        assert!(found.is_right());
    }
}

#[tokio::test]
async fn an_empty_ledger_has_nothing_to_differ() {
    for fixture in fixtures().await {
        assert_eq!(verify(&fixture).await, Verification { agents_compared: true, ..Verification::default() });
    }
}

#[tokio::test]
async fn what_no_run_has_seen_is_pending_and_not_wrong() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        let before = verify(&fixture).await;
        assert_eq!((before.run.clone(), before.wrong), (None, 0), "{}: nothing was ever published", fixture.backend);
        assert!(before.pending > 0);
        fixture.run().await.unwrap();

        // A changed sale, a new month, a target, a name.
        fixture.record(&[life("1", LifeMessage::Void), sale("7", None, "Junior", 5, "2027-01-31")]).await;
        let target = NewTarget {
            key: TargetKey {
                product: Some(code("Senior")),
                scope: TargetScope::Ledger,
                period: Calendar::default().parse("2026-09").unwrap(),
            },
            from: None,
            amount: Amount::from_minor(1).unwrap(),
            expected: None,
        };
        fixture.ledger.set_targets(&actor(), &[target]).await.unwrap();
        let renamed = Team {
            code: code("Beta"),
            name: moon_core::Name::new("name", "Team Beta").unwrap(),
            version: Version::FIRST,
        };
        fixture.ledger.put_teams(&actor(), &[renamed], PutRule::Replace).await.unwrap();
        let found = verify(&fixture).await;
        assert_eq!(found.wrong, 0, "{}: {:?}", fixture.backend, found.differences);
        assert_eq!(cells(&found).len(), 6, "a cell of each dimension on two days");
        assert!(found.differences.iter().all(|found| found.pending));
        let entries = |wanted: &str| {
            let of = |found: &&Found| matches!(found.difference, Difference::Entry { table, .. } if table == wanted);
            found.differences.iter().filter(of).count()
        };
        assert_eq!((entries("teams"), entries("targets"), entries("branches")), (1, 1, 0));

        fixture.insist(&RunCommand::incremental()).await.unwrap();
        assert_eq!(verify(&fixture).await.differences, []);
    }
}

#[tokio::test]
async fn time_that_goes_on_makes_no_difference() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        fixture.record(&[sale("7", None, "Junior", 5, "2026-06-15")]).await;
        fixture.run().await.unwrap();
        // June ends, and with it what is published about June is out of date, but not wrong.
        fixture.clock.set("2026-08-01T00:00:00Z".parse().unwrap());
        assert_eq!(verify(&fixture).await.differences, [], "{}", fixture.backend);
    }
}

#[tokio::test]
async fn rows_written_past_the_library_are_found_and_healed() {
    let fixture = sqlite().await.filled().await;
    fixture.run().await.unwrap();
    let pool = fixture.pool().await;
    // An amount that was changed, a sale that was deleted, one that was doubled, and one that was moved to another day.
    for statement in [
        "UPDATE ledger_sales SET amount = amount + 1 WHERE reference = '1'",
        "DELETE FROM ledger_sales WHERE reference = '4'",
        "UPDATE ledger_sales SET sale_day = sale_day + 400 WHERE reference = '3'",
        "INSERT INTO ledger_sales SELECT sale_day, randomblob(16), source_id, 'copy of 2', revision, last_revision, \
         product_id, agent_id, team_id, branch_id, given, amount, kind, voided, policy_number, recorded_at, content_at FROM ledger_sales WHERE reference = '2'",
        "UPDATE ledger_teams SET name = 'Gamma' WHERE code = 'Beta'",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    let found = verify(&fixture).await;
    assert_eq!(found.pending, 0);
    let expected = |dimension, day: &str, code: &str, before: (i128, i64), after: (i128, i64)| {
        (dimension, day.to_owned(), code.to_owned(), Sum::new(before.0, before.1), Sum::new(after.0, after.1), false)
    };
    use Dimension::{Branch, Product, Team};
    let mut cells = cells(&found);
    cells.sort();
    assert_eq!(
        cells,
        [
            expected(Team, "2025-03-20", "unassigned", (1234, 1), (0, 0)),
            expected(Team, "2026-02-10", "Beta", (-750, 1), (0, 0)),
            expected(Team, "2026-03-01", "Alpha", (10_000, 1), (10_001, 1)),
            expected(Team, "2026-03-31", "Beta", (4000, 1), (8000, 2)),
            expected(Team, "2027-03-17", "Beta", (0, 0), (-750, 1)),
            expected(Branch, "2025-03-20", "unassigned", (1234, 1), (0, 0)),
            expected(Branch, "2026-02-10", "Kandy", (-750, 1), (0, 0)),
            expected(Branch, "2026-03-01", "Colombo", (10_000, 1), (10_001, 1)),
            expected(Branch, "2026-03-31", "Kandy", (4000, 1), (8000, 2)),
            expected(Branch, "2027-03-17", "Kandy", (0, 0), (-750, 1)),
            expected(Product, "2025-03-20", "Senior", (1234, 1), (0, 0)),
            expected(Product, "2026-02-10", "Senior", (-750, 1), (0, 0)),
            expected(Product, "2026-03-01", "Junior", (10_000, 1), (10_001, 1)),
            expected(Product, "2026-03-31", "Junior", (4000, 1), (8000, 2)),
            expected(Product, "2027-03-17", "Senior", (0, 0), (-750, 1)),
        ]
    );
    let metrics = |found: &Found| match &found.difference {
        Difference::ProductMetrics { month, product, .. } => {
            Some((month.map(|month| month.to_string()), product.to_string()))
        }
        _ => None,
    };
    let metrics: Vec<_> = found.differences.iter().filter_map(metrics).collect();
    let row = |month: Option<&str>, product: &str| (month.map(str::to_owned), product.to_owned());
    assert_eq!(
        metrics,
        [
            row(None, "Junior"),
            row(None, "Senior"),
            row(Some("2025-03-01"), "Senior"),
            row(Some("2026-02-01"), "Senior"),
            row(Some("2026-03-01"), "Junior"),
            row(Some("2027-03-01"), "Senior"),
        ]
    );
    assert_eq!(found.wrong, 15 + 6 + 1, "and the name of a team");

    // The marks know nothing of it, so that what is incremental cannot; all is counted, as much is listed as is wanted.
    fixture.run().await.unwrap();
    let few = VerifyOptions { differences_max: 2, path: Path::Auto };
    let found = fixture.aggregation().verify(&few, &Silent).await.unwrap();
    assert_eq!((found.wrong, found.differences.len()), (15 + 6, 2), "an incremental run compares names");
    fixture.run_as(&RunCommand::full()).await.unwrap();
    assert_eq!(verify(&fixture).await.differences, []);
}

#[tokio::test]
async fn a_warehouse_that_was_tampered_with_is_found_and_healed() {
    let fixture = sqlite().await.filled().await;
    fixture.run().await.unwrap();
    let pool = fixture.pool().await;
    for statement in [
        "UPDATE warehouse_cells SET net_count = net_count + 1 WHERE dimension = 1 AND code = 'Alpha' \
         AND day = (SELECT min(day) FROM warehouse_cells WHERE dimension = 1 AND code = 'Alpha')",
        // A cell of a month that has nothing, far away.
        "INSERT INTO warehouse_cells SELECT dimension, day + 100000, code, net_sales, net_count, gross_sales, \
         gross_count, activity_sales, activity_count FROM warehouse_cells WHERE dimension = 3 AND code = 'Senior' LIMIT 1",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    let found = verify(&fixture).await;
    assert_eq!((found.wrong, found.pending, cells(&found).len()), (3, 0, 2), "{:?}", found.differences);
    assert!(matches!(found.differences.last().unwrap().difference, Difference::Manifest(_)), "and the hash of the run");
    fixture.run_as(&RunCommand::full()).await.unwrap();
    assert_eq!(verify(&fixture).await.differences, []);
    assert_eq!(fixture.totals("all", moon_core::Basis::Net).await[0][0].1, 14_000);
}
