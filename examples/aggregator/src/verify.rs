//! What `verify` shows.

use moon_aggregate::{Aggregation, Difference, Found, Verification, VerifyOptions};
use moon_core::{
    Basis, BusinessDate, Calendar, Currency, DayRange, Error, ErrorKind, Figures, LedgerSettings, ProductRow, Result,
    Sum,
};
use moon_settings::{HINT, SettingsArgs};
use serde_json::{Value, json};

use crate::args::{Format, VerifyArgs};
use crate::grid::{Align, Grid};
use crate::output::{amount, csv_line, days, figures, line, number, plain, print, run_key};
use crate::progress::{Console, say};
use crate::wiring;

/// Compares everything with the source.
pub(crate) async fn verify(settings: &SettingsArgs, args: &VerifyArgs) -> Result<()> {
    let settings = wiring::settings(settings)?;
    let aggregation = wiring::read(&settings).await?;
    let options = VerifyOptions { path: args.path.into(), differences_max: args.limit };
    let found = checked(&aggregation, &options).await?;
    let LedgerSettings { calendar, currency, .. } = *aggregation.ledger().settings();
    print(&match args.format.format {
        Format::Table => table(&found, currency),
        Format::Json => line(&document(&found, calendar, currency)),
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
        .with(HINT, "run --full brings figures in order, closing a period anew what was frozen; find out who writes past the library"))
}

fn table(found: &Verification, currency: Currency) -> String {
    let mut out = match &found.run {
        Some(record) => format!("Published by run {} at {}\n", record.key.id, record.finished_at),
        None => "Nothing was published yet\n".to_owned(),
    };
    if !found.agents_compared {
        out.push_str("Figures of agents were not compared: they were published under another key\n");
    }
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
            let (basis, published, source) = sums(&cell.before, &cell.after, amount);
            let what = format!("{}, {basis}", cell.dimension.name());
            [what, cell.day.to_string(), cell.code.to_string(), published, source]
        }
        Difference::Agent { month, agent, warehouse, source } => {
            let (basis, published, source) = sums(warehouse, source, amount);
            [format!("agent, {basis}"), when(Some(*month)), agent.clone(), published, source]
        }
        Difference::Closed(closed) => {
            let (basis, published, source) = sums(&closed.found, &closed.expected, amount);
            let since = closed.run.map_or(String::new(), |run| format!(" up to run {}", run.number));
            let what = format!("{} against its closing{since}, {basis}", closed.dimension.name());
            [what, closed.day.to_string(), closed.code.to_string(), published, source]
        }
        Difference::Manifest(manifest) => {
            let cells = |(cells, hash): &(u64, String)| {
                format!("{} of hash {}", number(*cells), hash.chars().take(HASH_DIGITS).collect::<String>())
            };
            let what = format!("figures as run {} published them", manifest.run.number);
            let days = match manifest.days.first().zip(manifest.days.last()) {
                Some(_) if manifest.days == DayRange::ALL => "all".to_owned(),
                Some((first, last)) => format!("{first} to {last}"),
                None => String::new(),
            };
            [what, days, String::new(), cells(&manifest.found), cells(&manifest.published)]
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

/// How many digits of a hash tell a person that it is another one.
const HASH_DIGITS: usize = 12;

/// The first basis on which figures differ, and their sums on it.
fn sums(before: &Figures, after: &Figures, amount: &dyn Fn(i128) -> String) -> (&'static str, String, String) {
    let differing = Basis::EVERY.into_iter().rev();
    let basis =
        differing.fold(Basis::Net, |found, basis| if before.of(found) == after.of(found) { basis } else { found });
    let sum = |sum: Sum| format!("{} ({})", amount(sum.minor), sum.count);
    (basis.name(), sum(before.of(basis)), sum(after.of(basis)))
}

fn when(month: Option<BusinessDate>) -> String {
    month.map_or("all".to_owned(), |month| month.to_string().chars().take(7).collect())
}

/// What was found, as a document.
fn document(found: &Verification, calendar: Calendar, currency: Currency) -> Value {
    let differences = found.differences.iter().map(|found| {
        let mut document = difference_document(&found.difference, calendar, currency);
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
        "agents_compared": found.agents_compared,
        "wrong": found.wrong,
        "pending": found.pending,
        "differences": differences.collect::<Vec<_>>(),
    })
}

fn difference_document(difference: &Difference, calendar: Calendar, currency: Currency) -> Value {
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
        Difference::Agent { month, agent, warehouse, source } => json!({
            "kind": "agent",
            "month": when(Some(*month)),
            "agent": agent,
            "warehouse": figures(warehouse, currency),
            "source": figures(source, currency),
        }),
        Difference::Closed(closed) => json!({
            "kind": "closed",
            "period": calendar.label(closed.period),
            "restated_by": closed.run.as_ref().map(run_key),
            "dimension": closed.dimension.name(),
            "day": closed.day.to_string(),
            "code": &*closed.code,
            "found": figures(&closed.found, currency),
            "expected": figures(&closed.expected, currency),
        }),
        Difference::Manifest(manifest) => json!({
            "kind": "manifest",
            "run": run_key(&manifest.run),
            "days": days(manifest.days),
            "found": { "cells": manifest.found.0, "cells_hash": manifest.found.1 },
            "expected": { "cells": manifest.published.0, "cells_hash": manifest.published.1 },
        }),
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
