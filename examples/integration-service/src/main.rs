//! Takes sales in, and what they need: `integration-service import FILE --map MAP.toml`.

mod args;
mod console;
mod import;

use std::process::ExitCode;

use clap::Parser;
use moon_settings::finish;

use crate::args::{Cli, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    finish(match &cli.command {
        Command::Import(import) => import::run(&cli.settings, import).await,
    })
}
