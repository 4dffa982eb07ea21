//! `cargo xtask measure-memory`: how much memory the real programs take for many sales. Generates a file, imports it into
//! an SQLite store and aggregates that, and holds the peak of each program against its limit.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::console::{duration, say};

/// How many sales are taken unless the user says another number.
pub(crate) const SALES_DEFAULT: u64 = 1_000_000;

const IMPORT_KIB_MAX: u64 = 150 * 1_024;
const AGGREGATION_KIB_MAX: u64 = 100 * 1_024;

/// How the generated file is to be read.
const MAP: &str = "benches/maps/generated-sales.toml";

/// The kernel keeps the peak itself; only what is added in the last moment of a process can be missed.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Builds the programs and measures them. The exit code is 0 when both stay within their limits, otherwise 1.
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

/// A program that ran to its end.
struct Measured {
    peak_kib: u64,
    time: Duration,
}

/// Whether both programs stay within their limits.
fn measure(sales: u64) -> Result<bool, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace has no folder")?;
    build(root, &["-p", "integration-service", "-p", "aggregator"])?;
    build(root, &["-p", "moon-datagen", "--example", "sales_csv"])?;
    let target = target_folder()?;
    let folder = Folder::create(&target, "measure-memory")?;
    let programs = target.join("release");

    say(&format!("generating {sales} sales"));
    let file = folder.0.join("sales.csv");
    let mut generate = Command::new(programs.join("examples/sales_csv"));
    generate.arg(sales.to_string());
    watch(generate, &file)?;

    say("importing them");
    let mut import = program(&programs.join("integration-service"), &folder.0);
    import.arg("import").arg(&file).arg("--map").arg(root.join(MAP));
    let answer = folder.0.join("import.json");
    let imported = watch(import, &answer)?;
    must_say(&answer, &format!("\"recorded\":{sales},"))?;

    say("aggregating them");
    let mut aggregate = program(&programs.join("aggregator"), &folder.0);
    aggregate.args(["run", "--full", "--format", "json"]);
    let answer = folder.0.join("figures.json");
    let aggregated = watch(aggregate, &answer)?;
    must_say(&answer, &format!("\"rows_read\":{sales}"))?;

    let import = line("import", sales, &imported, IMPORT_KIB_MAX);
    let aggregation = line("aggregation", sales, &aggregated, AGGREGATION_KIB_MAX);
    say(&format!("{import}\n{aggregation}"));
    Ok(imported.peak_kib <= IMPORT_KIB_MAX && aggregated.peak_kib <= AGGREGATION_KIB_MAX)
}

fn build(root: &Path, what: &[&str]) -> Result<(), String> {
    let mut command = Command::new("cargo");
    command.args(["build", "--release"]).args(what).current_dir(root);
    let status = command.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the build of {} failed", what.join(" "))) }
}

/// Where cargo builds to, which is where this program runs: `TARGET/debug/xtask`.
fn target_folder() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    program.ancestors().nth(2).map(Path::to_path_buf).ok_or_else(|| "this program lies in no folder".to_owned())
}

/// A folder that is removed when it is dropped. It lies where cargo builds, on a disk: some machines keep temporary files
/// in memory.
struct Folder(PathBuf);

impl Folder {
    fn create(parent: &Path, name: &str) -> Result<Self, String> {
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

/// A program of ours on the store of the folder, without settings of the user's own.
fn program(path: &Path, folder: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_clear().current_dir(folder).args(["--store-url", "sqlite:sales.db"]);
    command
}

/// Runs a program to its end, with its standard output in a file.
fn watch(mut command: Command, output: &Path) -> Result<Measured, String> {
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
fn must_say(answer: &Path, wanted: &str) -> Result<(), String> {
    let text = fs::read_to_string(answer).map_err(|error| format!("cannot read {}: {error}", answer.display()))?;
    let squeezed: String = text.split_whitespace().collect();
    if squeezed.contains(wanted) { Ok(()) } else { Err(format!("expected {wanted} in the answer:\n{text}")) }
}

fn line(name: &str, sales: u64, measured: &Measured, kib_max: u64) -> String {
    let verdict = if measured.peak_kib <= kib_max { "within" } else { "BEYOND" };
    let per_second = u128::from(sales).saturating_mul(1_000) / measured.time.as_millis().max(1);
    format!(
        "{name} of {sales} sales: {} MiB at most, {verdict} the limit of {} MiB; {}, {per_second} sales a second",
        mebibytes(measured.peak_kib),
        mebibytes(kib_max),
        duration(measured.time),
    )
}

/// With one decimal.
fn mebibytes(kib: u64) -> String {
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
    fn a_line_says_how_a_program_stands() {
        let measured = |peak_kib| Measured { peak_kib, time: Duration::from_secs(2) };
        assert_eq!(
            line("import", 1_000_000, &measured(60 * 1_024 + 512), IMPORT_KIB_MAX),
            "import of 1000000 sales: 60.5 MiB at most, within the limit of 150.0 MiB; 2.0 s, 500000 sales a second"
        );
        assert!(line("import", 1, &measured(IMPORT_KIB_MAX + 1), IMPORT_KIB_MAX).contains("BEYOND"));
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
