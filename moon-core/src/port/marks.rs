//! Marks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Mark, Result};

/// How much waits for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarkCounts {
    /// Marks that no run has claimed.
    pub open: u64,
    /// Marks claimed by a run that has not settled them.
    pub claimed: u64,
    /// When the oldest of either was appended (UTC).
    pub oldest: Option<DateTime<Utc>>,
}

/// Keeps marks. Equal marks may be kept once or many times; a mark that is appended while an equal one is claimed is
/// kept beside it, for the next run.
#[async_trait]
pub trait MarkRepository: Send {
    /// Appends marks.
    async fn append(&mut self, marks: &[Mark], at: DateTime<Utc>) -> Result<()>;

    /// Gives all open marks to a run; a repeat adds those that came since.
    async fn claim(&mut self, run: Uuid) -> Result<()>;

    /// What a run has claimed, ascending, each once.
    async fn claimed(&mut self, run: Uuid) -> Result<Vec<Mark>>;

    /// What no run has claimed, ascending, each once. In a snapshot together with what a run has claimed, these are all
    /// changes that the snapshot shows and no published figure does.
    async fn open(&mut self) -> Result<Vec<Mark>>;

    /// Removes what a run has claimed; a repeat removes nothing.
    async fn settle(&mut self, run: Uuid) -> Result<()>;

    /// How much waits.
    async fn counts(&mut self) -> Result<MarkCounts>;
}
