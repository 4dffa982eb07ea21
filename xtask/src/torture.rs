//! `cargo xtask torture`: many rounds of the tests that kill servers and programs and let writers meet, and many random
//! histories.

use std::path::Path;
use std::process::{Command, ExitCode};

use moon_servers::{Kind, Servers};

use crate::console::say;

/// How many rounds each test goes through unless the user says another number.
pub(crate) const ROUNDS_DEFAULT: u32 = 300;

/// Servers that are killed, and the program among faults. Two tests at once keep a small machine busy.
const FAULTS: [&str; 14] = [
    "test",
    "--release",
    "--package",
    "moon-torture",
    "--package",
    "aggregator",
    "--test",
    "torture",
    "--test",
    "faults",
    "--",
    "--nocapture",
    "--test-threads",
    "2",
];

/// Random histories: on each store against the naive ledger, and incremental runs against full ones.
const HISTORIES: [&str; 18] = [
    "test",
    "--release",
    "--package",
    "moon-store-memory",
    "--package",
    "moon-store-sqlite",
    "--package",
    "moon-store-mysql",
    "--package",
    "moon-store-postgres",
    "--package",
    "moon-aggregate",
    "--tests",
    "--",
    "--test-threads",
    "2",
    "::model::",
    "law::",
];

/// Runs the tests. Without a seed another one is taken each time, and said.
pub(crate) fn run(rounds: u32, seed: Option<u32>) -> ExitCode {
    let seed = seed.unwrap_or_else(std::process::id);
    match torture(rounds, seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            say(&format!("error: {reason}\nrepeat it with: cargo xtask torture --rounds {rounds} --seed {seed}"));
            ExitCode::FAILURE
        }
    }
}

fn torture(rounds: u32, seed: u32) -> Result<(), String> {
    // Programs that are missing are installed where that is allowed.
    let skip = std::env::var("MOON_TEST_SKIP").unwrap_or_default();
    for kind in Kind::ALL.into_iter().filter(|kind| skip.split(',').all(|word| word.trim() != kind.word())) {
        kind.ensure()?;
    }
    // Where the program is killed, its servers live on, and are shared.
    let servers = Servers::start(moon_servers::provide()?)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace has no folder")?;
    say(&format!("{rounds} rounds of each test, seed {seed}"));
    for arguments in [&HISTORIES[..], &FAULTS] {
        let mut command = Command::new("cargo");
        command.args(arguments).current_dir(root);
        command.envs(servers.variables().iter().map(|(name, url)| (name, url)));
        for number in ["MOON_TORTURE_ROUNDS", "MOON_TEST_CASES"] {
            command.env(number, rounds.to_string());
        }
        command.env("MOON_TORTURE_SEED", seed.to_string());
        let status = command.status().map_err(|error| format!("cannot run cargo: {error}"))?;
        if !status.success() {
            return Err(format!("a test failed ({status})"));
        }
    }
    Ok(())
}
