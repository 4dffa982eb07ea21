//! One fold by several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::{Fold, FoldPlan};
use crate::{Error, ErrorKind, PostingBatch, Result, Totals};

/// Folds the batches of one scan, in their order, with this many threads (at least one, at most one for each batch).
/// Each thread takes the next batch that is free and learns the codes of those between, so that all know the same
/// dictionaries without sharing them; what they summed is merged at the end.
///
/// # Errors
/// As [`Fold::push`].
pub fn fold_parallel(plan: &FoldPlan, batches: &[PostingBatch], threads: usize) -> Result<Totals> {
    let next = AtomicUsize::new(0);
    let folds: Vec<Result<Fold>> = thread::scope(|scope| {
        let worker = || fold_shared(plan.clone(), batches, &next);
        let helpers: Vec<_> = (1..threads.min(batches.len())).map(|_| scope.spawn(worker)).collect();
        let own = worker();
        let stopped = |_| Err(Error::new(ErrorKind::Backend, "thread of the fold stopped"));
        std::iter::once(own).chain(helpers.into_iter().map(|helper| helper.join().unwrap_or_else(stopped))).collect()
    });
    let mut total = Fold::new(plan.clone());
    for fold in folds {
        total.merge(fold?)?;
    }
    total.finish()
}

fn fold_shared(plan: FoldPlan, batches: &[PostingBatch], next: &AtomicUsize) -> Result<Fold> {
    let mut fold = Fold::new(plan);
    let mut mine = next.fetch_add(1, Ordering::Relaxed);
    for (index, batch) in batches.iter().enumerate() {
        if index == mine {
            fold.push(batch)?;
            mine = next.fetch_add(1, Ordering::Relaxed);
        } else {
            fold.learn(&batch.new_codes)?;
        }
    }
    Ok(fold)
}
