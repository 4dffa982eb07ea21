//! The worked examples, with a run after each event.

use moon_aggregate::RunCommand;
use moon_core::{
    Amount, Basis, Calendar, Dimension, Figures, LifeMessage, MessageBody, NewAssignment, Revision, RevisionRule,
    SaleKind, SaleMessage, Sum,
};

use crate::common::{Fixture, actor, code, day, everywhere, life, rows, sale};

/// Teams and branches with total and count, on one basis in one period, after a run.
async fn after(fixture: &Fixture, messages: &[SaleMessage]) {
    fixture.record(messages).await;
    fixture.insist(&RunCommand::incremental()).await.unwrap();
}

async fn check(fixture: &Fixture, period: &str, basis: Basis, teams: &[(&str, i128, i64)]) {
    let [found, ..] = fixture.totals(period, basis).await;
    assert_eq!(found, rows(teams), "{} {period} {}", fixture.backend, basis.name());
}

fn cancel(reference: &str, date: &str, part: Option<i64>) -> SaleMessage {
    let amount = part.map(|minor| Amount::from_minor(minor).unwrap());
    life(reference, LifeMessage::Cancel { date: day(date), amount })
}

fn given(mut message: SaleMessage, revision: u32) -> SaleMessage {
    message.revision = RevisionRule::Given(Revision(revision));
    message
}

#[tokio::test]
async fn a_late_assignment() {
    for fixture in everywhere().await {
        let fixture = fixture.with_masters().await;
        let at = &fixture;
        after(at, &[sale("1", Some("AGT001"), "Junior", 100, "2026-02-10")]).await;
        after(at, &[sale("2", Some("AGT001"), "Junior", 200, "2026-02-20")]).await;
        after(at, &[cancel("2", "2026-03-05", None)]).await;
        let mut third = sale("3", Some("AGT001"), "Junior", 50, "2026-02-25");
        if let MessageBody::Content(content) = &mut third.body {
            content.team = Some(code("Alpha"));
        }
        after(at, &[third]).await;
        check(at, "2026-02", Basis::Gross, &[("Alpha", 350, 3)]).await;
        check(at, "2026-02", Basis::Net, &[("Alpha", 150, 2)]).await;
        check(at, "2026-02", Basis::Activity, &[("Alpha", 350, 3)]).await;
        check(at, "2026-03", Basis::Activity, &[("Alpha", -200, -1)]).await;

        let late = NewAssignment {
            agent: code("AGT001"),
            from: day("2026-02-15"),
            to: None,
            team: code("Beta"),
            branch: code("Kandy"),
            expected: None,
        };
        fixture.ledger.assign(&actor(), &[late]).await.unwrap();
        after(at, &[]).await;
        check(at, "2026-02", Basis::Gross, &[("Alpha", 150, 2), ("Beta", 200, 1)]).await;
        check(at, "2026-02", Basis::Net, &[("Alpha", 150, 2), ("Beta", 0, 0)]).await;
        check(at, "2026-02", Basis::Activity, &[("Alpha", 150, 2), ("Beta", 200, 1)]).await;
        check(at, "2026-03", Basis::Activity, &[("Beta", -200, -1)]).await;
        let branches = async |period, basis| fixture.totals(period, basis).await[1].clone();
        assert_eq!(branches("2026-02", Basis::Gross).await, rows(&[("Colombo", 100, 1), ("Kandy", 250, 2)]));
        assert_eq!(branches("2026-02", Basis::Net).await, rows(&[("Colombo", 100, 1), ("Kandy", 50, 1)]));
        assert_eq!(branches("2026-02", Basis::Activity).await, rows(&[("Colombo", 100, 1), ("Kandy", 250, 2)]));
        assert_eq!(branches("2026-03", Basis::Activity).await, rows(&[("Kandy", -200, -1)]));
    }
}

#[tokio::test]
async fn b_cancelled_and_reinstated() {
    for fixture in everywhere().await {
        let fixture = fixture.with_masters().await;
        let at = &fixture;
        after(at, &[sale("1", Some("AGT001"), "Junior", 1_000, "2026-01-15")]).await;
        check(at, "2026-01", Basis::Net, &[("Alpha", 1_000, 1)]).await;
        after(at, &[cancel("1", "2026-02-03", None)]).await;
        check(at, "2026-01", Basis::Net, &[("Alpha", 0, 0)]).await;
        after(at, &[life("1", LifeMessage::Reinstate { date: day("2026-03-04") })]).await;
        check(at, "2026-01", Basis::Net, &[("Alpha", 1_000, 1)]).await;
        after(at, &[cancel("1", "2026-04-10", Some(300))]).await;
        check(at, "2026-01", Basis::Gross, &[("Alpha", 1_000, 1)]).await;
        check(at, "2026-01", Basis::Net, &[("Alpha", 700, 1)]).await;
        for (month, minor, count) in
            [("2026-01", 1_000, 1), ("2026-02", -1_000, -1), ("2026-03", 1_000, 1), ("2026-04", -300, 0)]
        {
            check(at, month, Basis::Activity, &[("Alpha", minor, count)]).await;
        }
    }
}

#[tokio::test]
async fn c_any_order_of_arrival() {
    let messages = || {
        [
            given(sale("1", Some("AGT001"), "Junior", 100, "2026-01-30"), 0),
            given(cancel("1", "2026-03-20", None), 1),
            given(sale("1", Some("AGT001"), "Junior", 120, "2026-02-02"), 2),
        ]
    };
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for fixture in everywhere().await {
            let fixture = fixture.with_masters().await;
            let at = &fixture;
            for place in order {
                after(at, &messages()[place..=place]).await;
            }
            let again = fixture.ledger.record_sales(&actor(), &messages()[2..]).await.unwrap();
            assert_eq!(again.counts().duplicates, 1);
            after(at, &[]).await;
            check(at, "2026-01", Basis::Gross, &[]).await;
            check(at, "2026-02", Basis::Gross, &[("Alpha", 120, 1)]).await;
            check(at, "2026-02", Basis::Net, &[("Alpha", 0, 0)]).await;
            check(at, "2026-02", Basis::Activity, &[("Alpha", 120, 1)]).await;
            check(at, "2026-03", Basis::Activity, &[("Alpha", -120, -1)]).await;
        }
    }
}

#[tokio::test]
async fn e_a_closed_month() {
    for fixture in everywhere().await {
        let fixture = fixture.with_masters().await;
        let at = &fixture;
        let may = Calendar::default().parse("2026-05").unwrap();
        after(at, &[sale("1", Some("AGT001"), "Junior", 500, "2026-05-04")]).await;
        after(at, &[sale("2", Some("AGT001"), "Junior", -120, "2026-05-11")]).await;
        let mut renewal = sale("3", Some("AGT001"), "Senior", 400, "2026-05-18");
        if let MessageBody::Content(content) = &mut renewal.body {
            content.kind = SaleKind::Renewal;
        }
        after(at, &[renewal, sale("4", Some("AGT001"), "Junior", 999, "2026-05-19")]).await;
        after(at, &[life("4", LifeMessage::Void), sale("5", None, "Junior", 80, "2026-05-31")]).await;
        let closing = RunCommand { close: vec![may], ..RunCommand::default() };
        let closed = fixture.run_as(&closing).await.unwrap().record;
        assert_eq!((closed.manifest.closed.as_slice(), closed.rows_read), (&[may][..], 0), "{}", fixture.backend);

        after(at, &[cancel("1", "2026-06-02", Some(200))]).await;
        check(at, "2026-05", Basis::Gross, &[("Alpha", 780, 3), ("unassigned", 80, 1)]).await;
        check(at, "2026-05", Basis::Net, &[("Alpha", 580, 3), ("unassigned", 80, 1)]).await;
        check(at, "2026-05", Basis::Activity, &[("Alpha", 780, 3), ("unassigned", 80, 1)]).await;
        check(at, "2026-06", Basis::Activity, &[("Alpha", -200, 0)]).await;

        let reported = fixture.warehouse.closed_cells(may, closed.key.id).await.unwrap();
        let of_team = |team: &str| {
            let cells = reported.iter().filter(|cell| cell.dimension == Dimension::Team && &*cell.code == team);
            cells.fold(Figures::default(), |sum, cell| sum.plus(cell.figures).unwrap())
        };
        assert_eq!(of_team("Alpha").net, Sum::new(780, 3), "{}", fixture.backend);
        assert_eq!(of_team("unassigned").net, Sum::new(80, 1));
        let restated = fixture.warehouse.restatements(may.days()).await.unwrap();
        assert_eq!(restated.len(), 3, "the one cell of each dimension: {restated:?}");
        let of_teams: Vec<_> = restated.iter().filter(|row| row.dimension == Dimension::Team).collect();
        let [row] = of_teams.as_slice() else { panic!("{of_teams:?}") };
        assert_eq!((&*row.code, row.day), ("Alpha", day("2026-05-04")));
        assert_eq!((row.before.net, row.after.net), (Sum::new(500, 1), Sum::new(300, 1)), "a change of -200");
        assert_eq!((row.before.gross, row.before.activity), (row.after.gross, row.after.activity));

        // From its reopening on, nothing is restated any more, in that very run either.
        fixture.record(&[cancel("3", "2026-06-03", Some(1))]).await;
        fixture.run_as(&RunCommand { reopen: vec![may], ..RunCommand::default() }).await.unwrap();
        after(at, &[cancel("3", "2026-06-03", Some(1))]).await;
        assert_eq!(fixture.warehouse.restatements(may.days()).await.unwrap().len(), 3, "{}", fixture.backend);
        check(at, "2026-05", Basis::Net, &[("Alpha", 578, 3), ("unassigned", 80, 1)]).await;
    }
}
