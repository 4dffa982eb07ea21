//! Scans of memory and SQLite into the fold, and recording into both, beside what a bare loop over the same needs.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use futures_util::StreamExt;
use moon_benches::bare::{self, BareTable};
use moon_benches::sales::{force, ledger_with, messages, plain_plan, record, sqlite_ledger};
use moon_benches::{Runtime, picoseconds_per_row, repeat, rows_per_second, runtime, timed, timed_medians, times};
use moon_core::{
    DaySet, Dimension, Error, ErrorKind, Fold, FoldPlan, Ledger, PostingBatch, PostingFilter, Result, SaleMessage,
    Totals, TotalsPlan,
};
use moon_datagen::{Plan, SalesForce, populate};
use moon_store_memory::MemoryStore;

/// Sales that are scanned, with all that became of them.
const SCANNED: u64 = 500_000;
/// Sales that are recorded, without.
const RECORDED: u64 = 50_000;
/// Kibibytes of page cache of a reading connection, as the store has.
const READER_CACHE_KIB: u32 = 4_096;

fn fold(batches: &[PostingBatch]) -> Result<Totals> {
    let mut fold = Fold::new(FoldPlan::daily(&Dimension::DAILY, DaySet::all()));
    batches.iter().try_for_each(|batch| fold.push(batch))?;
    fold.finish()
}

async fn scan_into_fold(ledger: &Ledger) -> Result<Totals> {
    let mut unit = ledger.snapshot().await?;
    let filter = PostingFilter::default();
    let mut scan = unit.postings().scan(&filter);
    let mut fold = Fold::new(FoldPlan::daily(&Dimension::DAILY, DaySet::all()));
    while let Some(batch) = scan.next().await {
        fold.push(&batch?)?;
    }
    fold.finish()
}

async fn batches(ledger: &Ledger) -> Result<Vec<PostingBatch>> {
    let mut unit = ledger.snapshot().await?;
    let filter = PostingFilter::default();
    let scan = unit.postings().scan(&filter);
    scan.collect::<Vec<_>>().await.into_iter().collect()
}

/// All sums, as the store itself makes them.
async fn store_sums(ledger: &Ledger) -> Result<()> {
    let plan = TotalsPlan { filter: PostingFilter::default(), dimensions: Dimension::DAILY.to_vec() };
    black_box(ledger.snapshot().await?.postings().totals(&plan).await?);
    Ok(())
}

/// Filled stores and what stands beside them.
struct Scans<'a> {
    runtime: &'a Runtime,
    memory: Ledger,
    sqlite: Ledger,
    ready: Vec<PostingBatch>,
    bare: sqlx::SqliteConnection,
    postings: usize,
}

impl<'a> Scans<'a> {
    fn prepare(runtime: &'a Runtime, folder: &Path) -> Result<Self> {
        let plan = Plan { sales: SCANNED, ..Plan::default() };
        let force = force(&plan)?;
        let file = folder.join("scanned.db");
        runtime.block_on(async {
            let memory = ledger_with(Arc::new(MemoryStore::new()), &force).await?;
            populate(&memory, &plan, |_| {}).await?;
            let sqlite = sqlite_ledger(&file, &force).await?;
            populate(&sqlite, &plan, |_| {}).await?;
            let ready = batches(&memory).await?;
            // What is faster must also be right.
            let expected = fold(&ready)?;
            if scan_into_fold(&memory).await? != expected || scan_into_fold(&sqlite).await? != expected {
                return Err(Error::new(ErrorKind::Corrupt, "the stores do not agree on what they hold"));
            }
            let postings = ready.iter().map(PostingBatch::len).sum();
            Ok(Self { runtime, memory, sqlite, ready, bare: bare::connect(&file, READER_CACHE_KIB).await?, postings })
        })
    }

    fn with_criterion(&mut self, criterion: &mut Criterion) {
        let Self { runtime, memory, sqlite, ready, bare, postings } = self;
        let mut group = criterion.benchmark_group("scan");
        group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(4));
        group.throughput(Throughput::Elements(u64::try_from(*postings).unwrap_or(0)));
        group.bench_function("yardstick: fold of ready batches", |bench| bench.iter(|| fold(black_box(ready))));
        group.bench_function("memory into the fold", |bench| {
            bench.iter(|| runtime.block_on(scan_into_fold(memory)));
        });
        group.bench_function("yardstick: SQLite rows one by one", |bench| {
            bench.iter_custom(|n| repeat(n, &mut || runtime.block_on(timed(bare::fetch_rows(bare)))));
        });
        group.bench_function("yardstick: GROUP BY in SQLite", |bench| {
            bench.iter_custom(|n| repeat(n, &mut || runtime.block_on(timed(bare::group_in_sql(bare)))));
        });
        group.bench_function("SQLite into the fold", |bench| {
            bench.iter_custom(|n| repeat(n, &mut || runtime.block_on(timed(scan_into_fold(sqlite)))));
        });
        group.finish();
    }

    fn summary(&mut self, out: &mut Vec<String>) -> Result<()> {
        let Self { runtime, memory, sqlite, ready, bare, postings } = self;
        let bare = std::cell::RefCell::new(bare);
        let run = |work: &mut dyn FnMut() -> Result<()>| {
            let start = std::time::Instant::now();
            work().map(|()| start.elapsed())
        };
        let [ready, memory, rows, grouped, sqlite, sums] = timed_medians(
            5,
            [
                &mut || run(&mut || fold(ready).map(|totals| drop(black_box(totals)))),
                &mut || runtime.block_on(timed(scan_into_fold(memory))),
                &mut || runtime.block_on(timed(bare::fetch_rows(&mut bare.borrow_mut()))),
                &mut || runtime.block_on(timed(bare::group_in_sql(&mut bare.borrow_mut()))),
                &mut || runtime.block_on(timed(scan_into_fold(sqlite))),
                &mut || runtime.block_on(timed(store_sums(sqlite))),
            ],
        )?
        .map(|time| picoseconds_per_row(time, *postings));
        let ns = |picoseconds: u128| format!("{} ns a posting", times(picoseconds, 1_000));
        out.push(format!("fold of ready batches: {}", ns(ready)));
        out.push(format!("memory into the fold: {}, {} times the fold alone", ns(memory), times(memory, ready)));
        out.push(format!("SQLite rows one by one: {}", ns(rows)));
        out.push(format!("GROUP BY in SQLite, gross alone: {}", ns(grouped)));
        out.push(format!(
            "SQLite into the fold, all three bases: {}, {} times the speed of rows one by one, {} times that of GROUP BY",
            ns(sqlite),
            times(rows, sqlite),
            times(grouped, sqlite)
        ));
        out.push(format!("SQLite's own sums of all three bases: {}", ns(sums)));
        Ok(())
    }
}

/// What is recorded, anew each time.
struct Recording<'a> {
    runtime: &'a Runtime,
    folder: &'a Path,
    force: SalesForce,
    messages: Vec<SaleMessage>,
}

impl<'a> Recording<'a> {
    fn prepare(runtime: &'a Runtime, folder: &'a Path) -> Result<Self> {
        let force = force(&plain_plan(RECORDED))?;
        let messages = messages(&force)?;
        Ok(Self { runtime, folder, force, messages })
    }

    fn new_folder(&self) -> Result<tempfile::TempDir> {
        tempfile::tempdir_in(self.folder)
            .map_err(|cause| Error::new(ErrorKind::Unavailable, "no temporary folder can be made").caused_by(cause))
    }

    fn memory(&self) -> Result<Duration> {
        self.runtime.block_on(async {
            let ledger = ledger_with(Arc::new(MemoryStore::new()), &self.force).await?;
            timed(record(&ledger, &self.messages)).await
        })
    }

    fn sqlite(&self) -> Result<Duration> {
        let folder = self.new_folder()?;
        self.runtime.block_on(async {
            let ledger = sqlite_ledger(&folder.path().join("moon.db"), &self.force).await?;
            timed(record(&ledger, &self.messages)).await
        })
    }

    fn bare(&self) -> Result<Duration> {
        let folder = self.new_folder()?;
        self.runtime.block_on(async {
            let mut table = BareTable::create(&folder.path().join("bare.db"), &self.force).await?;
            let rows = table.rows(&self.force, &self.messages).await?;
            timed(table.insert(&rows)).await
        })
    }

    fn with_criterion(&self, criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("recording");
        group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(5));
        group.warm_up_time(Duration::from_millis(500));
        group.throughput(Throughput::Elements(u64::try_from(self.messages.len()).unwrap_or(0)));
        group.bench_function("memory", |bench| bench.iter_custom(|n| repeat(n, &mut || self.memory())));
        group.bench_function("yardstick: prepared INSERTs into SQLite", |bench| {
            bench.iter_custom(|n| repeat(n, &mut || self.bare()));
        });
        group.bench_function("SQLite", |bench| bench.iter_custom(|n| repeat(n, &mut || self.sqlite())));
        group.finish();
    }

    fn summary(&self, out: &mut Vec<String>) -> Result<()> {
        let [memory, bare, sqlite] =
            timed_medians(5, [&mut || self.memory(), &mut || self.bare(), &mut || self.sqlite()])?;
        let speed = |time| format!("{} sales a second", rows_per_second(time, self.messages.len()));
        out.push(format!("prepared INSERTs into SQLite: {}", speed(bare)));
        let ratio = |time: Duration| times(bare.as_nanos(), time.as_nanos());
        out.push(format!("recording into memory: {}, {} times as fast", speed(memory), ratio(memory)));
        out.push(format!("recording into SQLite: {}, {} times as fast", speed(sqlite), ratio(sqlite)));
        Ok(())
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let runtime = runtime()?;
    let mut scans = Scans::prepare(&runtime, folder.path())?;
    let recording = Recording::prepare(&runtime, folder.path())?;
    let mut criterion = Criterion::default().configure_from_args();
    scans.with_criterion(&mut criterion);
    recording.with_criterion(&mut criterion);
    criterion.final_summary();
    let mut lines = Vec::new();
    scans.summary(&mut lines)?;
    recording.summary(&mut lines)?;
    writeln!(std::io::stdout().lock(), "{}", lines.join("\n"))?;
    Ok(())
}
