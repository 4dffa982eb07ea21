//! The project's own commands, run as `cargo xtask COMMAND`. The standard library is enough for them, so that they
//! start at once on a machine that has built nothing yet.

mod check;
mod console;
mod incremental;
mod measure;
mod memory;
mod recording;
mod serve;
mod tools;
mod torture;
mod warehouse;

use std::process::ExitCode;

use crate::check::Extent;

const USAGE: &str = "\
usage: cargo xtask COMMAND

commands:
  test [--fast]  everything that must hold before a change is taken: formatting, lints, tests, documentation,
                 benchmarks that build; --fast leaves out the documentation and the benchmarks
  servers [PROGRAM ARGUMENT...]
                 starts the throw-away database servers that the tests use and runs the program with
                 MOON_TEST_POSTGRES_URL and MOON_TEST_MYSQL_URL set; without a program it prints the lines that set
                 them, and the servers run until standard input ends (Ctrl-D) or Ctrl-C
  torture [--rounds N] [--seed S]
                 random histories on every store against a naive ledger, and of incremental runs against full ones;
                 database servers of its own that are killed in the middle of recording and publishing and started again,
                 many writers at once, and the aggregator program killed in the middle of its runs: N rounds (300 by
                 default; ten of each are part of test); S chooses the histories and the moments
  measure-memory [--sales N]
                 imports N generated sales (1,000,000 by default) into an SQLite store, aggregates them, and holds the
                 memory that the two programs take against its limits: 150 MiB and 100 MiB; for Linux
  measure-warehouse [--sales N]
                 aggregates N generated sales (10,000,000 by default) from MariaDB into a warehouse on PostgreSQL, and holds
                 time and memory against a client that only reads the same rows, MariaDB's own GROUP BY, and 64 MiB
  measure-incremental [--sales N]
                 holds runs after 1,000 new sales, and with nothing to do, in a ledger of N sales (10,000,000 by default) on
                 MariaDB and on PostgreSQL against full runs, and against the same in a ledger of a tenth of them
  measure-recording [--sales N]
                 records N sales (1,000,000 by default) on both servers, and holds the speed against binary COPY and LOAD DATA
  help           this text

test and servers start no server whose variable is set already, and none that MOON_TEST_SKIP names: `postgres`, `mysql`
or both with a comma between

exit code: 0 done, 1 failed, 2 wrong usage; that of the program for servers";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Test(Extent),
    Servers(Vec<String>),
    Torture { rounds: u32, seed: Option<u32> },
    MeasureMemory { sales: u64 },
    MeasureWarehouse { sales: u64 },
    MeasureIncremental { sales: u64 },
    MeasureRecording { sales: u64 },
    Help,
}

impl Command {
    /// Reads the arguments behind the program's name; the error is a sentence for the user.
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let (name, rest) = arguments.split_first().ok_or("a command is missing")?;
        match (name.as_str(), rest) {
            ("test", []) => Ok(Self::Test(Extent::Whole)),
            ("test", [flag]) if flag == "--fast" => Ok(Self::Test(Extent::Fast)),
            ("test", [other, ..]) => Err(format!("test does not know `{other}`")),
            ("servers", [flag, ..]) if flag.starts_with('-') => Err(format!("servers does not know `{flag}`")),
            ("servers", program) => Ok(Self::Servers(program.to_vec())),
            ("torture", flags) => torture_flags(flags),
            ("measure-memory", flags) => Ok(Self::MeasureMemory { sales: sales(name, flags, memory::SALES_DEFAULT)? }),
            ("measure-warehouse", flags) => {
                Ok(Self::MeasureWarehouse { sales: sales(name, flags, warehouse::SALES_DEFAULT)? })
            }
            ("measure-incremental", flags) => {
                Ok(Self::MeasureIncremental { sales: sales(name, flags, incremental::SALES_DEFAULT)? })
            }
            ("measure-recording", flags) => {
                Ok(Self::MeasureRecording { sales: sales(name, flags, recording::SALES_DEFAULT)? })
            }
            ("help" | "--help" | "-h", _) => Ok(Self::Help),
            _ => Err(format!("there is no command `{name}`")),
        }
    }
}

/// How many sales a measurement takes.
fn sales(command: &str, flags: &[String], default: u64) -> Result<u64, String> {
    match flags {
        [] => Ok(default),
        [flag, sales] if flag == "--sales" => match sales.replace('_', "").parse() {
            Ok(0) | Err(_) => Err(format!("--sales wants a number above 0, not `{sales}`")),
            Ok(sales) => Ok(sales),
        },
        [other, ..] => Err(format!("{command} does not know `{other}`")),
    }
}

/// The flags of `torture`, in any order.
fn torture_flags(mut flags: &[String]) -> Result<Command, String> {
    let (mut rounds, mut seed) = (torture::ROUNDS_DEFAULT, None);
    while let [flag, rest @ ..] = flags {
        let (value, behind) = rest.split_first().ok_or_else(|| format!("{flag} wants a number"))?;
        let number = value.parse::<u32>().map_err(|_| format!("{flag} wants a number, not `{value}`"));
        match flag.as_str() {
            "--rounds" => rounds = number?.max(1),
            "--seed" => seed = Some(number?),
            other => return Err(format!("torture does not know `{other}`")),
        }
        flags = behind;
    }
    Ok(Command::Torture { rounds, seed })
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Command::parse(&arguments) {
        Ok(Command::Test(extent)) => check::run(extent),
        Ok(Command::Servers(program)) => serve::run(&program),
        Ok(Command::Torture { rounds, seed }) => torture::run(rounds, seed),
        Ok(Command::MeasureMemory { sales }) => memory::run(sales),
        Ok(Command::MeasureWarehouse { sales }) => warehouse::run(sales),
        Ok(Command::MeasureIncremental { sales }) => incremental::run(sales),
        Ok(Command::MeasureRecording { sales }) => recording::run(sales),
        Ok(Command::Help) => {
            console::say(USAGE);
            ExitCode::SUCCESS
        }
        Err(reason) => {
            console::say(&format!("error: {reason}\n\n{USAGE}"));
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn commands_and_their_flags() {
        assert_eq!(parse("test"), Ok(Command::Test(Extent::Whole)));
        assert_eq!(parse("test --fast"), Ok(Command::Test(Extent::Fast)));
        assert_eq!(parse("servers"), Ok(Command::Servers(Vec::new())));
        let program = ["cargo", "test", "--doc"].map(str::to_owned).to_vec();
        assert_eq!(parse("servers cargo test --doc"), Ok(Command::Servers(program)));
        assert_eq!(parse("measure-memory"), Ok(Command::MeasureMemory { sales: memory::SALES_DEFAULT }));
        assert_eq!(parse("measure-memory --sales 10_000_000"), Ok(Command::MeasureMemory { sales: 10_000_000 }));
        let sales = warehouse::SALES_DEFAULT;
        assert_eq!(parse("measure-warehouse"), Ok(Command::MeasureWarehouse { sales }));
        assert_eq!(parse("measure-incremental --sales 7"), Ok(Command::MeasureIncremental { sales: 7 }));
        assert_eq!(parse("measure-recording --sales 5"), Ok(Command::MeasureRecording { sales: 5 }));
        assert_eq!(parse("torture"), Ok(Command::Torture { rounds: torture::ROUNDS_DEFAULT, seed: None }));
        assert_eq!(parse("torture --seed 7 --rounds 20"), Ok(Command::Torture { rounds: 20, seed: Some(7) }));
        assert_eq!(parse("help"), Ok(Command::Help));
    }

    #[test]
    fn what_is_not_known_is_wrong_usage() {
        for wrong in [
            "",
            "tset",
            "test --slow",
            "test --fast twice",
            "servers --fast",
            "measure-memory --sales 0",
            "measure-memory 5",
            "torture --rounds",
            "torture --rounds many",
            "torture 5 5",
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
