//! One fold by several threads.

use std::thread;

use super::{Fold, FoldPlan};
use crate::{Error, ErrorKind, PostingBatch, Result};

/// Folds the batches of one scan, in their order, with this many threads (at least one, at most one for each batch).
/// Each thread takes batches that follow one another, so that in day order each has days of its own and merging finds
/// little in common; it learns the codes of those before, so that it knows the dictionaries without sharing them.
///
/// # Errors
/// As [`Fold::push`].
pub fn fold_parallel(plan: &FoldPlan, batches: &[PostingBatch], threads: usize) -> Result<Fold> {
    let share = batches.len().div_ceil(threads.max(1)).max(1);
    let folds: Vec<Result<Fold>> = thread::scope(|scope| {
        let worker = move |start: usize| fold_share(plan.clone(), batches, start, share);
        let starts = (share..batches.len()).step_by(share);
        let helpers: Vec<_> = starts.map(|start| scope.spawn(move || worker(start))).collect();
        let own = worker(0);
        let stopped = |_| Err(Error::new(ErrorKind::Backend, "thread of the fold stopped"));
        std::iter::once(own).chain(helpers.into_iter().map(|helper| helper.join().unwrap_or_else(stopped))).collect()
    });
    let mut folds = folds.into_iter();
    let mut total = folds.next().unwrap_or_else(|| Ok(Fold::new(plan.clone())))?;
    for fold in folds {
        total.merge(fold?)?;
    }
    Ok(total)
}

fn fold_share(plan: FoldPlan, batches: &[PostingBatch], start: usize, share: usize) -> Result<Fold> {
    let mut fold = Fold::new(plan);
    batches.iter().take(start).try_for_each(|batch| fold.learn(&batch.new_codes))?;
    batches.iter().skip(start).take(share).try_for_each(|batch| fold.push(batch))?;
    Ok(fold)
}
