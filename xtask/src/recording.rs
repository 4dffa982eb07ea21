//! `cargo xtask measure-recording`: recording in bulk, with keys, indexes, marks and audit, beside the fastest statement that
//! each server has for the same rows into a table with the same keys and indexes.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use moon_servers::{Kind, Purpose, Server};

use crate::console::say;
use crate::measure::{Folder, build, root, target_folder, watch};
use crate::warehouse::{hundredths, median};

/// How many sales are recorded unless the user says another number.
pub(crate) const SALES_DEFAULT: u64 = 1_000_000;

/// How many go into one call.
const CALL: &str = "5000";

/// How often each server is measured, in turns; the median counts.
const ROUNDS: usize = 3;

/// A server and what is measured on it.
struct Yardstick {
    kind: Kind,
    package: &'static str,
    example: &'static str,
    statement: &'static str,
    /// Hundredths of the statement's speed that recording must reach.
    percent_min: u64,
}

const YARDSTICKS: [Yardstick; 2] = [
    Yardstick {
        kind: Kind::Postgres,
        package: "moon-store-postgres",
        example: "postgres_measure",
        statement: "binary COPY",
        percent_min: 60,
    },
    Yardstick {
        kind: Kind::MySql,
        package: "moon-store-mysql",
        example: "mysql_measure",
        statement: "LOAD DATA",
        percent_min: 55,
    },
];

/// Measures both servers. The exit code is 0 when both limits are kept, otherwise 1.
pub(crate) fn run(sales: u64) -> ExitCode {
    match measure(sales) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            say(&format!("error: {reason}"));
            ExitCode::FAILURE
        }
    }
}

fn measure(sales: u64) -> Result<bool, String> {
    for yardstick in &YARDSTICKS {
        yardstick.kind.ensure()?;
        build(root()?, &["-p", yardstick.package, "--example", yardstick.example])?;
    }
    let target = target_folder()?;
    let folder = Folder::create(&target, "measure-recording")?;
    let mut reached: [Vec<u64>; 2] = Default::default();
    for round in 1..=ROUNDS {
        for (yardstick, reached) in YARDSTICKS.iter().zip(&mut reached) {
            // A new server each time, so that none is slowed down by what another one left.
            let server = Server::start(yardstick.kind, Purpose::Measurements, &folder.0)?;
            let mut command = Command::new(target.join("release/examples").join(yardstick.example));
            command.args([&sales.to_string(), CALL, "record"]).env(yardstick.kind.variable(), server.url());
            let answer = folder.0.join("answer.txt");
            watch(command, &answer)?;
            let percent = percent(&answer)?;
            let shown = hundredths(percent.into());
            say(&format!("round {round}: {sales} sales at {shown} of {}", yardstick.statement));
            reached.push(percent);
        }
    }
    let mut are_kept = true;
    for (yardstick, reached) in YARDSTICKS.iter().zip(&mut reached) {
        let percent = median(reached);
        let is_kept = percent >= yardstick.percent_min;
        are_kept &= is_kept;
        let verdict = if is_kept { "kept:  " } else { "MISSED:" };
        let (shown, least) = (hundredths(percent.into()), hundredths(yardstick.percent_min.into()));
        say(&format!("{verdict} {shown} of {}; at least {least}", yardstick.statement));
    }
    Ok(are_kept)
}

/// The line that says how fast recording is.
fn percent(answer: &Path) -> Result<u64, String> {
    let text = fs::read_to_string(answer).map_err(|error| format!("cannot read {}: {error}", answer.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("record_sales is "));
    let number = line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse().ok());
    number.ok_or_else(|| format!("expected how fast recording is, not {text:?}"))
}
