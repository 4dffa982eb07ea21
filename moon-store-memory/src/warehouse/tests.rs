//! The warehouse: vanishing cells, order of runs, the law.

use std::collections::BTreeMap;
use std::sync::Arc;

use moon_core::{
    Amount, BusinessDate, Cell, ControlTotals, Coverage, DayControl, DayRange, DaySet, Dimension, ErrorKind, Figures,
    Manifest, Name, Opening, Period, ProductRow, PublishedTarget, Result, RunKey, RunKind, RunOutcome, RunRecord,
    Scope, StagedRows, StagedRun, Sum, TargetScope, TargetStatus, TeamEntry, Warehouse,
};
use uuid::Uuid;

use super::MemoryWarehouse;
use crate::tests::{code, day, instant, ready};

fn warehouse() -> MemoryWarehouse {
    MemoryWarehouse::new("LKR".parse().unwrap())
}

fn key(number: u32) -> RunKey {
    RunKey { epoch: 1, number: number.into(), id: Uuid::from_u128(number.into()) }
}

fn record(key: RunKey, outcome: RunOutcome) -> RunRecord {
    RunRecord {
        key,
        kind: RunKind::Incremental,
        days: DayRange::ALL,
        started_at: instant(),
        finished_at: instant(),
        rows_read: 0,
        control: Figures::default(),
        last_arrivals: BTreeMap::new(),
        outcome,
        error: None,
        manifest: Manifest::default(),
    }
}

fn figures(minor: i128) -> Figures {
    let sum = Sum::new(minor, 1);
    Figures { net: sum, gross: sum, activity: sum }
}

/// A cell of each dimension for each (day, minor units), and the plain sums beside them.
fn cells(days: &[(BusinessDate, i128)]) -> (Vec<Cell>, ControlTotals) {
    let cell = |dimension: Dimension, code: &str, day, minor| Cell {
        dimension,
        day,
        code: code.into(),
        figures: figures(minor),
    };
    let of_day = |(day, minor): &(BusinessDate, i128)| {
        [
            cell(Dimension::Team, "T1", *day, *minor),
            cell(Dimension::Branch, "B1", *day, *minor),
            cell(Dimension::Product, "P1", *day, *minor),
        ]
    };
    let control = days.iter().map(|(day, minor)| DayControl { day: *day, figures: figures(*minor) }).collect();
    (days.iter().flat_map(of_day).collect(), ControlTotals { days: control })
}

fn open(warehouse: &MemoryWarehouse, key: RunKey, scope: &Scope) -> Box<dyn StagedRun> {
    match ready(warehouse.open(&key, scope)).unwrap() {
        Opening::Staged(stage) => stage,
        Opening::AlreadyPublished(receipt) => panic!("published before: {receipt:?}"),
    }
}

fn publish(stage: Box<dyn StagedRun>, key: RunKey, control: &ControlTotals) -> Result<()> {
    ready(stage.publish(control, &record(key, RunOutcome::Published))).map(drop)
}

fn run(warehouse: &MemoryWarehouse, number: u32, scope: &Scope, days: &[(BusinessDate, i128)]) {
    let mut stage = open(warehouse, key(number), scope);
    let (cells, control) = cells(days);
    ready(stage.write(StagedRows::Cells(cells))).unwrap();
    publish(stage, key(number), &control).unwrap();
}

/// The net sums of the teams on these days.
fn teams(warehouse: &MemoryWarehouse, days: DayRange) -> Vec<(String, i128)> {
    let sums = ready(warehouse.read(days)).unwrap().sums.into_iter();
    let teams = sums.filter(|sum| sum.dimension == Dimension::Team);
    teams.map(|sum| (sum.code.to_string(), sum.figures.net.minor)).collect()
}

fn scope(days: DayRange) -> Scope {
    Scope { days: days.into(), months: DaySet::default(), agents: false }
}

#[test]
fn cells_vanish_within_the_scope_only() {
    let warehouse = warehouse();
    let (first, second, third) = (day("2026-03-01"), day("2026-03-02"), day("2026-03-03"));
    run(&warehouse, 1, &Scope::full(), &[(first, 100), (second, 200), (third, 400)]);
    assert_eq!(teams(&warehouse, DayRange::ALL), [("T1".to_owned(), 700)]);
    run(&warehouse, 2, &scope(DayRange::inclusive(first, second)), &[(first, 1)]);
    assert_eq!(teams(&warehouse, DayRange::ALL), [("T1".to_owned(), 401)]);
    assert_eq!(teams(&warehouse, second.range()), [], "no cell, no group");
    run(&warehouse, 3, &scope(third.range()), &[]);
    assert_eq!(teams(&warehouse, DayRange::ALL), [("T1".to_owned(), 1)]);
}

#[test]
fn a_reader_keeps_what_was_published_when_it_began() {
    let warehouse = warehouse();
    run(&warehouse, 1, &Scope::full(), &[(day("2026-03-01"), 100)]);
    let before = warehouse.published();
    run(&warehouse, 2, &Scope::full(), &[(day("2026-03-02"), 7)]);
    assert_eq!(before.read(DayRange::ALL).unwrap().run.map(|run| run.key), Some(key(1)));
    assert_eq!(before.cells.len(), 3);
    // A run that brings the same cells again shares all of them.
    let before = warehouse.published();
    run(&warehouse, 3, &Scope::full(), &[(day("2026-03-02"), 7)]);
    assert!(warehouse.published().cells.ptr_eq(&before.cells));
}

#[test]
fn what_breaks_the_law_is_refused_and_changes_nothing() {
    let warehouse = warehouse();
    run(&warehouse, 1, &Scope::full(), &[(day("2026-03-01"), 100)]);
    let before = warehouse.published();
    let (staged, control) = cells(&[(day("2026-03-01"), 100)]);
    for missing in 0..staged.len() {
        let mut stage = open(&warehouse, key(2), &Scope::full());
        let mut part = staged.clone();
        part.remove(missing);
        ready(stage.write(StagedRows::Cells(part))).unwrap();
        assert_eq!(publish(stage, key(2), &control).unwrap_err().kind(), ErrorKind::Refused);
    }
    assert!(Arc::ptr_eq(&warehouse.published(), &before));
}

#[test]
fn earlier_runs_are_refused_when_they_open_and_when_they_publish() {
    let warehouse = warehouse();
    let late = open(&warehouse, key(1), &Scope::full());
    run(&warehouse, 2, &Scope::full(), &[]);
    assert_eq!(publish(late, key(1), &ControlTotals::default()).unwrap_err().kind(), ErrorKind::Refused);
    let refused = |key: RunKey| ready(warehouse.open(&key, &Scope::full())).unwrap_err().kind();
    assert_eq!(refused(key(1)), ErrorKind::Refused);
    assert_eq!(refused(RunKey { epoch: 0, number: 9, ..key(9) }), ErrorKind::Refused);
    // A new epoch starts its numbers again.
    let next = RunKey { epoch: 2, number: 1, ..key(3) };
    publish(open(&warehouse, next, &Scope::full()), next, &ControlTotals::default()).unwrap();
    // A published run is known by its identifier, however long ago it was.
    let Opening::AlreadyPublished(receipt) = ready(warehouse.open(&key(2), &Scope::full())).unwrap() else {
        panic!("staged again")
    };
    assert_eq!(receipt.record, record(key(2), RunOutcome::Published));
}

#[test]
fn a_stage_is_removed_when_another_is_opened() {
    let warehouse = warehouse();
    let broken = open(&warehouse, key(1), &Scope::full());
    let repeat = open(&warehouse, key(1), &Scope::full());
    assert_eq!(publish(broken, key(1), &ControlTotals::default()).unwrap_err().kind(), ErrorKind::Refused);
    publish(repeat, key(1), &ControlTotals::default()).unwrap();
}

#[test]
fn cells_that_do_not_belong_are_refused() {
    let warehouse = warehouse();
    let mut stage = open(&warehouse, key(1), &scope(day("2026-03-01").range()));
    let mut refused = |days: &[(BusinessDate, i128)]| ready(stage.write(StagedRows::Cells(cells(days).0)));
    assert_eq!(refused(&[(day("2026-03-02"), 1)]).unwrap_err().kind(), ErrorKind::InvalidInput);
    refused(&[(day("2026-03-01"), 1)]).unwrap();
    assert_eq!(refused(&[(day("2026-03-01"), 1)]).unwrap_err().kind(), ErrorKind::InvalidInput);
    let mut agents = cells(&[(day("2026-03-01"), 1)]).0;
    agents.truncate(1);
    agents[0].dimension = Dimension::Agent;
    let error = ready(stage.write(StagedRows::Cells(agents))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn names_targets_and_metrics_are_replaced_as_far_as_the_scope_goes() {
    let warehouse = warehouse();
    let metric = |product: &str| ProductRow {
        product: product.into(),
        product_name: product.into(),
        target_minor: None,
        total: Sum::ZERO,
        variance_minor: None,
        attainment: None,
        status: TargetStatus::NoTarget,
        complete: false,
        coverage: Coverage::None,
        year_before: None,
    };
    let (march, april) = (day("2026-03-01"), day("2026-04-01"));
    let team = |text: &str| TeamEntry { code: code(text), name: Name::new("name", text).unwrap() };
    let target = |minor: i64| PublishedTarget {
        product: None,
        scope: TargetScope::Ledger,
        period: Period::ALL,
        amount: Amount::from_minor(minor).unwrap(),
    };
    let mut stage = open(&warehouse, key(1), &Scope::full());
    for rows in [
        StagedRows::Teams(vec![team("T2")]),
        StagedRows::Teams(vec![team("T1")]),
        StagedRows::Targets(vec![target(2), target(1)]),
        StagedRows::ProductMetrics { month: None, rows: vec![metric("P2")] },
        StagedRows::ProductMetrics { month: None, rows: vec![metric("P1")] },
        StagedRows::ProductMetrics { month: Some(march), rows: vec![metric("P1")] },
        StagedRows::ProductMetrics { month: Some(april), rows: vec![metric("P1")] },
    ] {
        ready(stage.write(rows)).unwrap();
    }
    publish(stage, key(1), &ControlTotals::default()).unwrap();
    let published = ready(warehouse.read(DayRange::ALL)).unwrap();
    assert_eq!(published.teams, [team("T1"), team("T2")]);
    assert_eq!(published.targets, [target(1), target(2)]);
    let metrics = || {
        let found = ready(warehouse.product_metrics(DayRange::ALL)).unwrap();
        found.into_iter().map(|metrics| (metrics.month, metrics.rows)).collect::<Vec<_>>()
    };
    let months = [(Some(march), vec![metric("P1")]), (Some(april), vec![metric("P1")])];
    let all_time = (None, vec![metric("P1"), metric("P2")]);
    assert_eq!(metrics(), [&[all_time], &months[..]].concat());

    let months = DayRange::inclusive(march, day("2026-03-31"));
    let scope = Scope { days: march.range().into(), months: months.into(), agents: false };
    let mut stage = open(&warehouse, key(2), &scope);
    let outside = StagedRows::ProductMetrics { month: Some(april), rows: Vec::new() };
    assert_eq!(ready(stage.write(outside)).unwrap_err().kind(), ErrorKind::InvalidInput);
    ready(stage.write(StagedRows::ProductMetrics { month: None, rows: vec![metric("P3")] })).unwrap();
    publish(stage, key(2), &ControlTotals::default()).unwrap();
    let published = ready(warehouse.read(DayRange::ALL)).unwrap();
    assert_eq!((published.teams, published.targets), (Vec::new(), Vec::new()));
    assert_eq!(metrics(), [(None, vec![metric("P3")]), (Some(april), vec![metric("P1")])]);
}

#[test]
fn records_of_runs_newest_first_and_published_ones_stay() {
    let warehouse = warehouse();
    run(&warehouse, 2, &Scope::full(), &[]);
    ready(warehouse.record(&record(key(1), RunOutcome::Refused))).unwrap();
    ready(warehouse.record(&record(key(1), RunOutcome::Failed))).unwrap();
    ready(warehouse.record(&record(key(2), RunOutcome::Failed))).unwrap();
    ready(warehouse.record(&record(key(3), RunOutcome::Failed))).unwrap();
    let runs = ready(warehouse.runs(10)).unwrap();
    let runs: Vec<_> = runs.into_iter().map(|run| (run.key.number, run.outcome)).collect();
    assert_eq!(runs, [(3, RunOutcome::Failed), (2, RunOutcome::Published), (1, RunOutcome::Failed)]);
    assert_eq!(ready(warehouse.runs(1)).unwrap().len(), 1);
    assert_eq!(ready(warehouse.read(DayRange::ALL)).unwrap().run.map(|run| run.key), Some(key(2)));
}
