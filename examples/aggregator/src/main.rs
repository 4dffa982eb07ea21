//! The batch job as a program: computes all key figures from one snapshot of the ledger, checks and publishes them, and
//! prints those of a period.

mod args;
mod demo;
mod grid;
mod job;
mod progress;
mod tables;

use std::process::ExitCode;

use clap::Parser;
use moon_settings::finish;

use crate::args::{Cli, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    finish(match &cli.command {
        Command::Run(run) => job::run(&cli.settings, run).await,
    })
}
