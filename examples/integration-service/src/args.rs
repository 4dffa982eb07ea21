//! What the program is told.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use moon_settings::SettingsArgs;

/// Takes sales in, and the agents, products and targets that they need
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Import(ImportArgs),
}

/// Load a CSV or NDJSON file into the ledger
///
/// Good rows are recorded in units of some thousand. Rows that cannot be taken in go to a reject file with line, column
/// and reason. A repeat finds duplicates, so an import that was interrupted is completed by running it again.
///
/// The counts go to standard output as one line of JSON; everything else goes to standard error. Exit code 0: done; 1:
/// failed; 2: wrong usage; 3: refused, such as a file that does not hold what the map expects.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file: .csv, .ndjson or .jsonl, or any other whose map says `format`
    pub(crate) file: PathBuf,
    /// The map: a TOML file that says what the columns mean
    #[arg(long, value_name = "MAP.toml")]
    pub(crate) map: PathBuf,
    /// Where rejected rows go [default: the file's name with .rejects.csv, in the working directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Who stands in the audit trail
    #[arg(long, value_name = "NAME", default_value = "integration-service")]
    pub(crate) actor: String,
}
