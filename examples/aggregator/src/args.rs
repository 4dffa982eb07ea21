//! What the program is told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use clap::{Args, Parser, Subcommand, ValueEnum};
use moon_aggregate::{Busy, Path, RunOptions};
use moon_core::{Basis, BusinessDate, Dimension, Error};
use moon_settings::{PushGatewayUrl, SettingsArgs};

use crate::duration;

/// The batch job of a Moon sales ledger
///
/// Data goes to standard output, everything else to standard error.
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
    /// Computes the figures of all days that changed, publishes them, and prints those of a period
    Run(RunArgs),
    /// Closes a month, a quarter or a year: its figures stay readable as they were reported
    Close(ClosingArgs),
    /// Opens a closed period again; what was reported stays readable
    Reopen(ClosingArgs),
    /// Compares a closed period, as it was reported, with the current figures
    Compare(CompareArgs),
    /// Computes everything anew and compares it with what is published; fails when something differs that no change explains
    Verify(VerifyArgs),
    /// Shows the last runs, what waits, and how far the published figures are behind
    Status(StatusArgs),
    /// Gives the postings behind a published figure
    Explain(ExplainArgs),
    /// Begins a new epoch of runs, after the ledger was restored from a backup and the warehouse was not
    ///
    /// A warehouse refuses runs whose number lies below the last one that it published, so that an old copy of a ledger
    /// cannot replace newer figures. The numbers of a ledger that was restored lie below, although it is the right one.
    /// In a new epoch they count from the beginning and are above all that was published; the next run computes everything.
    /// Use it on the ledger that holds from now on, and only there: runs of every other copy are refused from the next
    /// run on. A run that was not finished is given up, also one at work. Who did it stands in the audit trail.
    NewEpoch(NewEpochArgs),
    /// Runs the job at the times of a cron expression, until it is told to stop
    Schedule(ScheduleArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Compute all days anew, not only those that changed
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub(crate) full: bool,
    /// Compute these days too, whether they changed or not: the first one
    #[arg(long, value_name = "DATE", requires = "to")]
    pub(crate) from: Option<BusinessDate>,
    /// The last one of these days
    #[arg(long, value_name = "DATE", requires = "from")]
    pub(crate) to: Option<BusinessDate>,
    /// Show what would change, cell by cell, and write nothing
    #[arg(long, conflicts_with_all = ["demo", "period", "basis", "year_before", "allow_shrink", "metrics_file", "push_gateway"])]
    pub(crate) dry_run: bool,
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
    #[command(flatten)]
    pub(crate) how: HowArgs,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

/// How a run is made.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct HowArgs {
    /// Wait that long for another run to end, such as 90s or 10m [default: leave at once]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) wait: Option<Duration>,
    /// Give up after that long in all; nothing is published then
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) deadline: Option<Duration>,
    /// Believe that a run is at work for that long after it was last heard of; the next one goes on then where it was left
    #[arg(long, value_name = "DURATION", value_parser = lease, default_value = "30s")]
    pub(crate) lease: Duration,
    /// How days are summed: postings are read and folded, or the store sums them
    #[arg(long, value_enum, default_value_t = PathArg::Auto)]
    pub(crate) path: PathArg,
}

impl HowArgs {
    pub(crate) fn options(self, allow_shrink: bool) -> RunOptions {
        RunOptions {
            allow_shrink,
            path: self.path.into(),
            busy: self.wait.map_or(Busy::Leave, Busy::WaitAtMost),
            deadline: self.deadline,
            lease: self.lease,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PathArg {
    /// The faster one, by what was measured
    Auto,
    /// Read and fold
    Fold,
    /// Let the store sum
    Sql,
}

impl From<PathArg> for Path {
    fn from(path: PathArg) -> Self {
        match path {
            PathArg::Auto => Self::Auto,
            PathArg::Fold => Self::Fold,
            PathArg::Sql => Self::Sql,
        }
    }
}

/// Where a job that ends leaves its metrics.
#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// Leave metrics in this text file, in one piece (also MOON_METRICS_FILE)
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics_file: Option<PathBuf>,
    /// Tell metrics to the Pushgateway of this URL (also MOON_PUSH_GATEWAY)
    #[arg(long, value_name = "URL")]
    pub(crate) push_gateway: Option<PushGatewayUrl>,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct FormatArgs {
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ClosingArgs {
    /// A month, a quarter or a year, such as 2026-03, 2026-Q1 or 2026
    #[arg(value_name = "PERIOD")]
    pub(crate) period: String,
    #[command(flatten)]
    pub(crate) how: HowArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// A period that was closed, such as 2026-03, 2026-Q1 or 2026
    #[arg(value_name = "PERIOD")]
    pub(crate) period: String,
    /// Which sums the table shows
    #[arg(long, value_name = "BASIS", default_value = "net", value_parser = basis)]
    pub(crate) basis: Basis,
    /// How many sales to list at most
    #[arg(long, value_name = "SALES", default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(crate) struct NewEpochArgs {
    /// Who the audit trail says did it
    #[arg(long, value_name = "NAME", default_value = "aggregator")]
    pub(crate) actor: String,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// How many differences to list at most; all of them are counted
    #[arg(long, value_name = "DIFFERENCES", default_value_t = 1_000)]
    pub(crate) limit: usize,
    /// How days are summed
    #[arg(long, value_enum, default_value_t = PathArg::Auto)]
    pub(crate) path: PathArg,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// How many runs to show at most
    #[arg(long, value_name = "RUNS", default_value_t = 10)]
    pub(crate) runs: u32,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// What kind of group
    #[arg(value_enum, value_name = "GROUP")]
    pub(crate) group: GroupArg,
    /// Its code, or unassigned
    #[arg(value_name = "CODE")]
    pub(crate) code: String,
    /// When: all, or such as 2026, 2026-Q1, 2026-03 or 2026-03-14
    #[arg(value_name = "PERIOD")]
    pub(crate) period: String,
    /// Which postings count
    #[arg(long, value_name = "BASIS", default_value = "net", value_parser = basis)]
    pub(crate) basis: Basis,
    /// How many postings the table shows at most; JSON and CSV have all of them
    #[arg(long, value_name = "POSTINGS", default_value_t = 50)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupArg {
    /// By team
    Team,
    /// By branch
    Branch,
    /// By product
    Product,
}

impl From<GroupArg> for Dimension {
    fn from(group: GroupArg) -> Self {
        match group {
            GroupArg::Team => Self::Team,
            GroupArg::Branch => Self::Branch,
            GroupArg::Product => Self::Product,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleArgs {
    /// When to run: minute, hour, day, month and weekday, seconds in front if wanted (also MOON_SCHEDULE_CRON)
    #[arg(long, value_name = "CRON")]
    pub(crate) cron: Option<String>,
    /// When to compute everything anew and compare it with what is published
    #[arg(long, value_name = "CRON")]
    pub(crate) verify_cron: Option<String>,
    /// The zone of these times, such as Asia/Colombo [default: the ledger's]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<Tz>,
    /// Start up to that much later, by chance, so that many programs do not start at once
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "0s")]
    pub(crate) jitter: Duration,
    /// Serve /healthz, /readyz and /metrics at this address (also MOON_LISTEN) [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) how: HowArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables for people
    Table,
    /// One JSON document; of explain one for each line
    Json,
    /// One CSV table
    Csv,
}

/// The shortest lease. A run renews it after a third, which takes a while under load.
const LEASE_MIN: Duration = Duration::from_secs(1);

fn lease(text: &str) -> Result<Duration, Error> {
    let length = duration::parse(text)?;
    if length < LEASE_MIN {
        return Err(Error::invalid("lease is shorter than a second, in which no run is sure to be heard of"));
    }
    Ok(length)
}

fn basis(text: &str) -> Result<Basis, Error> {
    Basis::from_name(text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn run(flags: &[&str]) -> RunArgs {
        match Cli::try_parse_from([&["aggregator", "run"], flags].concat()).unwrap().command {
            Command::Run(run) => run,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_and_flags() {
        let defaults = run(&[]);
        assert_eq!((defaults.period.as_str(), defaults.basis), ("all", Basis::Net));
        assert_eq!(defaults.format.format, Format::Table);
        assert!(!defaults.full && !defaults.demo && !defaults.allow_shrink && !defaults.year_before);
        assert_eq!(defaults.how.options(false), RunOptions::default());
        let flags = run(&["--full", "--period", "2026-Q1", "--basis", "activity", "--format", "json"]);
        assert!(flags.full);
        assert_eq!(
            (flags.period.as_str(), flags.basis, flags.format.format),
            ("2026-Q1", Basis::Activity, Format::Json)
        );
        let how = run(&["--wait", "90s", "--deadline", "2h", "--lease", "2m", "--path", "sql"]).how.options(true);
        assert_eq!(how.lease, Duration::from_secs(120));
        assert_eq!((how.busy, how.path), (Busy::WaitAtMost(Duration::from_secs(90)), Path::Sql));
        assert_eq!((how.deadline, how.allow_shrink), (Some(Duration::from_secs(7_200)), true));
    }

    #[test]
    fn wrong_usage() {
        for wrong in [
            "",
            "run --basis nett",
            "run x",
            "run --from 2026-03-01",
            "run --full --from 2026-03-01 --to 2026-03-02",
            "run --from 2026-02-30 --to 2026-03-02",
            "run --dry-run --demo",
            "run --wait soon",
            "run --lease 900ms",
            "close",
            "explain agent AGT001 2026",
            "schedule --zone Colombo",
            "schedule --listen 8080",
        ] {
            let words = ["aggregator"].into_iter().chain(wrong.split_whitespace());
            assert!(Cli::try_parse_from(words).is_err(), "{wrong:?}");
        }
    }
}
