//! Sales: what each one is, by its number alone.

use moon_core::{Amount, BusinessDate, Reference, Result, SaleContent, SaleKey, SaleKind};

use crate::SalesForce;
use crate::catalog::Tariff;
use crate::chance::{Draw, Draws, SaleDraws};

/// The source by which all generated sales are reported.
pub const SOURCE: &str = "generated";

/// How many sales a reversal looks back, and a renewal for its policy.
const WINDOW: u64 = 2_000;

/// What a sale is, by indices into the sales force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) agent: Option<usize>,
    pub(crate) product: usize,
    pub(crate) amount: Amount,
    /// Days since 1970-01-01.
    pub(crate) day: i32,
    pub(crate) kind: SaleKind,
    /// The number of the policy.
    pub(crate) policy: Option<u64>,
    /// Where the source gives it.
    pub(crate) team: Option<usize>,
    /// Where the source gives it.
    pub(crate) branch: Option<usize>,
}

impl Facts {
    /// The same by codes.
    fn content(&self, force: &SalesForce) -> Result<Option<SaleContent>> {
        let Some(product) = force.assortment.codes.get(self.product) else { return Ok(None) };
        let policy = self.policy.map(|number| Reference::new("policy number", &format!("P{number:09}")));
        Ok(Some(SaleContent {
            agent: self.agent.and_then(|agent| force.agent_codes.get(agent)).cloned(),
            product: product.clone(),
            amount: self.amount,
            date: BusinessDate::from_epoch_day(self.day)?,
            kind: self.kind,
            policy_number: policy.transpose()?,
            team: self.team.and_then(|team| force.team_codes.get(team)).cloned(),
            branch: self.branch.and_then(|branch| force.branch_codes.get(branch)).cloned(),
        }))
    }

    /// The team and the branch under which the sale counts once everything is entered.
    pub(crate) fn places(&self, force: &SalesForce) -> (Option<usize>, Option<usize>) {
        let placement = force.placement(self.agent, self.day);
        let team = self.team.or(placement.map(|placement| placement.team));
        (team, self.branch.or(placement.map(|placement| placement.branch)))
    }
}

/// Makes the content of sales, in any order, with memory for none of them.
#[derive(Debug, Clone)]
pub(crate) struct SaleMaker<'a> {
    force: &'a SalesForce,
    draws: SaleDraws,
    source: Reference,
}

impl<'a> SaleMaker<'a> {
    pub(crate) fn new(force: &'a SalesForce) -> Result<Self> {
        let source = Reference::new("source", SOURCE)?;
        Ok(Self { force, draws: SaleDraws::new(force.plan.seed), source })
    }

    pub(crate) fn draws(&mut self, sale: u64) -> Draws {
        self.draws.of(sale)
    }

    /// The identity of a sale.
    pub(crate) fn key(&self, sale: u64) -> Result<SaleKey> {
        Ok(SaleKey { source: self.source.clone(), reference: Reference::new("reference", &reference(sale))? })
    }

    /// A sale as it is first entered. `None` when the plan has nothing to sell.
    pub(crate) fn facts(&mut self, sale: u64) -> Result<Option<Facts>> {
        let draws = self.draws(sale);
        let facts = self.ordinary(sale, &draws)?;
        if sale == 0 || !draws.happens(Draw::Reversal, self.force.plan.rates.reversals) {
            return Ok(facts);
        }
        let original = sale - 1 - draws.below(Draw::Original, sale.min(WINDOW));
        let original_draws = self.draws(original);
        let original = self.ordinary(original, &original_draws)?;
        Ok(facts.zip(original).map(|(facts, original)| Facts {
            amount: -original.amount,
            kind: SaleKind::Reversal,
            day: facts.day,
            ..original
        }))
    }

    /// The content of a sale as it is first entered. `None` when the plan has nothing to sell.
    pub(crate) fn content(&mut self, sale: u64) -> Result<Option<SaleContent>> {
        let facts = self.facts(sale)?;
        Ok(facts.map(|facts| facts.content(self.force)).transpose()?.flatten())
    }

    /// A sale that reverses none.
    fn ordinary(&self, sale: u64, draws: &Draws) -> Result<Option<Facts>> {
        let force = self.force;
        let rates = &force.plan.rates;
        let day = force.season.day_of(sale);
        let Some((product, tariff)) = force.assortment.pick(draws.word(Draw::Product)) else { return Ok(None) };
        let agent = match draws.happens(Draw::WithoutAgent, rates.without_agent) {
            true => None,
            false => force.careers.pick(draws.word(Draw::Agent), day),
        };
        let placement = force.placement(agent, day);
        let branch = draws.happens(Draw::BranchGiven, rates.branch_given).then(|| {
            // Most of what is given is the agent's own branch; the rest was sold elsewhere.
            let count = u64::try_from(force.branch_codes.len()).unwrap_or(0);
            let elsewhere = usize::try_from(draws.below(Draw::BranchElsewhere, count)).unwrap_or(0);
            placement.filter(|_| draws.happens(Draw::BranchOwn, 7_000)).map_or(elsewhere, |placement| placement.branch)
        });
        let team =
            placement.filter(|_| draws.happens(Draw::TeamGiven, rates.team_given)).map(|placement| placement.team);
        let kind = kind(draws);
        let amount = self.amount(tariff, kind, draws)?;
        let branch = branch.filter(|branch| *branch < force.branch_codes.len());
        Ok(Some(Facts { agent, product, amount, day, kind, policy: policy(sale, kind, draws), team, branch }))
    }

    /// Small premiums are the common ones. Most are in tens of units, some in odd minor units; an endorsement may be
    /// nothing or negative, and an instalment is a twelfth.
    fn amount(&self, tariff: &Tariff, kind: SaleKind, draws: &Draws) -> Result<Amount> {
        let (low, high) = (u64::from(tariff.premium.0), u64::from(tariff.premium.1));
        let reach = draws.below(Draw::Size, high.saturating_sub(low) + 1);
        let units = (low + draws.below(Draw::Skew, reach + 1)) / 10 * 10;
        let per_unit = u64::try_from(self.force.currency.minor_per_unit()).unwrap_or(1);
        let odd = draws.below(Draw::Cents, per_unit * 3).saturating_sub(per_unit * 2);
        let whole = i64::try_from(units * per_unit + odd).unwrap_or(0);
        Amount::from_minor(match kind {
            SaleKind::NewBusiness | SaleKind::Renewal | SaleKind::Reversal => whole,
            SaleKind::Instalment => whole / 12,
            SaleKind::Endorsement => match draws.below(Draw::Endorsement, 10) {
                0 => 0,
                1..=3 => -whole / 20,
                _ => whole / 15,
            },
        })
    }

    /// The content after a correction, which differs: another amount, product, agent, or an earlier date.
    pub(crate) fn corrected(&self, content: &SaleContent, draws: &Draws) -> Result<SaleContent> {
        let force = self.force;
        let mut corrected = content.clone();
        match draws.below(Draw::Correction, 10) {
            0..=1 => {
                let product = force.assortment.pick(draws.word(Draw::Corrected));
                if let Some(code) = product.and_then(|(product, _)| force.assortment.codes.get(product)) {
                    corrected.product = code.clone();
                }
            }
            2 => {
                let agent = force.careers.pick(draws.word(Draw::Corrected), content.date.epoch_day());
                corrected.agent = agent.and_then(|agent| force.agent_codes.get(agent)).cloned();
            }
            3 => {
                let earlier =
                    content.date.epoch_day() - i32::try_from(draws.within(Draw::Corrected, 1, 3)).unwrap_or(1);
                corrected.date = BusinessDate::from_epoch_day(earlier.max(force.plan.first_day.epoch_day()))?;
            }
            _ => {}
        }
        if corrected == *content {
            let percent = i64::try_from(draws.within(Draw::Corrected, 1, 30)).unwrap_or(1);
            let step = (content.amount.minor() / 100).max(1) * percent;
            let sign = if draws.happens(Draw::CorrectedUp, 5_000) { 1 } else { -1 };
            corrected.amount = Amount::from_minor(content.amount.minor() + sign * step)?;
        }
        Ok(corrected)
    }
}

fn reference(sale: u64) -> String {
    format!("S{:010}", sale.saturating_add(1))
}

fn kind(draws: &Draws) -> SaleKind {
    match draws.below(Draw::Kind, 100) {
        0..=54 => SaleKind::NewBusiness,
        55..=79 => SaleKind::Renewal,
        80..=94 => SaleKind::Instalment,
        _ => SaleKind::Endorsement,
    }
}

/// New business has a policy of its own, if it has one yet; anything else is about one sold before, be it before the plan.
fn policy(sale: u64, kind: SaleKind, draws: &Draws) -> Option<u64> {
    let own = sale.saturating_add(WINDOW);
    match kind {
        SaleKind::NewBusiness => (!draws.happens(Draw::Policy, 1_000)).then_some(own),
        _ => Some(own - draws.within(Draw::Policy, 1, WINDOW)),
    }
}
