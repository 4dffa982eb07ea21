//! Reads sales, agents, products and targets from CSV and NDJSON files into a Moon ledger, by a map.
//!
//! A map is a TOML file that says what the columns of a file mean ([`ImportMap`]); [`import_file`] reads a file by it,
//! in constant memory, and records its rows in units of work. Rows that cannot be read, or that the ledger refuses, go
//! to a reject file with line, column and reason; the good ones are kept.

mod batch;
mod expect;
mod import;
mod kind;
mod map;
mod missing;
mod read;
mod reject;
mod report;
mod value;

pub use batch::UNIT_ROWS_MAX;
pub use import::{ImportOptions, import_file, inspect_file};
pub use map::{
    AgentColumns, AssignmentColumns, BranchColumns, Content, DateField, Expectation, Field, FileFormat, ImportMap,
    Origin, ProductColumns, Revisions, SalesColumns, SalesMap, TargetColumns, TeamColumns, UnknownRule, UnknownRules,
};
pub use read::{RAW_BYTES_MAX, ROW_BYTES_MAX};
pub use reject::Reject;
pub use report::{ImportReport, ImportSummary, MissingRows, Progress, Stage};
pub use value::{DateForm, NumberForm};
