//! The program as a process that can be killed and stopped.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// More than a machine with much to do takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often an end is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A process, killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    begun: Instant,
}

/// How it ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// What it said on standard error.
    pub(crate) said: String,
    pub(crate) took: Duration,
}

impl Program {
    /// Starts it in a folder, without any variable of the tester's own.
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aggregator"));
        command.args(args).current_dir(folder).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Self { begun: Instant::now(), child: command.spawn().unwrap() }
    }

    /// Ends it by SIGKILL, wherever it is; whether it was still there.
    pub(crate) fn kill(&mut self) -> bool {
        let lived = self.child.try_wait().unwrap().is_none();
        if lived {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
        lived
    }

    /// Sends a signal (a name without `SIG`).
    pub(crate) fn signal(&self, name: &str) {
        // Every shell has a kill of its own; the program is not on every machine.
        let script = format!("kill -s {name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    }

    /// Waits until it ends by itself. What it says fits into a pipe.
    pub(crate) async fn end(mut self) -> Ended {
        let status: ExitStatus = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(self.begun.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let took = self.begun.elapsed();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        Ended { code: status.code(), said, took }
    }

    /// Waits until it ends well.
    pub(crate) async fn succeed(self) -> Ended {
        let ended = self.end().await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        ended
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
