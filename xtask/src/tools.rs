//! What must be on the machine besides Rust, and how it comes there.

use std::process::{Command, Stdio};

use moon_servers::apt::{self, Attempt};

/// A program that the build or the tests call.
struct Tool {
    /// The arguments that show that it is there.
    probe: &'static [&'static str],
    /// What it is for.
    purpose: &'static str,
    /// The line that brings it.
    remedy: Remedy,
}

enum Remedy {
    /// A Debian package.
    Apt(&'static str),
    /// A component of the Rust toolchain.
    Rustup(&'static str),
}

impl Remedy {
    fn line(&self) -> String {
        match self {
            Self::Apt(package) => apt::line(&[package]),
            Self::Rustup(component) => format!("rustup component add {component}"),
        }
    }
}

const TOOLS: [Tool; 3] = [
    Tool {
        probe: &["cc", "--version"],
        purpose: "a C compiler: SQLite is compiled from its C source",
        remedy: Remedy::Apt("build-essential"),
    },
    Tool { probe: &["cargo", "fmt", "--version"], purpose: "the formatter", remedy: Remedy::Rustup("rustfmt") },
    Tool { probe: &["cargo", "clippy", "--version"], purpose: "the linter", remedy: Remedy::Rustup("clippy") },
];

/// Makes sure that everything needed is there. Debian packages are installed when the user may do so (root);
/// everything else is named with the line that brings it.
pub(crate) fn ensure() -> Result<(), String> {
    let missing = TOOLS.iter().filter(|tool| !answers(tool.probe)).map(provide);
    let unresolved: Vec<String> = missing.filter_map(Result::err).collect();
    if unresolved.is_empty() { Ok(()) } else { Err(unresolved.join("\n")) }
}

/// Whether `cargo nextest` is there: it runs the tests faster, but nothing needs it.
pub(crate) fn has_nextest() -> bool {
    answers(&["cargo", "nextest", "--version"])
}

fn provide(tool: &Tool) -> Result<(), String> {
    let line = tool.remedy.line();
    let advice = format!("{} is missing; install it with `{line}`", tool.purpose);
    match tool.remedy {
        Remedy::Apt(package) => match apt::install(tool.purpose, &[package]) {
            Attempt::Done if answers(tool.probe) => Ok(()),
            Attempt::Done | Attempt::Failed => Err(format!("{advice} (tried, but it failed)")),
            Attempt::NotAllowed => Err(advice),
        },
        Remedy::Rustup(_) => Err(advice),
    }
}

/// Whether the command can be started and succeeds.
fn answers(command: &[&str]) -> bool {
    let Some((program, arguments)) = command.split_first() else { return false };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        assert!(!answers(&["there-is-no-program-of-this-name", "--version"]));
        assert!(!answers(&["cargo", "there-is-no-command-of-this-name"]));
        assert!(answers(&["cargo", "--version"]));
    }

    #[test]
    fn what_cannot_be_installed_is_named_with_the_line_that_brings_it() {
        let tool = Tool { probe: &["nothing"], purpose: "the linter", remedy: Remedy::Rustup("clippy") };
        let advice = provide(&tool).unwrap_err();
        assert_eq!(advice, "the linter is missing; install it with `rustup component add clippy`");
    }
}
