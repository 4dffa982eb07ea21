//! What every warehouse must do, by part. Each behaviour starts from an empty warehouse.

pub mod closing;
pub mod contents;
pub mod publishing;
pub mod reading;
pub mod runs;
pub mod wording;

use std::collections::BTreeMap;

use moon_core::{
    BranchEntry, Cell, ControlTotals, DayControl, DayRange, Dimension, Figures, Opening, ProductEntry, Published,
    Receipt, Result, RunKey, RunKind, RunOutcome, RunRecord, Scope, StagedRows, StagedRun, Sum, TeamEntry, Warehouse,
};
use uuid::Uuid;

use crate::builders::{branch_code, date, days, noon, product_code, team_code, text};

/// The run of this number in the first epoch.
fn run_key(number: u32) -> RunKey {
    RunKey { epoch: 1, number: number.into(), id: Uuid::from_u128(number.into()) }
}

fn record(key: RunKey) -> RunRecord {
    RunRecord {
        key,
        kind: RunKind::Full,
        days: days("2026-03-01", "2026-03-31"),
        started_at: noon("2026-04-01"),
        finished_at: noon("2026-04-02"),
        rows_read: 3,
        control: figures(300),
        last_arrivals: BTreeMap::from([("core".to_owned(), noon("2026-03-31"))]),
        outcome: RunOutcome::Published,
        error: None,
        manifest: moon_core::Manifest::default(),
    }
}

/// The record of a run that was stopped.
fn stopped(key: RunKey, outcome: RunOutcome, error: &str) -> RunRecord {
    RunRecord { outcome, error: Some(error.to_owned()), ..record(key) }
}

/// Another sum for each basis, so that none can stand for another.
fn figures(net_minor: i128) -> Figures {
    Figures { net: Sum::new(net_minor, 1), gross: Sum::new(net_minor + 10, 2), activity: Sum::new(net_minor - 20, -3) }
}

fn cell(dimension: Dimension, day: &str, code: &str, net_minor: i128) -> Cell {
    Cell { dimension, day: date(day), code: code.into(), figures: figures(net_minor) }
}

/// A cell of each dimension for each (day, net minor units).
fn cells(of_days: &[(&str, i128)]) -> Vec<Cell> {
    let groups = [(Dimension::Team, "ALPHA"), (Dimension::Branch, "COLOMBO"), (Dimension::Product, "LIFE")];
    let of_day = |(day, net): &(&str, i128)| groups.map(|(dimension, code)| cell(dimension, day, code, *net));
    of_days.iter().flat_map(of_day).collect()
}

/// The same in the order in which they come back.
fn sorted(of_days: &[(&str, i128)]) -> Vec<Cell> {
    let mut cells = cells(of_days);
    cells.sort_unstable();
    cells
}

/// The plain sums that belong to [`cells`].
fn control(of_days: &[(&str, i128)]) -> ControlTotals {
    let day = |(day, net): &(&str, i128)| DayControl { day: date(day), figures: figures(*net) };
    ControlTotals { days: of_days.iter().map(day).collect() }
}

/// A scope of some days without months.
fn scope(range: DayRange) -> Scope {
    Scope { days: range.into(), months: DayRange::new(0, 0).into(), agents: false }
}

async fn open(warehouse: &dyn Warehouse, key: RunKey, scope: &Scope) -> Box<dyn StagedRun> {
    let opening = warehouse.open(&key, scope).await.unwrap();
    let Opening::Staged(stage) = opening else { unreachable!("{key:?} was not published, but {opening:?}") };
    stage
}

/// Publishes these days and nothing beside them.
async fn publish(warehouse: &dyn Warehouse, key: RunKey, scope: &Scope, of_days: &[(&str, i128)]) -> Result<Receipt> {
    publish_with(warehouse, key, scope, of_days, Vec::new()).await
}

/// Publishes these days and other rows.
async fn publish_with(
    warehouse: &dyn Warehouse,
    key: RunKey,
    scope: &Scope,
    of_days: &[(&str, i128)],
    others: Vec<StagedRows>,
) -> Result<Receipt> {
    let mut stage = open(warehouse, key, scope).await;
    for rows in others {
        stage.write(rows).await?;
    }
    stage.write(StagedRows::Cells(cells(of_days))).await?;
    stage.publish(&control(of_days), &record(key)).await
}

async fn read(warehouse: &dyn Warehouse) -> Published {
    warehouse.read(DayRange::ALL).await.unwrap()
}

/// The net sums of the groups of a dimension over some days, ascending by code.
async fn nets(warehouse: &dyn Warehouse, dimension: Dimension, range: DayRange) -> Vec<(String, i128)> {
    let sums = warehouse.read(range).await.unwrap().sums.into_iter();
    let wanted = sums.filter(|sum| sum.dimension == dimension);
    wanted.map(|sum| (sum.code.to_string(), sum.figures.net.minor)).collect()
}

/// One net sum that all three dimensions agree on; `None` when none has a group.
async fn net(warehouse: &dyn Warehouse, range: DayRange) -> Option<i128> {
    let mut found = Vec::new();
    for dimension in Dimension::DAILY {
        found
            .push(nets(warehouse, dimension, range).await.into_iter().map(|(_, net)| net).reduce(|sum, net| sum + net));
    }
    assert!(found.windows(2).all(|pair| pair.first() == pair.last()), "dimensions differ: {found:?}");
    found.pop().flatten()
}

fn team_entry(code: &str, name: &str) -> TeamEntry {
    TeamEntry { code: team_code(code), name: text(name) }
}

fn branch_entry(code: &str, region: Option<&str>) -> BranchEntry {
    BranchEntry { code: branch_code(code), name: text(&format!("Branch {code}")), region: region.map(text) }
}

fn product_entry(code: &str, line: Option<&str>) -> ProductEntry {
    ProductEntry { code: product_code(code), name: text(&format!("Product {code}")), line: line.map(text) }
}
