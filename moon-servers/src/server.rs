//! A server of one test's own, which may be killed and started again.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::guard::Guard;
use crate::kind::Kind;
use crate::launch::{Recipe, Running, launch, launch_again};
use crate::purpose::Purpose;

/// How long the processes of a killed server may take to be gone.
const GONE_MAX: Duration = Duration::from_secs(20);

/// A server that runs until this is dropped, or until it is [killed](Self::kill).
#[derive(Debug)]
pub struct Server {
    recipe: Box<dyn Recipe>,
    port: u16,
    process: Option<Child>,
    guard: Guard,
}

impl Server {
    /// Makes and starts one, in a new folder under `parent`.
    ///
    /// # Errors
    /// A sentence: how to install its programs where they are missing, or why it did not start.
    pub fn start(kind: Kind, purpose: Purpose, parent: &Path) -> Result<Self, String> {
        let programs = kind.find().ok_or_else(|| kind.advice())?;
        let guard = Guard::new(parent)?;
        let recipe = programs.recipe(guard.folder(), purpose)?;
        let Running { process, port } = launch(recipe.as_ref(), &guard)?;
        Ok(Self { recipe, port, process: Some(process), guard })
    }

    /// Where clients find it, now and whenever it has been started again.
    #[must_use]
    pub fn url(&self) -> String {
        self.recipe.url(self.port)
    }

    /// Ends all of its processes by SIGKILL, in the middle of whatever they do, and waits until they are gone. One that is
    /// killed already stays so.
    ///
    /// # Errors
    /// A sentence when a process cannot be ended.
    pub fn kill(&mut self) -> Result<(), String> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        // PostgreSQL's server would end the others itself and start them anew: it is held back meanwhile. Each of them has a
        // process group of its own.
        let children = signal("STOP", &[process.id()]).and_then(|()| children_of(process.id()));
        let killed = children.and_then(|children| signal("KILL", &children).map(|()| children));
        let _ = process.kill();
        let ended = process.wait().map_err(|error| error.to_string());
        self.guard.forget(process.id())?;
        ended?;
        wait_until_gone(&killed?)
    }

    /// Starts it again on what it left, as after a crash.
    ///
    /// # Errors
    /// A sentence with the end of its log when it does not start.
    pub fn restart(&mut self) -> Result<(), String> {
        self.kill()?;
        self.process = Some(launch_again(self.recipe.as_ref(), &self.guard, self.port)?.process);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            self.guard.keep(process);
        }
    }
}

/// Sends a signal (a name without `SIG`) to processes, some of which may be gone.
fn signal(name: &str, processes: &[u32]) -> Result<(), String> {
    if processes.is_empty() {
        return Ok(());
    }
    // Every shell has a kill of its own; the program is not on every machine.
    let mut command = Command::new("sh");
    command.args(["-c", "kill -s \"$0\" \"$@\"", name]).args(processes.iter().map(u32::to_string));
    command.stderr(std::process::Stdio::null());
    command.status().map(drop).map_err(|error| format!("cannot run sh: {error}"))
}

/// The processes that a process has started, as /proc tells them.
fn children_of(process: u32) -> Result<Vec<u32>, String> {
    let entries = fs::read_dir("/proc").map_err(|error| format!("cannot read /proc: {error}"))?;
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    Ok(numbers.filter(|number| parent_of(*number) == Some(process)).collect())
}

fn parent_of(process: u32) -> Option<u32> {
    state_and_parent(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?).map(|(_, parent)| parent)
}

/// The state of a process and its parent from the text of its `stat`, in which a name in parentheses, which may hold
/// anything, comes first.
fn state_and_parent(stat: &str) -> Option<(&str, u32)> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut words = behind.split_whitespace();
    Some((words.next()?, words.next()?.parse().ok()?))
}

/// A process that nobody has waited for is still listed; it holds nothing any more.
fn is_gone(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    state_and_parent(&stat).is_none_or(|(state, _)| state == "Z" || state == "X")
}

fn wait_until_gone(processes: &[u32]) -> Result<(), String> {
    let begun = Instant::now();
    while !processes.iter().all(|process| is_gone(*process)) {
        if begun.elapsed() > GONE_MAX {
            return Err("a process of the server outlives SIGKILL".to_owned());
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_and_its_parent_are_read_whatever_its_name_is() {
        assert_eq!(state_and_parent("42 (postgres: a) b (c) S 7 42 42 0 -1"), Some(("S", 7)));
        assert_eq!(state_and_parent(""), None);
    }

    #[test]
    fn the_processes_of_a_process_are_found_and_ended() {
        let mut shell = Command::new("sh").args(["-c", "sleep 600 & sleep 600 & wait"]).spawn().unwrap();
        let mut children = Vec::new();
        while children.len() < 2 {
            children = children_of(shell.id()).unwrap();
        }
        signal("KILL", &children).unwrap();
        wait_until_gone(&children).unwrap();
        shell.wait().unwrap();
    }

    #[test]
    fn a_server_can_be_killed_and_started_again_where_it_was() {
        for kind in Kind::ALL {
            if std::env::var("MOON_TEST_SKIP").unwrap_or_default().contains(kind.word()) {
                continue;
            }
            let mut server = Server::start(kind, Purpose::Kills, &std::env::temp_dir()).unwrap();
            let url = server.url();
            let process = server.process.as_ref().map(Child::id).unwrap();
            server.kill().unwrap();
            server.kill().unwrap();
            assert!(is_gone(process));
            server.restart().unwrap();
            assert_eq!(server.url(), url);
        }
    }
}
