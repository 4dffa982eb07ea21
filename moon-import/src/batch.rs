//! Reading a file in a thread of its own, in batches of rows that become units of work.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::thread;

use moon_core::{Error, ErrorKind, Result};
use tokio::sync::mpsc;

use crate::Reject;
use crate::kind::RowReader;
use crate::map::{FileFormat, ImportMap};
use crate::missing::References;
use crate::read::{Next, Rows};
use crate::value::Slots;

/// How many rows make a unit of work at most.
pub const UNIT_ROWS_MAX: usize = 5_000;

/// How many bytes of row texts a unit keeps at most, for its rejects.
const UNIT_BYTES_MAX: usize = 4 << 20;

/// How many batches may wait for the store.
const WAITING_MAX: usize = 2;

/// Rows that were read one after another.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    pub(crate) items: Vec<T>,
    /// The line of each item, and where its text lies in `raw`.
    places: Vec<(u64, Range<usize>)>,
    raw: Vec<u8>,
    /// Rows that could not be read.
    pub(crate) rejects: Vec<Reject>,
    /// How many rows could be read.
    pub(crate) good: u64,
    /// The sum of their amounts, in minor units.
    pub(crate) minor: i128,
    /// How far into the file it goes.
    pub(crate) bytes: u64,
}

/// What the reading thread tells.
#[derive(Debug)]
pub(crate) enum Told<T> {
    Batch(Batch<T>),
    /// The file has ended.
    End(Option<References>),
    Failed(Error),
}

impl<T> Batch<T> {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            places: Vec::new(),
            raw: Vec::new(),
            rejects: Vec::new(),
            good: 0,
            minor: 0,
            bytes: 0,
        }
    }

    fn is_full(&self) -> bool {
        let rows = self.items.len().max(usize::try_from(self.good).unwrap_or(usize::MAX)) + self.rejects.len();
        rows >= UNIT_ROWS_MAX
            || self.raw.len() >= UNIT_BYTES_MAX
            || self.rejects.len() >= UNIT_BYTES_MAX / crate::RAW_BYTES_MAX
    }

    fn add(&mut self, item: T, line: u64, raw: &[u8]) {
        let start = self.raw.len();
        self.raw.extend_from_slice(raw);
        self.places.push((line, start..self.raw.len()));
        self.items.push(item);
    }

    /// The first line that has something to record.
    pub(crate) fn first_line(&self) -> u64 {
        self.places.first().map_or(0, |(line, _)| *line)
    }

    /// The reject that an item becomes.
    pub(crate) fn reject(&self, place: usize, reason: String) -> Reject {
        let (line, range) = self.places.get(place).cloned().unwrap_or_default();
        let row = String::from_utf8_lossy(self.raw.get(range).unwrap_or_default()).into_owned();
        Reject { line, column: String::new(), reason, row }
    }
}

/// Where to read from, and how.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) file: PathBuf,
    pub(crate) format: FileFormat,
    pub(crate) map: ImportMap,
    pub(crate) slots: Slots,
    /// Whether the items are wanted, or only their number and sum.
    pub(crate) keep: bool,
}

/// Starts to read. The thread ends with the file, or when nobody listens any more.
pub(crate) fn spawn<K: RowReader>(input: Input, reader: K) -> Result<mpsc::Receiver<Told<K::Item>>> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let work = move || {
        let told = match read(&input, reader, &sender) {
            Ok(Some(references)) => Told::End(references),
            Ok(None) => return,
            Err(error) => Told::Failed(error),
        };
        // When nobody listens any more there is nobody to tell.
        let _ = sender.blocking_send(told);
    };
    thread::Builder::new().name("import".to_owned()).spawn(work).map_err(|cause| {
        Error::new(ErrorKind::Unavailable, "a thread to read the file cannot be started").caused_by(cause)
    })?;
    Ok(receiver)
}

/// Reads to the end; `None` when nobody listens any more.
fn read<K: RowReader>(
    input: &Input,
    mut reader: K,
    sender: &mpsc::Sender<Told<K::Item>>,
) -> Result<Option<Option<References>>> {
    let file = File::open(&input.file).map_err(|cause| Error::invalid("file cannot be opened").caused_by(cause))?;
    let mut rows = Rows::open(file, input.format, &input.map, &input.slots)?;
    let mut batch = Batch::new();
    loop {
        match rows.next()? {
            Next::End => break,
            Next::Bad(line, fault, raw) => batch.rejects.push(reject(line, fault.column, fault.reason, raw)),
            Next::Row(row, raw) => match reader.read(&row) {
                Ok(item) => {
                    batch.good += 1;
                    batch.minor += i128::from(K::amount(&item));
                    if input.keep {
                        batch.add(item, row.line, raw);
                    }
                }
                Err(fault) => batch.rejects.push(reject(row.line, fault.column, fault.reason, raw)),
            },
        }
        if batch.is_full() {
            batch.bytes = rows.bytes();
            let full = std::mem::replace(&mut batch, Batch::new());
            if sender.blocking_send(Told::Batch(full)).is_err() {
                return Ok(None);
            }
        }
    }
    batch.bytes = rows.bytes();
    if sender.blocking_send(Told::Batch(batch)).is_err() {
        return Ok(None);
    }
    Ok(Some(reader.into_references()))
}

fn reject(line: u64, column: String, reason: String, raw: &[u8]) -> Reject {
    Reject { line, column, reason, row: String::from_utf8_lossy(raw).into_owned() }
}
