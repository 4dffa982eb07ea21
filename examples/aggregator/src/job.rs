//! What `run` does, from the settings to the printed figures.

use moon_aggregate::{Aggregation, RunCommand, RunReport, Warning};
use moon_core::{DayRange, KpiQuery, KpiReport, Result};
use moon_settings::{FLAG, Settings, SettingsArgs};

use crate::args::{Format, RunArgs};
use crate::duration::show;
use crate::metrics::{Metrics, Targets};
use crate::output::{number, print};
use crate::progress::{Console, say};
use crate::{demo, dry_run, epoch, tables, wiring};

/// Runs the job once and prints the figures of the period.
pub(crate) async fn run(settings: &SettingsArgs, args: &RunArgs) -> Result<()> {
    let settings = wiring::settings(settings)?;
    wiring::check_period("--period", &args.period)?;
    let command = command(args)?;
    if args.dry_run {
        return dry_run::show(&wiring::read(&settings).await?, &command, args.format.format).await;
    }
    let aggregation = wiring::open(&settings).await?;
    let period = wiring::period(aggregation.ledger().settings().calendar, "--period", &args.period)?;
    if args.demo {
        demo::fill(aggregation.ledger()).await?;
    }
    let console = Console::of_run(&aggregation, &command).await;
    let ran = aggregation.run(&command, &args.how.options(args.allow_shrink), &console).await;
    console.clear();
    tell_metrics(&aggregation, &settings, args, &ran).await;
    for line in summary(&ran.map_err(epoch::advised)?) {
        say(&line);
    }
    let query = KpiQuery {
        period,
        basis: args.basis,
        as_of: aggregation.ledger().today()?,
        to_date: false,
        with_year_before: args.year_before,
    };
    print(&rendered(&aggregation.report(&query).await?, args.format.format))
}

fn command(args: &RunArgs) -> Result<RunCommand> {
    match args.from.zip(args.to) {
        Some((from, to)) if to < from => {
            Err(moon_core::Error::invalid("range ends before it begins").with(FLAG, "--to").with("from", from))
        }
        Some((from, to)) => Ok(RunCommand::range(DayRange::inclusive(from, to))),
        None if args.full => Ok(RunCommand::full()),
        None => Ok(RunCommand::incremental()),
    }
}

/// Leaves metrics where they were asked for. Whether the job went well does not hang on it.
async fn tell_metrics(aggregation: &Aggregation, settings: &Settings, args: &RunArgs, ran: &Result<RunReport>) {
    let targets = Targets {
        file: args.metrics.metrics_file.as_ref().or(settings.metrics_file.as_ref()),
        gateway: args.metrics.push_gateway.as_ref().or(settings.push_gateway.as_ref()),
    };
    if targets.none() {
        return;
    }
    let metrics = Metrics::of_job();
    metrics.ran(aggregation.ledger().clock().now(), ran);
    metrics.refresh(aggregation).await;
    targets.tell(&metrics).await;
}

/// What the run did, a line each.
pub(crate) fn summary(ran: &RunReport) -> Vec<String> {
    let record = &ran.record;
    let mut lines = Vec::new();
    if let Some(settled) = ran.settled {
        lines.push(format!("run {} had been left unfinished; finished it first", settled.id));
    }
    if ran.repeated {
        lines.push(format!("run {} had broken off; repeated", record.key.id));
    }
    match ran.warning {
        Some(Warning::Doubled { sales, sales_before }) => lines.push(format!(
            "warning: {} sales are at least twice as many as were published before ({})",
            number(sales),
            number(sales_before)
        )),
        Some(Warning::Shrunk { sales, sales_before }) => lines.push(format!(
            "warning: {} sales are less than half of those that were published before ({})",
            number(sales),
            number(sales_before)
        )),
        Some(_) | None => {}
    }
    let days = match record.days.first().zip(record.days.last()) {
        Some((first, last)) => format!(" from {first} to {last}"),
        None => String::new(),
    };
    let took = show((record.finished_at - record.started_at).to_std().unwrap_or_default());
    lines.push(format!("run {} published: {} postings{days} in {took}", record.key.id, number(record.rows_read)));
    if record.rows_read == 0 && record.manifest.cells == 0 {
        lines.push("no day had changed".to_owned());
    }
    if ran.restatements > 0 {
        lines.push(format!(
            "{} figures of closed periods changed; they are kept beside what was reported",
            number(ran.restatements)
        ));
    }
    lines
}

fn rendered(report: &KpiReport, format: Format) -> String {
    match format {
        Format::Table => tables::render(report),
        Format::Json => format!("{}\n", report.to_json()),
        Format::Csv => {
            let mut text = String::new();
            report.write_csv(&mut text);
            text
        }
    }
}
