//! What became of a file.

use std::path::PathBuf;

use moon_core::Reference;
use serde::Serialize;

use crate::Reject;

/// How many rows had which outcome. `rows` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ImportSummary {
    /// Rows of the file, the header not counted.
    pub rows: u64,
    /// New: sales, cancellations that name their original, agents, targets and so on.
    pub recorded: u64,
    /// Known already. Nothing changed.
    pub duplicates: u64,
    /// Took the place of what was known.
    pub corrections: u64,
    /// Older than what is known: kept in the history.
    pub stale: u64,
    /// Known with another content, and not taken in.
    pub conflicts: u64,
    /// Could not be read, or broke a rule of the ledger.
    pub rejected: u64,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// The counts.
    pub summary: ImportSummary,
    /// Where the rows are that were not taken in, conflicts included; `None` when there were none.
    pub rejects: Option<PathBuf>,
    /// The first few of them.
    pub first_rejects: Vec<Reject>,
    /// Rows that could be read and that the ledger did not take in: conflicts, and rejects by its rules.
    pub refused_rows: u64,
    /// For a snapshot: sales of its source in the ledger that the file did not have.
    pub missing: Option<MissingRows>,
}

/// Sales that a snapshot did not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MissingRows {
    /// How many.
    pub count: u64,
    /// The first few, by date.
    pub first: Vec<Reference>,
}

/// How far an import is. Everything that it counts is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// The counts so far.
    pub summary: ImportSummary,
    /// Bytes of the file that are done.
    pub bytes: u64,
    /// All bytes of the file.
    pub bytes_total: u64,
}

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Comparing the file with what it is expected to hold. Nothing is recorded yet; `rows` and `rejected` are counted.
    Checking,
    /// Recording.
    Recording,
    /// Looking for sales that a snapshot does not have. Everything is recorded; `bytes` are the whole file.
    Comparing,
}
