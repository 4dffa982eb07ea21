//! The project's own commands, run as `cargo xtask COMMAND`. The standard library is enough for them, so that they
//! start at once on a machine that has built nothing yet.

mod check;
mod console;
mod memory;
mod serve;
mod tools;

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
  measure-memory [--sales N]
                 imports N generated sales (1,000,000 by default) into an SQLite store, aggregates them, and holds the
                 memory that the two programs take against its limits: 150 MiB and 100 MiB; for Linux
  help           this text

test and servers start no server whose variable is set already, and none that MOON_TEST_SKIP names: `postgres`, `mysql`
or both with a comma between

exit code: 0 done, 1 failed, 2 wrong usage; that of the program for servers";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Test(Extent),
    Servers(Vec<String>),
    MeasureMemory { sales: u64 },
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
            ("measure-memory", []) => Ok(Self::MeasureMemory { sales: memory::SALES_DEFAULT }),
            ("measure-memory", [flag, sales]) if flag == "--sales" => match sales.replace('_', "").parse() {
                Ok(0) | Err(_) => Err(format!("--sales wants a number above 0, not `{sales}`")),
                Ok(sales) => Ok(Self::MeasureMemory { sales }),
            },
            ("measure-memory", [other, ..]) => Err(format!("measure-memory does not know `{other}`")),
            ("help" | "--help" | "-h", _) => Ok(Self::Help),
            _ => Err(format!("there is no command `{name}`")),
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Command::parse(&arguments) {
        Ok(Command::Test(extent)) => check::run(extent),
        Ok(Command::Servers(program)) => serve::run(&program),
        Ok(Command::MeasureMemory { sales }) => memory::run(sales),
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
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
