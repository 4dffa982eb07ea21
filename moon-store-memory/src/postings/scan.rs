//! The scan: whole chunks where nothing is to be left out, else the places that match, column by column.

use std::ops::Range;

use moon_core::{AdjustmentPostings, NewCodes, PostingBatch, PostingColumns, PostingFilter};

use super::filter::Matcher;
use crate::sales::{Chunk, ChunkHead};
use crate::state::State;

/// How many postings a batch holds at most, unless a single chunk holds more.
pub(super) const BATCH_POSTINGS_MAX: usize = 32_768;

/// Batches, ascending by the sale's day. The dictionaries are the store's own and come with the first batch.
pub(super) struct Scan<'a> {
    state: &'a State,
    matcher: Matcher<'a>,
    chunks: std::iter::Peekable<Box<dyn Iterator<Item = &'a ChunkHead> + Send + 'a>>,
    began: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn new(state: &'a State, filter: &'a PostingFilter) -> Self {
        let chunks: Box<dyn Iterator<Item = &ChunkHead> + Send> = Box::new(state.sales.chunks());
        Self { state, matcher: Matcher::new(state, filter), chunks: chunks.peekable(), began: false }
    }

    /// Takes over what matches in a chunk.
    fn take_over(&self, head: &ChunkHead, batch: &mut PostingBatch) {
        let chunk = &*head.chunk;
        for range in self.matcher.ranges(head.days) {
            let start = chunk.sales.day.partition_point(|day| *day < range.start());
            let end = chunk.sales.day.partition_point(|day| *day < range.end());
            if self.matcher.is_by_days_only() && chunk.voided == 0 {
                copy(&mut batch.sales, &chunk.sales, start..end);
            } else {
                gather(&mut batch.sales, &chunk.sales, &self.sales(chunk, start..end));
            }
        }
        if self.matcher.is_by_days_only() && self.matcher.has_all_of(head) {
            copy_adjustments(&mut batch.adjustments, &chunk.adjustments);
        } else if !chunk.adjustment_details.is_empty() {
            gather_adjustments(&mut batch.adjustments, &chunk.adjustments, &self.adjustments(chunk));
        }
    }

    /// The places in a range whose sales match and are not voided.
    fn sales(&self, chunk: &Chunk, places: Range<usize>) -> Vec<usize> {
        let matches = |at: &usize| {
            let detail = chunk.details.get(*at);
            detail.is_some_and(|detail| !detail.voided && self.matcher.matches(&chunk.sales, *at, detail.kind))
        };
        places.filter(matches).collect()
    }

    /// The places of the adjustments that match.
    fn adjustments(&self, chunk: &Chunk) -> Vec<usize> {
        let adjustments = &chunk.adjustments;
        let days = adjustments.postings.day.iter().zip(&adjustments.own_day).zip(&chunk.adjustment_details);
        let matching = days.enumerate().filter(|(at, ((day, own_day), detail))| {
            (self.matcher.has_day(**day) || self.matcher.has_day(**own_day))
                && self.matcher.matches(&adjustments.postings, *at, detail.sale_kind)
        });
        matching.map(|(at, _)| at).collect()
    }
}

impl Iterator for Scan<'_> {
    type Item = PostingBatch;

    fn next(&mut self) -> Option<PostingBatch> {
        let mut batch = PostingBatch::default();
        if !self.began {
            self.began = true;
            batch.new_codes = NewCodes {
                teams: self.state.teams.codes().cloned().collect(),
                branches: self.state.branches.codes().cloned().collect(),
                products: self.state.products.codes().cloned().collect(),
                agents: self.state.agents.codes().cloned().collect(),
            };
        } else if self.chunks.peek().is_none() {
            return None;
        }
        let (mut heads, mut sales, mut adjustments) = (Vec::new(), 0, 0);
        while let Some(head) = self.chunks.peek().copied() {
            if self.matcher.may_match(head) {
                let (more_sales, more_adjustments) = (head.chunk.len(), head.chunk.adjustment_details.len());
                if !heads.is_empty() && sales + adjustments + more_sales + more_adjustments > BATCH_POSTINGS_MAX {
                    break;
                }
                heads.push(head);
                sales += more_sales;
                adjustments += more_adjustments;
            }
            self.chunks.next();
        }
        if self.matcher.is_by_days_only() {
            // Nearly all of it will come; growing step by step would copy it twice.
            reserve(&mut batch.sales, sales);
            reserve(&mut batch.adjustments.postings, adjustments);
        }
        for head in heads {
            self.take_over(head, &mut batch);
        }
        Some(batch)
    }
}

/// Makes room for so many rows.
fn reserve(columns: &mut PostingColumns, rows: usize) {
    columns.day.reserve_exact(rows);
    columns.team.reserve_exact(rows);
    columns.branch.reserve_exact(rows);
    columns.product.reserve_exact(rows);
    columns.agent.reserve_exact(rows);
    columns.given.reserve_exact(rows);
    columns.amount.reserve_exact(rows);
}

/// Appends a range of rows.
fn copy(to: &mut PostingColumns, from: &PostingColumns, places: Range<usize>) {
    append(&mut to.day, &from.day, &places);
    append(&mut to.team, &from.team, &places);
    append(&mut to.branch, &from.branch, &places);
    append(&mut to.product, &from.product, &places);
    append(&mut to.agent, &from.agent, &places);
    append(&mut to.given, &from.given, &places);
    append(&mut to.amount, &from.amount, &places);
}

fn append<T: Copy>(to: &mut Vec<T>, from: &[T], places: &Range<usize>) {
    to.extend_from_slice(from.get(places.clone()).unwrap_or_default());
}

/// Appends all rows.
fn copy_adjustments(to: &mut AdjustmentPostings, from: &AdjustmentPostings) {
    let all = 0..from.postings.len();
    copy(&mut to.postings, &from.postings, all.clone());
    append(&mut to.own_day, &from.own_day, &all);
    append(&mut to.count, &from.count, &all);
}

/// Appends the rows at these places.
fn gather(to: &mut PostingColumns, from: &PostingColumns, places: &[usize]) {
    pick(&mut to.day, &from.day, places);
    pick(&mut to.team, &from.team, places);
    pick(&mut to.branch, &from.branch, places);
    pick(&mut to.product, &from.product, places);
    pick(&mut to.agent, &from.agent, places);
    pick(&mut to.given, &from.given, places);
    pick(&mut to.amount, &from.amount, places);
}

fn gather_adjustments(to: &mut AdjustmentPostings, from: &AdjustmentPostings, places: &[usize]) {
    gather(&mut to.postings, &from.postings, places);
    pick(&mut to.own_day, &from.own_day, places);
    pick(&mut to.count, &from.count, places);
}

fn pick<T: Copy>(to: &mut Vec<T>, from: &[T], places: &[usize]) {
    to.extend(places.iter().filter_map(|at| from.get(*at)).copied());
}
