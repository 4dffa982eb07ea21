//! Rows of a CSV file.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use moon_core::{Error, Result};

use super::buffer::Buffer;
use super::header::resolve;
use super::{Next, RAW_BYTES_MAX, ROW_BYTES_MAX, Row};
use crate::value::{Fault, Slots};

/// The most columns of a file.
const COLUMNS_MAX: usize = 10_000;

/// Gives rows. It stands on the bare parser of the csv crate, since a row must be given up once it is too long, and the
/// crate's own reader keeps what it reads until the row ends.
#[derive(Debug)]
pub(crate) struct CsvRows<R> {
    buffer: Buffer<R>,
    parser: Reader,
    record: Record,
    header: Vec<String>,
    /// The column of each slot.
    columns: Vec<usize>,
    /// Where the value of each slot lies in the present row.
    slots: Vec<Option<(usize, usize)>>,
    /// The physical line of what comes next.
    line: u64,
}

/// The present row.
#[derive(Debug, Default)]
struct Record {
    /// The values, one behind the other, and how much of it is in use.
    text: Vec<u8>,
    length: usize,
    /// Where each value ends, and how many there are.
    ends: Vec<usize>,
    count: usize,
    /// Its beginning as it stands in the file.
    raw: Vec<u8>,
    bytes: usize,
    /// The physical lines on which it starts and ends.
    line: u64,
    last_line: u64,
}

impl Record {
    fn begin(&mut self, line: u64) {
        (self.length, self.count, self.bytes, self.line, self.last_line) = (0, 0, 0, line, line);
        self.raw.clear();
    }

    fn is_too_long(&self) -> bool {
        self.bytes > ROW_BYTES_MAX || self.count > COLUMNS_MAX
    }

    fn keep_raw(&mut self, taken: &[u8]) {
        let free = RAW_BYTES_MAX.saturating_sub(self.raw.len());
        self.raw.extend_from_slice(taken.get(..free.min(taken.len())).unwrap_or_default());
        self.bytes += taken.len();
    }

    fn value(&self, column: usize) -> Option<(usize, usize)> {
        let ends = self.ends.get(..self.count)?;
        let start = column.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
        ends.get(column).map(|end| (start, *end))
    }

    fn value_bytes(&self, column: usize) -> &[u8] {
        self.value(column).and_then(|(start, end)| self.text.get(start..end)).unwrap_or_default()
    }

    /// Without the line break.
    fn raw(&self) -> &[u8] {
        self.raw.trim_ascii_end()
    }
}

impl<R: Read> CsvRows<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// `InvalidInput` when there is none, or not one that has the columns of `slots`.
    pub(super) fn open(buffer: Buffer<R>, delimiter: u8, slots: &Slots) -> Result<Self> {
        let mut rows = Self {
            buffer,
            parser: ReaderBuilder::new().delimiter(delimiter).build(),
            record: Record { text: vec![0; 4_096], ends: vec![0; 64], ..Record::default() },
            header: Vec::new(),
            columns: Vec::new(),
            slots: vec![None; slots.names().len()],
            line: 1,
        };
        if !rows.read_record()? {
            return Err(Error::invalid("file has no header"));
        }
        if rows.record.is_too_long() {
            return Err(Error::invalid("the first line is too long to be a header"));
        }
        for column in 0..rows.record.count {
            let name = std::str::from_utf8(rows.record.value_bytes(column))
                .map_err(|cause| Error::invalid("header is not valid UTF-8").caused_by(cause))?;
            rows.header.push(name.trim().to_owned());
        }
        rows.columns = resolve(&rows.header, slots.names())?;
        Ok(rows)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.buffer.bytes()
    }

    pub(super) fn next(&mut self) -> Result<Next<'_>> {
        if !self.read_record()? {
            return Ok(Next::End);
        }
        let record = &self.record;
        if let Some(fault) = self.fault() {
            return Ok(Next::Bad(record.line, fault, record.raw()));
        }
        let used = record.text.get(..record.length).unwrap_or_default();
        let ends = record.ends.get(..record.count).unwrap_or_default();
        // Halves of a character on both sides of a delimiter would make a whole one without it.
        let whole = |text: &&str| ends.iter().all(|end| text.is_char_boundary(*end));
        let Some(text) = std::str::from_utf8(used).ok().filter(whole) else {
            return Ok(Next::Bad(record.line, self.invalid_utf8(), record.raw()));
        };
        for (slot, column) in self.slots.iter_mut().zip(&self.columns) {
            *slot = record.value(*column);
        }
        Ok(Next::Row(Row { line: record.line, text, slots: &self.slots }, record.raw()))
    }

    /// What is wrong with the shape of the present row.
    fn fault(&self) -> Option<Fault> {
        let (record, columns) = (&self.record, self.header.len());
        let whole = |reason: String| Some(Fault { column: String::new(), reason });
        let hint = if record.last_line > record.line {
            format!(" and ends on line {}; is a quote left open?", record.last_line)
        } else {
            String::new()
        };
        if record.is_too_long() {
            return whole(format!("row is longer than {ROW_BYTES_MAX} bytes or {COLUMNS_MAX} values{hint}"));
        }
        if record.count == columns {
            return None;
        }
        whole(format!("row has {} values where the header has {columns}{hint}", record.count))
    }

    /// Which column is not valid.
    fn invalid_utf8(&self) -> Fault {
        let is_bad = |column: &usize| std::str::from_utf8(self.record.value_bytes(*column)).is_err();
        let column = (0..self.record.count).find(is_bad).and_then(|column| self.header.get(column));
        Fault { column: column.cloned().unwrap_or_default(), reason: "text is not valid UTF-8".to_owned() }
    }

    /// Reads one row into the record; false at the end of the file. Of a row that is too long the rest is read and not
    /// kept.
    fn read_record(&mut self) -> Result<bool> {
        self.skip_blank_lines()?;
        let record = &mut self.record;
        record.begin(self.line);
        loop {
            let input = self.buffer.look()?;
            if record.is_too_long() {
                (record.length, record.count) = (0, COLUMNS_MAX + 1);
            }
            let text = record.text.get_mut(record.length..).unwrap_or_default();
            let free_from = if record.count > COLUMNS_MAX { 0 } else { record.count };
            let ends = record.ends.get_mut(free_from..).unwrap_or_default();
            let (result, taken, written, ended) = self.parser.read_record(input, text, ends);
            let bytes = input.get(..taken).unwrap_or_default();
            self.line += bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
            if let Some(last) = bytes.last() {
                // The line break at its end belongs to the row.
                record.last_line = if *last == b'\n' { self.line - 1 } else { self.line };
            }
            record.keep_raw(bytes);
            self.buffer.take(taken);
            if record.count <= COLUMNS_MAX {
                record.length += written;
                record.count += ended;
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                // Doubles what is full, which the bound on a row's bytes keeps within bounds.
                ReadRecordResult::OutputFull if !record.is_too_long() => record.text.resize(record.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if !record.is_too_long() => {
                    record.ends.resize(record.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// Takes line breaks before a row, so that the row's own line is known.
    fn skip_blank_lines(&mut self) -> Result<()> {
        loop {
            let rest = self.buffer.look()?;
            let blank = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            let breaks = rest.iter().take(blank).map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
            self.line += breaks;
            self.buffer.take(blank);
            if blank == 0 || !self.buffer.rest().is_empty() {
                return Ok(());
            }
        }
    }
}
