//! Key figures: what postings look like to the engine, what sums look like, and the law that binds them.

mod figures;
mod posting;
mod report;

pub use figures::{Basis, Cell, ControlTotals, DayControl, Dimension, Figures, Totals};
pub use posting::{
    AdjustmentPostings, GIVEN_BRANCH, GIVEN_TEAM, NewCodes, PostingBatch, PostingColumns, UNASSIGNED_INDEX,
};
pub use report::{Attainment, BranchRow, Coverage, KpiQuery, KpiReport, ProductRow, ReportRun, TargetStatus, TeamRow};
