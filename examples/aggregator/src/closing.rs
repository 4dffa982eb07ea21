//! Closing periods, opening them again, and comparing what was reported with what is.

use moon_aggregate::{Comparison, Reason, RunCommand};
use moon_core::{Closing, Currency, Error, ErrorKind, Period, Result};
use moon_settings::SettingsArgs;
use serde_json::{Value, json};

use crate::args::{ClosingArgs, CompareArgs, Format};
use crate::grid::{Align, Grid};
use crate::output::{
    amount, change, csv_line, figure_columns, figure_fields, figures, instant, line, number, print, run_key, run_record,
};
use crate::progress::{Console, say};
use crate::{epoch, job, wiring};

/// Closes a period with a run that brings its figures up to date first.
pub(crate) async fn close(settings: &SettingsArgs, args: &ClosingArgs) -> Result<()> {
    change_closing(settings, args, true).await
}

/// Opens a period again.
pub(crate) async fn reopen(settings: &SettingsArgs, args: &ClosingArgs) -> Result<()> {
    change_closing(settings, args, false).await
}

async fn change_closing(settings: &SettingsArgs, args: &ClosingArgs, close: bool) -> Result<()> {
    let settings = wiring::settings(settings)?;
    wiring::check_period("PERIOD", &args.period)?;
    let aggregation = wiring::open(&settings).await?;
    let period = wiring::period(aggregation.ledger().settings().calendar, "PERIOD", &args.period)?;
    let standing = async || -> Result<Option<Closing>> {
        let closings = aggregation.warehouse().closings().await?;
        Ok(closings.into_iter().rev().find(|closing| closing.period == period && closing.is_standing()))
    };
    let before = standing().await?;
    if !close && before.is_none() {
        return Err(Error::new(ErrorKind::NotFound, "period is not closed").with("period", &args.period));
    }
    let periods = vec![period];
    let command = if close {
        RunCommand { close: periods, ..RunCommand::default() }
    } else {
        RunCommand { reopen: periods, ..RunCommand::default() }
    };
    let console = Console::of_run(&aggregation, &command).await;
    let ran = aggregation.run(&command, &args.how.options(false), &console).await;
    console.clear();
    let ran = ran.map_err(epoch::advised)?;
    for text in job::summary(&ran) {
        say(&text);
    }
    let after = standing().await?;
    let currency = aggregation.ledger().settings().currency;
    print(&match args.format.format {
        Format::Table => format!("{}\n", told(&args.period, before.as_ref(), after.as_ref())),
        Format::Json => line(&json!({
            "period": args.period,
            "closed": after.is_some(),
            "closing": after.as_ref().map(closing_document),
            "run": run_record(&ran.record, currency),
        })),
        Format::Csv => {
            let mut out = String::new();
            csv_line(&mut out, &["period", "closed", "closed_by", "closed_at", "run_id"]);
            let (by, at) = after.map_or_else(Default::default, |closing| {
                (closing.closed_by.id.to_string(), instant(closing.closed_at))
            });
            let run = ran.record.key.id.to_string();
            csv_line(&mut out, &[&args.period, &after.is_some().to_string(), &by, &at, &run]);
            out
        }
    })
}

fn told(period: &str, before: Option<&Closing>, after: Option<&Closing>) -> String {
    match (before, after) {
        (_, None) => format!("{period} is open again; what was reported stays readable"),
        (Some(before), Some(after)) if before == after => {
            format!("{period} had been closed already, at {}; nothing changed", instant(after.closed_at))
        }
        (_, Some(after)) => format!("{period} is closed, by run {}", after.closed_by.id),
    }
}

/// A closing as a document, without its period.
pub(crate) fn closing_document(closing: &Closing) -> Value {
    json!({
        "closed_by": run_key(&closing.closed_by),
        "closed_at": instant(closing.closed_at),
        "reopened_by": closing.reopened_by.as_ref().map(run_key),
        "reopened_at": closing.reopened_at.map(instant),
    })
}

/// Compares a closed period with what is published now.
pub(crate) async fn compare(settings: &SettingsArgs, args: &CompareArgs) -> Result<()> {
    let settings = wiring::settings(settings)?;
    wiring::check_period("PERIOD", &args.period)?;
    let aggregation = wiring::read(&settings).await?;
    let ledger = aggregation.ledger().settings();
    let period: Period = wiring::period(ledger.calendar, "PERIOD", &args.period)?;
    let comparison = aggregation.compare(period, args.limit).await?;
    print(&match args.format.format {
        Format::Table => table(args, &comparison, ledger.currency),
        Format::Json => line(&document(args, &comparison, ledger.currency)),
        Format::Csv => csv(&comparison, ledger.currency),
    })
}

fn table(args: &CompareArgs, comparison: &Comparison, currency: Currency) -> String {
    let closing = &comparison.closing;
    let state = if closing.is_standing() { "closed" } else { "open again; last closed" };
    let mut out =
        format!("{}: {state} at {} by run {}\n", args.period, instant(closing.closed_at), closing.closed_by.id);
    if comparison.cells.is_empty() {
        out.push_str("Nothing has changed since it was reported\n");
        return out;
    }
    out.push_str(&format!("\nGroups that changed ({}, {currency})\n", args.basis.name()));
    let mut grid = Grid::new(vec![
        ("Group", Align::Left),
        ("Code", Align::Left),
        ("Reported", Align::Right),
        ("Now", Align::Right),
        ("Change", Align::Right),
        ("Sales", Align::Right),
    ]);
    for group in comparison.groups.iter().filter(|group| group.reported != group.current) {
        let (reported, current) = (group.reported.of(args.basis), group.current.of(args.basis));
        grid.push(vec![
            group.dimension.name().to_owned(),
            group.code.to_string(),
            amount(reported.minor, currency),
            amount(current.minor, currency),
            change(reported.minor, current.minor, currency),
            number(current.count.saturating_sub(reported.count)),
        ]);
    }
    grid.write(&mut out);
    out.push_str("\nFigures that changed, and the runs that restated them\n");
    let mut grid = Grid::new(vec![
        ("Day", Align::Left),
        ("Group", Align::Left),
        ("Code", Align::Left),
        ("Reported", Align::Right),
        ("Now", Align::Right),
        ("Runs", Align::Left),
    ]);
    for cell in &comparison.cells {
        let runs: Vec<String> = cell.runs.iter().map(|run| format!("{}", run.number)).collect();
        grid.push(vec![
            cell.change.day.to_string(),
            cell.change.dimension.name().to_owned(),
            cell.change.code.to_string(),
            amount(cell.change.before.of(args.basis).minor, currency),
            amount(cell.change.after.of(args.basis).minor, currency),
            runs.join(", "),
        ]);
    }
    grid.write(&mut out);
    out.push_str("\nBecause of these sales\n");
    let mut grid = Grid::new(vec![
        ("Date", Align::Left),
        ("Sale", Align::Left),
        ("Team", Align::Left),
        ("Branch", Align::Left),
        ("Product", Align::Left),
        ("What happened", Align::Left),
    ]);
    for sale in &comparison.sales {
        let happened: Vec<String> =
            sale.reasons.iter().map(|(at, reason)| format!("{} at {}", told_reason(reason), instant(*at))).collect();
        grid.push(vec![
            match sale.moved_from {
                Some(before) => format!("{} (was {before})", sale.day),
                None => sale.day.to_string(),
            },
            sale.key.to_string(),
            sale.places.team.as_ref().map_or("unassigned", |code| code.as_str()).to_owned(),
            sale.places.branch.as_ref().map_or("unassigned", |code| code.as_str()).to_owned(),
            sale.product.to_string(),
            happened.join("; "),
        ]);
    }
    grid.write(&mut out);
    if comparison.more_sales > 0 {
        out.push_str(&format!("and {} more\n", number(comparison.more_sales)));
    }
    out
}

fn told_reason(reason: &Reason) -> String {
    match reason {
        Reason::Content(revision) => format!("content of revision {revision}"),
        Reason::Life(what, revision) => format!("{what} of revision {revision}"),
        Reason::Assigned(assignment) => format!("agent assigned from {}", assignment.from),
    }
}

fn document(args: &CompareArgs, comparison: &Comparison, currency: Currency) -> Value {
    let groups = comparison.groups.iter().map(|group| {
        json!({
            "dimension": group.dimension.name(),
            "code": &*group.code,
            "reported": figures(&group.reported, currency),
            "current": figures(&group.current, currency),
        })
    });
    let cells = comparison.cells.iter().map(|cell| {
        json!({
            "dimension": cell.change.dimension.name(),
            "day": cell.change.day.to_string(),
            "code": &*cell.change.code,
            "reported": figures(&cell.change.before, currency),
            "current": figures(&cell.change.after, currency),
            "restated_by": cell.runs.iter().map(run_key).collect::<Vec<_>>(),
        })
    });
    let sales = comparison.sales.iter().map(|sale| {
        let reasons = sale.reasons.iter().map(|(at, reason)| {
            let (what, revision, from) = match reason {
                Reason::Content(revision) => ("content", Some(revision.0), None),
                Reason::Life(what, revision) => (*what, Some(revision.0), None),
                Reason::Assigned(assignment) => ("assignment", None, Some(assignment.from.to_string())),
            };
            json!({ "at": instant(*at), "what": what, "revision": revision, "assigned_from": from })
        });
        json!({
            "source": sale.key.source.as_str(),
            "reference": sale.key.reference.as_str(),
            "date": sale.day.to_string(),
            "moved_from": sale.moved_from.map(|day| day.to_string()),
            "team": sale.places.team.as_ref().map(|code| code.as_str()),
            "branch": sale.places.branch.as_ref().map(|code| code.as_str()),
            "product": sale.product.as_str(),
            "reasons": reasons.collect::<Vec<_>>(),
        })
    });
    json!({
        "period": args.period,
        "closing": closing_document(&comparison.closing),
        "run": comparison.run.as_ref().map(|record| run_key(&record.key)),
        "currency": currency.code(),
        "groups": groups.collect::<Vec<_>>(),
        "cells": cells.collect::<Vec<_>>(),
        "sales": sales.collect::<Vec<_>>(),
        "more_sales": comparison.more_sales,
    })
}

/// Group by group.
fn csv(comparison: &Comparison, currency: Currency) -> String {
    let mut out = String::new();
    let (reported, current) = (figure_columns("reported"), figure_columns("current"));
    let columns = ["dimension", "code"].into_iter();
    let columns: Vec<&str> = columns.chain(reported.iter().chain(&current).map(String::as_str)).collect();
    csv_line(&mut out, &columns);
    for group in &comparison.groups {
        let reported = figure_fields(&group.reported, currency);
        let current = figure_fields(&group.current, currency);
        let key = [group.dimension.name(), &group.code].into_iter();
        let fields: Vec<&str> = key.chain(reported.iter().chain(&current).map(String::as_str)).collect();
        csv_line(&mut out, &fields);
    }
    out
}
