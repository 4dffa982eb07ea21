//! Filters by place that only hold after sales were placed anew.

use std::collections::HashSet;

use super::FigureFilter;
use crate::{BranchCode, Code, CodeKind, PostingBatch, PostingColumns, TeamCode};

/// Keeps the postings of some teams and branches in the batches of one scan. All batches must pass, in their order.
pub(super) struct PlaceFilter<'f> {
    teams: Option<Wanted<'f, crate::TeamKind>>,
    branches: Option<Wanted<'f, crate::BranchKind>>,
}

impl<'f> PlaceFilter<'f> {
    pub(super) fn new(filter: &'f FigureFilter) -> Self {
        let teams: Option<&[TeamCode]> = filter.teams.as_deref();
        let branches: Option<&[BranchCode]> = filter.branches.as_deref();
        Self { teams: teams.map(Wanted::new), branches: branches.map(Wanted::new) }
    }

    /// Removes the postings of other places; the codes stay, since later batches may use them.
    pub(super) fn narrow(&mut self, batch: &mut PostingBatch) {
        if let Some(teams) = &mut self.teams {
            teams.learn(&batch.new_codes.teams);
        }
        if let Some(branches) = &mut self.branches {
            branches.learn(&batch.new_codes.branches);
        }
        if self.teams.is_none() && self.branches.is_none() {
            return;
        }
        let keep = self.wanted(&batch.sales);
        retain_columns(&mut batch.sales, &keep);
        let keep = self.wanted(&batch.adjustments.postings);
        retain_columns(&mut batch.adjustments.postings, &keep);
        retain(&mut batch.adjustments.own_day, &keep);
        retain(&mut batch.adjustments.count, &keep);
    }

    fn wanted(&self, postings: &PostingColumns) -> Vec<bool> {
        let wanted = |(team, branch): (&u32, &u32)| {
            self.teams.as_ref().is_none_or(|wanted| wanted.has(*team))
                && self.branches.as_ref().is_none_or(|wanted| wanted.has(*branch))
        };
        postings.team.iter().zip(&postings.branch).map(wanted).collect()
    }
}

/// Some codes of one kind, and which indices of the scan they have.
struct Wanted<'f, K: CodeKind> {
    codes: HashSet<&'f Code<K>>,
    by_index: Vec<bool>,
}

impl<'f, K: CodeKind> Wanted<'f, K> {
    fn new(codes: &'f [Code<K>]) -> Self {
        // Index 0 is what is not assigned, which no code can ask for.
        Self { codes: codes.iter().collect(), by_index: vec![false] }
    }

    fn learn(&mut self, new_codes: &[Code<K>]) {
        self.by_index.extend(new_codes.iter().map(|code| self.codes.contains(code)));
    }

    fn has(&self, index: u32) -> bool {
        usize::try_from(index).ok().and_then(|index| self.by_index.get(index)).copied().unwrap_or(false)
    }
}

fn retain_columns(postings: &mut PostingColumns, keep: &[bool]) {
    retain(&mut postings.day, keep);
    retain(&mut postings.team, keep);
    retain(&mut postings.branch, keep);
    retain(&mut postings.product, keep);
    retain(&mut postings.agent, keep);
    retain(&mut postings.given, keep);
    retain(&mut postings.amount, keep);
}

fn retain<T>(column: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter().copied();
    column.retain(|_| keep.next().unwrap_or(false));
}
