//! Closed periods: frozen figures, restatements beside them, opening again.

use std::sync::Arc;

use moon_core::{
    AMOUNT_MINOR_MAX, Calendar, Cell, Closing, DayRange, Dimension, ErrorKind, Figures, Opening, Period, Restatement,
    RunKey, Scope, StagedRows, Warehouse,
};
use uuid::Uuid;

use super::{cells, control, figures, open, publish, publish_with, record, run_key, scope, sorted};
use crate::builders::{date, days, noon};

const FEBRUARY: (&str, i128) = ("2026-02-28", 1);
const MARCH: (&str, i128) = ("2026-03-31", 2);
const APRIL: (&str, i128) = ("2026-04-01", 4);

fn period(label: &str) -> Period {
    Calendar::default().parse(label).unwrap()
}

/// A closing by a run of [`record`].
fn closing(label: &str, closed_by: RunKey, reopened_by: Option<RunKey>) -> Closing {
    let at = noon("2026-04-02");
    Closing { period: period(label), closed_by, closed_at: at, reopened_by, reopened_at: reopened_by.map(|_| at) }
}

async fn frozen(warehouse: &dyn Warehouse, label: &str, closed_by: RunKey) -> Vec<Cell> {
    warehouse.closed_cells(period(label), closed_by.id).await.unwrap()
}

fn restatement(
    run: RunKey,
    dimension: Dimension,
    day: &str,
    code: &str,
    before: Figures,
    after: Figures,
) -> Restatement {
    Restatement { run, dimension, day: date(day), code: code.into(), before, after }
}

/// A period is frozen as published by the very run that closes it, its days and no others, and later runs change current
/// figures only.
pub async fn closing_freezes_what_its_run_publishes(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    assert_eq!(warehouse.closings().await.unwrap(), []);
    publish(warehouse, run_key(1), &Scope::full(), &[FEBRUARY, ("2026-03-01", 9), MARCH, APRIL]).await.unwrap();
    let march = vec![StagedRows::Close(period("2026-03"))];
    let first = days("2026-03-01", "2026-03-30");
    publish_with(warehouse, run_key(2), &scope(first), &[("2026-03-01", 5)], march).await.unwrap();
    let expected = sorted(&[("2026-03-01", 5), MARCH]);
    assert_eq!(frozen(warehouse, "2026-03", run_key(2)).await, expected);
    assert_eq!(warehouse.closings().await.unwrap(), [closing("2026-03", run_key(2), None)]);

    publish(warehouse, run_key(3), &Scope::full(), &[APRIL]).await.unwrap();
    assert_eq!(frozen(warehouse, "2026-03", run_key(2)).await, expected);
    assert_eq!(warehouse.cells(DayRange::ALL).await.unwrap(), sorted(&[APRIL]));
    assert_eq!(warehouse.closings().await.unwrap(), [closing("2026-03", run_key(2), None)]);
    // No such closing, no figures.
    assert_eq!(frozen(warehouse, "2026-03", run_key(3)).await, []);
    assert_eq!(frozen(warehouse, "2026-02", run_key(2)).await, []);
    assert_eq!(frozen(warehouse, "2026", run_key(2)).await, []);
}

/// Periods of every length are closed side by side, also by one run, each with its own figures.
pub async fn periods_are_closed_side_by_side(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let all = [("1000-01-01", 8), FEBRUARY, MARCH, APRIL, ("9999-12-31", 16)];
    let labels = ["2026-03-31", "2026-W14", "2026-03", "2026-Q1", "2026", "all", "2026-05"];
    let close = labels.iter().map(|label| StagedRows::Close(period(label))).collect();
    publish_with(warehouse, run_key(1), &Scope::full(), &all, close).await.unwrap();
    for label in labels {
        let days = period(label).days();
        let within: Vec<_> = all.into_iter().filter(|(day, _)| days.contains(date(day).epoch_day())).collect();
        assert_eq!(frozen(warehouse, label, run_key(1)).await, sorted(&within), "{label}");
    }
    let mut expected = labels.map(|label| closing(label, run_key(1), None));
    expected.sort_unstable_by_key(|closing| closing.period);
    assert_eq!(warehouse.closings().await.unwrap(), expected, "also one without figures");
}

/// A period that is closed already stays as it was frozen, however often it is closed.
pub async fn closing_twice_keeps_the_first_freeze(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let march = || StagedRows::Close(period("2026-03"));
    publish_with(warehouse, run_key(1), &Scope::full(), &[MARCH], vec![march(), march()]).await.unwrap();
    publish_with(warehouse, run_key(2), &Scope::full(), &[(MARCH.0, 70)], vec![march()]).await.unwrap();
    assert_eq!(frozen(warehouse, "2026-03", run_key(1)).await, sorted(&[MARCH]));
    assert_eq!(frozen(warehouse, "2026-03", run_key(2)).await, []);
    assert_eq!(warehouse.closings().await.unwrap(), [closing("2026-03", run_key(1), None)]);
}

/// A period that is opened again keeps its frozen figures; closed once more, it is frozen anew under that run. Opening what
/// is open changes nothing.
pub async fn a_reopened_period_keeps_its_figures(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let close = || StagedRows::Close(period("2026-03"));
    let reopen = || StagedRows::Reopen(period("2026-03"));
    publish_with(warehouse, run_key(1), &Scope::full(), &[MARCH], vec![reopen()]).await.unwrap();
    assert_eq!(warehouse.closings().await.unwrap(), []);
    let both = vec![close(), StagedRows::Close(period("2026"))];
    publish_with(warehouse, run_key(2), &Scope::full(), &[MARCH], both).await.unwrap();
    publish_with(warehouse, run_key(3), &Scope::full(), &[(MARCH.0, 30)], vec![reopen()]).await.unwrap();
    publish_with(warehouse, run_key(4), &Scope::full(), &[(MARCH.0, 40)], vec![reopen()]).await.unwrap();
    publish_with(warehouse, run_key(5), &Scope::full(), &[(MARCH.0, 50)], vec![close()]).await.unwrap();
    // One run opens and closes.
    publish_with(warehouse, run_key(6), &Scope::full(), &[(MARCH.0, 60)], vec![close(), reopen()]).await.unwrap();
    publish(warehouse, run_key(7), &Scope::full(), &[(MARCH.0, 70)]).await.unwrap();
    let expected = [
        closing("2026-03", run_key(2), Some(run_key(3))),
        closing("2026", run_key(2), None),
        closing("2026-03", run_key(5), Some(run_key(6))),
        closing("2026-03", run_key(6), None),
    ];
    assert_eq!(warehouse.closings().await.unwrap(), expected);
    for (closed_by, net) in [(2, MARCH.1), (5, 50), (6, 60), (3, 0)] {
        let expected = if net == 0 { Vec::new() } else { sorted(&[(MARCH.0, net)]) };
        assert_eq!(frozen(warehouse, "2026-03", run_key(closed_by)).await, expected, "run {closed_by}");
    }
}

/// Restatements stay beside the figures, in the order of the runs that made them, then by dimension, day and code.
pub async fn restatements_are_kept_in_order(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let most = i128::from(AMOUNT_MINOR_MAX);
    let (none, some) = (Figures::default(), figures(most));
    let restored = RunKey { epoch: 2, number: 1, id: Uuid::from_u128(0) };
    let of = |run: RunKey| {
        [
            restatement(run, Dimension::Team, MARCH.0, "ALPHA", figures(1), figures(-1)),
            restatement(run, Dimension::Team, MARCH.0, "Ł", none, some),
            restatement(run, Dimension::Team, APRIL.0, "ALPHA", some, none),
            restatement(run, Dimension::Branch, FEBRUARY.0, "B", figures(-most), some),
            restatement(run, Dimension::Branch, MARCH.0, "b", figures(2), figures(3)),
            restatement(run, Dimension::Product, FEBRUARY.0, "LIFE", figures(3), figures(4)),
        ]
        .to_vec()
    };
    let keys = [run_key(2), run_key(10), restored];
    for key in keys {
        let mut rows = of(key);
        rows.reverse();
        let rest = rows.split_off(2);
        let staged = vec![StagedRows::Restatements(rows), StagedRows::Restatements(rest)];
        publish_with(warehouse, key, &Scope::full(), &[MARCH], staged).await.unwrap();
    }
    // A run without any leaves those of others.
    publish(warehouse, RunKey { number: 2, id: Uuid::from_u128(1), ..restored }, &Scope::full(), &[]).await.unwrap();
    let all: Vec<Restatement> = keys.into_iter().flat_map(of).collect();
    assert_eq!(warehouse.restatements(DayRange::ALL).await.unwrap(), all);
    for range in [days("2026-03-01", MARCH.0), days(FEBRUARY.0, FEBRUARY.0), DayRange::new(0, 0)] {
        let mut expected = all.clone();
        expected.retain(|row| range.contains(row.day.epoch_day()));
        assert_eq!(warehouse.restatements(range).await.unwrap(), expected, "{range:?}");
    }
}

/// Restatements of other days, of agents, of another run or given twice are invalid.
pub async fn restatements_that_do_not_belong_are_refused(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let of = |run: RunKey, dimension: Dimension, day: &str| {
        restatement(run, dimension, day, "ALPHA", figures(1), figures(2))
    };
    let good = of(run_key(1), Dimension::Team, MARCH.0);
    let faults = [
        vec![of(run_key(1), Dimension::Team, APRIL.0)],
        vec![of(run_key(1), Dimension::Agent, MARCH.0)],
        vec![of(run_key(2), Dimension::Team, MARCH.0)],
        vec![good.clone()],
        vec![of(run_key(1), Dimension::Branch, MARCH.0), of(run_key(1), Dimension::Branch, MARCH.0)],
    ];
    for fault in faults {
        let mut stage = open(warehouse, run_key(1), &scope(date(MARCH.0).range())).await;
        stage.write(StagedRows::Restatements(vec![good.clone()])).await.unwrap();
        let error = stage.write(StagedRows::Restatements(fault.clone())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error} for {fault:?}");
        stage.discard().await.unwrap();
    }
    assert_eq!(warehouse.restatements(DayRange::ALL).await.unwrap(), []);
}

/// A repeat of a run that was published, whether it opens again or publishes again, doubles neither closings nor
/// restatements.
pub async fn a_repeat_closes_nothing_twice(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let row = restatement(run_key(1), Dimension::Team, MARCH.0, "ALPHA", figures(1), figures(2));
    let mut stage = open(warehouse, run_key(1), &Scope::full()).await;
    for rows in [
        StagedRows::Cells(cells(&[MARCH])),
        StagedRows::Restatements(vec![row.clone()]),
        StagedRows::Close(period("2026-03")),
    ] {
        stage.write(rows).await.unwrap();
    }
    // Another process makes the same run meanwhile, in full.
    let others = vec![StagedRows::Restatements(vec![row.clone()]), StagedRows::Close(period("2026-03"))];
    publish_with(warehouse, run_key(1), &Scope::full(), &[MARCH], others).await.unwrap();
    let receipt = stage.publish(&control(&[MARCH]), &record(run_key(1))).await.unwrap();
    assert_eq!(receipt.record, record(run_key(1)));
    let opening = warehouse.open(&run_key(1), &Scope::full()).await.unwrap();
    assert!(matches!(opening, Opening::AlreadyPublished(_)), "{opening:?}");
    assert_eq!(warehouse.restatements(DayRange::ALL).await.unwrap(), [row]);
    assert_eq!(warehouse.closings().await.unwrap(), [closing("2026-03", run_key(1), None)]);
    assert_eq!(frozen(warehouse, "2026-03", run_key(1)).await, sorted(&[MARCH]));
}

/// What breaks the law is refused as a whole: it closes, opens and restates nothing. So does a stage that is given up.
pub async fn a_refused_run_closes_nothing(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let february = vec![StagedRows::Close(period("2026-02"))];
    publish_with(warehouse, run_key(1), &Scope::full(), &[FEBRUARY, MARCH], february).await.unwrap();
    let agents = [moon_core::AgentCell { month: date("2026-02-01"), agent: "withheld".into(), figures: figures(1) }];
    let row = restatement(run_key(2), Dimension::Team, FEBRUARY.0, "ALPHA", figures(1), figures(2));
    for refused in [true, false] {
        let mut stage = open(warehouse, run_key(2), &Scope::full()).await;
        for rows in [
            StagedRows::Cells(cells(&[FEBRUARY, MARCH])),
            StagedRows::AgentCells(agents.to_vec()),
            StagedRows::Restatements(vec![row.clone()]),
            StagedRows::Close(period("2026-03")),
            StagedRows::Reopen(period("2026-02")),
        ] {
            stage.write(rows).await.unwrap();
        }
        if refused {
            let error = stage.publish(&control(&[FEBRUARY]), &record(run_key(2))).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        } else {
            stage.discard().await.unwrap();
        }
        assert_eq!(warehouse.closings().await.unwrap(), [closing("2026-02", run_key(1), None)]);
        assert_eq!(warehouse.restatements(DayRange::ALL).await.unwrap(), []);
        assert_eq!(warehouse.agent_cells(DayRange::ALL).await.unwrap(), []);
    }
    // Nothing of it waits for the next run either.
    publish(warehouse, run_key(3), &Scope::full(), &[FEBRUARY, MARCH]).await.unwrap();
    assert_eq!(warehouse.closings().await.unwrap(), [closing("2026-02", run_key(1), None)]);
    assert_eq!(warehouse.restatements(DayRange::ALL).await.unwrap(), []);
}

/// The first and the last periods of each length are closed and restated like any other, and so is all time.
pub async fn periods_at_both_ends_of_time_are_closed(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let of_days = [("1000-01-01", 1), ("9999-12-31", 2)];
    let ends = [
        ("1000-01-01", &of_days[..1]),
        ("1000-01", &of_days[..1]),
        ("1000-Q1", &of_days[..1]),
        ("1000", &of_days[..1]),
        ("9999-12-31", &of_days[1..]),
        ("9999-12", &of_days[1..]),
        ("9999-Q4", &of_days[1..]),
        ("9999", &of_days[1..]),
        ("all", &of_days[..]),
    ];
    let closes = ends.iter().map(|(label, _)| StagedRows::Close(period(label))).collect();
    publish_with(warehouse, run_key(1), &Scope::full(), &of_days, closes).await.unwrap();
    for (label, days) in ends {
        assert_eq!(frozen(warehouse, label, run_key(1)).await, sorted(days), "{label}");
    }
    let mut closings = warehouse.closings().await.unwrap();
    closings.sort_by_key(|closing| closing.period);
    let mut expected = ends.map(|(label, _)| closing(label, run_key(1), None));
    expected.sort_by_key(|closing| closing.period);
    assert_eq!(closings, expected);

    let restated = of_days
        .map(|(day, net)| restatement(run_key(2), Dimension::Team, day, "ALPHA", figures(net), Figures::default()));
    let rows = vec![StagedRows::Restatements(restated.to_vec()), StagedRows::Reopen(period("9999-12"))];
    publish_with(warehouse, run_key(2), &Scope::full(), &[], rows).await.unwrap();
    assert_eq!(warehouse.restatements(DayRange::ALL).await.unwrap(), restated);
    assert_eq!(warehouse.restatements(date("1000-01-01").range()).await.unwrap(), restated[..1]);
    assert_eq!(warehouse.restatements(date("9999-12-31").range()).await.unwrap(), restated[1..]);
    assert!(warehouse.closings().await.unwrap().contains(&closing("9999-12", run_key(1), Some(run_key(2)))));
    assert_eq!(frozen(warehouse, "9999-12", run_key(1)).await, sorted(&of_days[1..]));
}
