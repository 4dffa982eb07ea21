//! Reads sales, agents, products and targets from CSV and NDJSON files into a Moon ledger, by a map.
//!
//! A map is a TOML file that says what the columns of a file mean ([`ImportMap`]); [`import_file`] reads a file by it,
//! in constant memory, and records its rows in units of work. Rows that cannot be read, or that the ledger refuses, go
//! to a reject file with line, column and reason; the good ones are kept.
//!
//! # Maps
//! A value of a row is the name of a column, or a table: `{ column = "C" }` or `{ constant = "x" }`, with `missing`
//! (texts that mean that there is no value), `collapse_blanks` (a run of blanks counts as one) and `values` (what a text
//! stands for). Blanks at the ends never count, and an empty text is missing. Dates have a `form` (see [`DateForm`]; ISO
//! by default); a `year` stands for its `month_day`. All that a map of sales can say:
//!
//! ```
//! let map = moon_import::ImportMap::parse(
//!     r#"
//!     kind = "sales"             # or agents, products, targets, assignments, teams, branches
//!     format = "csv"             # or ndjson; told by the file's name by default
//!     delimiter = ";"            # a comma by default
//!     decimal = "comma"          # how numbers are written: point by default,
//!     grouping = "."             # and no mark between groups of digits
//!     source = "policy-system"   # with the reference, the identity of a sale
//!     reference = ["CONTRACT", "INSTALMENT"]
//!     cancels = ["ORIGINAL_CONTRACT", "ORIGINAL_INSTALMENT"] # what a negative row takes back, if it names anything
//!     revisions = "column"       # or snapshot (a changed row corrects; missing rows are reported), or none (a changed
//!     revision_column = "REV"    # row is a conflict), which is the default
//!
//!     [columns]                  # product, amount and date are needed
//!     agent = { column = "AGENT", missing = ["99999"] }
//!     agent_name = "AGENT_NAME"  # for an agent that is created
//!     product = { column = "PRODUCT", collapse_blanks = true }
//!     product_name = "PRODUCT_NAME"
//!     product_line = { constant = "life" }
//!     amount = "PREMIUM"
//!     date = { column = "SOLD_ON", form = "dd.mm.yyyy" }
//!     team = "TEAM"              # where the source gives it; else that of the agent on the date
//!     branch = "BRANCH"
//!     kind = { column = "TYPE", values = { N = "new_business", R = "renewal" } }
//!     policy_number = "POLICY"
//!
//!     [unknown]                  # what rows may bring into being: refuse by default
//!     agents = "create"
//!     teams = "create"
//!     branches = "create"
//!     products = "refuse"
//!
//!     [expect]                   # the import is refused when the good rows of the file differ
//!     rows = 5679
//!     sum = "93174777.64"
//!     "#,
//!     "sales.toml",
//! )?;
//! # assert!(map.content.has_amounts());
//! # Ok::<(), moon_core::Error>(())
//! ```
//!
//! The columns of the other kinds are those of [`AgentColumns`], [`ProductColumns`], [`TargetColumns`],
//! [`AssignmentColumns`], [`TeamColumns`] and [`BranchColumns`]. Their rows say what holds: what differs is corrected, and
//! what a map does not speak of stays as it is.

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
