//! Running the program.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// How a run of the program ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program in a folder, without any variable of the tester's own.
pub(crate) fn aggregator(folder: &Path, args: &[&str]) -> Run {
    let output =
        Command::new(env!("CARGO_BIN_EXE_aggregator")).args(args).current_dir(folder).env_clear().output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The printed document of a run that went well.
pub(crate) fn json(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{}", run.err);
    serde_json::from_str(&run.out).unwrap()
}

/// Amount in hundredths and count of a row.
pub(crate) fn sums(row: &Value) -> (i128, i64) {
    let amount = row["total_sales"].as_str().unwrap();
    let (whole, fraction) = amount.split_once('.').unwrap();
    assert_eq!(fraction.len(), 2, "{amount}");
    (format!("{whole}{fraction}").parse().unwrap(), row["sale_count"].as_i64().unwrap())
}
