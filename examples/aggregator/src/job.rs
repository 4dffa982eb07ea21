//! What `run` does, from the settings to the printed figures.

use std::io::{self, Write as _};

use moon_aggregate::{Aggregation, RunCommand, RunOptions, RunReport, Warning};
use moon_core::{Calendar, Error, ErrorKind, KpiQuery, KpiReport, Period, Result};
use moon_settings::{FLAG, Settings, SettingsArgs, init_logging, open_ledger, open_warehouse};

use crate::args::{Format, RunArgs};
use crate::progress::{Console, say};
use crate::{demo, grid, tables};

/// Runs the job once and prints the figures of the period.
pub(crate) async fn run(settings: &SettingsArgs, args: &RunArgs) -> Result<()> {
    let settings = Settings::load(settings)?;
    init_logging(&settings)?;
    // Before any file is made. What a period may look like does not depend on the fiscal year.
    period(Calendar::default(), &args.period)?;

    let ledger = open_ledger(&settings).await?;
    let warehouse = open_warehouse(&settings, ledger.settings().currency).await?;
    let period = period(ledger.settings().calendar, &args.period)?;
    if args.demo {
        demo::fill(&ledger).await?;
    }
    let aggregation = Aggregation::new(ledger, warehouse);
    let console = Console::new();
    let command = if args.full { RunCommand::full() } else { RunCommand::incremental() };
    let options = RunOptions { allow_shrink: args.allow_shrink, ..RunOptions::default() };
    let ran = aggregation.run(&command, &options, &console).await;
    console.clear();
    let ran = ran?;
    for line in summary(&ran) {
        say(&line);
    }

    let query = KpiQuery {
        period,
        basis: args.basis,
        as_of: aggregation.ledger().today()?,
        to_date: false,
        with_year_before: args.year_before,
    };
    print(&aggregation.report(&query).await?, args.format)
}

fn period(calendar: Calendar, text: &str) -> Result<Period> {
    calendar.parse(text).map_err(|error| error.with(FLAG, "--period"))
}

/// What the run did, a line each.
fn summary(ran: &RunReport) -> Vec<String> {
    let record = &ran.record;
    let rows = grid::grouped(&record.rows_read.to_string());
    let mut lines = Vec::new();
    if let Some(settled) = ran.settled {
        lines.push(format!("run {} had published and not finished; settled", settled.id));
    }
    if ran.repeated {
        lines.push(format!("run {} had broken off; repeated", record.key.id));
    }
    if let Some(Warning::Doubled { sales, sales_before }) = ran.warning {
        let (sales, before) = (grid::grouped(&sales.to_string()), grid::grouped(&sales_before.to_string()));
        lines.push(format!("warning: {sales} sales are at least twice as many as were published before ({before})"));
    }
    let days = match record.days.first().zip(record.days.last()) {
        Some((first, last)) => format!(" from {first} to {last}"),
        None => String::new(),
    };
    let milliseconds = (record.finished_at - record.started_at).num_milliseconds().max(0);
    let (seconds, tenths) = (milliseconds / 1_000, milliseconds % 1_000 / 100);
    lines.push(format!("run {} published: {rows} postings{days} in {seconds}.{tenths} s", record.key.id));
    lines
}

/// Prints to standard output.
fn print(report: &KpiReport, format: Format) -> Result<()> {
    let text = match format {
        Format::Table => tables::render(report),
        Format::Json => format!("{}\n", report.to_json()),
        Format::Csv => {
            let mut text = String::new();
            report.write_csv(&mut text);
            text
        }
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            Err(Error::new(ErrorKind::Backend, "the figures are published, but cannot be printed").caused_by(error))
        }
        Ok(()) => Ok(()),
    }
}
