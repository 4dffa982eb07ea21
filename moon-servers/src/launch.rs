//! Making a server, starting it on a free port, and waiting until it takes clients.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::guard::Guard;

/// A command: the program and its arguments.
pub(crate) type Line = Vec<String>;

/// How one kind of server is made and served. All its files are in its folder.
pub(crate) trait Recipe: fmt::Debug + Send + Sync {
    /// What people call it.
    fn name(&self) -> &'static str;
    /// Where it keeps everything; belongs to the user it runs as.
    fn folder(&self) -> &Path;
    /// Makes the data directory and ends.
    fn prepare(&self) -> Line;
    /// Serves in the foreground until it is signalled.
    fn serve(&self, port: u16) -> Line;
    /// The signal that ends it, without `SIG`.
    fn stop_signal(&self) -> &'static str;
    /// Whether the server that is this process takes clients now.
    fn is_ready(&self, port: u16, process: u32) -> bool;
    /// Where clients find it.
    fn url(&self, port: u16) -> String;
}

/// How long a server may take until it takes clients; they take less than a second where nothing else runs.
const START_MAX: Duration = Duration::from_secs(60);

/// How often a server is started, as another program may take the port between its choice and its use.
const ATTEMPTS_MAX: u32 = 3;

/// As many lines of a log as tell why a server did not start.
const TAIL_LINES: usize = 20;

/// A server that takes clients.
#[derive(Debug)]
pub(crate) struct Running {
    /// The server itself.
    pub(crate) process: Child,
    /// Where it listens.
    pub(crate) port: u16,
}

/// Makes and starts the server under the guard.
pub(crate) fn launch(recipe: &dyn Recipe, guard: &Guard) -> Result<Running, String> {
    if !prepare(recipe, guard).map_err(|error| failed(recipe, &error))?.success() {
        let error = format!("its data directory could not be made{}", tail(recipe, "prepare.log"));
        return Err(failed(recipe, &error));
    }
    attempts(recipe, |_| start(recipe, guard, free_port()?))
}

/// Starts the server once more on what it left, where it listened before: its clients know no other place.
pub(crate) fn launch_again(recipe: &dyn Recipe, guard: &Guard, port: u16) -> Result<Running, String> {
    attempts(recipe, |attempt| {
        if attempt > 0 {
            // Whoever has the port may leave it.
            thread::sleep(Duration::from_millis(200));
        }
        start(recipe, guard, port)
    })
}

fn attempts(recipe: &dyn Recipe, start: impl Fn(u32) -> Result<Running, String>) -> Result<Running, String> {
    let mut outcome = Err(String::new());
    for attempt in 0..ATTEMPTS_MAX {
        outcome = start(attempt);
        if outcome.is_ok() {
            break;
        }
    }
    outcome.map_err(|error| failed(recipe, &error))
}

fn failed(recipe: &dyn Recipe, error: &str) -> String {
    format!("{} did not start: {error}", recipe.name())
}

/// Makes the data directory.
fn prepare(recipe: &dyn Recipe, guard: &Guard) -> Result<ExitStatus, String> {
    let mut child = spawn(recipe, guard, &recipe.prepare(), "KILL", "prepare.log")?;
    let ended = child.wait().map_err(|error| error.to_string());
    guard.forget(child.id())?;
    ended
}

/// Starts the server on a port and waits until it takes clients.
fn start(recipe: &dyn Recipe, guard: &Guard, port: u16) -> Result<Running, String> {
    let mut server = spawn(recipe, guard, &recipe.serve(port), recipe.stop_signal(), "server.log")?;
    let begun = Instant::now();
    let problem = loop {
        match server.try_wait() {
            Ok(None) if recipe.is_ready(port, server.id()) => break None,
            Ok(None) if begun.elapsed() < START_MAX => thread::sleep(Duration::from_millis(20)),
            Ok(None) => break Some(format!("it took no clients within {} s", START_MAX.as_secs())),
            Ok(Some(status)) => break Some(format!("it ended ({status})")),
            Err(error) => break Some(error.to_string()),
        }
    };
    let Some(problem) = problem else { return Ok(Running { process: server, port }) };
    let _ = server.kill();
    let _ = server.wait();
    guard.forget(server.id())?;
    Err(format!("{problem}{}", tail(recipe, "server.log")))
}

/// A port of 127.0.0.1 that nobody listens on now.
fn free_port() -> Result<u16, String> {
    let port = || Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port());
    port().map_err(|error: io::Error| format!("there is no free port: {error}"))
}

/// Starts a command in the recipe's folder under the guard; what it says goes to the log there.
fn spawn(recipe: &dyn Recipe, guard: &Guard, line: &[String], signal: &str, log: &str) -> Result<Child, String> {
    let (program, arguments) = line.split_first().ok_or("no program is named")?;
    let open = || -> io::Result<(File, File)> {
        let file = File::create(recipe.folder().join(log))?;
        Ok((file.try_clone()?, file))
    };
    let (output, errors) = open().map_err(|error| format!("cannot write {log}: {error}"))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(recipe.folder()).stdin(Stdio::null()).stdout(output).stderr(errors);
    guard.spawn(&mut command, signal)
}

/// The end of a log, a line each, with a line break before.
fn tail(recipe: &dyn Recipe, log: &str) -> String {
    let bytes = fs::read(recipe.folder().join(log)).unwrap_or_default();
    last_lines(&String::from_utf8_lossy(&bytes))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines.iter().skip(from).map(|line| format!("\n    {line}")).collect()
}

/// Owned copies.
pub(crate) fn strings(texts: &[&str]) -> Line {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server made of shell commands.
    #[derive(Debug)]
    struct Toy {
        folder: std::path::PathBuf,
        prepare: &'static str,
        serve: &'static str,
    }

    impl Recipe for Toy {
        fn name(&self) -> &'static str {
            "the toy"
        }
        fn folder(&self) -> &Path {
            &self.folder
        }
        fn prepare(&self) -> Line {
            strings(&["sh", "-c", self.prepare])
        }
        fn serve(&self, _port: u16) -> Line {
            strings(&["sh", "-c", self.serve])
        }
        fn stop_signal(&self) -> &'static str {
            "KILL"
        }
        fn is_ready(&self, _port: u16, _process: u32) -> bool {
            self.folder.join("ready").exists()
        }
        fn url(&self, port: u16) -> String {
            format!("toy://127.0.0.1:{port}/")
        }
    }

    fn launch_toy(prepare: &'static str, serve: &'static str) -> Result<(), String> {
        let guard = Guard::new(&std::env::temp_dir()).unwrap();
        let running = launch(&Toy { folder: guard.folder().to_owned(), prepare, serve }, &guard)?;
        guard.keep(running.process);
        Ok(())
    }

    #[test]
    fn a_server_that_takes_clients_has_started() {
        assert_eq!(launch_toy("true", "touch ready; exec sleep 600"), Ok(()));
    }

    #[test]
    fn what_a_failed_server_said_last_is_told() {
        let error = launch_toy("true", "echo out of luck; exit 3").unwrap_err();
        assert_eq!(error, "the toy did not start: it ended (exit status: 3)\n    out of luck");
    }

    #[test]
    fn a_data_directory_that_cannot_be_made_is_told() {
        let error = launch_toy("echo no room >&2; exit 1", "touch ready; exec sleep 600").unwrap_err();
        assert_eq!(error, "the toy did not start: its data directory could not be made\n    no room");
    }

    #[test]
    fn only_the_end_of_a_log_is_told() {
        let text: String = (0..100).map(|line| format!("{line}\n")).collect();
        assert!(last_lines(&text).starts_with("\n    80\n    81\n"));
        assert_eq!(last_lines(""), "");
    }
}
