//! A folder for the servers, and a shell that stops them and removes it: when the guard is dropped, and also when this
//! process ends in any other way (Ctrl-C, a kill), which the shell notices by the end of its input.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::apt::is_root;

/// Reads a line `SIGNAL PROCESS` for each process to stop, and `gone PROCESS` for each that ended before. When there are
/// no more, signals their groups, gives them five seconds, and removes the folder.
const SCRIPT: &str = "\
running=
while read -r signal process; do
  if [ \"$signal\" = gone ]; then
    kept=
    for one in $running; do [ \"${one#*,}\" = \"$process\" ] || kept=\"$kept $one\"; done
    running=$kept
  else
    running=\"$running $signal,$process\"
  fi
done
for one in $running; do kill -s \"${one%,*}\" -- \"-${one#*,}\" 2>/dev/null; done
for one in $running; do
  tries=0
  while kill -0 \"${one#*,}\" 2>/dev/null && [ \"$tries\" -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
  kill -s KILL -- \"-${one#*,}\" 2>/dev/null
done
rm -rf -- \"$1\"
";

/// Stops the servers and removes their folder when it is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    folder: PathBuf,
    shell: Child,
    input: Option<Mutex<ChildStdin>>,
    servers: Mutex<Vec<Child>>,
}

impl Guard {
    /// Makes a new folder under `parent` and starts the shell that watches over it.
    pub(crate) fn new(parent: &Path) -> Result<Self, String> {
        let folder = new_folder(parent)?;
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "guard"]).arg(&folder).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        own_group(&mut command);
        let started = command.spawn().and_then(|mut shell| {
            let input = shell.stdin.take().ok_or_else(|| io::Error::other("it has no input"))?;
            Ok((shell, input))
        });
        match started {
            Ok((shell, input)) => Ok(Self { folder, shell, input: Some(Mutex::new(input)), servers: Mutex::default() }),
            Err(error) => {
                let _ = fs::remove_dir(&folder);
                Err(format!("cannot start sh: {error}"))
            }
        }
    }

    /// The folder that the servers keep everything in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts the command in a process group of its own, which the shell stops in the end with `signal` (a name without
    /// `SIG`) unless it is [forgotten](Self::forget) before.
    pub(crate) fn spawn(&self, command: &mut Command, signal: &str) -> Result<Child, String> {
        own_group(command);
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
        match self.tell(signal, child.id()) {
            Ok(()) => Ok(child),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Tells the shell to forget a process that has been waited for: its number may become another's.
    pub(crate) fn forget(&self, process: u32) -> Result<(), String> {
        self.tell("gone", process)
    }

    /// Keeps a server until the end.
    pub(crate) fn keep(&self, server: Child) {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).push(server);
    }

    fn tell(&self, word: &str, process: u32) -> Result<(), String> {
        let told = match &self.input {
            // In one piece, as the other server's thread tells as well.
            Some(input) => {
                let line = format!("{word} {process}\n");
                input.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())
            }
            None => Err(io::Error::other("it has stopped")),
        };
        told.map_err(|error| format!("cannot tell the guard about a process: {error}"))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.input.take());
        // A process is gone only when it has been waited for; the shell waits for that.
        for server in self.servers.get_mut().unwrap_or_else(PoisonError::into_inner) {
            let _ = server.wait();
        }
        let _ = self.shell.wait();
    }
}

/// Puts the command into a process group of its own, so that Ctrl-C in the terminal does not reach it: servers outlive
/// the tests that use them, and the guard outlives the servers.
fn own_group(command: &mut Command) {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
    }
    #[cfg(not(unix))]
    let _ = command;
}

/// A folder that was not there before. Servers that root starts run as other users, who must get through to theirs.
fn new_folder(parent: &Path) -> Result<PathBuf, String> {
    for attempt in 0..100_u32 {
        let folder = parent.join(format!("moon-servers-{}-{attempt}", process::id()));
        match fs::create_dir(&folder) {
            Ok(()) => return set_mode(&folder).map(|()| folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("cannot make the folder {}: {error}", folder.display())),
        }
    }
    Err(format!("{} is full of folders named moon-servers-*", parent.display()))
}

fn set_mode(folder: &Path) -> Result<(), String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if is_root() { 0o755 } else { 0o700 };
        fs::set_permissions(folder, fs::Permissions::from_mode(mode))
            .map_err(|error| format!("cannot set the mode of {}: {error}", folder.display()))?;
    }
    #[cfg(not(unix))]
    let _ = (folder, is_root());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(guard: &Guard, signal: &str) -> Child {
        guard.spawn(Command::new("sleep").arg("600"), signal).unwrap()
    }

    fn lives(process: u32) -> bool {
        Path::new(&format!("/proc/{process}")).exists()
    }

    #[test]
    fn dropping_it_stops_the_servers_and_removes_the_folder() {
        let guard = Guard::new(&std::env::temp_dir()).unwrap();
        let folder = guard.folder().to_owned();
        fs::write(folder.join("file"), "content").unwrap();
        let (first, second) = (sleeper(&guard, "KILL"), sleeper(&guard, "TERM"));
        let processes = [first.id(), second.id()];
        guard.keep(first);
        guard.keep(second);
        assert!(processes.into_iter().all(lives));
        drop(guard);
        assert!(!processes.into_iter().any(lives));
        assert!(!folder.exists());
    }

    #[test]
    fn a_process_that_is_forgotten_is_left_alone() {
        let guard = Guard::new(&std::env::temp_dir()).unwrap();
        let (mut forgotten, kept) = (sleeper(&guard, "KILL"), sleeper(&guard, "KILL"));
        guard.forget(forgotten.id()).unwrap();
        guard.keep(kept);
        drop(guard);
        assert_eq!(forgotten.try_wait().unwrap(), None);
        forgotten.kill().unwrap();
        forgotten.wait().unwrap();
    }

    #[test]
    fn the_shell_does_its_work_when_this_process_does_not_come_to_it() {
        // Its input ends, but nobody drops the guard: as after a kill.
        let mut guard = Guard::new(&std::env::temp_dir()).unwrap();
        let mut server = sleeper(&guard, "KILL");
        drop(guard.input.take());
        assert!(!server.wait().unwrap().success());
        assert!(guard.shell.wait().unwrap().code().is_some());
        assert!(!guard.folder().exists());
    }

    #[test]
    fn two_guards_have_folders_of_their_own() {
        let (one, other) = (Guard::new(&std::env::temp_dir()).unwrap(), Guard::new(&std::env::temp_dir()).unwrap());
        assert_ne!(one.folder(), other.folder());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let missing = std::env::temp_dir().join("there-is-no-folder-of-this-name");
        assert!(Guard::new(&missing).unwrap_err().contains("there-is-no-folder-of-this-name"));
    }
}
