//! Writing what was computed where nobody sees it yet.

use moon_core::{AgentCell, Cell, ProductMetrics, Published, Restatement, Result, StagedRows, StagedRun};

use crate::agents::AgentTotals;
use crate::command::RunCommand;
use crate::progress::Progress;
use crate::pulse::Pulse;

/// How many cells are handed over at a time.
const CHUNK_CELLS: usize = 16_384;

/// What is staged.
pub(crate) struct Rows<'a> {
    pub(crate) dimensions: &'a Published,
    pub(crate) metrics: Vec<ProductMetrics>,
    pub(crate) restatements: &'a [Restatement],
    pub(crate) command: &'a RunCommand,
    pub(crate) agents: &'a AgentTotals,
    pub(crate) agents_kept: Vec<AgentCell>,
    pub(crate) cells: &'a [Cell],
}

/// Stages dimensions, targets, metrics, what concerns closed periods, figures of agents, and the cells at last: should
/// another attempt at the same run empty the stage meanwhile, cells are missing, and the sums that are read back before
/// publishing tell.
pub(crate) async fn stage(
    stage: &mut dyn StagedRun,
    rows: Rows<'_>,
    pulse: &Pulse<'_>,
    progress: &dyn Progress,
) -> Result<()> {
    let Rows { dimensions, metrics, restatements, command, agents, agents_kept, cells } = rows;
    let Published { teams, branches, products, targets, .. } = dimensions;
    let first = [
        StagedRows::Teams(teams.clone()),
        StagedRows::Branches(branches.clone()),
        StagedRows::Products(products.clone()),
        StagedRows::Targets(targets.clone()),
    ];
    let metrics = metrics.into_iter().map(|ProductMetrics { month, rows }| StagedRows::ProductMetrics { month, rows });
    let restatements = restatements.chunks(CHUNK_CELLS).map(|chunk| StagedRows::Restatements(chunk.to_vec()));
    let reopened = command.reopen.iter().copied().map(StagedRows::Reopen);
    let closed = command.close.iter().copied().map(StagedRows::Close);
    for rows in first.into_iter().chain(metrics).chain(restatements).chain(reopened).chain(closed) {
        stage.write(rows).await?;
        pulse.beat().await?;
    }
    // Many months are small.
    let mut waiting = agents_kept;
    for month in agents.months() {
        waiting.extend(month?);
        if waiting.len() >= CHUNK_CELLS {
            stage.write(StagedRows::AgentCells(std::mem::take(&mut waiting))).await?;
            pulse.beat().await?;
        }
    }
    if !waiting.is_empty() {
        stage.write(StagedRows::AgentCells(waiting)).await?;
        pulse.beat().await?;
    }
    let mut staged = 0;
    for chunk in cells.chunks(CHUNK_CELLS) {
        stage.write(StagedRows::Cells(chunk.to_vec())).await?;
        pulse.beat().await?;
        staged += chunk.len();
        progress.staged(staged, cells.len());
    }
    Ok(())
}
