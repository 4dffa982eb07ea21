//! Figures that are computed on reading, beside those that were published.

use moon_core::{
    Amount, Basis, FigureFilter, KpiReport, LifeMessage, NewAssignment, NewTarget, ReportRun, Sum, TargetKey,
    TargetScope, View,
};

use crate::common::{Fixture, actor, code, day, fixtures, life, rows, sale};

/// Example A of the worked examples: a transfer that is entered weeks after it took effect.
async fn late_assignment(fixture: Fixture) -> Fixture {
    let fixture = fixture.filled().await;
    let given = |mut message: moon_core::SaleMessage| {
        if let moon_core::MessageBody::Content(content) = &mut message.body {
            content.team = Some(code("Alpha"));
        }
        message
    };
    for reference in ["1", "2", "3", "4", "5", "6"] {
        fixture.record(&[life(reference, LifeMessage::Void)]).await;
    }
    fixture
        .record(&[
            sale("A1", Some("AGT001"), "Junior", 100, "2026-02-10"),
            sale("A2", Some("AGT001"), "Junior", 200, "2026-02-20"),
            life("A2", LifeMessage::Cancel { date: day("2026-03-05"), amount: None }),
            given(sale("A3", Some("AGT001"), "Junior", 50, "2026-02-25")),
        ])
        .await;
    let late = NewAssignment {
        agent: code("AGT001"),
        from: day("2026-02-15"),
        to: None,
        team: code("Beta"),
        branch: code("Kandy"),
        expected: None,
    };
    fixture.ledger.assign(&actor(), &[late]).await.unwrap();
    fixture
}

fn teams(report: &KpiReport) -> Vec<(String, i128, i64)> {
    report.teams.iter().map(|row| (row.team.to_string(), row.total.minor, row.total.count)).collect()
}

fn branches(report: &KpiReport) -> Vec<(String, i128, i64)> {
    report.branches.iter().map(|row| (row.branch.to_string(), row.total.minor, row.total.count)).collect()
}

fn as_now() -> FigureFilter {
    FigureFilter { view: View::AsNow, ..FigureFilter::default() }
}

#[tokio::test]
async fn figures_on_reading_equal_the_published_ones() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        fixture.run().await.unwrap();
        for period in ["all", "2025", "2026", "2026-Q1", "2026-02", "2026-03", "2026-05", "2026-W14", "2026-04-05"] {
            for basis in Basis::EVERY {
                let query = moon_core::KpiQuery { with_year_before: true, ..fixture.query(period, basis) };
                let mut published = fixture.aggregation().report(&query).await.unwrap();
                assert!(matches!(published.run.take(), Some(ReportRun { rows_read: 7, .. })));
                let computed = fixture.ledger.key_figures(&query, &FigureFilter::default()).await.unwrap();
                assert_eq!(computed, published, "{} {period} {}", fixture.backend, basis.name());
            }
        }
    }
}

#[tokio::test]
async fn as_sold_and_as_now_after_a_late_assignment() {
    for fixture in fixtures().await {
        let fixture = late_assignment(fixture).await;
        let figures = async |basis, filter: FigureFilter, month| {
            fixture.ledger.key_figures(&fixture.query(month, basis), &filter).await.unwrap()
        };
        let as_sold = FigureFilter::default;
        let february = "2026-02";
        let sold = figures(Basis::Gross, as_sold(), february).await;
        assert_eq!(teams(&sold), rows(&[("Alpha", 150, 2), ("Beta", 200, 1)]), "{}", fixture.backend);
        assert_eq!(branches(&sold), rows(&[("Colombo", 100, 1), ("Kandy", 250, 2)]));
        let sold = figures(Basis::Net, as_sold(), february).await;
        assert_eq!(teams(&sold), rows(&[("Alpha", 150, 2), ("Beta", 0, 0)]));
        assert_eq!(branches(&sold), rows(&[("Colombo", 100, 1), ("Kandy", 50, 1)]));
        let sold = figures(Basis::Activity, as_sold(), "2026-03").await;
        assert_eq!(teams(&sold), rows(&[("Beta", -200, -1)]));

        let now = figures(Basis::Gross, as_now(), february).await;
        assert_eq!(teams(&now), rows(&[("Alpha", 50, 1), ("Beta", 300, 2)]), "{}", fixture.backend);
        assert_eq!(branches(&now), rows(&[("Kandy", 350, 3)]));
        let now = figures(Basis::Net, as_now(), february).await;
        assert_eq!(teams(&now), rows(&[("Alpha", 50, 1), ("Beta", 100, 1)]));
        let now = figures(Basis::Activity, as_now(), "2026-03").await;
        assert_eq!(teams(&now), rows(&[("Beta", -200, -1)]));

        // Filters hold after sales were placed anew.
        let beta = FigureFilter { teams: Some(vec![code("Beta")]), ..as_now() };
        let now = figures(Basis::Gross, beta, february).await;
        assert_eq!((teams(&now), branches(&now)), (rows(&[("Beta", 300, 2)]), rows(&[("Kandy", 300, 2)])));
        let colombo = FigureFilter { branches: Some(vec![code("Colombo")]), ..as_now() };
        assert_eq!(figures(Basis::Gross, colombo, february).await.control, Sum::ZERO);
        let colombo = FigureFilter { branches: Some(vec![code("Colombo")]), ..as_sold() };
        assert_eq!(figures(Basis::Gross, colombo, february).await.control, Sum::new(100, 1));
    }
}

#[tokio::test]
async fn agents_add_up_to_the_whole() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        let query = moon_core::KpiQuery { with_year_before: true, ..fixture.query("2026", Basis::Net) };
        let agents = fixture.ledger.agent_figures(&query, &FigureFilter::default()).await.unwrap();
        let seen: Vec<_> = agents.iter().map(|row| (&*row.agent, row.total, row.year_before)).collect();
        assert_eq!(
            seen,
            [
                ("AGT001", Sum::new(14_000, 3), Some(Sum::ZERO)),
                ("AGT002", Sum::new(3_250, 2), Some(Sum::ZERO)),
                ("unassigned", Sum::ZERO, Some(Sum::new(1_234, 1))),
            ],
            "{}",
            fixture.backend
        );
        let whole = fixture.ledger.key_figures(&query, &FigureFilter::default()).await.unwrap();
        let sum = agents.iter().try_fold(Sum::ZERO, |sum, row| sum.plus(row.total)).unwrap();
        assert_eq!(sum, whole.control);
        let one = FigureFilter { agents: Some(vec![code("AGT002")]), ..FigureFilter::default() };
        let agents = fixture.ledger.agent_figures(&fixture.query("all", Basis::Net), &one).await.unwrap();
        assert_eq!(agents.iter().map(|row| (&*row.agent, row.year_before)).collect::<Vec<_>>(), [("AGT002", None)]);
    }
}

#[tokio::test]
async fn what_is_filtered_is_compared_with_targets_of_the_same_scope() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        let target = NewTarget {
            key: TargetKey {
                product: Some(code("Junior")),
                scope: TargetScope::Branch(code("Kandy")),
                period: fixture.query("2026-03", Basis::Net).period,
            },
            from: None,
            amount: Amount::from_minor(4_000).unwrap(),
            expected: None,
        };
        fixture.ledger.set_targets(&actor(), &[target]).await.unwrap();
        let targets = async |filter: FigureFilter| {
            let query = fixture.query("2026-03", Basis::Net);
            let report = fixture.ledger.key_figures(&query, &filter).await.unwrap();
            let row = |row: &moon_core::ProductRow| (row.product.to_string(), row.total.minor, row.target_minor);
            report.products.iter().map(row).collect::<Vec<_>>()
        };
        let row = |product: &str, total: i128, target: Option<i128>| (product.to_owned(), total, target);
        let all = FigureFilter::default;
        let whole = [row("Junior", 14_000, Some(10_000)), row("Senior", 0, Some(5_000))];
        assert_eq!(targets(all()).await, whole, "{}", fixture.backend);
        let junior = FigureFilter { products: Some(vec![code("Junior")]), ..all() };
        assert_eq!(targets(junior).await, whole[..1]);
        let kandy = FigureFilter { branches: Some(vec![code("Kandy")]), ..all() };
        assert_eq!(targets(kandy.clone()).await, [row("Junior", 4_000, Some(4_000))]);
        let one_agent_there = FigureFilter { agents: Some(vec![code("AGT002")]), ..kandy };
        assert_eq!(targets(one_agent_there).await, [row("Junior", 4_000, None)]);
        let alpha = FigureFilter { teams: Some(vec![code("Alpha")]), ..all() };
        assert_eq!(targets(alpha).await, [row("Junior", 10_000, None)]);
        let renewals = FigureFilter { kinds: Some(vec![moon_core::SaleKind::Renewal]), ..all() };
        assert_eq!(targets(renewals).await, []);
    }
}
