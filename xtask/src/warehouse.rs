//! `cargo xtask measure-warehouse`: the way of many sales from MariaDB to the figures by day in a PostgreSQL warehouse, as
//! the program goes it, beside a bare client that only drains the same rows and beside the server's own GROUP BY.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use moon_servers::{Kind, Purpose, Server};

use crate::console::{duration, say};
use crate::measure::{Folder, Measured, build, mebibytes, must_say, root, target_folder, watch};

/// How many sales are taken unless the user says another number.
pub(crate) const SALES_DEFAULT: u64 = 10_000_000;

/// How often everything is measured, one after the other; the median counts.
const ROUNDS: usize = 3;

/// Hundredths of the drain's time that the run may take.
const DRAIN_PERCENT_MAX: u128 = 130;

/// Hundredths of the run's time that the best GROUP BY must take at least.
const GROUP_BY_PERCENT_MIN: u128 = 250;

const PEAK_KIB_MAX: u64 = 64 * 1_024;

/// What ten times the sales may add to the peak: memory does not grow with them, but its pieces vary.
const GROWTH_KIB_MAX: u64 = 8 * 1_024;

const GROUP_BYS: [&str; 2] = ["group-by-dimension", "group-by-all"];

/// One that takes so many times as long as the best of its first round is not tried again: it cannot be the best.
const HOPELESS: u32 = 2;

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

fn measure(sales: u64) -> Result<bool, String> {
    build(root()?, &["-p", "aggregator"])?;
    build(root()?, &["-p", "moon-benches", "--example", "warehouse_yardsticks"])?;
    for kind in Kind::ALL {
        kind.ensure()?;
    }
    let target = target_folder()?;
    let folder = Folder::create(&target, "measure-warehouse")?;
    // On a disk, where cargo builds: some machines keep temporary files in memory.
    let mariadb = Server::start(Kind::MySql, Purpose::Measurements, &folder.0)?;
    let postgres = Server::start(Kind::Postgres, Purpose::Measurements, &folder.0)?;
    let place = |name: &str| Place {
        programs: target.join("release"),
        folder: folder.0.clone(),
        store: format!("{}{name}", mariadb.url()),
        warehouse: postgres.url(),
    };
    let tenth = place("tenth");
    tenth.fill(sales / 10)?;
    let small = tenth.aggregate()?;
    let large = place("whole");
    large.fill(sales)?;
    large.compare(sales, &small)
}

/// Where a history lies and where its figures go.
struct Place {
    programs: PathBuf,
    folder: PathBuf,
    store: String,
    warehouse: String,
}

impl Place {
    fn yardstick(&self, arguments: &[&str]) -> Result<Duration, String> {
        let mut command = Command::new(self.programs.join("examples/warehouse_yardsticks"));
        command.args(arguments);
        let answer = self.folder.join("yardstick.txt");
        watch(command, &answer)?;
        millis(&answer).map(Duration::from_millis)
    }

    fn fill(&self, sales: u64) -> Result<(), String> {
        say(&format!("filling MariaDB with a history of {sales} sales"));
        let took = self.yardstick(&["fill", &self.store, &sales.to_string()])?;
        say(&format!("filled in {}", duration(took)));
        Ok(())
    }

    /// The program itself, from its start to its end, without settings of the user's own.
    fn aggregate(&self) -> Result<Measured, String> {
        let mut command = Command::new(self.programs.join("aggregator"));
        command.env_clear().current_dir(&self.folder).args(["--log", "warn"]);
        command.args(["--store-url", &self.store, "--warehouse-url", &self.warehouse]);
        // Another ledger's figures may lie in the warehouse, with more rows and a higher number of its run.
        command.args(["run", "--full", "--allow-shrink", "--format", "json"]);
        let answer = self.folder.join("figures.json");
        let measured = watch(command, &answer)?;
        must_say(&answer, "\"rows_read\":")?;
        Ok(measured)
    }

    /// Everything in turns, and each median against its limit.
    fn compare(&self, sales: u64, small: &Measured) -> Result<bool, String> {
        let (mut drains, mut runs, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
        let mut groups: [Vec<Duration>; 2] = Default::default();
        for round in 1..=ROUNDS {
            drains.push(self.yardstick(&["drain", &self.store])?);
            let run = self.aggregate()?;
            runs.push(run.time);
            peaks.push(run.peak_kib);
            let best = groups.iter().filter_map(|times| times.first()).min().copied();
            let is_hopeless = |first: &Duration| best.is_some_and(|best| *first > best * HOPELESS);
            for (name, times) in GROUP_BYS.into_iter().zip(&mut groups) {
                if !times.first().is_some_and(is_hopeless) {
                    times.push(self.yardstick(&[name, &self.store])?);
                }
            }
            let [by_dimension, by_all] = groups.each_ref().map(|times| shown(times.last().copied()));
            say(&format!(
                "round {round}: drain {}, run {}, {} {by_dimension}, {} {by_all}",
                shown(drains.last().copied()),
                shown(runs.last().copied()),
                GROUP_BYS[0],
                GROUP_BYS[1],
            ));
        }
        let (drain, run) = (median(&mut drains), median(&mut runs));
        let best = groups.each_mut().map(|times| median(times)).into_iter().min().unwrap_or_default();
        let peak = peaks.into_iter().max().unwrap_or_default();
        let (against_drain, against_group_by) = (percent(run, drain), percent(best, run));
        let growth = peak.saturating_sub(small.peak_kib);
        let checks = [
            (
                against_drain <= DRAIN_PERCENT_MAX,
                format!(
                    "{sales} sales in {}, {} times a bare drain ({}); at most {}",
                    duration(run),
                    hundredths(against_drain),
                    duration(drain),
                    hundredths(DRAIN_PERCENT_MAX)
                ),
            ),
            (
                against_group_by >= GROUP_BY_PERCENT_MIN,
                format!(
                    "{} times as fast as the best GROUP BY ({}); at least {}",
                    hundredths(against_group_by),
                    duration(best),
                    hundredths(GROUP_BY_PERCENT_MIN)
                ),
            ),
            (peak <= PEAK_KIB_MAX, format!("{} MiB at the peak; at most {}", mebibytes(peak), mebibytes(PEAK_KIB_MAX))),
            (
                growth <= GROWTH_KIB_MAX,
                format!(
                    "{} MiB at the peak with a tenth of the sales; at most {} less",
                    mebibytes(small.peak_kib),
                    mebibytes(GROWTH_KIB_MAX)
                ),
            ),
        ];
        for (is_kept, text) in &checks {
            say(&format!("{} {text}", if *is_kept { "kept:  " } else { "MISSED:" }));
        }
        Ok(checks.iter().all(|(is_kept, _)| *is_kept))
    }
}

/// The first number of what a yardstick printed.
fn millis(answer: &Path) -> Result<u64, String> {
    let text = fs::read_to_string(answer).map_err(|error| format!("cannot read {}: {error}", answer.display()))?;
    let number = text.split_whitespace().next().and_then(|word| word.parse().ok());
    number.ok_or_else(|| format!("expected milliseconds, not {text:?}"))
}

fn shown(time: Option<Duration>) -> String {
    duration(time.unwrap_or_default())
}

/// The one in the middle.
pub(crate) fn median<T: Ord + Copy + Default>(values: &mut [T]) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// How many hundredths of the other one a time is, the fraction dropped.
fn percent(one: Duration, other: Duration) -> u128 {
    one.as_millis() * 100 / other.as_millis().max(1)
}

/// Hundredths as a decimal: `1.05`.
pub(crate) fn hundredths(number: u128) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(&mut [3, 9, 1]), 3);
        assert_eq!(median::<u8>(&mut []), 0);
    }

    #[test]
    fn ratios_are_told_with_two_decimals() {
        let (one, other) = (Duration::from_millis(4_200), Duration::from_millis(4_000));
        assert_eq!(hundredths(percent(one, other)), "1.05");
        assert_eq!(hundredths(GROUP_BY_PERCENT_MIN), "2.50");
    }
}
