//! `cargo xtask test`: one step after the other, each announced and timed; the first failure ends it.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use moon_servers::Servers;

use crate::console::{duration, say};
use crate::tools;

/// How much to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    Whole,
    /// Without documentation and benchmarks.
    Fast,
}

/// A cargo command and what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    name: &'static str,
    variable: Option<(&'static str, &'static str)>,
    arguments: &'static [&'static str],
}

const FORMATTING: Step = Step { name: "formatting", variable: None, arguments: &["fmt", "--all", "--check"] };

const LINTS: Step = Step {
    name: "lints",
    variable: None,
    arguments: &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
};

/// Nextest runs each test as a process of its own, all crates at once. It does not run documentation tests.
const TESTS_NEXTEST: Step = Step { name: "tests", variable: None, arguments: &["nextest", "run", "--workspace"] };

/// `--tests` is every target that is a test by default: benchmarks are not.
const TESTS_CARGO: Step =
    Step { name: "tests", variable: None, arguments: &["test", "--workspace", "--tests", "--no-fail-fast"] };

const DOC_TESTS: Step =
    Step { name: "documentation tests", variable: None, arguments: &["test", "--workspace", "--doc"] };

const DOCUMENTATION: Step = Step {
    name: "documentation",
    variable: Some(("RUSTDOCFLAGS", "--deny warnings")),
    arguments: &["doc", "--workspace", "--no-deps"],
};

/// Built as tests are: the release profile with its link-time optimisation would build every dependency once more, for
/// minutes, and show nothing else.
const BENCHMARKS: Step =
    Step { name: "benchmarks build", variable: None, arguments: &["test", "--workspace", "--benches", "--no-run"] };

/// The steps in their order: what is quick to run and likely to fail comes first.
fn steps(extent: Extent, has_nextest: bool) -> Vec<Step> {
    let tests = if has_nextest { TESTS_NEXTEST } else { TESTS_CARGO };
    let mut steps = vec![FORMATTING, LINTS, tests];
    if extent == Extent::Whole {
        steps.extend([DOC_TESTS, DOCUMENTATION, BENCHMARKS]);
    }
    steps
}

impl Step {
    /// What runs, as a person types it.
    fn line(&self) -> String {
        let variable = self.variable.map(|(name, value)| format!("{name}='{value}' ")).unwrap_or_default();
        format!("{variable}cargo {}", self.arguments.join(" "))
    }

    /// The line that a person types to repeat the step; tests need the servers, which are gone by then.
    fn repeat(&self) -> String {
        let is_test = matches!(self.arguments, ["test" | "nextest", ..]);
        if is_test { format!("cargo xtask servers {}", self.line()) } else { self.line() }
    }

    /// Runs it in the workspace's directory; the error says how it ended.
    fn run(&self, root: &Path, servers: &[(&str, String)]) -> Result<(), String> {
        let mut command = Command::new("cargo");
        command.args(self.arguments).envs(self.variable).current_dir(root);
        command.envs(servers.iter().map(|(name, url)| (name, url)));
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(status.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Runs the steps. The exit code is 0 when all passed, otherwise 1.
pub(crate) fn run(extent: Extent) -> ExitCode {
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).parent() else { return ExitCode::FAILURE };
    let start = Instant::now();
    let servers = match tools::ensure().and_then(|()| moon_servers::provide()).and_then(Servers::start) {
        Ok(servers) => servers,
        Err(reason) => {
            say(&format!("error: {reason}"));
            return ExitCode::FAILURE;
        }
    };
    let steps = steps(extent, tools::has_nextest());
    let mut passed: Vec<(&str, Duration)> = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        say(&format!("==> {}/{} {}: {}", index + 1, steps.len(), step.name, step.line()));
        let begun = Instant::now();
        if let Err(how) = step.run(root, servers.variables()) {
            say(&format!("\nerror: {} failed after {} ({how})", step.name, duration(begun.elapsed())));
            say(&format!("repeat this step with:\n  {}", step.repeat()));
            return ExitCode::FAILURE;
        }
        passed.push((step.name, begun.elapsed()));
    }
    say(&summary(&passed, start.elapsed()));
    ExitCode::SUCCESS
}

/// A line for each step and one for the whole.
fn summary(passed: &[(&str, Duration)], total: Duration) -> String {
    let mut text = String::from("\nall steps passed:\n");
    for (name, time) in passed {
        text.push_str(&format!("  {name:<20} {:>12}\n", duration(*time)));
    }
    text.push_str(&format!("  {:<20} {:>12}", "together", duration(total)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_can_be_typed_again() {
        assert_eq!(FORMATTING.line(), "cargo fmt --all --check");
        assert_eq!(DOCUMENTATION.line(), "RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps");
    }

    #[test]
    fn tests_are_repeated_with_servers() {
        assert_eq!(DOC_TESTS.repeat(), "cargo xtask servers cargo test --workspace --doc");
        assert!(TESTS_NEXTEST.repeat().starts_with("cargo xtask servers cargo nextest run"));
        assert_eq!(FORMATTING.repeat(), FORMATTING.line());
    }

    #[test]
    fn fast_is_a_part_of_the_whole_and_tests_run_with_and_without_nextest() {
        let whole = steps(Extent::Whole, true);
        assert!(steps(Extent::Fast, true).iter().all(|step| whole.contains(step)));
        assert!(whole.contains(&TESTS_NEXTEST) && !whole.contains(&TESTS_CARGO));
        assert!(steps(Extent::Whole, false).contains(&TESTS_CARGO));
    }

    #[test]
    fn a_failed_step_says_how_it_ended() {
        let step =
            Step { name: "nothing", variable: None, arguments: &["--quiet", "there-is-no-command-of-this-name"] };
        assert!(step.run(Path::new("."), &[]).unwrap_err().contains("101"));
    }

    #[test]
    fn the_summary_has_a_line_for_each_step() {
        let text = summary(&[("formatting", Duration::from_millis(20))], Duration::from_secs(90));
        assert_eq!(
            text,
            "\nall steps passed:\n  formatting                  20 ms\n  together               1 min 30 s"
        );
    }
}
