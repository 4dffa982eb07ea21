//! Runs that go well.

use crate::common::{Fixture, Trick, day, fixtures, life, memory, rows, sale};
use moon_aggregate::{Aggregation, Progress, RunCommand, RunOptions, Silent, Step, Warning};
use moon_core::{Basis, BusinessDate, DayRange, ErrorKind, LifeMessage, RunKind, RunOutcome, Sum, TargetStatus};

async fn filled() -> Vec<Fixture> {
    let mut filled = Vec::new();
    for fixture in fixtures().await {
        filled.push(fixture.filled().await);
    }
    filled
}

#[tokio::test]
async fn a_run_publishes_every_figure_with_its_record_and_settles_the_marks() {
    for fixture in filled().await {
        let backend = fixture.backend;
        assert!(fixture.marks().await.open > 0);
        let report = fixture.run().await.unwrap();

        let record = &report.record;
        assert_eq!((record.key.epoch, record.key.number, record.kind), (1, 1, RunKind::Full), "{backend}");
        assert_eq!((record.outcome, &record.error), (RunOutcome::Published, &None));
        assert_eq!(record.rows_read, 7, "{backend}: six sales and a cancellation");
        assert_eq!(record.days, DayRange::inclusive(day("2025-03-20"), day("2026-05-02")));
        assert_eq!(record.control.net, Sum::new(18_484, 6));
        assert_eq!(record.control.gross, Sum::new(20_484, 6));
        assert_eq!(record.control.activity, Sum::new(18_484, 6));
        assert_eq!((report.repeated, report.settled, report.warning), (false, None, None));
        assert_eq!(fixture.warehouse.runs(9).await.unwrap(), std::slice::from_ref(record), "{backend}");
        let marks = fixture.marks().await;
        assert_eq!((marks.open, marks.claimed), (0, 0), "{backend}");

        let [teams, branches, products] = fixture.totals("all", Basis::Net).await;
        assert_eq!(teams, rows(&[("Alpha", 14_000, 3), ("Beta", 3250, 2), ("unassigned", 1234, 1)]), "{backend}");
        assert_eq!(branches, rows(&[("Colombo", 14_000, 3), ("Kandy", 3250, 2), ("unassigned", 1234, 1)]));
        assert_eq!(products, rows(&[("Junior", 18_000, 3), ("Senior", 484, 3)]));
        let [teams, ..] = fixture.totals("2026-04", Basis::Gross).await;
        assert_eq!(teams, rows(&[("Alpha", 6000, 2)]), "{backend}");
        let [teams, ..] = fixture.totals("2026-05", Basis::Activity).await;
        assert_eq!(teams, rows(&[("Alpha", -2000, 0)]), "{backend}");
    }
}

#[tokio::test]
async fn a_second_run_changes_nothing_but_its_key() {
    for fixture in filled().await {
        let first = fixture.run().await.unwrap().record;
        let seen = fixture.seen().await;
        let second = fixture.run().await.unwrap();
        assert_eq!(fixture.seen().await, seen, "{}", fixture.backend);
        assert_eq!(second.record.key.number, first.key.number + 1);
        assert_ne!(second.record.key.id, first.key.id);
        assert_eq!((second.record.kind, second.record.rows_read), (RunKind::Incremental, 0));
        assert_eq!(fixture.warehouse.runs(9).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn what_is_gone_from_the_ledger_vanishes() {
    for fixture in filled().await {
        fixture.run().await.unwrap();
        fixture.record(&[life("4", LifeMessage::Void)]).await;
        assert_eq!(fixture.marks().await.open, 2, "a day and a source");
        fixture.run().await.unwrap();
        let [teams, branches, _] = fixture.totals("all", Basis::Net).await;
        assert_eq!(teams, rows(&[("Alpha", 14_000, 3), ("Beta", 3250, 2)]), "{}", fixture.backend);
        assert!(branches.iter().all(|(branch, ..)| branch != "unassigned"));
        let year = fixture.warehouse.read(fixture.query("2025", Basis::Net).days()).await.unwrap();
        assert_eq!(year.sums, [], "{}", fixture.backend);
    }
}

#[tokio::test]
async fn an_empty_ledger_publishes_empty_figures() {
    for fixture in fixtures().await {
        let record = fixture.run().await.unwrap().record;
        assert_eq!((record.rows_read, record.days.is_empty()), (0, true));
        assert_eq!(record.outcome, RunOutcome::Published);
        let report = fixture.aggregation().report(&fixture.query("all", Basis::Net)).await.unwrap();
        assert_eq!((report.teams.len(), report.branches.len(), report.products.len()), (0, 0, 0));
        assert_eq!(report.control, Sum::ZERO);
        assert_eq!(report.run.unwrap().run_id, record.key.id, "{}", fixture.backend);
    }
}

#[tokio::test]
async fn the_report_compares_products_with_their_targets() {
    for fixture in filled().await {
        fixture.run().await.unwrap();
        let report = fixture.aggregation().report(&fixture.query("2026-03", Basis::Net)).await.unwrap();
        let seen: Vec<_> =
            report.products.iter().map(|row| (&*row.product, row.total.minor, row.target_minor, row.status)).collect();
        assert_eq!(
            seen,
            [
                ("Junior", 14_000, Some(10_000), TargetStatus::Achieved),
                ("Senior", 0, Some(5000), TargetStatus::NotAchieved)
            ],
            "{}",
            fixture.backend
        );
        assert!(report.products.iter().all(|row| row.complete));
        assert_eq!(report.control, Sum::new(14_000, 2));
    }
}

#[tokio::test]
async fn the_year_before_stands_beside_each_total() {
    for fixture in filled().await {
        fixture.run().await.unwrap();
        let mut query = fixture.query("2026-03", Basis::Net);
        query.with_year_before = true;
        let report = fixture.aggregation().report(&query).await.unwrap();
        let teams: Vec<_> = report.teams.iter().map(|row| (&*row.team, row.total, row.year_before)).collect();
        assert_eq!(
            teams,
            [
                ("Alpha", Sum::new(10_000, 1), Some(Sum::ZERO)),
                ("Beta", Sum::new(4000, 1), Some(Sum::ZERO)),
                ("unassigned", Sum::ZERO, Some(Sum::new(1234, 1))),
            ],
            "{}",
            fixture.backend
        );
    }
}

#[tokio::test]
async fn product_metrics_are_published_for_all_time_and_each_month() {
    let store = moon_store_memory::MemoryWarehouse::new("LKR".parse().unwrap());
    let mut fixture = memory().await.filled().await;
    fixture.warehouse = std::sync::Arc::new(store);
    fixture.run().await.unwrap();
    let metrics = fixture.warehouse.product_metrics(DayRange::ALL).await.unwrap();
    let of = |month: Option<&str>| -> Vec<(String, i128, Option<i128>)> {
        let of_month = metrics.iter().filter(|metrics| metrics.month == month.map(day));
        let rows: Vec<_> = of_month.flat_map(|metrics| &metrics.rows).collect();
        rows.iter().map(|row| (row.product.to_string(), row.total.minor, row.target_minor)).collect()
    };
    let row = |code: &str, total, target| (code.to_owned(), total, target);
    assert_eq!(of(None), [row("Junior", 18_000, None), row("Senior", 484, None)]);
    assert_eq!(of(Some("2026-03-01")), [row("Junior", 14_000, Some(10_000)), row("Senior", 0, Some(5000))]);
    assert_eq!(of(Some("2026-02-01")), [row("Senior", -750, None)]);
    assert_eq!(of(Some("2026-04-01")), [row("Junior", 4000, None), row("Senior", 0, None)]);
    assert_eq!(of(Some("2026-01-01")), []);
}

#[tokio::test]
async fn a_mark_that_commits_during_a_run_waits_for_the_next() {
    for mut fixture in filled().await {
        let ledger = fixture.ledger.clone();
        let late = Trick::AtWrite(Box::new(move || {
            Box::pin(async move {
                let message = sale("7", Some("AGT001"), "Junior", 1, "2026-06-01");
                ledger.record_sales(&crate::common::actor(), &[message]).await.unwrap();
            })
        }));
        let honest = std::sync::Arc::clone(&fixture.warehouse);
        fixture.warehouse = crate::common::Tricky::new(honest, [late]);
        fixture.run().await.unwrap();
        let marks = fixture.marks().await;
        assert_eq!((marks.open, marks.claimed), (2, 0), "{}: a day and a source", fixture.backend);
        assert_eq!(fixture.totals("2026-06", Basis::Net).await[0], []);
        fixture.run().await.unwrap();
        assert_eq!(fixture.totals("2026-06", Basis::Net).await[0], rows(&[("Alpha", 1, 1)]));
    }
}

#[tokio::test]
async fn far_fewer_postings_than_before_are_refused_unless_insisted_upon() {
    for fixture in filled().await {
        fixture.run().await.unwrap();
        for reference in ["1", "2", "3", "6"] {
            fixture.record(&[life(reference, LifeMessage::Void)]).await;
        }
        let seen = fixture.seen().await;
        let error = fixture.run().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(error.to_string().contains("sales_before: 6"), "{error}");
        assert_eq!(fixture.seen().await, seen, "{}", fixture.backend);
        let refused = fixture.warehouse.runs(1).await.unwrap().remove(0);
        assert_eq!((refused.outcome, refused.rows_read), (RunOutcome::Refused, 1));
        let options = RunOptions { allow_shrink: true, ..RunOptions::default() };
        let report = fixture.aggregation().run(&RunCommand::incremental(), &options, &Silent).await.unwrap();
        assert_eq!(report.warning, Some(Warning::Shrunk { sales: 2, sales_before: 6 }));
        assert!(report.repeated);
        assert_eq!(report.record.key, refused.key, "repeated under its key");
        assert_eq!(fixture.totals("all", Basis::Net).await[0], rows(&[("Alpha", 0, 1), ("unassigned", 1234, 1)]));
    }
}

#[tokio::test]
async fn a_range_is_refused_when_it_has_lost_most_of_its_sales() {
    for fixture in filled().await {
        fixture.run().await.unwrap();
        // Two of six: all in all, most are left.
        for reference in ["1", "2"] {
            fixture.record(&[life(reference, LifeMessage::Void)]).await;
        }
        let seen = fixture.seen().await;
        let march = RunCommand::range(DayRange::inclusive(day("2026-03-01"), day("2026-03-31")));
        let mut options = RunOptions::default();
        let error = fixture.aggregation().run(&march, &options, &Silent).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        for said in ["sales: 0", "sales_before: 2", "from: 2026-03-01", "to: 2026-03-31"] {
            assert!(error.to_string().contains(said), "{error}");
        }
        assert_eq!(fixture.seen().await, seen, "{}", fixture.backend);
        options.allow_shrink = true;
        let report = fixture.aggregation().run(&march, &options, &Silent).await.unwrap();
        assert_eq!(report.warning, Some(Warning::Shrunk { sales: 0, sales_before: 2 }));
        let [teams, ..] = fixture.totals("2026-03", Basis::Gross).await;
        assert_eq!(teams, [], "{}", fixture.backend);
    }
}

#[derive(Default)]
struct Heard(std::sync::Mutex<(Vec<Step>, u64, Option<BusinessDate>, usize)>);

impl Progress for Heard {
    fn step(&self, step: Step) {
        self.0.lock().unwrap().0.push(step);
    }

    fn read(&self, rows: u64, day: BusinessDate) {
        let mut heard = self.0.lock().unwrap();
        (heard.1, heard.2) = (rows, Some(day));
    }

    fn staged(&self, cells: usize, of: usize) {
        assert!(cells <= of);
        self.0.lock().unwrap().3 = cells;
    }
}

#[tokio::test]
async fn progress_hears_every_step() {
    let fixture = memory().await.filled().await;
    let heard = Heard::default();
    fixture.aggregation().run(&RunCommand::incremental(), &RunOptions::default(), &heard).await.unwrap();
    let (steps, rows, last, cells) = heard.0.into_inner().unwrap();
    assert_eq!(steps, [Step::Claiming, Step::Reading, Step::Staging, Step::Publishing, Step::Settling]);
    assert_eq!((rows, last), (7, Some(day("2026-04-05"))));
    // Seven postings on six days; on 2026-04-05 two share all groups but the product.
    assert_eq!(cells, 6 + 6 + 7);
}

#[tokio::test]
async fn a_run_can_be_spawned() {
    fn sendable<T: Send>(value: T) -> T {
        value
    }
    let fixture = memory().await.filled().await;
    let aggregation: Aggregation = fixture.aggregation();
    let run = sendable(async move {
        aggregation.run(&RunCommand::incremental(), &RunOptions::default(), &Silent).await.map(drop)
    });
    tokio::spawn(run).await.unwrap().unwrap();
    assert_eq!(fixture.marks().await.open, 0);
}
