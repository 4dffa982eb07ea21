//! What was not taken in, and why.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use moon_core::{Error, ErrorKind, Result};

/// A row that was not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The physical line on which the row starts, from 1.
    pub line: u64,
    /// The column; empty when the reason is not about one.
    pub column: String,
    /// Why.
    pub reason: String,
    /// The row as it stands in the file, cut at [`RAW_BYTES_MAX`](crate::RAW_BYTES_MAX) bytes.
    pub row: String,
}

/// Writes rejects as CSV: line, column, reason, row. The file is made with the first one.
#[derive(Debug)]
pub(crate) struct RejectFile {
    path: PathBuf,
    writer: Option<csv::Writer<BufWriter<File>>>,
}

impl RejectFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, writer: None }
    }

    /// Adds rejects, and makes sure that they are in the file.
    pub(crate) fn write(&mut self, rejects: &[Reject]) -> Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        self.try_write(rejects).map_err(|cause| {
            Error::new(ErrorKind::Backend, "rejected rows cannot be written")
                .with("file", self.path.display())
                .caused_by(cause)
        })
    }

    fn try_write(&mut self, rejects: &[Reject]) -> std::io::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let mut writer = csv::Writer::from_writer(BufWriter::new(File::create(&self.path)?));
                writer.write_record(["line", "column", "reason", "row"])?;
                none.insert(writer)
            }
        };
        for reject in rejects {
            writer.write_record([&*reject.line.to_string(), &reject.column, &reject.reason, &reject.row])?;
        }
        writer.flush()
    }

    /// Where the rejects are, if there were any.
    pub(crate) fn written(&self) -> Option<&Path> {
        self.writer.as_ref().map(|_| self.path.as_path())
    }
}
