//! Writing what was computed where nobody sees it yet.

use moon_core::{Cell, ProductRow, Published, Result, StagedRows, StagedRun};

use crate::progress::Progress;

/// How many cells are handed over at a time.
const CHUNK_CELLS: usize = 4_096;

/// Stages dimensions, targets, metrics, and the cells at last: should another attempt at the same run empty the stage
/// meanwhile, cells are missing, and the sums that are read back before publishing tell.
pub(crate) async fn stage(
    stage: &mut dyn StagedRun,
    dimensions: &Published,
    metrics: Vec<(Option<moon_core::BusinessDate>, Vec<ProductRow>)>,
    cells: &[Cell],
    progress: &dyn Progress,
) -> Result<()> {
    stage.write(StagedRows::Teams(dimensions.teams.clone())).await?;
    stage.write(StagedRows::Branches(dimensions.branches.clone())).await?;
    stage.write(StagedRows::Products(dimensions.products.clone())).await?;
    stage.write(StagedRows::Targets(dimensions.targets.clone())).await?;
    for (month, rows) in metrics {
        stage.write(StagedRows::ProductMetrics { month, rows }).await?;
    }
    let mut staged = 0;
    for chunk in cells.chunks(CHUNK_CELLS) {
        stage.write(StagedRows::Cells(chunk.to_vec())).await?;
        staged += chunk.len();
        progress.staged(staged, cells.len());
    }
    Ok(())
}
