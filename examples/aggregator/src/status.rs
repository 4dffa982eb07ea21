//! What `status` shows.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moon_aggregate::Status;
use moon_core::{Calendar, Currency, Result, RunRecord};
use moon_settings::SettingsArgs;
use serde_json::{Value, json};

use crate::args::{Format, StatusArgs};
use crate::closing::closing_document;
use crate::duration::show;
use crate::grid::{Align, Grid};
use crate::output::{amount, arrivals, csv_line, days, instant, line, number, plain, print, run_key, run_record};
use crate::wiring;

/// Shows how things stand.
pub(crate) async fn status(settings: &SettingsArgs, args: &StatusArgs) -> Result<()> {
    let settings = wiring::settings(settings)?;
    let aggregation = wiring::read(&settings).await?;
    let status = aggregation.status(args.runs).await?;
    let ledger = aggregation.ledger().settings();
    print(&match args.format.format {
        Format::Table => table(&status, ledger.calendar, ledger.currency),
        Format::Json => line(&document(&status, ledger.calendar, ledger.currency)),
        Format::Csv => csv(&status.runs, ledger.currency),
    })
}

fn length(delta: TimeDelta) -> Duration {
    delta.to_std().unwrap_or_default()
}

fn table(status: &Status, calendar: Calendar, currency: Currency) -> String {
    let mut out = match (&status.published, status.age()) {
        (Some(record), Some(age)) => {
            format!("Published: run {} at {}, {} ago\n", record.key.id, instant(record.finished_at), show(length(age)))
        }
        _ => "Published: nothing yet\n".to_owned(),
    };
    let marks = &status.marks;
    if marks.open == 0 && marks.claimed == 0 {
        out.push_str("Waiting: nothing; the published figures are up to date\n");
    } else {
        let behind = show(length(status.behind()));
        out.push_str(&format!(
            "Waiting: changes of {} days ({} marks open, {} claimed), the oldest of {behind} ago\n",
            number(status.days.len()),
            number(marks.open),
            number(marks.claimed)
        ));
    }
    match (&status.unfinished, &status.lease) {
        (Some(run), Some(lease)) => out.push_str(&format!(
            "At work: run {} since {}; its lease ends at {}\n",
            run.key.id,
            instant(run.started_at),
            instant(lease.until)
        )),
        (Some(run), None) => {
            out.push_str(&format!(
                "Broken off: run {} of {}; the next run repeats it\n",
                run.key.id,
                instant(run.started_at)
            ));
        }
        (None, _) => {}
    }
    if !status.last_arrivals.is_empty() {
        let arrival = |(source, at): (&String, &DateTime<Utc>)| format!("{source} {}", instant(*at));
        let arrivals: Vec<String> = status.last_arrivals.iter().map(arrival).collect();
        out.push_str(&format!("Last arrivals: {}\n", arrivals.join(", ")));
    }
    let closed: Vec<String> = status
        .closings
        .iter()
        .filter(|closing| closing.is_standing())
        .map(|closing| calendar.label(closing.period))
        .collect();
    if !closed.is_empty() {
        out.push_str(&format!("Closed: {}\n", closed.join(", ")));
    }
    if status.runs.is_empty() {
        return out;
    }
    out.push_str("\nLast runs\n");
    let mut grid = Grid::new(vec![
        ("Number", Align::Right),
        ("Started", Align::Left),
        ("Took", Align::Right),
        ("Kind", Align::Left),
        ("Days", Align::Left),
        ("Postings", Align::Right),
        ("Net sales of these days", Align::Right),
        ("Outcome", Align::Left),
    ]);
    for run in &status.runs {
        let days = match run.days.first().zip(run.days.last()) {
            Some((first, last)) => format!("{first} to {last}"),
            None => String::new(),
        };
        let outcome = match &run.error {
            Some(error) => format!("{}: {error}", run.outcome.name()),
            None => run.outcome.name().to_owned(),
        };
        grid.push(vec![
            run.key.number.to_string(),
            instant(run.started_at),
            show(length(run.finished_at - run.started_at)),
            run.kind.name().to_owned(),
            days,
            number(run.rows_read),
            amount(run.control.net.minor, currency),
            outcome,
        ]);
    }
    grid.write(&mut out);
    out
}

fn document(status: &Status, calendar: Calendar, currency: Currency) -> Value {
    let closings = status.closings.iter().map(|closing| {
        let mut document = closing_document(closing);
        if let Some(fields) = document.as_object_mut() {
            fields.insert("period".to_owned(), calendar.label(closing.period).into());
        }
        document
    });
    json!({
        "now": instant(status.now),
        "published": status.published.as_ref().map(|record| run_record(record, currency)),
        "age_seconds": status.age().map(|age| age.num_seconds()),
        "behind_seconds": status.behind().num_seconds(),
        "marks": {
            "open": status.marks.open,
            "claimed": status.marks.claimed,
            "oldest": status.marks.oldest.map(instant),
        },
        "days": status.days.ranges().iter().map(|range| days(*range)).collect::<Vec<_>>(),
        "last_arrivals": arrivals(&status.last_arrivals),
        "unfinished": status.unfinished.as_ref().map(|run| json!({
            "run": run_key(&run.key),
            "started_at": instant(run.started_at),
            "attempts": run.attempts,
        })),
        "lease_until": status.lease.as_ref().map(|lease| instant(lease.until)),
        "closings": closings.collect::<Vec<_>>(),
        "runs": status.runs.iter().map(|record| run_record(record, currency)).collect::<Vec<_>>(),
    })
}

fn csv(runs: &[RunRecord], currency: Currency) -> String {
    let mut out = String::new();
    csv_line(
        &mut out,
        &[
            "run_id",
            "number",
            "epoch",
            "kind",
            "outcome",
            "first_day",
            "last_day",
            "started_at",
            "finished_at",
            "rows_read",
            "net_sales",
            "net_count",
            "error",
        ],
    );
    for run in runs {
        let day = |day: Option<moon_core::BusinessDate>| day.map(|day| day.to_string()).unwrap_or_default();
        csv_line(
            &mut out,
            &[
                &run.key.id.to_string(),
                &run.key.number.to_string(),
                &run.key.epoch.to_string(),
                run.kind.name(),
                run.outcome.name(),
                &day(run.days.first()),
                &day(run.days.last()),
                &instant(run.started_at),
                &instant(run.finished_at),
                &run.rows_read.to_string(),
                &plain(run.control.net.minor, currency),
                &run.control.net.count.to_string(),
                run.error.as_deref().unwrap_or_default(),
            ],
        );
    }
    out
}
