//! `cargo xtask measure-memory`: how much memory the real programs take for many sales. Generates a file, imports it into
//! an SQLite store and aggregates that, and holds the peak of each program against its limit.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::console::{duration, say};
use crate::measure::{Folder, Measured, build, mebibytes, must_say, root, target_folder, watch};

/// How many sales are taken unless the user says another number.
pub(crate) const SALES_DEFAULT: u64 = 1_000_000;

const IMPORT_KIB_MAX: u64 = 150 * 1_024;
const AGGREGATION_KIB_MAX: u64 = 100 * 1_024;

/// How the generated file is to be read.
const MAP: &str = "benches/maps/generated-sales.toml";

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

/// Whether both programs stay within their limits.
fn measure(sales: u64) -> Result<bool, String> {
    let root = root()?;
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

/// A program of ours on the store of the folder, without settings of the user's own.
fn program(path: &Path, folder: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_clear().current_dir(folder).args(["--store-url", "sqlite:sales.db"]);
    command
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_says_how_a_program_stands() {
        let measured = |peak_kib| Measured { peak_kib, time: Duration::from_secs(2) };
        assert_eq!(
            line("import", 1_000_000, &measured(60 * 1_024 + 512), IMPORT_KIB_MAX),
            "import of 1000000 sales: 60.5 MiB at most, within the limit of 150.0 MiB; 2.0 s, 500000 sales a second"
        );
        assert!(line("import", 1, &measured(IMPORT_KIB_MAX + 1), IMPORT_KIB_MAX).contains("BEYOND"));
    }
}
