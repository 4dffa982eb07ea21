//! What `run --dry-run` shows.

use moon_aggregate::{Aggregation, CellChange, Changes, RunCommand};
use moon_core::{Currency, DaySet, Result};
use serde_json::{Value, json};

use crate::args::Format;
use crate::grid::{Align, Grid};
use crate::output::{amount, change, csv_line, days, figure_columns, figure_fields, figures, line, number, print};
use crate::progress::{Console, say};

/// How many cells a table shows.
const CELLS_SHOWN: usize = 100;

/// Shows what a run would change.
pub(crate) async fn show(aggregation: &Aggregation, command: &RunCommand, format: Format) -> Result<()> {
    let console = Console::of_run(aggregation, command).await;
    let changes = aggregation.preview(command, &console).await;
    console.clear();
    let changes = changes?;
    let currency = aggregation.ledger().settings().currency;
    say("nothing was written");
    print(&match format {
        Format::Table => table(&changes, currency),
        Format::Json => line(&document(&changes, currency)),
        Format::Csv => csv(&changes.cells, currency),
    })
}

fn table(changes: &Changes, currency: Currency) -> String {
    let (kind, read) = (changes.kind.name(), number(changes.rows_read));
    let mut out = format!("The run would be {kind}: {} days, {read} postings\n", whole(&changes.days));
    if changes.is_empty() {
        out.push_str("No figure would change\n");
        return out;
    }
    let mut grid = Grid::new(vec![
        ("Group", Align::Left),
        ("Code", Align::Left),
        ("Day", Align::Left),
        ("Net before", Align::Right),
        ("Net after", Align::Right),
        ("Change", Align::Right),
        ("Sales", Align::Right),
    ]);
    for cell in changes.cells.iter().take(CELLS_SHOWN) {
        let (before, after) = (cell.before.net, cell.after.net);
        grid.push(vec![
            cell.dimension.name().to_owned(),
            cell.code.to_string(),
            cell.day.to_string(),
            amount(before.minor, currency),
            amount(after.minor, currency),
            change(before.minor, after.minor, currency),
            number(after.count.saturating_sub(before.count)),
        ]);
    }
    if !changes.cells.is_empty() {
        grid.write(&mut out);
    }
    if let Some(more) = changes.cells.len().checked_sub(CELLS_SHOWN).filter(|more| *more > 0) {
        out.push_str(&format!("and {} more; --format json or csv has all of them\n", number(more)));
    }
    let metrics: usize = changes.product_metrics.iter().map(|metrics| metrics.rows.len().max(1)).sum();
    if metrics > 0 {
        out.push_str(&format!("{} tables of targets against sales would change\n", changes.product_metrics.len()));
    }
    if !changes.agent_months.is_empty() {
        out.push_str(&format!("Figures of agents would change in {} months\n", changes.agent_months.len()));
    }
    if changes.dimensions {
        out.push_str("Names, regions, lines or targets would change\n");
    }
    out
}

fn whole(days: &DaySet) -> String {
    if *days == DaySet::all() { "all".to_owned() } else { number(days.len()) }
}

fn document(changes: &Changes, currency: Currency) -> Value {
    let ranges = if changes.days == DaySet::all() {
        Value::from("all")
    } else {
        changes.days.ranges().iter().map(|range| days(*range)).collect()
    };
    let months = changes.product_metrics.iter();
    let months: Vec<Value> =
        months.map(|metrics| metrics.month.map_or(Value::from("all"), |month| month.to_string().into())).collect();
    json!({
        "kind": changes.kind.name(),
        "days": ranges,
        "rows_read": changes.rows_read,
        "cells": changes.cells.iter().map(|cell| cell_document(cell, currency)).collect::<Vec<_>>(),
        "product_metrics": months,
        "agent_months": changes.agent_months.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "names_or_targets": changes.dimensions,
    })
}

/// A changed cell as a document.
pub(crate) fn cell_document(cell: &CellChange, currency: Currency) -> Value {
    json!({
        "dimension": cell.dimension.name(),
        "day": cell.day.to_string(),
        "code": &*cell.code,
        "before": figures(&cell.before, currency),
        "after": figures(&cell.after, currency),
    })
}

fn csv(cells: &[CellChange], currency: Currency) -> String {
    let mut out = String::new();
    let (before, after) = (figure_columns("before"), figure_columns("after"));
    let columns = ["dimension", "day", "code"].into_iter();
    let columns: Vec<&str> = columns.chain(before.iter().chain(&after).map(String::as_str)).collect();
    csv_line(&mut out, &columns);
    for cell in cells {
        let day = cell.day.to_string();
        let (before, after) = (figure_fields(&cell.before, currency), figure_fields(&cell.after, currency));
        let key = [cell.dimension.name(), &day, &cell.code].into_iter();
        let fields: Vec<&str> = key.chain(before.iter().chain(&after).map(String::as_str)).collect();
        csv_line(&mut out, &fields);
    }
    out
}
