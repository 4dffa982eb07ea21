//! Postings as columns, without a ledger: what the engine is measured by.

use moon_core::{Amount, GIVEN_BRANCH, GIVEN_TEAM, NewCodes, PostingBatch, PostingColumns, Result};

use crate::SalesForce;
use crate::sale::{Facts, SaleMaker};
use crate::story::{Turn, arrival, story};

/// The postings of a plan, made batch by batch by [`SalesForce::postings`].
#[derive(Debug, Clone)]
pub struct Postings<'a> {
    force: &'a SalesForce,
    maker: Option<SaleMaker<'a>>,
    next_sale: u64,
    batch_sales: u64,
    new_codes: NewCodes,
}

impl SalesForce {
    /// The postings of all sales as a store would hand them out once everything is entered, ascending by the sale's day, in
    /// batches of so many sales (one at least) with their cancellations and reinstatements. The one difference to the
    /// [`history`](Self::history): every sale is there from its date on, as it was first entered, and none is corrected.
    ///
    /// All codes come in the first batch, each list in its own order.
    #[must_use]
    pub fn postings(&self, batch_sales: usize) -> Postings<'_> {
        let new_codes = NewCodes {
            teams: self.team_codes.clone(),
            branches: self.branch_codes.clone(),
            products: self.assortment.codes.clone(),
            agents: self.agent_codes.clone(),
        };
        let batch_sales = u64::try_from(batch_sales).unwrap_or(u64::MAX).max(1);
        Postings { force: self, maker: None, next_sale: 0, batch_sales, new_codes }
    }
}

impl Postings<'_> {
    fn batch(&mut self) -> Result<PostingBatch> {
        let mut maker = match self.maker.take() {
            Some(maker) => maker,
            None => SaleMaker::new(self.force)?,
        };
        let mut batch = PostingBatch { new_codes: std::mem::take(&mut self.new_codes), ..PostingBatch::default() };
        let end = self.next_sale.saturating_add(self.batch_sales).min(self.force.plan.sales);
        for sale in self.next_sale..end {
            if let Some(facts) = maker.facts(sale)? {
                self.post(&mut maker, sale, &facts, &mut batch);
            }
        }
        self.next_sale = end;
        self.maker = Some(maker);
        Ok(batch)
    }

    /// The postings of one sale.
    fn post(&self, maker: &mut SaleMaker<'_>, sale: u64, facts: &Facts, batch: &mut PostingBatch) {
        let rates = &self.force.plan.rates;
        let draws = maker.draws(sale);
        let turns = story(rates, facts.amount, &draws);
        let last_day = self.force.season.last_day();
        let mut day = arrival(rates, facts.day, &draws);
        let mut adjustments = Vec::new();
        for (delay, turn) in turns.into_iter().flatten() {
            day = day.saturating_add(delay);
            let (amount, count) = match turn {
                _ if day > last_day => break,
                Turn::Correct => continue,
                Turn::Void => return,
                Turn::Cancel { part: Some(part), .. } => (-part, 0),
                Turn::Cancel { part: None, .. } => (-facts.amount, -1),
                Turn::Reinstate => (facts.amount, 1),
            };
            adjustments.push((day, amount, count));
        }
        let push = |columns: &mut PostingColumns, amount: Amount| {
            let (team, branch) = facts.places(self.force);
            columns.day.push(facts.day);
            columns.team.push(dictionary_index(team));
            columns.branch.push(dictionary_index(branch));
            columns.product.push(dictionary_index(Some(facts.product)));
            columns.agent.push(dictionary_index(facts.agent));
            let given = |given: bool, bit: u8| if given { bit } else { 0 };
            columns.given.push(given(facts.team.is_some(), GIVEN_TEAM) | given(facts.branch.is_some(), GIVEN_BRANCH));
            columns.amount.push(amount.minor());
        };
        push(&mut batch.sales, facts.amount);
        for (day, amount, count) in adjustments {
            push(&mut batch.adjustments.postings, amount);
            batch.adjustments.own_day.push(day);
            batch.adjustments.count.push(count);
        }
    }
}

/// The index behind that of what is not assigned.
fn dictionary_index(index: Option<usize>) -> u32 {
    index.and_then(|index| u32::try_from(index + 1).ok()).unwrap_or(moon_core::UNASSIGNED_INDEX)
}

impl Iterator for Postings<'_> {
    type Item = Result<PostingBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.next_sale < self.force.plan.sales).then(|| self.batch())
    }
}
