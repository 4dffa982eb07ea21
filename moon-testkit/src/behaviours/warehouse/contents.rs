//! What a warehouse holds: exact sums, names, targets.

use std::sync::Arc;

use moon_core::{
    AMOUNT_MINOR_MAX, Calendar, Cell, ControlTotals, DayControl, DayRange, Dimension, ErrorKind, Figures, GroupSum,
    Period, PublishedTarget, Scope, StagedRows, Sum, TargetScope, UNASSIGNED, Warehouse,
};

use super::{
    branch_entry, cell, cells, control, figures, net, open, product_entry, publish, read, record, run_key, scope,
    team_entry,
};
use crate::builders::{branch_code, date, days, product_code, rupees, team_code};

/// Sums over any range, by group, on all bases, ascending by dimension and code.
pub async fn sums_are_those_of_the_days_asked_for(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let of_days = ["2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01"];
    let mut staged: Vec<Cell> = Vec::new();
    let mut plain: Vec<DayControl> = Vec::new();
    for (place, day) in (1..).zip(of_days) {
        for (dimension, codes) in Dimension::DAILY.into_iter().zip([["ALPHA", UNASSIGNED], ["B", "b"], ["L", "Ł"]]) {
            staged.extend(codes.into_iter().zip([1, -30]).map(|(code, net)| cell(dimension, day, code, net * place)));
        }
        plain.push(DayControl { day: date(day), figures: figures(place).plus(figures(-30 * place)).unwrap() });
    }
    let mut stage = open(warehouse, run_key(1), &Scope::full()).await;
    stage.write(StagedRows::Cells(staged)).await.unwrap();
    stage.publish(&ControlTotals { days: plain }, &record(run_key(1))).await.unwrap();

    let ranges = [
        (days("2026-01-01", "2026-01-31"), vec![2, 3]),
        (days("2025-12-31", "2025-12-31"), vec![1]),
        (DayRange::ALL, vec![1, 2, 3, 4]),
        (days("2026-02-02", "2026-12-31"), vec![]),
        (DayRange::new(20_000, 20_000), vec![]),
    ];
    for (range, places) in ranges {
        let mut expected = Vec::new();
        for (dimension, codes) in Dimension::DAILY.into_iter().zip([["ALPHA", UNASSIGNED], ["B", "b"], ["L", "Ł"]]) {
            for (code, net) in codes.into_iter().zip([1, -30]) {
                let sum = places.iter().map(|place| figures(net * place)).reduce(|sum, more| sum.plus(more).unwrap());
                expected.extend(sum.map(|figures| GroupSum { dimension, code: code.into(), figures }));
            }
        }
        assert_eq!(warehouse.read(range).await.unwrap().sums, expected, "{range:?}");
    }
}

/// Sums of the largest amounts leave 64 bits and stay exact, and the days at both ends of time are days like others.
pub async fn sums_are_exact_at_the_limits(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    // Nine of the largest amounts are what 64 bits hold.
    let most = i128::from(AMOUNT_MINOR_MAX) * 9;
    let of_days: Vec<(String, i128)> = ["1000-01-01", "9999-12-31"]
        .into_iter()
        .map(str::to_owned)
        .chain((1..=20).map(|day| format!("2026-03-{day:02}")))
        .zip([most, -most].into_iter().cycle())
        .collect();
    let mut of_days: Vec<(&str, i128)> = of_days.iter().map(|(day, net)| (day.as_str(), *net)).collect();
    of_days.sort_unstable();
    publish(warehouse, run_key(1), &Scope::full(), &of_days).await.unwrap();
    assert_eq!(net(warehouse, DayRange::ALL).await, Some(0));
    assert_eq!(net(warehouse, date("1000-01-01").range()).await, Some(most));
    assert_eq!(net(warehouse, date("9999-12-31").range()).await, Some(-most));

    let all_most: Vec<(&str, i128)> = of_days.iter().map(|(day, _)| (*day, most)).collect();
    publish(warehouse, run_key(2), &Scope::full(), &all_most).await.unwrap();
    assert_eq!(net(warehouse, DayRange::ALL).await, Some(22 * most), "beyond 64 bits");
    let all_least: Vec<(&str, i128)> = of_days.iter().map(|(day, _)| (*day, -most)).collect();
    publish(warehouse, run_key(3), &Scope::full(), &all_least).await.unwrap();
    assert_eq!(net(warehouse, DayRange::ALL).await, Some(-22 * most));
}

/// A day on which everything cancels out has a cell like any other.
pub async fn sums_of_nothing_are_kept(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let day = date("2026-03-01");
    let cells: Vec<Cell> = cells(&[("2026-03-01", 0)])
        .into_iter()
        .map(|cell| Cell { figures: Figures { gross: Sum::new(0, 1), ..Figures::default() }, ..cell })
        .collect();
    let control =
        ControlTotals { days: cells.iter().take(1).map(|cell| DayControl { day, figures: cell.figures }).collect() };
    let mut stage = open(warehouse, run_key(1), &Scope::full()).await;
    stage.write(StagedRows::Cells(cells)).await.unwrap();
    stage.publish(&control, &record(run_key(1))).await.unwrap();
    assert_eq!(net(warehouse, day.range()).await, Some(0));
}

/// Teams, branches, products and targets are replaced as a whole, whatever the scope; lists come back in order.
pub async fn names_and_targets_are_replaced(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let march = Calendar::default().parse("2026-03").unwrap();
    let target = |product: Option<&str>, scope: TargetScope, period: Period, units: i64| PublishedTarget {
        product: product.map(product_code),
        scope,
        period,
        amount: rupees(units),
    };
    let mut targets = vec![
        target(Some("MOTOR"), TargetScope::Ledger, march, 2),
        target(Some("LIFE"), TargetScope::Branch(branch_code("KANDY")), Period::ALL, 0),
        target(Some("LIFE"), TargetScope::Team(team_code("ALPHA")), Calendar::default().parse("2026-Q1").unwrap(), 4),
        target(None, TargetScope::Ledger, Calendar::default().parse("2026").unwrap(), 5),
    ];
    let mut stage = open(warehouse, run_key(1), &Scope::full()).await;
    // In parts, and not in order.
    for rows in [
        StagedRows::Teams(vec![team_entry("b", "Second"), team_entry("B", "First")]),
        StagedRows::Targets(targets.clone()),
        StagedRows::Branches(vec![branch_entry("KANDY", Some("Central"))]),
        StagedRows::Products(vec![product_entry("MOTOR", Some("vehicle"))]),
        StagedRows::Teams(vec![team_entry("Ł", "Łódź 😀")]),
        StagedRows::Branches(vec![branch_entry("COLOMBO", None)]),
        StagedRows::Products(vec![product_entry("LIFE", None)]),
    ] {
        stage.write(rows).await.unwrap();
    }
    stage.publish(&ControlTotals::default(), &record(run_key(1))).await.unwrap();
    targets.sort_unstable();
    let published = read(warehouse).await;
    assert_eq!(published.teams, [team_entry("B", "First"), team_entry("b", "Second"), team_entry("Ł", "Łódź 😀")]);
    assert_eq!(published.branches, [branch_entry("COLOMBO", None), branch_entry("KANDY", Some("Central"))]);
    assert_eq!(published.products, [product_entry("LIFE", None), product_entry("MOTOR", Some("vehicle"))]);
    assert_eq!(published.targets, targets);

    // Another run brings one of each; its scope of days has nothing to do with it.
    let mut stage = open(warehouse, run_key(2), &scope(DayRange::new(0, 0))).await;
    stage.write(StagedRows::Teams(vec![team_entry("B", "Renamed")])).await.unwrap();
    stage.write(StagedRows::Branches(vec![branch_entry("KANDY", Some("Hills"))])).await.unwrap();
    stage.write(StagedRows::Products(vec![product_entry("LIFE", Some("life"))])).await.unwrap();
    stage.write(StagedRows::Targets(targets.iter().take(1).cloned().collect())).await.unwrap();
    stage.publish(&ControlTotals::default(), &record(run_key(2))).await.unwrap();
    let published = read(warehouse).await;
    assert_eq!(published.teams, [team_entry("B", "Renamed")]);
    assert_eq!(published.branches, [branch_entry("KANDY", Some("Hills"))]);
    assert_eq!(published.products, [product_entry("LIFE", Some("life"))]);
    assert_eq!(published.targets, targets.get(..1).unwrap());
}

/// Cells of other days than the run's, and second cells of the same group and day, are invalid; so are those of agents.
pub async fn cells_that_do_not_belong_are_refused(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let range = days("2026-03-02", "2026-03-03");
    let faults: [Vec<Cell>; 5] = [
        cells(&[("2026-03-01", 1)]),
        cells(&[("2026-03-04", 1)]),
        cells(&[("2026-03-03", 1), ("2026-03-03", 1)]),
        cells(&[("2026-03-02", 1)]),
        vec![cell(Dimension::Agent, "2026-03-03", "AGT001", 1)],
    ];
    for fault in faults {
        let mut stage = open(warehouse, run_key(1), &scope(range)).await;
        stage.write(StagedRows::Cells(cells(&[("2026-03-02", 1)]))).await.unwrap();
        let error = stage.write(StagedRows::Cells(fault.clone())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error} for {fault:?}");
        stage.discard().await.unwrap();
    }
    let mut stage = open(warehouse, run_key(1), &scope(range)).await;
    stage.write(StagedRows::Cells(cells(&[("2026-03-02", 1)]))).await.unwrap();
    stage.publish(&control(&[("2026-03-02", 1)]), &record(run_key(1))).await.unwrap();
    assert_eq!(net(warehouse, DayRange::ALL).await, Some(1));
}
