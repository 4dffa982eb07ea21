//! What comes back as it was staged: cells, product metrics, figures of agents.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moon_core::{
    AMOUNT_MINOR_MAX, AgentCell, Attainment, BusinessDate, Calendar, Cell, ControlTotals, Coverage, DayControl,
    DayRange, Dimension, ErrorKind, Figures, Period, ProductMetrics, ProductRow, PublishedTarget, Scope, StagedRows,
    Sum, TargetScope, TargetStatus, UNASSIGNED, Warehouse,
};

use super::{cell, cells, control, figures, open, publish, publish_with, read, record, run_key};
use crate::builders::{agent_code, date, days, rupees};

/// Cells come back as they were staged, those of the days asked for, ascending by dimension, day and code.
pub async fn cells_come_back_in_order(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let (least, most) = (date("1000-01-01"), date("9999-12-31"));
    let of_days = ["1000-01-01", "2026-01-31", "2026-02-01", "9999-12-31"];
    let limit = i128::from(AMOUNT_MINOR_MAX);
    let mut staged: Vec<Cell> = Vec::new();
    let mut plain: Vec<DayControl> = Vec::new();
    for (place, day) in (1..).zip(of_days) {
        for (dimension, codes) in Dimension::DAILY.into_iter().zip([["Ł", UNASSIGNED], ["b", "B"], ["l", "L"]]) {
            let nets = codes.into_iter().zip([place * limit, -2 * limit]);
            staged.extend(nets.map(|(code, net)| cell(dimension, day, code, net)));
        }
        let sums = figures(place * limit).plus(figures(-2 * limit)).unwrap();
        plain.push(DayControl { day: date(day), figures: sums });
    }
    let mut stage = open(warehouse, run_key(1), &Scope::full()).await;
    for part in staged.rchunks(5) {
        stage.write(StagedRows::Cells(part.to_vec())).await.unwrap();
    }
    assert_eq!(warehouse.cells(DayRange::ALL).await.unwrap(), [], "not published yet");
    stage.publish(&ControlTotals { days: plain }, &record(run_key(1))).await.unwrap();
    staged.sort_unstable();
    for range in [
        DayRange::ALL,
        days("2026-01-31", "2026-02-01"),
        least.range(),
        most.range(),
        days("2026-02-02", "2026-12-31"),
        DayRange::new(0, 0),
    ] {
        let mut expected = staged.clone();
        expected.retain(|cell| range.contains(cell.day.epoch_day()));
        assert_eq!(warehouse.cells(range).await.unwrap(), expected, "{range:?}");
    }
}

fn metric(product: &str, total: i128, target: Option<i128>) -> ProductRow {
    ProductRow {
        product: product.into(),
        product_name: format!("Product {product}").into(),
        target_minor: target,
        total: Sum::new(total, -3),
        variance_minor: target.map(|target| total - target),
        attainment: target.and_then(|target| Attainment::of(total, target)),
        status: TargetStatus::of(total, target),
        complete: target.is_some(),
        coverage: if target.is_some() { Coverage::Full } else { Coverage::Partial },
        year_before: None,
    }
}

/// Product metrics come back as they were staged: all time first, then the months asked for, ascending, and products
/// ascending in each. A run replaces those of all time always, and of the months in its scope.
pub async fn product_metrics_come_back(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    assert_eq!(warehouse.product_metrics(DayRange::ALL).await.unwrap(), []);
    let largest = i128::from(AMOUNT_MINOR_MAX) * 9;
    let of = |month: Option<&str>, rows: &[ProductRow]| ProductMetrics { month: month.map(date), rows: rows.to_vec() };
    let rows = [
        metric("B", -5, Some(150_000)),
        metric("a", 2 * largest / 3, Some(largest)),
        metric("b", 0, Some(0)),
        metric("Ł", -largest, None),
    ];
    let months = [
        of(None, &rows),
        of(Some("1000-01-01"), &[metric("B", 1, None)]),
        of(Some("2026-02-01"), &[metric("B", 20_000, Some(3)), metric("a", 7, Some(7))]),
        of(Some("2026-03-01"), &[metric("a", 3, Some(4))]),
        of(Some("9999-12-01"), &[metric("a", 4, None)]),
    ];
    let staged = |metrics: &ProductMetrics| {
        let reversed = metrics.rows.iter().rev().cloned().collect();
        StagedRows::ProductMetrics { month: metrics.month, rows: reversed }
    };
    let all: Vec<StagedRows> = months.iter().rev().map(staged).collect();
    publish_with(warehouse, run_key(1), &Scope::full(), &[], all).await.unwrap();
    assert_eq!(warehouse.product_metrics(DayRange::ALL).await.unwrap(), months);
    let some = |places: &[usize]| places.iter().filter_map(|place| months.get(*place)).cloned().collect::<Vec<_>>();
    for (range, places) in [
        (days("2026-02-01", "2026-03-01"), vec![0, 2, 3]),
        (days("2026-02-02", "2026-03-31"), vec![0, 3]),
        (days("2026-02-02", "2026-02-28"), vec![0]),
        (DayRange::new(0, 0), vec![0]),
    ] {
        assert_eq!(warehouse.product_metrics(range).await.unwrap(), some(&places), "{range:?}");
    }
    // February lies in the scope and is not written.
    let february = scope_of(days("2026-02-01", "2026-02-28"), false);
    let all_time = of(None, &[metric("L", 9, Some(2))]);
    publish_with(warehouse, run_key(2), &february, &[], vec![staged(&all_time)]).await.unwrap();
    let left = [&[all_time], &some(&[1, 3, 4])[..]].concat();
    assert_eq!(warehouse.product_metrics(DayRange::ALL).await.unwrap(), left);
}

/// A scope without days.
fn scope_of(months: DayRange, agents: bool) -> Scope {
    Scope { days: DayRange::new(0, 0).into(), months: months.into(), agents }
}

fn agent(month: &str, agent: &str, net_minor: i128) -> AgentCell {
    AgentCell { month: date(month), agent: agent.to_owned(), figures: figures(net_minor) }
}

/// Figures of agents are replaced within the months of a run whose scope has agents, and left alone by any other.
pub async fn figures_of_agents_are_replaced_in_scope_only(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let pseudonym = "0123456789abcdef".repeat(4);
    let january = [agent("2026-01-01", &pseudonym, i128::from(AMOUNT_MINOR_MAX)), agent("2026-01-01", "withheld", 1)];
    let february = [agent("2026-02-01", &pseudonym, -7), agent("2026-02-01", UNASSIGNED, 0)];
    let staged = vec![
        StagedRows::AgentCells(february.to_vec()),
        StagedRows::AgentCells(vec![]),
        StagedRows::AgentCells(january.to_vec()),
    ];
    publish_with(warehouse, run_key(1), &Scope::full(), &[], staged).await.unwrap();
    let both = [january.clone(), february.clone()].concat();
    assert_eq!(warehouse.agent_cells(DayRange::ALL).await.unwrap(), both);
    assert_eq!(warehouse.agent_cells(days("2026-02-01", "2026-02-28")).await.unwrap(), february);
    assert_eq!(warehouse.agent_cells(days("2026-01-02", "2026-01-31")).await.unwrap(), []);
    assert_eq!(read(warehouse).await.sums, [], "they are no daily figures");

    let everything = Scope { agents: false, ..Scope::full() };
    publish(warehouse, run_key(2), &everything, &[("2026-01-01", 5)]).await.unwrap();
    assert_eq!(warehouse.agent_cells(DayRange::ALL).await.unwrap(), both, "out of scope");
    let of_january = scope_of(days("2026-01-01", "2026-01-31"), true);
    let other = vec![agent("2026-01-01", "withheld", 2)];
    publish_with(warehouse, run_key(3), &of_january, &[], vec![StagedRows::AgentCells(other.clone())]).await.unwrap();
    assert_eq!(warehouse.agent_cells(DayRange::ALL).await.unwrap(), [&other[..], &february[..]].concat());
    publish(warehouse, run_key(4), &Scope::full(), &[]).await.unwrap();
    assert_eq!(warehouse.agent_cells(DayRange::ALL).await.unwrap(), []);
}

/// Rows of months outside of the run's, rows that come twice, and figures of agents that the run does not replace are
/// invalid; so are targets of agents, from which one could tell who it is.
pub async fn rows_that_do_not_belong_are_refused(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let metrics =
        |month: &str| StagedRows::ProductMetrics { month: Some(date(month)), rows: vec![metric("L", 1, None)] };
    let agents = |month: &str| StagedRows::AgentCells(vec![agent(month, "withheld", 1)]);
    let target = PublishedTarget {
        product: None,
        scope: TargetScope::Agent(agent_code("AGT001")),
        period: Period::ALL,
        amount: rupees(1),
    };
    let twice = [StagedRows::AgentCells(vec![agent("2026-01-01", "a", 1), agent("2026-01-01", "a", 2)])];
    let outside = [metrics("2026-02-01"), metrics("2025-12-01"), agents("2026-02-01"), agents("2025-12-01")];
    let not_first = [metrics("2026-01-02"), agents("2026-01-02")];
    let faults = outside.into_iter().chain(not_first).chain(twice).chain([StagedRows::Targets(vec![target])]);
    let days_of_january = days("2026-01-01", "2026-01-31");
    let january = Scope { days: days_of_january.into(), ..scope_of(days_of_january, true) };
    for fault in faults {
        let mut stage = open(warehouse, run_key(1), &january).await;
        let error = stage.write(fault.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error} for {fault:?}");
        stage.discard().await.unwrap();
    }
    let of_day = |day: &str| StagedRows::Cells(cells(&[(day, 1)]));
    for (twice, agents_in_scope) in
        [(metrics("2026-01-01"), false), (agents("2026-01-01"), true), (of_day("2026-01-01"), false)]
    {
        let scope = Scope { agents: agents_in_scope, ..january.clone() };
        let mut stage = open(warehouse, run_key(1), &scope).await;
        stage.write(twice.clone()).await.unwrap();
        let error = stage.write(twice.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error} for {twice:?}");
        stage.discard().await.unwrap();
    }
    // Whatever the order of the others.
    let mut stage = open(warehouse, run_key(1), &january).await;
    for day in ["2026-01-03", "2026-01-02", "2026-01-04"] {
        stage.write(of_day(day)).await.unwrap();
    }
    for day in ["2026-01-03", "2026-01-02", "2026-01-04"] {
        let error = stage.write(of_day(day)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error} for {day}");
    }
    stage.discard().await.unwrap();
    let mut stage = open(warehouse, run_key(1), &Scope { agents: false, ..january.clone() }).await;
    let error = stage.write(agents("2026-01-01")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    // What belongs can still be staged.
    stage.write(metrics("2026-01-01")).await.unwrap();
    stage.publish(&control(&[]), &record(run_key(1))).await.unwrap();
    assert_eq!(warehouse.product_metrics(DayRange::ALL).await.unwrap().len(), 1);
}

/// Cells of many days are replaced within a scope of several ranges, and no other.
pub async fn a_scope_may_have_gaps(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let before: Vec<(String, i128)> = (1..=28).map(|day| (format!("2026-02-{day:02}"), i128::from(day))).collect();
    let before: Vec<(&str, i128)> = before.iter().map(|(day, net)| (day.as_str(), *net)).collect();
    publish(warehouse, run_key(1), &Scope::full(), &before).await.unwrap();
    let touched: Vec<BusinessDate> = ["2026-02-03", "2026-02-10", "2026-02-11", "2026-02-28"].map(date).to_vec();
    let ranges = touched.iter().map(|day| day.range()).collect();
    let scope = Scope { days: ranges, ..scope_of(DayRange::new(0, 0), false) };
    publish(warehouse, run_key(2), &scope, &[("2026-02-10", 1_000)]).await.unwrap();
    let expected: Vec<(&str, i128)> = before
        .into_iter()
        .filter(|(day, _)| *day == "2026-02-10" || !touched.contains(&date(day)))
        .map(|(day, net)| (day, if day == "2026-02-10" { 1_000 } else { net }))
        .collect();
    let mut expected = cells(&expected);
    expected.sort_unstable();
    assert_eq!(warehouse.cells(DayRange::ALL).await.unwrap(), expected);
    let zero = Figures::default();
    assert!(expected.iter().all(|cell| cell.figures != zero));
}

/// Whoever reads cells, frozen cells or metrics while runs are published sees those of one run.
pub async fn cells_are_those_of_one_run(warehouse: Arc<dyn Warehouse>) {
    const RUNS: u32 = 8;
    const DAY: &str = "2026-03-31";
    let march = Calendar::default().parse("2026-03").unwrap();
    let published = Arc::new(AtomicBool::new(false));
    let reader = {
        let (warehouse, published) = (Arc::clone(&warehouse), Arc::clone(&published));
        tokio::spawn(async move {
            // The last reading begins after the last run.
            loop {
                let last = published.load(Ordering::SeqCst);
                let found = warehouse.cells(DayRange::ALL).await.unwrap();
                let nets: Vec<i128> = found.iter().map(|cell| cell.figures.net.minor).collect();
                assert!(nets.is_empty() || nets.len() == 3, "all dimensions or none: {nets:?}");
                assert!(nets.windows(2).all(|pair| pair.first() == pair.last()), "of one run: {nets:?}");
                let metrics = warehouse.product_metrics(DayRange::ALL).await.unwrap();
                let totals: Vec<i128> =
                    metrics.iter().flat_map(|metrics| &metrics.rows).map(|row| row.total.minor).collect();
                assert!(totals.is_empty() || totals.len() == 2, "all time and the month, or none: {totals:?}");
                assert_eq!(totals.first(), totals.last(), "of one run");
                for closing in warehouse.closings().await.unwrap() {
                    let frozen = warehouse.closed_cells(closing.period, closing.closed_by.id).await.unwrap();
                    let net = i128::from(closing.closed_by.number);
                    assert_eq!(frozen.iter().map(|cell| cell.figures.net.minor).collect::<Vec<_>>(), [net; 3]);
                }
                if last {
                    return nets;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    for number in 1..=RUNS {
        let net = i128::from(number);
        let metrics = |month| StagedRows::ProductMetrics { month, rows: vec![metric("LIFE", net, None)] };
        let others =
            vec![metrics(None), metrics(Some(date("2026-03-01"))), StagedRows::Reopen(march), StagedRows::Close(march)];
        publish_with(warehouse.as_ref(), run_key(number), &Scope::full(), &[(DAY, net)], others).await.unwrap();
        tokio::task::yield_now().await;
    }
    published.store(true, Ordering::SeqCst);
    assert_eq!(reader.await.unwrap(), [i128::from(RUNS); 3]);
    assert_eq!(warehouse.closings().await.unwrap().len(), usize::try_from(RUNS).unwrap());
}
