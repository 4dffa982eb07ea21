//! What `verify` shows.

use moon_aggregate::{Aggregation, Difference, Found, Verification, VerifyOptions};
use moon_core::{BusinessDate, Currency, Error, ErrorKind, ProductRow, Result};
use moon_settings::{HINT, SettingsArgs};
use serde_json::{Value, json};

use crate::args::{Format, VerifyArgs};
use crate::grid::{Align, Grid};
use crate::output::{amount, csv_line, figures, line, number, plain, print, run_key};
use crate::progress::{Console, say};
use crate::wiring;

/// Compares everything with the source.
pub(crate) async fn verify(settings: &SettingsArgs, args: &VerifyArgs) -> Result<()> {
    let settings = wiring::settings(settings)?;
    let aggregation = wiring::open(&settings).await?;
    let options = VerifyOptions { path: args.path.into(), differences_max: args.limit };
    let found = checked(&aggregation, &options).await?;
    let currency = aggregation.ledger().settings().currency;
    print(&match args.format.format {
        Format::Table => table(&found, currency),
        Format::Json => line(&document(&found, currency)),
        Format::Csv => csv(&found, currency),
    })?;
    verdict(&found)
}

/// Verifies, and says how it goes.
pub(crate) async fn checked(aggregation: &Aggregation, options: &VerifyOptions) -> Result<Verification> {
    let console = Console::new();
    let found = aggregation.verify(options, &console).await;
    console.clear();
    let found = found?;
    say(&format!("{} postings read, {} daily figures compared", number(found.rows_read), number(found.cells)));
    Ok(found)
}

/// # Errors
/// `Corrupt` when something differs that no change explains.
pub(crate) fn verdict(found: &Verification) -> Result<()> {
    if found.is_right() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Corrupt, "what is published differs from the source, and no change explains it")
        .with("differences", found.wrong)
        .with(HINT, "run --full brings it in order; find out who writes past the library"))
}

fn table(found: &Verification, currency: Currency) -> String {
    let mut out = match &found.run {
        Some(record) => format!("Published by run {} at {}\n", record.key.id, record.finished_at),
        None => "Nothing was published yet\n".to_owned(),
    };
    if found.wrong == 0 && found.pending == 0 {
        out.push_str("Every figure, name and target is as the source has it\n");
        return out;
    }
    let mut grid = Grid::new(vec![
        ("What", Align::Left),
        ("When", Align::Left),
        ("Code", Align::Left),
        ("Published", Align::Right),
        ("Source", Align::Right),
        ("Verdict", Align::Left),
    ]);
    for Found { difference, pending } in &found.differences {
        let [what, when, code, published, source] = words(difference, &|minor| amount(minor, currency));
        let verdict = if *pending { "waits for the next run" } else { "wrong" };
        grid.push(vec![what, when, code, published, source, verdict.to_owned()]);
    }
    grid.write(&mut out);
    let listed = u64::try_from(found.differences.len()).unwrap_or(u64::MAX);
    if let Some(more) = found.wrong.saturating_add(found.pending).checked_sub(listed).filter(|more| *more > 0) {
        out.push_str(&format!("and {} more\n", number(more)));
    }
    out.push_str(&format!("{} wrong; {} wait for the next run\n", number(found.wrong), number(found.pending)));
    out
}

/// What, when, code, and the figure that tells best on both sides.
fn words(difference: &Difference, amount: &dyn Fn(i128) -> String) -> [String; 5] {
    match difference {
        Difference::Cell(cell) => {
            let differing = moon_core::Basis::EVERY.into_iter().rev();
            let basis = differing.fold(moon_core::Basis::Net, |found, basis| {
                if cell.before.of(found) == cell.after.of(found) { basis } else { found }
            });
            let sum = |sum: moon_core::Sum| format!("{} ({})", amount(sum.minor), sum.count);
            let what = format!("{}, {}", cell.dimension.name(), basis.name());
            let (published, source) = (sum(cell.before.of(basis)), sum(cell.after.of(basis)));
            [what, cell.day.to_string(), cell.code.to_string(), published, source]
        }
        Difference::ProductMetrics { month, product, warehouse, source } => {
            let row = |row: &Option<Box<ProductRow>>| match row {
                None => "no row".to_owned(),
                Some(row) => {
                    let target = row.target_minor.map_or("no target".to_owned(), amount);
                    format!("{} ({}) of {target}", amount(row.total.minor), row.total.count)
                }
            };
            ["target against sales".to_owned(), when(*month), product.to_string(), row(warehouse), row(source)]
        }
        Difference::Entry { table, key, warehouse, source } => {
            let row = |row: &Option<Value>| row.as_ref().map_or("no row".to_owned(), ToString::to_string);
            [(*table).to_owned(), String::new(), key.clone(), row(warehouse), row(source)]
        }
    }
}

fn when(month: Option<BusinessDate>) -> String {
    month.map_or("all".to_owned(), |month| month.to_string().chars().take(7).collect())
}

/// What was found, as a document.
fn document(found: &Verification, currency: Currency) -> Value {
    let differences = found.differences.iter().map(|found| {
        let mut document = difference_document(&found.difference, currency);
        if let Some(fields) = document.as_object_mut() {
            fields.insert("pending".to_owned(), found.pending.into());
        }
        document
    });
    json!({
        "run": found.run.as_ref().map(|record| run_key(&record.key)),
        "currency": currency.code(),
        "rows_read": found.rows_read,
        "cells": found.cells,
        "wrong": found.wrong,
        "pending": found.pending,
        "differences": differences.collect::<Vec<_>>(),
    })
}

fn difference_document(difference: &Difference, currency: Currency) -> Value {
    match difference {
        Difference::Cell(cell) => json!({
            "kind": "cell",
            "dimension": cell.dimension.name(),
            "day": cell.day.to_string(),
            "code": &*cell.code,
            "warehouse": figures(&cell.before, currency),
            "source": figures(&cell.after, currency),
        }),
        Difference::ProductMetrics { month, product, warehouse, source } => {
            let row = |row: &Option<Box<ProductRow>>| {
                row.as_ref().map(|row| {
                    json!({
                        "product_name": &*row.product_name,
                        "target_amount": row.target_minor.map(|minor| plain(minor, currency)),
                        "total_sales": plain(row.total.minor, currency),
                        "sale_count": row.total.count,
                        "status": row.status.name(),
                        "complete": row.complete,
                        "coverage": row.coverage.name(),
                    })
                })
            };
            json!({
                "kind": "product_metrics",
                "period": when(*month),
                "product": &**product,
                "warehouse": row(warehouse),
                "source": row(source),
            })
        }
        Difference::Entry { table, key, warehouse, source } => {
            json!({ "kind": table, "key": key, "warehouse": warehouse, "source": source })
        }
    }
}

fn csv(found: &Verification, currency: Currency) -> String {
    let mut out = String::new();
    csv_line(&mut out, &["what", "when", "code", "warehouse", "source", "pending"]);
    for Found { difference, pending } in &found.differences {
        let [what, when, code, published, source] = words(difference, &|minor| plain(minor, currency));
        csv_line(&mut out, &[&what, &when, &code, &published, &source, &pending.to_string()]);
    }
    out
}
