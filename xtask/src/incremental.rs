//! `cargo xtask measure-incremental`: what aggregation runs cost by how much has changed, on each server, for many sales and
//! for a tenth of them.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use moon_servers::{Kind, Purpose, Server};

use crate::console::{duration, say};
use crate::measure::{Folder, build, root, target_folder, watch};
use crate::warehouse::hundredths;

/// How many sales are taken unless the user says another number.
pub(crate) const SALES_DEFAULT: u64 = 10_000_000;

/// Hundredths of a per cent of a full run's time that a run after 1,000 new sales on three days may take.
const OF_FULL_MAX: u128 = 300;

/// Hundredths of the time of such a run at a tenth of the sales that it may take.
const OF_TENTH_MAX: u128 = 300;

/// What a run with nothing to do may take.
const IDLE_MAX: Duration = Duration::from_millis(50);

/// Fills, measures and compares. The exit code is 0 when every limit is kept, otherwise 1.
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

/// What runs took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    full: Duration,
    incremental: Duration,
    idle: Duration,
}

fn measure(sales: u64) -> Result<bool, String> {
    build(root()?, &["-p", "moon-benches", "--example", "incremental_yardsticks"])?;
    for kind in Kind::ALL {
        kind.ensure()?;
    }
    let target = target_folder()?;
    let folder = Folder::create(&target, "measure-incremental")?;
    let yardstick = target.join("release/examples/incremental_yardsticks");
    let mut are_kept = true;
    for kind in Kind::ALL {
        let tenth = times(&yardstick, kind, sales / 10, &folder.0)?;
        let whole = times(&yardstick, kind, sales, &folder.0)?;
        for (is_kept, text) in compare(kind, sales, &tenth, &whole) {
            say(&format!("{} {text}", if is_kept { "kept:  " } else { "MISSED:" }));
            are_kept &= is_kept;
        }
    }
    Ok(are_kept)
}

/// The times on a new server, which goes with them.
fn times(yardstick: &Path, kind: Kind, sales: u64, folder: &Path) -> Result<Times, String> {
    say(&format!("{}: a history of {sales} sales", kind.word()));
    // On a disk, where cargo builds: some machines keep temporary files in memory.
    let server = Server::start(kind, Purpose::Measurements, folder)?;
    let mut command = Command::new(yardstick);
    command.args([&server.url(), &sales.to_string()]);
    let answer = folder.join("answer.txt");
    watch(command, &answer)?;
    let text = fs::read_to_string(&answer).map_err(|error| format!("cannot read {}: {error}", answer.display()))?;
    parse(&text).ok_or_else(|| format!("expected three times, not {text:?}"))
}

/// A line of three times in microseconds.
fn parse(text: &str) -> Option<Times> {
    let mut numbers = text.split_whitespace().map(|word| word.parse().ok().map(Duration::from_micros));
    let times = Times { full: numbers.next()??, incremental: numbers.next()??, idle: numbers.next()?? };
    numbers.next().is_none().then_some(times)
}

/// Each limit: whether it is kept, and a sentence about it.
fn compare(kind: Kind, sales: u64, tenth: &Times, whole: &Times) -> [(bool, String); 3] {
    let of_full = ratio(whole.incremental, whole.full, 10_000);
    let of_tenth = ratio(whole.incremental, tenth.incremental, 100);
    let name = kind.word();
    [
        (
            of_full <= OF_FULL_MAX,
            format!(
                "{name}: a run after 1,000 new sales in {}, {} % of a full run over {sales} sales ({}); at most {} %",
                duration(whole.incremental),
                hundredths(of_full),
                duration(whole.full),
                hundredths(OF_FULL_MAX)
            ),
        ),
        (
            of_tenth <= OF_TENTH_MAX,
            format!(
                "{name}: {} times its cost at a tenth of the sales ({}); at most {} times",
                hundredths(of_tenth),
                duration(tenth.incremental),
                hundredths(OF_TENTH_MAX)
            ),
        ),
        (
            whole.idle < IDLE_MAX,
            format!(
                "{name}: a run with nothing to do in {}.{} ms; less than {} ms",
                whole.idle.as_millis(),
                whole.idle.as_micros() % 1_000 / 100,
                IDLE_MAX.as_millis()
            ),
        ),
    ]
}

/// One time in parts of the other one, the fraction dropped.
fn ratio(one: Duration, other: Duration, parts: u128) -> u128 {
    one.as_micros() * parts / other.as_micros().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_three_times() {
        let micros = Duration::from_micros;
        let times = Times { full: micros(9_000_000), incremental: micros(120_000), idle: micros(9_500) };
        assert_eq!(parse("9000000 120000 9500\n"), Some(times));
        for wrong in ["", "1 2", "1 2 3 4", "1 x 3"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_limit_is_held_on_its_own() {
        let times = |full, incremental, idle| Times {
            full: Duration::from_millis(full),
            incremental: Duration::from_millis(incremental),
            idle: Duration::from_micros(idle),
        };
        let kept =
            |whole: Times| compare(Kind::Postgres, 10, &times(1_000, 100, 9_000), &whole).map(|(is_kept, _)| is_kept);
        assert_eq!(kept(times(10_000, 300, 49_999)), [true, true, true]);
        assert_eq!(kept(times(9_900, 300, 49_999)), [false, true, true]);
        assert_eq!(kept(times(20_000, 302, 49_999)), [true, false, true]);
        assert_eq!(kept(times(10_000, 300, 50_000)), [true, true, false]);
        let [(_, text), _, (_, idle)] = compare(Kind::Postgres, 10, &times(1, 1, 1), &times(10_000, 250, 9_540));
        assert!(text.contains("2.50 %") && idle.contains("9.5 ms"), "{text}; {idle}");
    }
}
