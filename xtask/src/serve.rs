//! `cargo xtask servers`: the servers of the tests, for one program or until the user has enough of them.

use std::io::{self, Write as _};
use std::process::{Command, ExitCode};

use moon_servers::Servers;

use crate::console::say;

/// Starts the servers, runs the program with them or waits, and stops them.
pub(crate) fn run(program: &[String]) -> ExitCode {
    match moon_servers::provide().and_then(Servers::start) {
        Ok(servers) => with(&servers, program).unwrap_or_else(|error| {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }),
        Err(reason) => {
            say(&format!("error: {reason}"));
            ExitCode::FAILURE
        }
    }
}

fn with(servers: &Servers, program: &[String]) -> Result<ExitCode, String> {
    let Some((program, arguments)) = program.split_first() else { return wait(servers) };
    let mut command = Command::new(program);
    command.args(arguments).envs(servers.variables().iter().map(|(name, url)| (name, url)));
    let status = command.status().map_err(|error| format!("cannot run {program}: {error}"))?;
    // A program that a signal ended has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// Prints the lines that a shell evaluates and waits for the end of standard input.
fn wait(servers: &Servers) -> Result<ExitCode, String> {
    let mut output = io::stdout().lock();
    let printed = output.write_all(exports(servers.variables()).as_bytes()).and_then(|()| output.flush());
    printed.map_err(|error| format!("cannot print: {error}"))?;
    say("the servers run until standard input ends or Ctrl-C");
    io::copy(&mut io::stdin().lock(), &mut io::sink()).map_err(|error| format!("cannot read: {error}"))?;
    Ok(ExitCode::SUCCESS)
}

/// A line for each variable; nothing in a URL of ours needs quoting.
fn exports(variables: &[(&str, String)]) -> String {
    variables.iter().map(|(name, url)| format!("export {name}={url}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_server() {
        let variables = [("ONE", "one://1/".to_owned()), ("OTHER", "other://2/".to_owned())];
        assert_eq!(exports(&variables), "export ONE=one://1/\nexport OTHER=other://2/\n");
    }
}
