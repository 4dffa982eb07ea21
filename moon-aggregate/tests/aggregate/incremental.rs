//! What a run computes, and what it leaves alone.

use std::sync::Arc;

use moon_aggregate::{Path, RunCommand, RunOptions, Silent, Warning, hash_cells};
use moon_core::{Amount, Basis, Calendar, DayRange, Dimension, ErrorKind, LifeMessage, Period, RunKind, RunRecord};
use moon_store_memory::MemoryWarehouse;

use crate::common::{Fixture, day, fixtures, life, rows, sale};

fn period(text: &str) -> Period {
    Calendar::default().parse(text).unwrap()
}

/// Every backend, with figures that were published.
async fn published() -> Vec<Fixture> {
    let mut published = Vec::new();
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        fixture.run().await.unwrap();
        published.push(fixture);
    }
    published
}

fn told(record: &RunRecord) -> (RunKind, u64, DayRange) {
    (record.kind, record.rows_read, record.days)
}

#[tokio::test]
async fn only_the_days_that_changed_are_read() {
    for fixture in published().await {
        // A cancellation touches the day of the sale and its own.
        let amount = Some(Amount::from_minor(1_000).unwrap());
        fixture.record(&[life("1", LifeMessage::Cancel { date: day("2026-03-31"), amount })]).await;
        let record = fixture.run().await.unwrap().record;
        let days = DayRange::inclusive(day("2026-03-01"), day("2026-03-31"));
        assert_eq!(told(&record), (RunKind::Incremental, 3, days), "{}: both sales, one adjustment", fixture.backend);
        assert_eq!(record.manifest.cells, 3 + 5, "two teams and two branches have a posting on the second day");
        let [teams, _, products] = fixture.totals("all", Basis::Net).await;
        assert_eq!(teams, rows(&[("Alpha", 13_000, 3), ("Beta", 3250, 2), ("unassigned", 1234, 1)]));
        assert_eq!(products, rows(&[("Junior", 17_000, 3), ("Senior", 484, 3)]));
    }
}

#[tokio::test]
async fn a_run_with_nothing_to_do_leaves_its_record_and_all_figures() {
    for fixture in published().await {
        let seen = fixture.seen().await;
        let record = fixture.run().await.unwrap().record;
        assert_eq!(told(&record), (RunKind::Incremental, 0, DayRange::new(0, 0)), "{}", fixture.backend);
        assert_eq!((record.manifest.cells, record.manifest.cells_hash.as_str()), (0, ""));
        assert_eq!(fixture.seen().await, seen);
        let last = fixture.warehouse.read(DayRange::ALL).await.unwrap().run.unwrap();
        assert_eq!(last, record, "readers see how fresh the figures are");
    }
}

#[tokio::test]
async fn a_range_is_computed_beside_what_changed() {
    for fixture in published().await {
        fixture.record(&[sale("7", Some("AGT002"), "Junior", 5, "2026-06-01")]).await;
        let record = fixture.run_as(&RunCommand::range(period("2026-04").days())).await.unwrap().record;
        let days = DayRange::new(period("2026-04").days().start(), day("2026-06-01").epoch_day() + 1);
        assert_eq!(told(&record), (RunKind::Backfill, 4, days), "{}", fixture.backend);
        assert_eq!(fixture.totals("2026-06", Basis::Net).await[0], rows(&[("Beta", 5, 1)]));
        assert_eq!(fixture.totals("2026-04", Basis::Net).await[0], rows(&[("Alpha", 4000, 2)]));
        let marks = fixture.marks().await;
        assert_eq!((marks.open, marks.claimed), (0, 0), "what changed was published too");
    }
}

#[tokio::test]
async fn a_warehouse_that_shows_something_else_gets_everything() {
    for mut fixture in published().await {
        fixture.warehouse = Arc::new(MemoryWarehouse::new(fixture.ledger.settings().currency));
        fixture.record(&[sale("7", Some("AGT002"), "Junior", 5, "2026-06-01")]).await;
        let record = fixture.run().await.unwrap().record;
        assert_eq!((record.kind, record.rows_read), (RunKind::Full, 8), "{}", fixture.backend);
    }
}

#[tokio::test]
async fn a_run_that_broke_off_does_what_it_was_told_at_first() {
    for fixture in published().await {
        let may = period("2026-05");
        let unknown = RunCommand { close: vec![may], ..RunCommand::range(period("2026-03").days()) };
        let tricky = crate::common::Tricky::new(Arc::clone(&fixture.warehouse), [crate::common::Trick::DieAtWrite]);
        let dying = moon_aggregate::Aggregation::new(fixture.ledger.clone(), tricky);
        dying.run(&unknown, &RunOptions::default(), &Silent).await.unwrap_err();

        let report = fixture.run().await.unwrap();
        assert!(report.repeated, "{}", fixture.backend);
        assert_eq!((report.record.kind, report.record.manifest.closed.as_slice()), (RunKind::Backfill, &[may][..]));
        assert_eq!(fixture.warehouse.closings().await.unwrap().len(), 1);
        // It was more than asked for. What is not done by it is done behind it.
        let april = RunCommand { close: vec![period("2026-04")], ..RunCommand::default() };
        dying.run(&RunCommand::incremental(), &RunOptions::default(), &Silent).await.unwrap();
        let report = fixture.run_as(&april).await.unwrap();
        assert_eq!((report.repeated, report.settled), (false, None));
        assert_eq!(fixture.warehouse.closings().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_full_run_is_the_way_out_of_one_that_cannot_be_done() {
    for fixture in published().await {
        fixture.die(false).await;
        let closing = RunCommand { close: vec![period("2026-05")], ..RunCommand::full() };
        let report = fixture.run_as(&closing).await.unwrap();
        let settled = report.settled.unwrap();
        assert_eq!((settled.number, report.record.key.number), (2, 3), "{}", fixture.backend);
        let kinds: Vec<_> = fixture.warehouse.runs(2).await.unwrap().iter().map(|record| record.kind).collect();
        assert_eq!(kinds, [RunKind::Full, RunKind::Full], "the one that was repeated did all days, too");
        assert_eq!(report.record.manifest.closed, [period("2026-05")]);
    }
}

#[tokio::test]
async fn what_cannot_be_closed_is_refused_before_anything_happens() {
    for fixture in published().await {
        let june = RunCommand { close: vec![period("2026-06")], ..RunCommand::default() };
        assert_eq!(fixture.run_as(&june).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(fixture.warehouse.runs(9).await.unwrap().len(), 1, "{}", fixture.backend);
    }
}

#[tokio::test]
async fn a_preview_tells_each_cell_and_writes_nothing() {
    for fixture in published().await {
        let aggregation = fixture.aggregation();
        assert!(aggregation.preview(&RunCommand::incremental(), &Silent).await.unwrap().is_empty());
        fixture.record(&[life("4", LifeMessage::Void), sale("7", None, "Junior", 5, "2026-06-01")]).await;
        let (seen, marks) = (fixture.seen().await, fixture.marks().await);
        let changes = aggregation.preview(&RunCommand::incremental(), &Silent).await.unwrap();
        assert_eq!((changes.kind, changes.rows_read, changes.days.len()), (RunKind::Incremental, 1, 2));
        let of_teams: Vec<_> = changes
            .cells
            .iter()
            .filter(|change| change.dimension == Dimension::Team)
            .map(|change| (change.day, &*change.code, change.before.net.minor, change.after.net.minor))
            .collect();
        let unassigned = "unassigned";
        assert_eq!(of_teams, [(day("2025-03-20"), unassigned, 1234, 0), (day("2026-06-01"), unassigned, 0, 5)]);
        assert_eq!(changes.cells.len(), 6, "{}", fixture.backend);
        let months: Vec<_> =
            changes.product_metrics.iter().map(|metrics| (metrics.month, metrics.rows.len())).collect();
        assert_eq!(months, [(None, 2), (Some(day("2025-03-01")), 0), (Some(day("2026-06-01")), 1)]);
        assert!(!changes.dimensions);
        let full = aggregation.preview(&RunCommand::full(), &Silent).await.unwrap();
        assert_eq!((full.cells, full.product_metrics), (changes.cells, changes.product_metrics));

        assert_eq!((fixture.seen().await, fixture.marks().await), (seen, marks));
        assert_eq!(fixture.warehouse.runs(9).await.unwrap().len(), 1, "{}", fixture.backend);
        fixture.run().await.unwrap();
        assert!(aggregation.preview(&RunCommand::full(), &Silent).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn twice_as_many_sales_are_warned_of() {
    for fixture in published().await {
        let twice = ["11", "12", "13", "14", "15", "16"].map(|number| sale(number, None, "Junior", 1, "2026-06-01"));
        fixture.record(&twice[..5]).await;
        assert_eq!(fixture.run().await.unwrap().warning, None, "{}", fixture.backend);
        let many: Vec<_> = (20..31).map(|number| sale(&number.to_string(), None, "Junior", 1, "2026-06-02")).collect();
        fixture.record(&many).await;
        let report = fixture.run().await.unwrap();
        assert_eq!(report.warning, Some(Warning::Doubled { sales: 22, sales_before: 11 }), "{}", fixture.backend);
    }
}

#[tokio::test]
async fn both_paths_give_the_same_figures() {
    for fixture in published().await {
        for command in [RunCommand::full(), RunCommand::range(period("2026").days())] {
            let mut hashes = Vec::new();
            for path in [Path::Fold, Path::Sql] {
                let options = RunOptions { path, ..RunOptions::default() };
                let record = fixture.aggregation().run(&command, &options, &Silent).await.unwrap().record;
                assert_eq!(record.rows_read == 0, path == Path::Sql, "{}", fixture.backend);
                hashes.push((record.manifest, record.control, record.days));
            }
            assert_eq!(hashes[0], hashes[1], "{}", fixture.backend);
        }
    }
}

#[tokio::test]
async fn the_manifest_is_the_hash_of_what_is_shown() {
    for fixture in published().await {
        let record = fixture.warehouse.runs(1).await.unwrap().remove(0);
        let cells = fixture.warehouse.cells(DayRange::ALL).await.unwrap();
        assert_eq!(record.manifest.cells, u64::try_from(cells.len()).unwrap(), "{}", fixture.backend);
        assert_eq!(record.manifest.cells_hash, hash_cells(&cells));
    }
}
