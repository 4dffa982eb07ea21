//! Building programs, running them, and watching what memory they take.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The kernel keeps the peak itself; only what is added in the last moment of a process can be missed.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A program that ran to its end.
pub(crate) struct Measured {
    /// The most resident memory, in KiB.
    pub(crate) peak_kib: u64,
    /// From its start to its end.
    pub(crate) time: Duration,
}

/// The workspace's folder.
pub(crate) fn root() -> Result<&'static Path, String> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or_else(|| "the workspace has no folder".to_owned())
}

/// Builds something in the release profile.
pub(crate) fn build(root: &Path, what: &[&str]) -> Result<(), String> {
    let mut command = Command::new("cargo");
    command.args(["build", "--release"]).args(what).current_dir(root);
    let status = command.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the build of {} failed", what.join(" "))) }
}

/// Where cargo builds to, which is where this program runs: `TARGET/debug/xtask`.
pub(crate) fn target_folder() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    program.ancestors().nth(2).map(Path::to_path_buf).ok_or_else(|| "this program lies in no folder".to_owned())
}

/// A folder that is removed when it is dropped. It lies where cargo builds, on a disk: some machines keep temporary files
/// in memory.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// Makes a new one under `parent`.
    pub(crate) fn create(parent: &Path, name: &str) -> Result<Self, String> {
        let folder = parent.join(format!("{name}-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is below the folder that `cargo clean` removes.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a program to its end, with its standard output in a file.
pub(crate) fn watch(mut command: Command, output: &Path) -> Result<Measured, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = File::create(output).map_err(|error| format!("cannot create {}: {error}", output.display()))?;
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(output);
    let mut child = command.spawn().map_err(|error| format!("cannot run {name}: {error}"))?;
    let (status, peak) = peak_until_end(&mut child).map_err(|error| format!("cannot watch {name}: {error}"))?;
    let time = start.elapsed();
    if !status.success() {
        return Err(format!("{name} failed ({status})"));
    }
    let peak_kib = peak.ok_or("the peak of a process stands in /proc, which this machine does not have")?;
    Ok(Measured { peak_kib, time })
}

/// How a process ended, and its peak in KiB.
fn peak_until_end(child: &mut Child) -> std::io::Result<(ExitStatus, Option<u64>)> {
    let file = format!("/proc/{}/status", child.id());
    let mut peak = None;
    loop {
        // The file of a process that has ended has no peak any more.
        let status = fs::read_to_string(&file).unwrap_or_default();
        peak = peak.max(peak_kib(&status));
        if let Some(status) = child.try_wait()? {
            return Ok((status, peak));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// The peak of the resident memory in a status file of /proc.
fn peak_kib(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Makes sure that a program did what it was measured for.
pub(crate) fn must_say(answer: &Path, wanted: &str) -> Result<(), String> {
    let text = fs::read_to_string(answer).map_err(|error| format!("cannot read {}: {error}", answer.display()))?;
    let squeezed: String = text.split_whitespace().collect();
    if squeezed.contains(wanted) { Ok(()) } else { Err(format!("expected {wanted} in the answer:\n{text}")) }
}

/// With one decimal.
pub(crate) fn mebibytes(kib: u64) -> String {
    format!("{}.{}", kib / 1_024, kib % 1_024 * 10 / 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_found_in_a_status_file() {
        let status = "Name:\taggregator\nVmPeak:\t  250000 kB\nVmHWM:\t   14884 kB\nVmRSS:\t   14000 kB\n";
        assert_eq!(peak_kib(status), Some(14_884));
        assert_eq!(peak_kib("Name:\taggregator\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn the_folder_goes_with_its_guard() {
        let folder = Folder::create(&std::env::temp_dir(), "moon-removed").unwrap();
        let path = folder.0.clone();
        fs::write(path.join("file"), "text").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_program_is_watched_to_its_end_and_must_have_done_its_work() {
        let folder = Folder::create(&std::env::temp_dir(), "moon-watched").unwrap();
        let answer = folder.0.join("answer");
        let mut program = Command::new("sh");
        program.args(["-c", "sleep 0.05; echo '{ \"recorded\": 5 }'"]);
        let measured = watch(program, &answer).unwrap();
        assert!(measured.peak_kib > 0);
        assert_eq!(must_say(&answer, "\"recorded\":5"), Ok(()));
        assert!(must_say(&answer, "\"recorded\":6").is_err());

        let mut failing = Command::new("sh");
        failing.args(["-c", "exit 3"]);
        assert!(watch(failing, &answer).is_err());
    }
}
