//! The postings behind published figures.

use std::sync::Arc;

use moon_aggregate::{ExplainedPosting, Explanation, Origin, Question};
use moon_core::{
    Amount, Basis, Calendar, Dimension, Error, ErrorKind, LifeMessage, MessageBody, NewAssignment, Result, Sum,
};
use proptest::prelude::*;

use crate::common::{Fixture, actor, code, day, fixtures, life, memory, sale, sqlite};

fn question(dimension: Dimension, code: &str, period: &str, basis: Basis) -> Question {
    Question { dimension, code: Arc::from(code), period: Calendar::default().parse(period).unwrap(), basis }
}

async fn explain(fixture: &Fixture, question: &Question) -> Result<(Explanation, Vec<ExplainedPosting>)> {
    let mut postings = Vec::new();
    let mut each = |posting| {
        postings.push(posting);
        Ok(())
    };
    let explanation = fixture.aggregation().explain(question, &mut each).await?;
    Ok((explanation, postings))
}

/// Reference, revision, kind, own day, amount and count.
fn told(postings: &[ExplainedPosting]) -> Vec<(String, u32, &'static str, String, i64, i64)> {
    let row = |posting: &ExplainedPosting| {
        let (reference, day) = (posting.key.reference.to_string(), posting.own_day.to_string());
        (reference, posting.revision.0, posting.kind.name(), day, posting.amount.minor(), posting.count)
    };
    postings.iter().map(row).collect()
}

#[tokio::test]
async fn each_basis_has_its_postings() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        fixture.run().await.unwrap();
        let own = |reference: &str, day: &str, minor| (reference.to_owned(), 0, "sale", day.to_owned(), minor, 1);
        let cancelled = ("6".to_owned(), 1, "cancellation", "2026-05-02".to_owned(), -2000, 0);
        for (period, basis, expected) in [
            ("2026-03", Basis::Net, vec![own("1", "2026-03-01", 10_000)]),
            ("2026-04", Basis::Gross, vec![own("5", "2026-04-05", 0), own("6", "2026-04-05", 6000)]),
            (
                "2026-04-05",
                Basis::Net,
                vec![own("5", "2026-04-05", 0), own("6", "2026-04-05", 6000), cancelled.clone()],
            ),
            ("2026-04", Basis::Activity, vec![own("5", "2026-04-05", 0), own("6", "2026-04-05", 6000)]),
            ("2026-05", Basis::Activity, vec![cancelled.clone()]),
            ("2026-05", Basis::Net, vec![]),
        ] {
            let (explanation, postings) =
                explain(&fixture, &question(Dimension::Team, "Alpha", period, basis)).await.unwrap();
            let mut rows = told(&postings);
            rows.sort();
            assert_eq!(rows, expected, "{} {period} {}", fixture.backend, basis.name());
            assert!(explanation.is_exact() && explanation.pending.is_empty(), "{explanation:?}");
            let sum = expected.iter().fold((0, 0), |sum, row| (sum.0 + i128::from(row.4), sum.1 + row.5));
            assert_eq!(explanation.published, Sum::new(sum.0, sum.1));
        }
    }
}

#[tokio::test]
async fn how_a_place_came_about() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        let mut given = sale("7", Some("AGT001"), "Junior", 7, "2026-03-02");
        if let MessageBody::Content(content) = &mut given.body {
            content.team = Some(code("Beta"));
        }
        fixture.record(&[given]).await;
        let late = NewAssignment {
            agent: code("AGT001"),
            from: day("2026-03-01"),
            to: None,
            team: code("Beta"),
            branch: code("Kandy"),
            expected: None,
        };
        fixture.ledger.assign(&actor(), &[late]).await.unwrap();
        fixture.run().await.unwrap();
        let (_, postings) = explain(&fixture, &question(Dimension::Team, "Beta", "2026-03", Basis::Net)).await.unwrap();
        let origin = |reference: &str| {
            let posting = postings.iter().find(|posting| posting.key.reference.as_str() == reference).unwrap();
            match &posting.origin {
                Origin::Derived(assignment) => format!("{} from {}", assignment.team, assignment.from),
                other => other.name().to_owned(),
            }
        };
        assert_eq!(postings.len(), 3, "{}", fixture.backend);
        assert_eq!(
            ["1", "2", "7"].map(origin),
            ["Beta from 2026-03-01", "Beta from 2025-01-01", "given"],
            "{}",
            fixture.backend
        );
        // The branch of the third one was not given.
        let (_, postings) =
            explain(&fixture, &question(Dimension::Branch, "Kandy", "2026-03-02", Basis::Net)).await.unwrap();
        assert!(matches!(&postings[0].origin, Origin::Derived(assignment) if assignment.from == day("2026-03-01")));
        let (_, postings) =
            explain(&fixture, &question(Dimension::Branch, "unassigned", "all", Basis::Net)).await.unwrap();
        assert_eq!(told(&postings), [("4".to_owned(), 0, "sale", "2025-03-20".to_owned(), 1234, 1)]);
        assert_eq!(postings[0].origin, Origin::Unassigned);
    }
}

#[tokio::test]
async fn a_figure_that_is_out_of_date_is_said_to_be() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        fixture.run().await.unwrap();
        fixture.record(&[life("1", LifeMessage::Void)]).await;
        let march = question(Dimension::Product, "Junior", "2026-03", Basis::Net);
        let (explanation, postings) = explain(&fixture, &march).await.unwrap();
        assert_eq!((explanation.explained, postings.len()), (Sum::new(4000, 1), 1), "{}", fixture.backend);
        assert_eq!(explanation.published, Sum::new(14_000, 2));
        assert_eq!(explanation.pending, day("2026-03-01").range().into());
        fixture.run().await.unwrap();
        let (explanation, _) = explain(&fixture, &march).await.unwrap();
        assert!(explanation.is_exact() && explanation.pending.is_empty());
    }
}

#[tokio::test]
async fn a_place_that_nothing_explains_is_named() {
    let fixture = sqlite().await.filled().await;
    let file = fixture.folder.as_ref().unwrap().path().join("moon.db");
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let moved =
        "UPDATE ledger_sales SET team_id = (SELECT id FROM ledger_teams WHERE code = 'Beta') WHERE reference = '1'";
    sqlx::query(moved).execute(&pool).await.unwrap();
    fixture.run().await.unwrap();
    let (explanation, postings) =
        explain(&fixture, &question(Dimension::Team, "Beta", "2026-03-01", Basis::Net)).await.unwrap();
    assert_eq!(postings[0].origin, Origin::Unexplained);
    assert!(explanation.is_exact());
}

#[tokio::test]
async fn who_asks_wrongly_is_told() {
    let fixture = memory().await.filled().await;
    let kind = async |dimension, code: &str| {
        explain(&fixture, &question(dimension, code, "all", Basis::Net)).await.unwrap_err().kind()
    };
    assert_eq!(kind(Dimension::Team, "Gamma").await, ErrorKind::NotFound);
    assert_eq!(kind(Dimension::Product, "unassigned").await, ErrorKind::InvalidInput);
    assert_eq!(kind(Dimension::Agent, "AGT001").await, ErrorKind::InvalidInput);
    // Whoever takes the postings may end it.
    let mut full = |_| Err(Error::new(ErrorKind::Backend, "disk is full"));
    let question = question(Dimension::Team, "Alpha", "all", Basis::Net);
    let ended = fixture.aggregation().explain(&question, &mut full).await.unwrap_err();
    assert_eq!(ended.message(), "disk is full");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Whatever was entered, the postings of every group add up to what is published, on every basis.
    #[test]
    fn postings_add_up(
        sales in prop::collection::vec((0..3_u8, any::<bool>(), -500..1_000_i64, 1..29_u32, 1..5_u32), 1..20),
        cancels in prop::collection::vec((0..20_usize, 1..29_u32, prop::option::of(1..300_i64)), 0..10),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let fixture = memory().await.with_masters().await;
            for (number, (agent, junior, minor, of_month, month)) in sales.iter().enumerate() {
                let agent = [None, Some("AGT001"), Some("AGT002")][usize::from(*agent)];
                let product = if *junior { "Junior" } else { "Senior" };
                let date = format!("2026-{month:02}-{of_month:02}");
                fixture.record(&[sale(&number.to_string(), agent, product, *minor, &date)]).await;
            }
            for (number, of_month, part) in &cancels {
                let Some((.., minor, _, month)) = sales.get(*number) else { continue };
                let amount = part.map(|part| Amount::from_minor(part * minor.signum()).unwrap());
                let date = day(&format!("2026-{:02}-{of_month:02}", month + 1));
                let message = life(&number.to_string(), LifeMessage::Cancel { date, amount });
                // Some are refused, because nothing is left to cancel.
                fixture.ledger.record_sales(&actor(), &[message]).await.unwrap();
            }
            fixture.run().await.unwrap();
            for period in ["all", "2026-02", "2026-03-14"] {
                for basis in Basis::EVERY {
                    let figures = fixture.totals(period, basis).await;
                    for (dimension, rows) in Dimension::DAILY.into_iter().zip(figures) {
                        for (code, minor, count) in rows {
                            let asked = question(dimension, &code, period, basis);
                            let (explanation, postings) = explain(&fixture, &asked).await.unwrap();
                            assert_eq!(explanation.explained, Sum::new(minor, count), "{asked:?}");
                            assert_eq!(explanation.postings, u64::try_from(postings.len()).unwrap());
                            assert!(explanation.is_exact());
                        }
                    }
                }
            }
        });
    }
}
