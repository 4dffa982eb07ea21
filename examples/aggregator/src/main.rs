//! The batch job as a program: computes the key figures of all days that changed, checks and publishes them, prints those of
//! a period; closes periods, proves and explains what is published, and runs by a schedule.

mod args;
mod closing;
mod demo;
mod dry_run;
mod duration;
mod epoch;
mod explain;
mod grid;
mod job;
mod metrics;
mod output;
mod progress;
mod schedule;
mod status;
mod tables;
mod verify;
mod wiring;

use std::process::ExitCode;

use clap::Parser;
use moon_settings::finish;

use crate::args::{Cli, Command};

/// All work is done by turns of one task: another thread that waits for the servers' answers would only have to wake it for
/// each of them, which makes a run a tenth slower.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Cli { settings, command } = Cli::parse();
    finish(match &command {
        Command::Run(args) => job::run(&settings, args).await,
        Command::Close(args) => closing::close(&settings, args).await,
        Command::Reopen(args) => closing::reopen(&settings, args).await,
        Command::Compare(args) => closing::compare(&settings, args).await,
        Command::Verify(args) => verify::verify(&settings, args).await,
        Command::Status(args) => status::status(&settings, args).await,
        Command::Explain(args) => explain::explain(&settings, args).await,
        Command::NewEpoch(args) => epoch::new_epoch(&settings, args).await,
        Command::Schedule(args) => schedule::schedule(&settings, args).await,
    })
}
