//! The plan: how large a sales force, over how long, and how often what happens.

use moon_core::{BusinessDate, Error, Result};

use crate::chance::CERTAIN;

/// What to generate. Equal plans yield equal histories, on every machine.
///
/// ```
/// use moon_datagen::Plan;
///
/// let plan = Plan { sales: 1_000, ..Plan::demo() };
/// let today = "2026-03-31".parse()?;
/// assert_eq!(plan.ending_on(today)?.last_day()?, today);
/// # Ok::<(), moon_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Any number; another one is another history.
    pub seed: u64,
    /// Sales, reversals by a row of their own among them.
    pub sales: u64,
    /// Agents. Without any, nobody is credited.
    pub agents: u32,
    /// Teams. Without any, nobody is assigned.
    pub teams: u32,
    /// Branches. Without any, nobody is assigned.
    pub branches: u32,
    /// Products; at least one when there are sales.
    pub products: u32,
    /// The first day on which something is sold.
    pub first_day: BusinessDate,
    /// Days from the first to the last, both included; at least one when there are sales.
    pub days: u32,
    /// How often what happens.
    pub rates: Rates,
}

/// Chances in ten thousand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Sales that credit nobody.
    pub without_agent: u16,
    /// Sales whose source gives the branch, which is not always the agent's own.
    pub branch_given: u16,
    /// Sales whose source gives the team.
    pub team_given: u16,
    /// Sales that reverse an earlier one without naming it: negative rows of their own.
    pub reversals: u16,
    /// Sales that arrive up to twenty days after their date.
    pub backdated: u16,
    /// Sales whose content is corrected later: amount, product, agent or date.
    pub corrections: u16,
    /// Sales that are cancelled, up to ninety days later.
    pub cancellations: u16,
    /// Sales of which a part is cancelled, up to ninety days later.
    pub partial_cancellations: u16,
    /// Sales that are cancelled, in full or in part, by a negative row that names them.
    pub named_reversals: u16,
    /// Sales that should never have been entered.
    pub voids: u16,
    /// Cancelled sales (in full) that are reinstated, up to sixty days later.
    pub reinstatements: u16,
    /// Agents who join after the first day.
    pub joining: u16,
    /// Agents who leave before the last day.
    pub leaving: u16,
    /// Transfers: the chance of an agent in thirty days.
    pub transfers: u16,
    /// Transfers that are entered only one to eight weeks after they took effect.
    pub late_transfers: u16,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            without_agent: 100,
            branch_given: 2_000,
            team_given: 500,
            reversals: 100,
            backdated: 200,
            corrections: 250,
            cancellations: 500,
            partial_cancellations: 120,
            named_reversals: 100,
            voids: 15,
            reinstatements: 1_500,
            joining: 2_000,
            leaving: 800,
            transfers: 150,
            late_transfers: 2_000,
        }
    }
}

impl Rates {
    /// Nothing but sales as they are entered, on time and for ever, by agents who stay where they are.
    #[must_use]
    pub fn calm() -> Self {
        Self {
            without_agent: 0,
            branch_given: 0,
            team_given: 0,
            reversals: 0,
            backdated: 0,
            corrections: 0,
            cancellations: 0,
            partial_cancellations: 0,
            named_reversals: 0,
            voids: 0,
            reinstatements: 0,
            joining: 0,
            leaving: 0,
            transfers: 0,
            late_transfers: 0,
        }
    }

    /// The chances of what a sale meets later, of which each meets one at most.
    pub(crate) fn fates(&self) -> [u16; 5] {
        [self.corrections, self.cancellations, self.partial_cancellations, self.named_reversals, self.voids]
    }

    fn each(&self) -> [(&'static str, u16); 10] {
        [
            ("without_agent", self.without_agent),
            ("branch_given", self.branch_given),
            ("team_given", self.team_given),
            ("reversals", self.reversals),
            ("backdated", self.backdated),
            ("reinstatements", self.reinstatements),
            ("joining", self.joining),
            ("leaving", self.leaving),
            ("transfers", self.transfers),
            ("late_transfers", self.late_transfers),
        ]
    }
}

impl Default for Plan {
    /// An insurer: a million sales of 2,000 agents in 40 teams and 25 branches, 30 products, the 24 months from January
    /// 2025 on.
    fn default() -> Self {
        Self {
            seed: 1,
            sales: 1_000_000,
            agents: 2_000,
            teams: 40,
            branches: 25,
            products: 30,
            // A date by construction.
            first_day: BusinessDate::new(2025, 1, 1).unwrap_or(BusinessDate::MIN),
            days: 730,
            rates: Rates::default(),
        }
    }
}

impl Plan {
    /// A small one that fills a ledger in a moment: 20,000 sales of 120 agents in 8 teams and 9 branches, 12 products, 24
    /// months.
    #[must_use]
    pub fn demo() -> Self {
        Self { sales: 20_000, agents: 120, teams: 8, branches: 9, products: 12, ..Self::default() }
    }

    /// The same over as many days, the last of which is `last_day`.
    ///
    /// # Errors
    /// `InvalidInput` when the first day would lie before the earliest date.
    pub fn ending_on(self, last_day: BusinessDate) -> Result<Self> {
        let days_before = i32::try_from(self.days.max(1) - 1).map_err(|_| too_long())?;
        let first_day = last_day.epoch_day().checked_sub(days_before).ok_or_else(too_long)?;
        Ok(Self { first_day: BusinessDate::from_epoch_day(first_day)?, ..self })
    }

    /// The last day on which something can happen; the first one when there are no days at all.
    ///
    /// # Errors
    /// `InvalidInput` when it lies behind the latest date.
    pub fn last_day(&self) -> Result<BusinessDate> {
        let days_after = i32::try_from(self.days.max(1) - 1).map_err(|_| too_long())?;
        let last_day = self.first_day.epoch_day().checked_add(days_after).ok_or_else(too_long)?;
        BusinessDate::from_epoch_day(last_day)
    }

    /// Whether it can be carried out.
    ///
    /// # Errors
    /// `InvalidInput`, saying what stands in the way.
    pub(crate) fn check(&self) -> Result<()> {
        self.last_day()?;
        if self.sales > 0 && (self.products == 0 || self.days == 0) {
            return Err(Error::invalid("plan has sales but no product or no day")
                .with("products", self.products)
                .with("days", self.days));
        }
        if let Some((rate, chance)) = self.rates.each().into_iter().find(|(_, chance)| *chance > CERTAIN) {
            return Err(Error::invalid("plan has a rate of more than 10,000 in 10,000").with(rate, chance));
        }
        let fates: u64 = self.rates.fates().into_iter().map(u64::from).sum();
        if fates > CERTAIN.into() {
            return Err(Error::invalid(
                "plan corrects, cancels, reverses and voids more than 10,000 of 10,000 sales in sum",
            )
            .with("sum", fates));
        }
        Ok(())
    }
}

fn too_long() -> Error {
    Error::invalid("plan has more days than there are dates")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_that_cannot_be_carried_out_are_refused() {
        let demo = Plan::demo;
        assert!(demo().check().is_ok());
        assert!(Plan { sales: 0, products: 0, days: 0, agents: 0, teams: 0, branches: 0, ..demo() }.check().is_ok());
        let bad = [
            Plan { products: 0, ..demo() },
            Plan { days: 0, ..demo() },
            Plan { days: u32::MAX, ..demo() },
            Plan { first_day: BusinessDate::MAX, ..demo() },
            Plan { rates: Rates { joining: 10_001, ..Rates::default() }, ..demo() },
            Plan { rates: Rates { corrections: 9_000, cancellations: 9_000, ..Rates::default() }, ..demo() },
        ];
        for plan in bad {
            assert_eq!(plan.check().unwrap_err().kind(), moon_core::ErrorKind::InvalidInput, "{plan:?}");
        }
        assert!(demo().ending_on(BusinessDate::MIN).is_err());
    }
}
