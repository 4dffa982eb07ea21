//! Rows of files, one at a time, in constant memory.

mod buffer;
mod csv;
mod header;
mod ndjson;
#[cfg(test)]
mod tests;

use std::io::Read;

use moon_core::Result;

use crate::map::{FileFormat, ImportMap};
use crate::value::{Fault, Slots};

/// The most bytes of one row. A longer one is rejected, and its rest is skipped without being kept.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// How much of a row's text a reject file shows.
pub const RAW_BYTES_MAX: usize = 4_096;

/// A row that can be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    /// The physical line on which it starts, from 1.
    pub(crate) line: u64,
    /// All its values, one behind the other.
    text: &'a str,
    /// Where the value of each slot lies.
    slots: &'a [Option<(usize, usize)>],
}

impl<'a> Row<'a> {
    /// The value in a slot; `None` where the row has nothing there.
    pub(crate) fn value(&self, slot: usize) -> Result<Option<&'a str>, &'static str> {
        match self.slots.get(slot).copied().flatten() {
            None => Ok(None),
            Some((start, end)) => self.text.get(start..end).map(Some).ok_or("text is not valid UTF-8"),
        }
    }
}

/// What comes next in a file.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// A row, with its beginning as it stands in the file.
    Row(Row<'a>, &'a [u8]),
    /// A row that cannot be read.
    Bad(u64, Fault, &'a [u8]),
    /// Nothing more.
    End,
}

/// Gives the rows of a file.
#[derive(Debug)]
pub(crate) enum Rows<R> {
    Csv(Box<csv::CsvRows<R>>),
    Ndjson(ndjson::NdjsonRows<R>),
}

impl<R: Read> Rows<R> {
    /// Reads the beginning of a file, and finds the columns that the map names.
    ///
    /// # Errors
    /// `InvalidInput` for a file that is empty, binary, or has not these columns.
    pub(crate) fn open(input: R, format: FileFormat, map: &ImportMap, slots: &Slots) -> Result<Self> {
        let buffer = buffer::Buffer::open(input)?;
        match format {
            FileFormat::Csv => csv::CsvRows::open(buffer, map.delimiter, slots).map(|rows| Self::Csv(Box::new(rows))),
            FileFormat::Ndjson => Ok(Self::Ndjson(ndjson::NdjsonRows::open(buffer, slots))),
        }
    }

    /// The next row.
    ///
    /// # Errors
    /// `Unavailable` when the file cannot be read any further.
    pub(crate) fn next(&mut self) -> Result<Next<'_>> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Ndjson(rows) => rows.next(),
        }
    }

    /// How many bytes were taken so far.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Csv(rows) => rows.bytes(),
            Self::Ndjson(rows) => rows.bytes(),
        }
    }
}
