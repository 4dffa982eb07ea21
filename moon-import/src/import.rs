//! Importing a file.

use std::fs;
use std::path::{Path, PathBuf};

use moon_core::{Actor, Error, ErrorKind, Ledger, LedgerSettings, Result, Source, TxMode, retry_contention};

use crate::batch::{Batch, Input, Told, spawn};
use crate::expect::Expected;
use crate::kind::{
    AgentReader, AgentWriter, AssignmentReader, AssignmentWriter, BranchReader, BranchWriter, Known, ProductReader,
    ProductWriter, RowOutcome, RowReader, RowWriter, SaleReader, SaleWriter, TargetReader, TargetWriter, TeamReader,
    TeamWriter, Written,
};
use crate::map::{Content, FileFormat, ImportMap, Revisions};
use crate::missing::References;
use crate::read::Rows;
use crate::reject::{Reject, RejectFile};
use crate::report::{ImportReport, ImportSummary, Progress, Stage};
use crate::value::Slots;

/// How many rejects a report repeats.
const FIRST_REJECTS_MAX: usize = 5;

/// Who imports, and where rows go that are not taken in.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Who stands in the audit trail.
    pub actor: Actor,
    /// The file that gets the rejected rows; an old one is replaced with the first of them.
    pub rejects: PathBuf,
}

/// Imports a file by a map, in units of work of at most [`UNIT_ROWS_MAX`](crate::UNIT_ROWS_MAX) rows. Good rows are
/// kept whatever becomes of the others, and a repeat finds duplicates. `progress` is told after each unit.
///
/// With an expectation in the map the file is read twice: once to compare, and only then to record.
///
/// # Errors
/// `InvalidInput` for a file that cannot be read at all (absent, empty, binary, other columns), `Refused` for one that
/// does not hold what is expected; nothing was done then. Those of the store or of reading, also in the middle of the
/// file; the message says how many rows are recorded by then, and a repeat completes the import.
pub async fn import_file(
    ledger: &Ledger,
    map: &ImportMap,
    file: &Path,
    options: &ImportOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<ImportReport> {
    let settings = *ledger.settings();
    let unknown = map.unknown;
    let job = Job::new(ledger, map, file, options)?;
    let mut slots = Slots::default();
    match &map.content {
        Content::Sales(sales) => {
            let reader = || SaleReader::new(map, sales, settings, &mut slots);
            let snapshot = (sales.revisions == Revisions::Snapshot).then_some(&sales.source);
            let reader = Pair::of(reader);
            job.run(reader, SaleWriter { unknown }, slots, snapshot, progress).await
        }
        Content::Agents(columns) => {
            let reader = Pair::of(|| AgentReader::new(columns, settings, &mut slots));
            job.run(reader, AgentWriter { unknown }, slots, None, progress).await
        }
        Content::Products(columns) => {
            let reader = Pair::of(|| ProductReader::new(map, columns, settings, &mut slots));
            job.run(reader, ProductWriter, slots, None, progress).await
        }
        Content::Targets(columns) => {
            let reader = Pair::of(|| TargetReader::new(map, columns, settings, &mut slots));
            job.run(reader, TargetWriter { unknown }, slots, None, progress).await
        }
        Content::Assignments(columns) => {
            let reader = Pair::of(|| AssignmentReader::new(columns, settings, &mut slots));
            job.run(reader, AssignmentWriter { unknown }, slots, None, progress).await
        }
        Content::Teams(columns) => {
            let reader = Pair::of(|| TeamReader::new(columns, &mut slots));
            job.run(reader, TeamWriter, slots, None, progress).await
        }
        Content::Branches(columns) => {
            let reader = Pair::of(|| BranchReader::new(columns, &mut slots));
            job.run(reader, BranchWriter, slots, None, progress).await
        }
    }
    .map_err(|error| error.with("file", file.display()))
}

/// Looks at the beginning of a file without a ledger: whether it is a table with the columns that the map names. So a
/// program can refuse a wrong file before it opens, and perhaps creates, a store. A pipe is not looked at, since what is
/// taken out of it is gone.
///
/// # Errors
/// `InvalidInput` for a file that cannot be read at all, as [`import_file`] would say.
pub fn inspect_file(map: &ImportMap, file: &Path) -> Result<()> {
    let form = format(map, file)?;
    let about = |error: Error| error.with("file", file.display());
    if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return Ok(());
    }
    let input =
        fs::File::open(file).map_err(|cause| about(Error::invalid("file cannot be opened")).caused_by(cause))?;
    Rows::open(input, form, map, &columns(map)?).map(|_| ()).map_err(about)
}

/// The columns that a map names. They are found by making a reader, and do not depend on the settings it gets.
fn columns(map: &ImportMap) -> Result<Slots> {
    let settings = LedgerSettings {
        currency: "LKR".parse()?,
        time_zone: chrono_tz::Tz::UTC,
        calendar: moon_core::Calendar::default(),
    };
    let mut slots = Slots::default();
    match &map.content {
        Content::Sales(sales) => drop(SaleReader::new(map, sales, settings, &mut slots)),
        Content::Agents(columns) => drop(AgentReader::new(columns, settings, &mut slots)),
        Content::Products(columns) => drop(ProductReader::new(map, columns, settings, &mut slots)),
        Content::Targets(columns) => drop(TargetReader::new(map, columns, settings, &mut slots)),
        Content::Assignments(columns) => drop(AssignmentReader::new(columns, settings, &mut slots)),
        Content::Teams(columns) => drop(TeamReader::new(columns, &mut slots)),
        Content::Branches(columns) => drop(BranchReader::new(columns, &mut slots)),
    }
    Ok(slots)
}

/// A reader for each of the two passes, with the same slots.
struct Pair<K> {
    checking: K,
    recording: K,
}

impl<K> Pair<K> {
    fn of(mut make: impl FnMut() -> K) -> Self {
        Self { checking: make(), recording: make() }
    }
}

/// One import.
struct Job<'a> {
    ledger: &'a Ledger,
    map: &'a ImportMap,
    file: &'a Path,
    format: FileFormat,
    options: &'a ImportOptions,
    expected: Option<Expected>,
    bytes_total: u64,
}

/// What a file turned out to hold.
#[derive(Default)]
struct Tally {
    good: u64,
    minor: i128,
    first_reject: Option<Reject>,
}

impl Tally {
    fn add<T>(&mut self, batch: &Batch<T>) {
        self.good += batch.good;
        self.minor += batch.minor;
        if self.first_reject.is_none() {
            self.first_reject = batch.rejects.first().cloned();
        }
    }
}

impl<'a> Job<'a> {
    fn new(ledger: &'a Ledger, map: &'a ImportMap, file: &'a Path, options: &'a ImportOptions) -> Result<Self> {
        let expected =
            map.expect.as_ref().map(|expect| Expected::new(expect, ledger.settings().currency)).transpose()?;
        let format = format(map, file)?;
        let about = |error: Error| error.with("file", file.display());
        let metadata =
            fs::metadata(file).map_err(|cause| about(Error::invalid("file cannot be read")).caused_by(cause))?;
        if metadata.is_dir() {
            return Err(about(Error::invalid("file is a directory")));
        }
        if expected.is_some() && !metadata.is_file() {
            return Err(about(Error::invalid("an expectation needs a file that can be read twice, not a pipe")));
        }
        let same =
            |other: &Path| fs::canonicalize(other).ok().zip(fs::canonicalize(file).ok()).is_some_and(|(a, b)| a == b);
        if same(&options.rejects) {
            return Err(about(Error::invalid("rejected rows would replace the file itself")));
        }
        Ok(Self { ledger, map, file, format, options, expected, bytes_total: metadata.len() })
    }

    async fn run<K, W>(
        &self,
        readers: Pair<K>,
        writer: W,
        slots: Slots,
        snapshot: Option<&Source>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<ImportReport>
    where
        K: RowReader,
        W: RowWriter<Item = K::Item>,
    {
        let map = self.map.clone();
        let input = Input { file: self.file.to_owned(), format: self.format, map, slots, keep: true };
        if let Some(expected) = &self.expected {
            let input = Input { keep: false, ..input.clone() };
            let tally = self.check(spawn(input, readers.checking)?, progress).await?;
            let checked = expected.check(tally.good, tally.minor, tally.first_reject.as_ref());
            checked.map_err(|error| error.with("recorded", "nothing"))?;
        }
        let mut recording = Recording {
            job: self,
            writer,
            known: Known::default(),
            report: ImportReport::default(),
            rejects: RejectFile::new(self.options.rejects.clone()),
            tally: Tally::default(),
        };
        let references = recording.record(spawn(input, readers.recording)?, progress).await?;
        let mut report = recording.finish()?;
        if let Some((references, source)) = references.zip(snapshot) {
            let (summary, bytes) = (report.summary, self.bytes_total);
            let mut looked = || progress(Progress { stage: Stage::Comparing, summary, bytes, bytes_total: bytes });
            let missing = references.missing(self.ledger, source, &mut looked).await;
            report.missing = Some(missing.map_err(|error| {
                let message = "all rows are done, but not compared with the ledger; repeating the command does that";
                Error::new(error.kind(), message).with("rows", summary.rows).caused_by(error)
            })?);
        }
        Ok(report)
    }

    /// Reads the whole file without recording anything.
    async fn check<T>(
        &self,
        mut told: tokio::sync::mpsc::Receiver<Told<T>>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut summary = ImportSummary::default();
        loop {
            match told.recv().await.unwrap_or_else(|| Told::Failed(broken())) {
                Told::Batch(batch) => {
                    tally.add(&batch);
                    let rejected = u64::try_from(batch.rejects.len()).unwrap_or(u64::MAX);
                    summary.rejected += rejected;
                    summary.rows += batch.good + rejected;
                    progress(Progress {
                        stage: Stage::Checking,
                        summary,
                        bytes: batch.bytes,
                        bytes_total: self.bytes_total,
                    });
                }
                Told::End(_) => return Ok(tally),
                Told::Failed(error) => return Err(error),
            }
        }
    }
}

/// The recording pass.
struct Recording<'a, W> {
    job: &'a Job<'a>,
    writer: W,
    known: Known,
    report: ImportReport,
    rejects: RejectFile,
    tally: Tally,
}

impl<W: RowWriter> Recording<'_, W> {
    async fn record(
        &mut self,
        mut told: tokio::sync::mpsc::Receiver<Told<W::Item>>,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Option<References>> {
        loop {
            match told.recv().await.unwrap_or_else(|| Told::Failed(broken())) {
                Told::Batch(batch) => {
                    let line = batch.first_line();
                    let bytes = batch.bytes;
                    self.take(batch).await.map_err(|error| self.interrupted(error, Some(line)))?;
                    let summary = self.report.summary;
                    progress(Progress { stage: Stage::Recording, summary, bytes, bytes_total: self.job.bytes_total });
                }
                Told::End(references) => return Ok(references),
                Told::Failed(error) => return Err(self.interrupted(error, None)),
            }
        }
    }

    /// Writes a batch as one unit of work, and then its rejects.
    async fn take(&mut self, mut batch: Batch<W::Item>) -> Result<()> {
        let written = self.write(&batch).await?;
        self.known.extend(written.known);
        self.tally.add(&batch);
        let summary = &mut self.report.summary;
        let mut rejects = std::mem::take(&mut batch.rejects);
        summary.rejected += u64::try_from(rejects.len()).unwrap_or(u64::MAX);
        for (place, outcome) in written.outcomes.into_iter().enumerate() {
            let (count, refused) = match outcome {
                RowOutcome::Recorded => (&mut summary.recorded, None),
                RowOutcome::Duplicate => (&mut summary.duplicates, None),
                RowOutcome::Corrected => (&mut summary.corrections, None),
                RowOutcome::Stale => (&mut summary.stale, None),
                RowOutcome::Conflict(error) => (&mut summary.conflicts, Some(format!("conflict: {error}"))),
                RowOutcome::Rejected(error) => (&mut summary.rejected, Some(error.to_string())),
            };
            *count += 1;
            if let Some(reason) = refused {
                self.report.refused_rows += 1;
                rejects.push(batch.reject(place, reason));
            }
        }
        rejects.sort_by_key(|reject| reject.line);
        summary.rows = summary.recorded
            + summary.duplicates
            + summary.corrections
            + summary.stale
            + summary.conflicts
            + summary.rejected;
        self.rejects.write(&rejects)?;
        let free = FIRST_REJECTS_MAX.saturating_sub(self.report.first_rejects.len());
        self.report.first_rejects.extend(rejects.into_iter().take(free));
        Ok(())
    }

    async fn write(&self, batch: &Batch<W::Item>) -> Result<Written> {
        if batch.items.is_empty() {
            return Ok(Written::default());
        }
        let ledger = self.job.ledger;
        retry_contention(ledger.pause(), || async {
            let mut unit = ledger.store().begin(TxMode::ReadWrite).await?;
            let actor = &self.job.options.actor;
            let written = self.writer.write(ledger, unit.as_mut(), actor, &self.known, &batch.items).await?;
            unit.commit().await?;
            Ok(written)
        })
        .await
    }

    /// An error in the middle, saying what stands.
    fn interrupted(&self, error: Error, line: Option<u64>) -> Error {
        let rows = self.report.summary.rows;
        if rows == 0 && line.is_none() {
            return error;
        }
        let message = match rows {
            0 => "the import stopped; no row was recorded".to_owned(),
            rows => format!("the import stopped; {rows} rows are done, and repeating the command completes it"),
        };
        let mut stopped = Error::new(error.kind(), message);
        if let Some(line) = line.filter(|line| *line > 0) {
            stopped = stopped.with("stopped_at_line", line);
        }
        stopped.caused_by(error)
    }

    fn finish(self) -> Result<ImportReport> {
        // The file may have changed between the two passes.
        if let Some(expected) = &self.job.expected {
            expected
                .check(self.tally.good, self.tally.minor, self.tally.first_reject.as_ref())
                .map_err(|error| error.with("recorded", "the file changed while it was read"))?;
        }
        let rejects = self.rejects.written().map(Path::to_owned);
        Ok(ImportReport { rejects, ..self.report })
    }
}

fn broken() -> Error {
    Error::new(ErrorKind::Backend, "the thread that reads the file ended early")
}

/// The form of the file, by the map or by the file's name.
fn format(map: &ImportMap, file: &Path) -> Result<FileFormat> {
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let named = match extension.as_deref() {
        Some("csv" | "txt") => Some(FileFormat::Csv),
        Some("ndjson" | "jsonl") => Some(FileFormat::Ndjson),
        _ => None,
    };
    map.format.or(named).ok_or_else(|| {
        let error = Error::invalid("the name of the file does not tell its form; put `format` into the map");
        error.with("file", file.display())
    })
}
