//! Data on standard output.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};
use moon_core::{Currency, DayRange, Error, ErrorKind, Figures, Result, RunKey, RunRecord, Sum, push_csv_text};
use serde_json::{Value, json};

use crate::grid::grouped;

/// Prints a text.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush())).map(|_| ())
}

/// Whether whoever reads wants more: a closed pipe is no error, as with `head`.
pub(crate) fn written(result: io::Result<()>) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::new(ErrorKind::Backend, "print to standard output").caused_by(error)),
    }
}

/// A document on one line.
pub(crate) fn line(document: &Value) -> String {
    format!("{document}\n")
}

/// Appends a line of CSV.
pub(crate) fn csv_line(out: &mut String, fields: &[&str]) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        // What is a number is no formula, also a negative one.
        if is_number(field) { out.push_str(field) } else { push_csv_text(out, field) }
    }
    out.push('\n');
}

fn is_number(field: &str) -> bool {
    let digits = field.strip_prefix('-').unwrap_or(field);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// An amount with all digits of the currency, for machines.
pub(crate) fn plain(minor: i128, currency: Currency) -> String {
    Sum::new(minor, 0).display(currency).to_string()
}

/// An amount for people.
pub(crate) fn amount(minor: i128, currency: Currency) -> String {
    grouped(&plain(minor, currency))
}

/// A count for people.
pub(crate) fn number(count: impl ToString) -> String {
    grouped(&count.to_string())
}

/// How much larger the second one is, for people, with its sign.
pub(crate) fn change(before: i128, after: i128, currency: Currency) -> String {
    let change = after.saturating_sub(before);
    format!("{}{}", if change > 0 { "+" } else { "" }, amount(change, currency))
}

/// The six figures as a document.
pub(crate) fn figures(figures: &Figures, currency: Currency) -> Value {
    json!({
        "net_sales": plain(figures.net.minor, currency),
        "net_count": figures.net.count,
        "gross_sales": plain(figures.gross.minor, currency),
        "gross_count": figures.gross.count,
        "activity_sales": plain(figures.activity.minor, currency),
        "activity_count": figures.activity.count,
    })
}

/// The columns of [`figure_fields`], with a word in front.
pub(crate) fn figure_columns(word: &str) -> [String; 6] {
    ["net_sales", "net_count", "gross_sales", "gross_count", "activity_sales", "activity_count"]
        .map(|name| format!("{word}_{name}"))
}

/// The six figures as fields of CSV.
pub(crate) fn figure_fields(figures: &Figures, currency: Currency) -> [String; 6] {
    let [net, gross, activity] =
        [figures.net, figures.gross, figures.activity].map(|sum| [plain(sum.minor, currency), sum.count.to_string()]);
    let [net_sales, net_count] = net;
    let [gross_sales, gross_count] = gross;
    let [activity_sales, activity_count] = activity;
    [net_sales, net_count, gross_sales, gross_count, activity_sales, activity_count]
}

/// An instant for machines.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A run as a document.
pub(crate) fn run_key(key: &RunKey) -> Value {
    json!({ "run_id": key.id.to_string(), "number": key.number, "epoch": key.epoch })
}

/// Days as a document: the first and the last one.
pub(crate) fn days(days: DayRange) -> Value {
    match days.first().zip(days.last()) {
        Some((first, last)) => json!({ "first": first.to_string(), "last": last.to_string() }),
        None => Value::Null,
    }
}

/// When each source was last heard of, as a document.
pub(crate) fn arrivals(arrivals: &BTreeMap<String, DateTime<Utc>>) -> Value {
    arrivals.iter().map(|(source, at)| (source.clone(), instant(*at).into())).collect::<serde_json::Map<_, _>>().into()
}

/// The record of a run as a document.
pub(crate) fn run_record(record: &RunRecord, currency: Currency) -> Value {
    json!({
        "run_id": record.key.id.to_string(),
        "number": record.key.number,
        "epoch": record.key.epoch,
        "kind": record.kind.name(),
        "outcome": record.outcome.name(),
        "error": record.error,
        "days": days(record.days),
        "started_at": instant(record.started_at),
        "finished_at": instant(record.finished_at),
        "rows_read": record.rows_read,
        "control": figures(&record.control, currency),
        "last_arrivals": arrivals(&record.last_arrivals),
        "cells": record.manifest.cells,
        "cells_hash": record.manifest.cells_hash,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_numbers_are_no_formulas_and_texts_are() {
        let mut out = String::new();
        csv_line(&mut out, &["-12.50", "-x", "a,b", "plain", ""]);
        assert_eq!(out, "-12.50,\"'-x\",\"a,b\",plain,\n");
    }

    #[test]
    fn changes_show_their_direction() {
        let rupee = "LKR".parse().unwrap();
        assert_eq!(change(100, 350, rupee), "+2.50");
        assert_eq!(change(350, 100, rupee), "-2.50");
        assert_eq!(change(1, 1, rupee), "0.00");
    }
}
