//! Postings for the engine: one batch with everything.

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use moon_core::{
    Code, CodeKind, GIVEN_BRANCH, GIVEN_TEAM, PostingBatch, PostingColumns, PostingFilter, PostingSource, Pushdown,
    Result, Sale, TotalsPlan, UNASSIGNED_INDEX,
};

use super::{State, ToyUnit};

#[async_trait]
impl PostingSource for ToyUnit {
    fn scan<'a>(&'a mut self, filter: &'a PostingFilter) -> BoxStream<'a, Result<PostingBatch>> {
        stream::once(async { Ok(batch(&self.state, filter)) }).boxed()
    }

    async fn totals(&mut self, _plan: &TotalsPlan) -> Result<Pushdown> {
        Ok(Pushdown::Declined)
    }
}

fn batch(state: &State, filter: &PostingFilter) -> PostingBatch {
    let mut batch = PostingBatch::default();
    let mut sales: Vec<&Sale> = state.sales.values().filter(|sale| !sale.voided && of_interest(filter, sale)).collect();
    sales.sort_by_key(|sale| (sale.content.date, sale.id));
    for sale in sales {
        let sale_day = sale.content.date.epoch_day();
        let codes = &mut batch.new_codes;
        let place = [
            index(&mut codes.teams, sale.places.team.as_ref()),
            index(&mut codes.branches, sale.places.branch.as_ref()),
            index(&mut codes.products, Some(&sale.content.product)),
            index(&mut codes.agents, sale.content.agent.as_ref()),
        ];
        if filter.days.contains(sale_day) {
            push(&mut batch.sales, sale, place, sale.content.amount.minor());
        }
        for adjustment in &sale.adjustments {
            let own_day = adjustment.date.epoch_day();
            if filter.days.contains(sale_day) || filter.days.contains(own_day) {
                push(&mut batch.adjustments.postings, sale, place, adjustment.amount.minor());
                batch.adjustments.own_day.push(own_day);
                batch.adjustments.count.push(adjustment.count);
            }
        }
    }
    batch
}

fn push(columns: &mut PostingColumns, sale: &Sale, [team, branch, product, agent]: [u32; 4], minor: i64) {
    let given_team = if sale.content.team.is_some() { GIVEN_TEAM } else { 0 };
    let given_branch = if sale.content.branch.is_some() { GIVEN_BRANCH } else { 0 };
    columns.day.push(sale.content.date.epoch_day());
    columns.team.push(team);
    columns.branch.push(branch);
    columns.product.push(product);
    columns.agent.push(agent);
    columns.given.push(given_team | given_branch);
    columns.amount.push(minor);
}

/// The dictionary index of a code, which is added when it is new. Index 0 stands for none.
fn index<K: CodeKind>(codes: &mut Vec<Code<K>>, code: Option<&Code<K>>) -> u32 {
    let Some(code) = code else { return UNASSIGNED_INDEX };
    let place = codes.iter().position(|known| known == code).unwrap_or_else(|| {
        codes.push(code.clone());
        codes.len() - 1
    });
    u32::try_from(place + 1).unwrap_or(UNASSIGNED_INDEX)
}

/// Whether a sale passes the filter but for its days.
fn of_interest(filter: &PostingFilter, sale: &Sale) -> bool {
    fn passes<T: PartialEq>(wanted: Option<&Vec<T>>, value: Option<&T>) -> bool {
        wanted.is_none_or(|wanted| value.is_some_and(|value| wanted.contains(value)))
    }
    passes(filter.agents.as_ref(), sale.content.agent.as_ref())
        && passes(filter.products.as_ref(), Some(&sale.content.product))
        && passes(filter.teams.as_ref(), sale.places.team.as_ref())
        && passes(filter.branches.as_ref(), sale.places.branch.as_ref())
        && passes(filter.kinds.as_ref(), Some(&sale.content.kind))
}
