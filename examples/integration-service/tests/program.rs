//! The program as people run it: what it prints, how it ends, and what it leaves behind when it is stopped.
#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot do")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use futures_util::StreamExt as _;
use moon_core::{PostingFilter, Store as _, TxMode};
use moon_store_sqlite::SqliteStore;

const MAP: &str = r#"
kind = "sales"
source = "test"
reference = "ID"
[columns]
agent = "AGENT"
branch = "BRANCH"
product = "PRODUCT"
amount = "AMOUNT"
date = "DATE"
[unknown]
agents = "create"
branches = "create"
products = "create"
"#;

const HEADER: &str = "ID,AGENT,BRANCH,PRODUCT,AMOUNT,DATE\n";

/// A folder with a map in it, in which the program runs.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.file("map.toml", MAP);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// The program, in this folder, with no setting from outside.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_integration-service")).args(arguments).output().unwrap()
    }

    fn import(&self, file: &str) -> Output {
        self.run(&["import", file, "--map", "map.toml"])
    }

    /// Starts an import, whose output is read later.
    fn start(&self, file: &str) -> Child {
        let mut command = self.command(env!("CARGO_BIN_EXE_integration-service"));
        command.args(["import", file, "--map", "map.toml"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Makes a file that one program reads while another one writes it.
    fn pipe(&self, name: &str) {
        assert!(Command::new("mkfifo").arg(self.path(name)).status().unwrap().success());
    }

    /// The sum in minor units and the number of all sales in the database.
    async fn totals(&self) -> (i128, usize) {
        totals(&self.path("moon.db")).await
    }
}

async fn totals(database: &Path) -> (i128, usize) {
    let store = SqliteStore::connect(&format!("sqlite:{}", database.display())).await.unwrap();
    let mut unit = store.begin(TxMode::ReadOnly).await.unwrap();
    let filter = PostingFilter::default();
    let mut scan = unit.postings().scan(&filter);
    let (mut minor, mut count) = (0, 0);
    while let Some(batch) = scan.next().await {
        let batch = batch.unwrap();
        minor += batch.sales.amount.iter().copied().map(i128::from).sum::<i128>();
        count += batch.sales.len();
    }
    (minor, count)
}

fn rows(numbers: std::ops::Range<u32>) -> String {
    let mut text = String::new();
    for number in numbers {
        let (agent, branch, product, day) = (number % 97, number % 7, number % 5, 1 + number % 28);
        writeln!(text, "{number},AGT{agent:03},BR{branch},PR{product},{number}.25,2026-03-{day:02}").unwrap();
    }
    text
}

/// The sum of `rows(0..count)` in minor units.
fn sum(count: u32) -> i128 {
    (0..i128::from(count)).map(|number| number * 100 + 25).sum()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn counts(rows: u32, recorded: u32, duplicates: u32, rejected: u32) -> String {
    format!(
        "{{\"rows\":{rows},\"recorded\":{recorded},\"duplicates\":{duplicates},\"corrections\":0,\"stale\":0,\"conflicts\":0,\"rejected\":{rejected}}}\n"
    )
}

#[tokio::test]
async fn the_counts_are_one_line_of_json_and_everything_else_goes_to_standard_error() {
    let desk = Desk::new();
    desk.file("sales.csv", format!("{HEADER}{}x,AGT001,BR1,PR1,1e3,2026-01-01\n", rows(0..3)));
    let output = desk.import("sales.csv");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), counts(4, 3, 0, 1));
    let shown = stderr(&output);
    assert!(shown.contains("line 5, column AMOUNT: amount is not a plain decimal number"), "{shown}");
    assert!(shown.contains("3 rows done, 1 rejected: see sales.rejects.csv"), "{shown}");
    let rejects = fs::read_to_string(desk.path("sales.rejects.csv")).unwrap();
    assert!(rejects.starts_with("line,column,reason,row\n5,AMOUNT,"), "{rejects}");
    assert_eq!(stdout(&desk.import("sales.csv")), counts(4, 0, 3, 1));
    assert_eq!(desk.totals().await, (sum(3), 3));
}

#[test]
fn files_that_cannot_be_read_fail_before_a_database_is_made() {
    let desk = Desk::new();
    desk.file("empty.csv", "");
    desk.file("binary.csv", b"\0\x01\x02");
    desk.file("other.csv", "A,B\n1,2\n");
    desk.file("bad.toml", MAP.replace("agent =", "agnet ="));
    let cases = [
        ("absent.csv", "map.toml", "file cannot be opened (file: absent.csv)"),
        ("empty.csv", "map.toml", "file is empty (file: empty.csv)"),
        ("binary.csv", "map.toml", "file is binary or in UTF-16"),
        ("other.csv", "map.toml", "not a header with the columns that the map names (column: ID, columns: A, B"),
        ("other.csv", "absent.toml", "map cannot be read (file: absent.toml)"),
        ("other.csv", "bad.toml", "map is not understood (map: bad.toml, line: 6)"),
    ];
    for (file, map, expected) in cases {
        let output = desk.run(&["import", file, "--map", map]);
        assert_eq!(output.status.code(), Some(1), "{file}");
        assert_eq!(stdout(&output), "");
        let shown = stderr(&output);
        assert!(shown.starts_with("error: ") && shown.contains(expected), "{shown}");
    }
    assert!(!desk.path("moon.db").exists());
}

#[test]
fn wrong_usage_and_refusals_have_exit_codes_of_their_own() {
    let desk = Desk::new();
    desk.file("sales.csv", format!("{HEADER}{}", rows(0..2)));
    assert_eq!(desk.run(&["import", "sales.csv"]).status.code(), Some(2));
    assert_eq!(desk.run(&["import", "sales.csv", "--map", "map.toml", "--currency", "XYZ"]).status.code(), Some(2));
    assert_eq!(desk.run(&["import", "sales.csv", "--map", "map.toml", "--actor", ""]).status.code(), Some(2));

    desk.file("expect.toml", format!("{MAP}[expect]\nrows = 3\n"));
    let output = desk.run(&["import", "sales.csv", "--map", "expect.toml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("expected_rows: 3, good_rows: 2"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");

    assert_eq!(desk.import("sales.csv").status.code(), Some(0));
    let other = desk.run(&["import", "sales.csv", "--map", "map.toml", "--currency", "USD"]);
    assert_eq!(other.status.code(), Some(3), "{}", stderr(&other));

    desk.file(
        "refuse.toml",
        format!("{}[expect]\nrows = 2\n", MAP.replace("agents = \"create\"", "agents = \"refuse\"")),
    );
    desk.file("new.csv", format!("{HEADER}8,NOBODY,BR1,PR1,1,2026-01-01\n9,AGT001,BR1,PR1,1,2026-01-01\n"));
    let output = desk.run(&["import", "new.csv", "--map", "refuse.toml"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(3), counts(2, 1, 0, 1)));
}

#[tokio::test]
async fn killed_while_it_waits_it_has_kept_whole_units_and_a_second_run_completes_them() {
    let desk = Desk::new();
    let total = 23_000;
    desk.file("map.toml", format!("format = \"csv\"\n{MAP}"));
    desk.pipe("pipe");
    let mut child = desk.start("pipe");
    let mut pipe = fs::OpenOptions::new().write(true).open(desk.path("pipe")).unwrap();
    // Two units and a half; the rest never comes.
    pipe.write_all(format!("{HEADER}{}", rows(0..12_500)).as_bytes()).unwrap();
    let mut first = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("5,000 rows recorded"), "{first}");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(pipe);

    let (minor, count) = desk.totals().await;
    assert!([5_000, 10_000].contains(&count), "{count}");
    assert_eq!(minor, sum(u32::try_from(count).unwrap()));
    desk.file("sales.csv", format!("{HEADER}{}", rows(0..total)));
    let kept = u32::try_from(count).unwrap();
    assert_eq!(stdout(&desk.import("sales.csv")), counts(total, total - kept, kept, 0));
    assert_eq!(desk.totals().await, (sum(total), usize::try_from(total).unwrap()));
}

#[tokio::test]
async fn killed_at_work_again_and_again_it_comes_to_the_exact_totals() {
    let desk = Desk::new();
    let total = 40_000;
    desk.file("sales.csv", format!("{HEADER}{}", rows(0..total)));
    let mut before = 0;
    for _ in 0..3 {
        let mut child = desk.start("sales.csv");
        let mut first = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut first).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let (minor, count) = desk.totals().await;
        assert!(count % 5_000 == 0 && count >= before && count > 0, "whole units: {count}");
        assert_eq!(minor, sum(u32::try_from(count).unwrap()));
        before = count;
    }
    let kept = u32::try_from(before).unwrap();
    assert_eq!(stdout(&desk.import("sales.csv")), counts(total, total - kept, kept, 0));
    assert_eq!(desk.totals().await, (sum(total), usize::try_from(total).unwrap()));
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_whole_units() {
    let desk = Desk::new();
    let total = 30_000;
    desk.file("sales.csv", format!("{HEADER}{}", rows(0..total)));
    // No file may grow beyond so many blocks; the signal that would end the process is ignored, so that writing fails.
    let script = format!(
        "trap '' XFSZ; ulimit -f 4000; exec '{}' import sales.csv --map map.toml",
        env!("CARGO_BIN_EXE_integration-service")
    );
    let output = desk.command("/bin/sh").args(["-c", &script]).output().unwrap();
    let shown = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("error: the import stopped; "), "{shown}");
    assert!(shown.contains("repeating the command completes it") || shown.contains("no row was recorded"), "{shown}");
    assert_eq!(stdout(&output), "");
    let (minor, count) = desk.totals().await;
    assert!(count % 5_000 == 0 && count < 30_000, "whole units: {count}");
    assert_eq!(minor, sum(u32::try_from(count).unwrap()));

    let kept = u32::try_from(count).unwrap();
    assert_eq!(stdout(&desk.import("sales.csv")), counts(total, total - kept, kept, 0));
    assert_eq!(desk.totals().await, (sum(total), usize::try_from(total).unwrap()));
}

#[tokio::test]
async fn a_database_that_may_only_be_read_is_said_and_left_alone() {
    let desk = Desk::new();
    desk.file("sales.csv", format!("{HEADER}{}", rows(0..10)));
    assert_eq!(desk.import("sales.csv").status.code(), Some(0));
    desk.file("more.csv", format!("{HEADER}{}", rows(10..20)));
    let output = desk.run(&["import", "more.csv", "--map", "map.toml", "--store-url", "sqlite:moon.db?mode=ro"]);
    let shown = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.starts_with("error: ") && shown.contains("read"), "{shown}");
    assert_eq!(desk.totals().await, (sum(10), 10));
}

#[tokio::test]
async fn two_imports_at_once_into_one_file_record_all_of_both() {
    let desk = Desk::new();
    let total = 30_000;
    desk.file("map.toml", format!("format = \"csv\"\n{MAP}"));
    let halves = [0..total / 2, total / 2..total];
    // Each has recorded a part and waits for the rest when the other one is let go on: both are at work.
    let begun = halves.clone().map(|half| {
        let name = format!("from {}", half.start);
        desk.pipe(&name);
        let mut child = desk.start(&name);
        let mut pipe = fs::OpenOptions::new().write(true).open(desk.path(&name)).unwrap();
        pipe.write_all(format!("{HEADER}{}", rows(half.start..half.start + 7_000)).as_bytes()).unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        said.read_line(&mut first).unwrap();
        assert!(first.starts_with("5,000 rows recorded"), "{first}");
        (child, pipe, said)
    });
    let ends: Vec<_> = begun
        .into_iter()
        .zip(halves)
        .map(|((child, mut pipe, mut said), half)| {
            std::thread::spawn(move || {
                pipe.write_all(rows(half.start + 7_000..half.end).as_bytes()).unwrap();
                drop(pipe);
                let mut rest = String::new();
                said.read_to_string(&mut rest).unwrap();
                (child.wait_with_output().unwrap(), rest)
            })
        })
        .collect();
    for end in ends {
        let (output, said) = end.join().unwrap();
        assert_eq!((output.status.code(), stdout(&output)), (Some(0), counts(total / 2, total / 2, 0, 0)), "{said}");
    }
    assert_eq!(desk.totals().await, (sum(total), usize::try_from(total).unwrap()));
}

#[tokio::test]
async fn one_file_that_two_import_at_once_is_recorded_once() {
    let desk = Desk::new();
    let total = 12_000;
    desk.file("sales.csv", format!("{HEADER}{}", rows(0..total)));
    // They make the database at the same moment too.
    let children = [desk.start("sales.csv"), desk.start("sales.csv")];
    let (mut recorded, mut duplicates) = (0, 0);
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let counts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let count = |name: &str| counts.get(name).and_then(serde_json::Value::as_u64).unwrap();
        let others = ["corrections", "stale", "conflicts", "rejected"].map(count);
        assert_eq!((count("rows"), others), (u64::from(total), [0; 4]), "{counts}");
        recorded += count("recorded");
        duplicates += count("duplicates");
    }
    assert_eq!((recorded, duplicates), (u64::from(total), u64::from(total)));
    assert_eq!(desk.totals().await, (sum(total), usize::try_from(total).unwrap()));
}

#[tokio::test]
async fn a_database_file_that_may_only_be_read_is_said_and_left_alone() {
    let desk = Desk::new();
    desk.file("sales.csv", format!("{HEADER}{}", rows(0..10)));
    assert_eq!(desk.import("sales.csv").status.code(), Some(0));
    desk.file("more.csv", format!("{HEADER}{}", rows(10..20)));
    let folder = desk.0.path();
    // Root writes whatever the modes say: then the program runs as somebody else, from a place that anybody may enter.
    let is_root = fs::metadata(folder).unwrap().uid() == 0;
    let mut command = if is_root {
        let program = desk.path("integration-service");
        fs::copy(env!("CARGO_BIN_EXE_integration-service"), &program).unwrap();
        let mut command = desk.command("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(program);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    } else {
        desk.command(env!("CARGO_BIN_EXE_integration-service"))
    };
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&desk.path("moon.db"), 0o444);
    mode(folder, 0o555);
    let output = command.args(["import", "more.csv", "--map", "map.toml"]).output();
    mode(folder, 0o755);
    mode(&desk.path("moon.db"), 0o644);
    let output = match output {
        Ok(output) if !stderr(&output).starts_with("setpriv: ") => output,
        other => {
            eprintln!("left out: root may write everything, and cannot become somebody else here: {other:?}");
            return;
        }
    };
    let shown = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.starts_with("error: ") && shown.contains("moon.db"), "{shown}");
    assert_eq!(stdout(&output), "");
    assert_eq!(desk.totals().await, (sum(10), 10));
}
