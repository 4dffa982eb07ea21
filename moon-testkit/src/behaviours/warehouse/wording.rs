//! Texts that databases like to change, in what is published and in the records of runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use moon_core::{
    BranchEntry, Calendar, Cell, ControlTotals, Coverage, DayControl, DayRange, Dimension, Figures, Period,
    ProductEntry, ProductMetrics, ProductRow, PublishedTarget, Restatement, RunOutcome, Scope, StagedRows, Sum,
    TargetScope, TargetStatus, TeamEntry, Warehouse,
};

use super::super::texts::{codes, free, names};
use super::{cell, figures, open, read, record, run_key, stopped};
use crate::builders::{branch_code, date, noon, product_code, rupees, team_code, text};

const DAY: &str = "2026-03-01";

/// A longer error may be cut.
const ERROR_CHARS: usize = 4_000;

/// Every code with itself as its name, and every name under some code.
fn entries() -> Vec<(String, String)> {
    let codes = codes().into_iter().map(|code| (code.clone(), code));
    let names = names().into_iter().enumerate().map(|(number, name)| (format!("named {number:03}"), name));
    let mut entries: Vec<_> = codes.chain(names).collect();
    entries.sort_unstable();
    entries
}

/// Codes are told apart and ordered byte by byte, names, regions and lines kept as they are: in lists, targets, cells, sums,
/// product metrics, frozen figures and restatements.
pub async fn codes_and_names_are_kept_as_they_are(warehouse: Arc<dyn Warehouse>) {
    let warehouse = warehouse.as_ref();
    let entries = entries();
    let teams: Vec<_> =
        entries.iter().map(|(code, name)| TeamEntry { code: team_code(code), name: text(name) }).collect();
    let branches: Vec<_> = entries
        .iter()
        .map(|(code, name)| BranchEntry { code: branch_code(code), name: text(name), region: Some(text(name)) })
        .collect();
    let products: Vec<_> = entries
        .iter()
        .map(|(code, name)| ProductEntry { code: product_code(code), name: text(name), line: Some(text(name)) })
        .collect();
    let mut targets: Vec<_> = entries.iter().flat_map(|(code, _)| targets(code)).collect();
    let metrics = ProductMetrics { month: None, rows: entries.iter().map(|(code, name)| metric(code, name)).collect() };
    let mut cells: Vec<Cell> = Vec::new();
    let mut total = Figures::default();
    for ((code, _), net) in entries.iter().zip(1..) {
        cells.extend(Dimension::DAILY.map(|dimension| cell(dimension, DAY, code, net)));
        total = total.plus(figures(net)).unwrap();
    }
    let march = Calendar::default().parse("2026-03").unwrap();
    let mut stage = open(warehouse, run_key(1), &Scope::full()).await;
    for rows in [
        StagedRows::Teams(teams.clone()),
        StagedRows::Branches(branches.clone()),
        StagedRows::Products(products.clone()),
        StagedRows::Targets(targets.clone()),
        StagedRows::ProductMetrics { month: None, rows: metrics.rows.clone() },
        StagedRows::Cells(cells.clone()),
        StagedRows::Close(march),
    ] {
        stage.write(rows).await.unwrap();
    }
    let control = ControlTotals { days: vec![DayControl { day: date(DAY), figures: total }] };
    stage.publish(&control, &record(run_key(1))).await.unwrap();

    let published = read(warehouse).await;
    assert_eq!(published.teams, teams);
    assert_eq!(published.branches, branches);
    assert_eq!(published.products, products);
    targets.sort_unstable();
    assert_eq!(published.targets, targets);
    cells.sort_unstable();
    let sums: Vec<_> = published.sums.iter().map(|sum| (sum.dimension, &*sum.code, sum.figures)).collect();
    assert_eq!(sums, cells.iter().map(|cell| (cell.dimension, &*cell.code, cell.figures)).collect::<Vec<_>>());
    assert_eq!(warehouse.cells(DayRange::ALL).await.unwrap(), cells);
    assert_eq!(warehouse.product_metrics(DayRange::ALL).await.unwrap(), [metrics]);
    assert_eq!(warehouse.closed_cells(march, run_key(1).id).await.unwrap(), cells, "frozen");

    // All of it vanishes again, which is told of the closed period.
    let restated: Vec<_> = cells.iter().map(vanished).collect();
    let mut stage = open(warehouse, run_key(2), &Scope::full()).await;
    stage.write(StagedRows::Restatements(restated.clone())).await.unwrap();
    stage.publish(&ControlTotals::default(), &record(run_key(2))).await.unwrap();
    assert_eq!(warehouse.restatements(DayRange::ALL).await.unwrap(), restated);
    assert_eq!(read(warehouse).await.teams, []);
}

/// A target of the product, one of the branch and one of the team of this code.
fn targets(code: &str) -> [PublishedTarget; 3] {
    let target = |product, scope| PublishedTarget { product, scope, period: Period::ALL, amount: rupees(1) };
    [
        target(Some(product_code(code)), TargetScope::Ledger),
        target(None, TargetScope::Branch(branch_code(code))),
        target(None, TargetScope::Team(team_code(code))),
    ]
}

fn metric(code: &str, name: &str) -> ProductRow {
    ProductRow {
        product: code.into(),
        product_name: name.into(),
        target_minor: None,
        total: Sum::new(1, 1),
        variance_minor: None,
        attainment: None,
        status: TargetStatus::NoTarget,
        complete: false,
        coverage: Coverage::Partial,
        year_before: None,
    }
}

fn vanished(cell: &Cell) -> Restatement {
    let (run, code) = (run_key(2), Arc::clone(&cell.code));
    let (dimension, day) = (cell.dimension, cell.day);
    Restatement { run, dimension, day, code, before: cell.figures, after: Figures::default() }
}

/// The record of a run keeps its error, up to 4,000 characters, and the names of its sources as they are.
pub async fn records_of_runs_keep_any_text(warehouse: Arc<dyn Warehouse>) {
    let mut texts = free();
    texts.push("'; DROP 😀\n".repeat(ERROR_CHARS / 10));
    let mut kept = Vec::new();
    for (content, number) in texts.iter().zip(1..) {
        let mut run = stopped(run_key(number), RunOutcome::Failed, content);
        let source: String = content.chars().take(200).collect();
        run.last_arrivals = BTreeMap::from([(source, noon("2026-03-31"))]);
        warehouse.record(&run).await.unwrap();
        assert_eq!(warehouse.runs(1).await.unwrap(), std::slice::from_ref(&run), "{content:?}");
        kept.push(run);
    }
    kept.reverse();
    let all = u32::try_from(kept.len()).unwrap();
    assert!(warehouse.runs(all).await.unwrap() == kept, "all together");

    let longer = "é".repeat(100_000);
    warehouse.record(&stopped(run_key(all + 1), RunOutcome::Failed, &longer)).await.unwrap();
    let error = warehouse.runs(1).await.unwrap().pop().and_then(|run| run.error).unwrap();
    assert!(longer.starts_with(&error) && error.chars().count() >= ERROR_CHARS, "{} bytes are left", error.len());
}
