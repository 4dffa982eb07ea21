//! Sums made in the store, posting by posting: slow, simple, and independent of the engine, which must agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use moon_core::{
    BusinessDate, Cell, Code, CodeKind, ControlTotals, DayControl, Dimension, Figures, PostingColumns, Result,
    SaleKind, Sum, Totals, TotalsPlan, UNASSIGNED,
};

use super::filter::Matcher;
use crate::catalog::{Catalog, Coded};
use crate::sales::Chunk;
use crate::state::State;

/// All sums of a plan.
pub(super) fn totals(state: &State, plan: &TotalsPlan) -> Result<Totals> {
    let mut sums =
        Sums { matcher: Matcher::new(state, &plan.filter), plan, cells: BTreeMap::new(), days: BTreeMap::new() };
    for head in state.sales.chunks() {
        if sums.matcher.may_match(head) {
            sums.add_chunk(&head.chunk)?;
        }
    }
    let mut cells = Vec::with_capacity(sums.cells.len());
    for ((dimension, day, group), figures) in sums.cells {
        let code = match dimension {
            Dimension::Team => code(&state.teams, group),
            Dimension::Branch => code(&state.branches, group),
            Dimension::Product => code(&state.products, group),
            Dimension::Agent => code(&state.agents, group),
        };
        cells.push(Cell { dimension, day: BusinessDate::from_epoch_day(day)?, code, figures });
    }
    cells.sort_unstable();
    let days = sums
        .days
        .into_iter()
        .map(|(day, figures)| BusinessDate::from_epoch_day(day).map(|day| DayControl { day, figures }));
    Ok(Totals { cells, control: ControlTotals { days: days.collect::<Result<_>>()? } })
}

fn code<K: CodeKind, T: Coded<K>>(catalog: &Catalog<K, T>, group: u32) -> Arc<str> {
    catalog.code(group).as_ref().map_or(UNASSIGNED, Code::as_str).into()
}

struct Sums<'a> {
    matcher: Matcher<'a>,
    plan: &'a TotalsPlan,
    cells: BTreeMap<(Dimension, i32, u32), Figures>,
    days: BTreeMap<i32, Figures>,
}

impl Sums<'_> {
    fn add_chunk(&mut self, chunk: &Chunk) -> Result<()> {
        let sales = &chunk.sales;
        for (at, ((day, amount), detail)) in sales.day.iter().zip(&sales.amount).zip(&chunk.details).enumerate() {
            if !detail.voided && self.matcher.matches(sales, at, detail.kind) {
                let sum = Sum::new((*amount).into(), 1);
                self.add(sales, at, *day, Figures { net: sum, gross: sum, activity: sum })?;
            }
        }
        let postings = &chunk.adjustments.postings;
        let days = postings.day.iter().zip(&chunk.adjustments.own_day);
        let values = postings.amount.iter().zip(&chunk.adjustments.count);
        for (at, (((day, own_day), (amount, count)), detail)) in
            days.zip(values).zip(&chunk.adjustment_details).enumerate()
        {
            let kind: SaleKind = detail.sale_kind;
            if self.matcher.matches(postings, at, kind) {
                let sum = Sum::new((*amount).into(), (*count).into());
                self.add(postings, at, *day, Figures { net: sum, ..Figures::default() })?;
                self.add(postings, at, *own_day, Figures { activity: sum, ..Figures::default() })?;
            }
        }
        Ok(())
    }

    /// Adds figures of the posting at a place to the groups of a day, if that day is wanted.
    fn add(&mut self, postings: &PostingColumns, at: usize, day: i32, figures: Figures) -> Result<()> {
        if !self.matcher.has_day(day) {
            return Ok(());
        }
        let total = self.days.entry(day).or_default();
        *total = total.plus(figures)?;
        for (place, dimension) in self.plan.dimensions.iter().enumerate() {
            // One that is named twice counts once.
            if self.plan.dimensions.iter().take(place).any(|before| before == dimension) {
                continue;
            }
            let column = match dimension {
                Dimension::Team => &postings.team,
                Dimension::Branch => &postings.branch,
                Dimension::Product => &postings.product,
                Dimension::Agent => &postings.agent,
            };
            let group = column.get(at).copied().unwrap_or_default();
            let cell = self.cells.entry((*dimension, day, group)).or_default();
            *cell = cell.plus(figures)?;
        }
        Ok(())
    }
}
