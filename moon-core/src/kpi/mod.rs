//! Key figures: what postings look like to the engine, how they are folded into sums, and the law that binds those.

mod figures;
mod fold;
mod posting;
mod report;

pub use figures::{Basis, Cell, ControlTotals, DayControl, Dimension, Figures, Totals};
pub use fold::{Fold, FoldPlan, fold_parallel};
pub use posting::{
    AdjustmentPostings, GIVEN_BRANCH, GIVEN_TEAM, NewCodes, PostingBatch, PostingColumns, UNASSIGNED_INDEX,
};
pub use report::{Attainment, BranchRow, Coverage, KpiQuery, KpiReport, ProductRow, ReportRun, TargetStatus, TeamRow};
