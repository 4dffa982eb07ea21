//! Key figures: what postings look like to the engine, how they are folded into sums, and the law that binds those.

mod as_now;
mod assemble;
mod figures;
mod fold;
mod posting;
mod render;
mod report;
mod target;

pub use as_now::{AsNow, Placement};
pub use assemble::product_rows;
pub use figures::{Basis, Cell, CellRef, ControlTotals, DayControl, Dimension, Figures, Totals};
pub use fold::{Fold, FoldPlan, fold_parallel};
pub use posting::{
    AdjustmentPostings, GIVEN_BRANCH, GIVEN_TEAM, NewCodes, PostingBatch, PostingColumns, UNASSIGNED_INDEX,
};
pub use render::push_csv_text;
pub use report::{Attainment, BranchRow, Coverage, KpiQuery, KpiReport, ProductRow, ReportRun, TargetStatus, TeamRow};
pub use target::{ResolvedTarget, TargetBook, publishable_targets, targets_in_force};
