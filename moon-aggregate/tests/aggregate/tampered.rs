//! What somebody changes in the warehouse past the library: figures of agents, closed periods, whole days.

use moon_aggregate::{
    ClosedDifference, Difference, Found, ManifestDifference, PseudonymKey, RunCommand, Silent, Verification,
    VerifyOptions, WITHHELD, hash_cells,
};
use moon_core::{Calendar, DayRange, DaySet, Dimension, Figures, LifeMessage, Period, Sum};

use crate::common::{Fixture, agent_figures, day, fixtures, life, sale, sqlite};

async fn verify(fixture: &Fixture) -> Verification {
    fixture.aggregation().verify(&VerifyOptions::default(), &Silent).await.unwrap()
}

async fn change(fixture: &Fixture, statement: &str) {
    let changed = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&fixture.pool().await).await.unwrap();
    assert!(changed.rows_affected() > 0, "{statement}");
}

fn march() -> Period {
    Calendar::default().parse("2026-03").unwrap()
}

fn net(minor: i128, count: i64) -> Figures {
    let sum = Sum::new(minor, count);
    Figures { net: sum, gross: sum, activity: sum }
}

/// The differences of closed periods.
fn closed(found: &Verification) -> Vec<&ClosedDifference> {
    fn one(found: &Found) -> Option<&ClosedDifference> {
        if let Difference::Closed(closed) = &found.difference { Some(closed) } else { None }
    }
    found.differences.iter().filter_map(one).collect()
}

/// The differences from manifests.
fn manifests(found: &Verification) -> Vec<&ManifestDifference> {
    fn one(found: &Found) -> Option<&ManifestDifference> {
        if let Difference::Manifest(manifest) = &found.difference { Some(manifest) } else { None }
    }
    found.differences.iter().filter_map(one).collect()
}

#[tokio::test]
async fn figures_of_agents_are_compared_and_healed() {
    let mut fixture = sqlite().await.filled().await;
    fixture.agents = Some(agent_figures(1));
    fixture.consent("AGT001", Some(true)).await;
    fixture.run().await.unwrap();
    let found = verify(&fixture).await;
    assert_eq!((found.differences.as_slice(), found.agents_compared), (&[][..], true));
    let pseudonym = PseudonymKey::new(&[1; 32]).unwrap().pseudonym("AGT001").unwrap();

    for statement in [
        format!("UPDATE warehouse_agents SET net_count = net_count + 1 WHERE agent = '{pseudonym}' AND net_count = 2"),
        format!(
            "DELETE FROM warehouse_agents WHERE agent = '{WITHHELD}' AND net_count = 1 AND month = (SELECT max(month) FROM warehouse_agents WHERE agent = '{WITHHELD}')"
        ),
    ] {
        change(&fixture, &statement).await;
    }
    let found = verify(&fixture).await;
    let rows: Vec<_> = found
        .differences
        .iter()
        .map(|found| match &found.difference {
            Difference::Agent { month, agent, warehouse, source } => {
                (month.to_string(), agent.as_str(), warehouse.net, source.net, found.pending)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("2026-03-01".to_owned(), WITHHELD, Sum::ZERO, Sum::new(4000, 1), false),
            ("2026-04-01".to_owned(), &pseudonym, Sum::new(4000, 3), Sum::new(4000, 2), false),
        ]
    );
    assert_eq!(found.wrong, 2);
    fixture.run_as(&RunCommand::full()).await.unwrap();
    assert_eq!(verify(&fixture).await.differences, []);

    // Switched off, no figure of an agent may be there.
    fixture.agents = None;
    assert!(!verify(&fixture).await.agents_compared, "published under a key that is not at hand");
    fixture.run().await.unwrap();
    assert!(verify(&fixture).await.agents_compared);
    change(&fixture, "INSERT INTO warehouse_agents SELECT day, code, net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count FROM warehouse_cells WHERE dimension = 1 LIMIT 1").await;
    let found = verify(&fixture).await;
    assert!(matches!(found.differences[0].difference, Difference::Agent { .. }) && found.wrong == 1, "{found:?}");
    fixture.run_as(&RunCommand::full()).await.unwrap();
    assert_eq!(verify(&fixture).await.differences, []);
}

#[tokio::test]
async fn what_waits_for_a_run_is_no_fault_of_the_figures_of_agents() {
    for mut fixture in fixtures().await {
        fixture = fixture.filled().await;
        fixture.agents = Some(agent_figures(1));
        assert!(verify(&fixture).await.is_right(), "{}: before the first run", fixture.backend);
        fixture.run().await.unwrap();
        fixture.record(&[sale("7", Some("AGT002"), "Junior", 5, "2026-06-01")]).await;
        let found = verify(&fixture).await;
        assert!(found.wrong == 0 && found.pending > 0, "{}: {:?}", fixture.backend, found.differences);
        fixture.run().await.unwrap();
        fixture.consent("AGT002", Some(true)).await;
        let found = verify(&fixture).await;
        assert!(found.wrong == 0 && found.pending > 0, "{}: {:?}", fixture.backend, found.differences);
        fixture.run().await.unwrap();
        assert_eq!(verify(&fixture).await.differences, [], "{}", fixture.backend);
    }
}

/// March is closed, and two runs have restated it since.
async fn restated() -> Fixture {
    let fixture = sqlite().await.filled().await;
    fixture.run_as(&RunCommand { close: vec![march()], ..RunCommand::default() }).await.unwrap();
    for amount in [300, 500] {
        fixture.record(&[sale("8", None, "Senior", amount, "2026-03-20")]).await;
        fixture.run().await.unwrap();
    }
    assert_eq!(verify(&fixture).await.differences, []);
    fixture
}

#[tokio::test]
async fn frozen_figures_lead_to_the_current_ones_by_their_restatements() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        let quarter = Calendar::default().parse("2026-Q1").unwrap();
        fixture.run_as(&RunCommand { close: vec![march()], ..RunCommand::default() }).await.unwrap();
        fixture.record(&[sale("8", None, "Senior", 300, "2026-03-20"), life("2", LifeMessage::Void)]).await;
        fixture.run_as(&RunCommand { close: vec![quarter], ..RunCommand::default() }).await.unwrap();
        fixture.record(&[sale("8", None, "Senior", 1, "2026-02-10")]).await;
        fixture.run().await.unwrap();
        assert_eq!(verify(&fixture).await.differences, [], "{}", fixture.backend);
        // What changes while a period is open is restated nowhere.
        fixture.run_as(&RunCommand { reopen: vec![march(), quarter], ..RunCommand::default() }).await.unwrap();
        fixture.record(&[sale("8", None, "Senior", 2, "2026-03-20")]).await;
        fixture.run().await.unwrap();
        fixture.run_as(&RunCommand { close: vec![march()], ..RunCommand::default() }).await.unwrap();
        fixture.record(&[sale("8", None, "Senior", 3, "2026-03-20")]).await;
        fixture.run_as(&RunCommand::full()).await.unwrap();
        assert_eq!(verify(&fixture).await.differences, [], "{}", fixture.backend);
    }
}

#[tokio::test]
async fn a_changed_frozen_figure_is_found_and_healed_by_closing_anew() {
    let fixture = restated().await;
    change(&fixture, "UPDATE warehouse_closed_cells SET net_count = 7 WHERE dimension = 1 AND code = 'Alpha'").await;
    let found = verify(&fixture).await;
    let expected = ClosedDifference {
        period: march(),
        run: None,
        dimension: Dimension::Team,
        day: day("2026-03-01"),
        code: "Alpha".into(),
        expected: Figures { net: Sum::new(10_000, 7), ..net(10_000, 1) },
        found: net(10_000, 1),
    };
    assert_eq!((closed(&found), found.wrong), (vec![&expected], 1));
    fixture.run_as(&RunCommand::full()).await.unwrap();
    assert_eq!(verify(&fixture).await.wrong, 1, "no run changes what was reported");
    fixture.run_as(&RunCommand { close: vec![march()], reopen: vec![march()], ..RunCommand::default() }).await.unwrap();
    assert_eq!(verify(&fixture).await.differences, []);
}

#[tokio::test]
async fn a_restatement_that_was_changed_or_lost_is_found() {
    let fixture = restated().await;
    change(
        &fixture,
        "UPDATE warehouse_restatements SET before_net_sales = 299 WHERE dimension = 1 AND before_net_sales = 300",
    )
    .await;
    let found = verify(&fixture).await;
    let [broken] = closed(&found)[..] else { panic!("{found:?}") };
    assert_eq!(broken.run, Some(fixture.warehouse.runs(1).await.unwrap()[0].key));
    assert_eq!((broken.expected, broken.found.net), (net(300, 1), Sum::new(299, 1)));

    let fixture = restated().await;
    change(&fixture, "DELETE FROM warehouse_restatements WHERE dimension = 1 AND after_net_sales = 500").await;
    let found = verify(&fixture).await;
    let [lost] = closed(&found)[..] else { panic!("{found:?}") };
    assert_eq!((lost.run, lost.expected, lost.found), (None, net(300, 1), net(500, 1)));
}

#[tokio::test]
async fn a_changed_figure_of_a_closed_period_is_healed_beside_what_was_reported() {
    let fixture = restated().await;
    change(&fixture, "UPDATE warehouse_cells SET net_sales = 501 WHERE dimension = 1 AND net_sales = 500").await;
    let found = verify(&fixture).await;
    let [wrong] = closed(&found)[..] else { panic!("{found:?}") };
    assert_eq!((wrong.run, wrong.expected.net, wrong.found.net), (None, Sum::new(500, 1), Sum::new(501, 1)));
    assert_eq!((manifests(&found).len(), found.wrong), (1, 3), "{:?}", found.differences);
    fixture.run_as(&RunCommand::full()).await.unwrap();
    assert_eq!(verify(&fixture).await.differences, [], "its restatement tells what was there and is in order");
}

#[tokio::test]
async fn cells_are_those_of_the_manifest_of_the_run_that_published_them() {
    let fixture = sqlite().await.filled().await;
    fixture.run().await.unwrap();
    fixture.record(&[sale("7", None, "Junior", 5, "2026-06-01"), sale("8", None, "Junior", 6, "2026-06-09")]).await;
    let second = fixture.run().await.unwrap().record;
    let days: DaySet = [day("2026-06-01"), day("2026-06-09")].into_iter().collect();
    assert_eq!(second.manifest.days.as_ref(), Some(&days));
    fixture.record(&[sale("9", None, "Junior", 7, "2026-06-05")]).await;
    let third = fixture.run().await.unwrap().record;
    fixture.run().await.unwrap();
    assert_eq!(verify(&fixture).await.differences, [], "the first run was overtaken in no day");

    // Ledger and warehouse are changed alike, so that only the manifest tells.
    for (run, statement) in [
        (&second, "UPDATE warehouse_cells SET net_sales = 7, gross_sales = 7, activity_sales = 7 WHERE net_sales = 6"),
        (&third, "DELETE FROM warehouse_cells WHERE net_sales = 7 AND day < (SELECT max(day) FROM warehouse_cells)"),
    ] {
        change(&fixture, statement).await;
        let found = verify(&fixture).await;
        let told = manifests(&found).into_iter().find(|told| told.run == run.key).unwrap();
        let cells: Vec<_> = {
            let mut cells = fixture.warehouse.cells(DayRange::ALL).await.unwrap();
            cells.retain(|cell| run.manifest.days.as_ref().unwrap().contains(cell.day.epoch_day()));
            cells
        };
        assert_eq!(told.published, (run.manifest.cells, run.manifest.cells_hash.clone()));
        assert_eq!(told.found, (cells.len() as u64, hash_cells(&cells)));
        assert_ne!(told.found, told.published);
        assert_eq!(told.days, run.days);
    }
    assert_eq!(manifests(&verify(&fixture).await).len(), 2);
    fixture.run_as(&RunCommand::full()).await.unwrap();
    assert_eq!(verify(&fixture).await.differences, []);
}
