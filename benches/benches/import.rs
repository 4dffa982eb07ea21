//! The import of a file into SQLite beside a loop that inserts rows which are ready.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use moon_benches::bare::BareTable;
use moon_benches::sales::{actor, currency, force, messages, plain_plan, sqlite_ledger};
use moon_benches::{Runtime, repeat, rows_per_second, runtime, timed, timed_medians, times};
use moon_core::{Error, ErrorKind, Result, SaleMessage};
use moon_datagen::{SalesForce, write_sales_csv};
use moon_import::{ImportMap, ImportOptions, import_file};

const ROWS: u64 = 100_000;
const MAP: &str = include_str!("../maps/generated-sales.toml");

struct Bench {
    runtime: Runtime,
    folder: tempfile::TempDir,
    file: PathBuf,
    map: ImportMap,
    force: SalesForce,
    messages: Vec<SaleMessage>,
}

impl Bench {
    fn prepare() -> Result<Self> {
        let plan = plain_plan(ROWS);
        let folder = tempfile::tempdir().map_err(unavailable)?;
        let file = folder.path().join("sales.csv");
        write_sales_csv(&plan, currency()?, BufWriter::new(File::create(&file).map_err(unavailable)?))?;
        let force = force(&plan)?;
        let messages = messages(&force)?;
        let map = ImportMap::parse(MAP, "generated-sales.toml")?;
        Ok(Self { runtime: runtime()?, folder, file, map, force, messages })
    }

    fn import(&self) -> Result<Duration> {
        let folder = tempfile::tempdir_in(&self.folder).map_err(unavailable)?;
        self.runtime.block_on(async {
            let ledger = sqlite_ledger(&folder.path().join("moon.db"), &self.force).await?;
            let options = ImportOptions { actor: actor()?, rejects: folder.path().join("rejects.csv") };
            let mut progress = |_| {};
            let import = import_file(&ledger, &self.map, &self.file, &options, &mut progress);
            let all_recorded = async {
                let recorded = import.await?.summary.recorded;
                if recorded == ROWS {
                    Ok(())
                } else {
                    Err(Error::invalid("rows are missing").with("recorded", recorded))
                }
            };
            timed(all_recorded).await
        })
    }

    fn bare(&self) -> Result<Duration> {
        let folder = tempfile::tempdir_in(&self.folder).map_err(unavailable)?;
        self.runtime.block_on(async {
            let mut table = BareTable::create(&folder.path().join("bare.db"), &self.force).await?;
            let rows = table.rows(&self.force, &self.messages).await?;
            timed(table.insert(&rows)).await
        })
    }

    fn with_criterion(&self, criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("import");
        group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(5));
        group.warm_up_time(Duration::from_millis(500)).throughput(Throughput::Elements(ROWS));
        group.bench_function("yardstick: prepared INSERTs of ready rows", |bench| {
            bench.iter_custom(|n| repeat(n, &mut || self.bare()));
        });
        group.bench_function("a file of CSV", |bench| bench.iter_custom(|n| repeat(n, &mut || self.import())));
        group.finish();
    }

    /// How it stands, and its limit.
    fn summary(&self) -> Result<String> {
        let [bare, import] = timed_medians(5, [&mut || self.bare(), &mut || self.import()])?;
        let speed = |time| format!("{} rows a second", rows_per_second(time, self.messages.len()));
        let ratio = times(bare.as_nanos(), import.as_nanos());
        Ok(format!(
            "prepared INSERTs of ready rows: {}\nimport of CSV: {}\nimport ratio: {ratio}, at least 0.5",
            speed(bare),
            speed(import)
        ))
    }
}

fn unavailable(cause: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "a temporary file cannot be written").caused_by(cause)
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let bench = Bench::prepare()?;
    let mut criterion = Criterion::default().configure_from_args();
    bench.with_criterion(&mut criterion);
    criterion.final_summary();
    writeln!(std::io::stdout().lock(), "{}", bench.summary()?)?;
    Ok(())
}
