//! What the program is told.

use clap::{Args, Parser, Subcommand, ValueEnum};
use moon_core::{Basis, Error};
use moon_settings::SettingsArgs;

/// The batch job of a Moon sales ledger
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused.
#[derive(Debug, Parser)]
#[command(name = "aggregator", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Computes all figures from one snapshot, publishes them, and prints those of a period
    ///
    /// Figures go to standard output, everything else to standard error.
    Run(RunArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Compute all days anew, not only those that changed
    #[arg(long)]
    pub(crate) full: bool,
    /// The period to print: all, or such as 2026, 2026-Q1, 2026-03, 2026-W11 or 2026-03-14
    #[arg(long, value_name = "PERIOD", default_value = "all")]
    pub(crate) period: String,
    /// Which sales count: net of cancellations, gross, or activity (each posting on its own date)
    #[arg(long, value_name = "BASIS", default_value = "net", value_parser = basis)]
    pub(crate) basis: Basis,
    /// Put the same period a year before beside each total
    #[arg(long)]
    pub(crate) year_before: bool,
    /// Fill the ledger with generated data first, if it is empty
    #[arg(long)]
    pub(crate) demo: bool,
    /// Publish even if the ledger has less than half of the sales that are published
    #[arg(long)]
    pub(crate) allow_shrink: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Three tables for people
    Table,
    /// One JSON document
    Json,
    /// One CSV table
    Csv,
}

fn basis(text: &str) -> Result<Basis, Error> {
    Basis::from_name(text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_and_flags() {
        let Command::Run(run) = Cli::try_parse_from(["aggregator", "run"]).unwrap().command;
        assert_eq!((run.period.as_str(), run.basis, run.format), ("all", Basis::Net, Format::Table));
        assert!(!run.full && !run.demo && !run.allow_shrink && !run.year_before);
        let flags = ["aggregator", "run", "--full", "--period", "2026-Q1", "--basis", "activity", "--format", "json"];
        let Command::Run(run) = Cli::try_parse_from(flags).unwrap().command;
        assert!(run.full);
        assert_eq!((run.period.as_str(), run.basis, run.format), ("2026-Q1", Basis::Activity, Format::Json));
        for wrong in [&["aggregator"][..], &["aggregator", "run", "--basis", "nett"], &["aggregator", "run", "x"]] {
            assert!(Cli::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }
}
