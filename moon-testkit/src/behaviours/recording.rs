//! Recording: what becomes of each message.

use moon_core::{RecordReport, SaleOutcome};

/// Outcomes in words: `recorded 0`, `duplicate`, `rejected not_found`.
pub(super) fn told(report: &RecordReport) -> Vec<String> {
    let told = |outcome: &SaleOutcome| match outcome {
        SaleOutcome::Recorded(_, revision) => format!("recorded {revision}"),
        SaleOutcome::Corrected(_, revision) => format!("corrected {revision}"),
        SaleOutcome::Applied(_, revision) => format!("applied {revision}"),
        SaleOutcome::Kept(revision) => format!("kept {revision}"),
        SaleOutcome::Duplicate(_) => "duplicate".to_owned(),
        SaleOutcome::Stale(_) => "stale".to_owned(),
        SaleOutcome::Conflict(error) => format!("conflict {}", error.kind().name()),
        SaleOutcome::Rejected(error) => format!("rejected {}", error.kind().name()),
    };
    report.outcomes.iter().map(told).collect()
}
