//! Targets in proportion to what is going to be sold.

use moon_core::{
    Amount, BusinessDate, Calendar, DayRange, Granularity, NewTarget, Period, ProductCode, Result, TargetKey,
    TargetScope,
};

use crate::SalesForce;
use crate::chance::{Chance, Stream};
use crate::sale::SaleMaker;

/// How many sales are looked at to know what is going to be sold of each product and in each branch.
const SAMPLES_MAX: u64 = 4_096;

/// The targets of a sales force. Of eight products, four have targets by month, two by quarter and one by year, raised in
/// the middle of it; these also have one for all time. The eighth has none. The last product of all has its targets by
/// branch, and every third branch has targets of its own for all products together.
pub(crate) fn targets(force: &SalesForce, calendar: Calendar) -> Result<Vec<NewTarget>> {
    let (Some(first), Some(last)) = (force.plan.first_day.into(), force.plan.last_day().ok()) else {
        return Ok(Vec::new());
    };
    if force.plan.days == 0 {
        return Ok(Vec::new());
    }
    let days = DayRange::inclusive(first, last);
    let mut writer = Writer { force, days, chance: Chance::new(force.plan.seed, Stream::Targets), targets: Vec::new() };
    let sold = Sold::estimate(force)?;
    let count = force.products().len();
    for (index, (product, total)) in force.products().iter().zip(&sold.by_product).enumerate() {
        let product = Some(&product.code);
        if index + 1 == count && count > 3 && !force.branch_codes.is_empty() {
            let share = total / i128::try_from(force.branch_codes.len()).unwrap_or(1);
            for branch in &force.branch_codes {
                let scope = || TargetScope::Branch(branch.clone());
                writer.each(periods(calendar, Granularity::Quarter, days), product, &scope, share)?;
                writer.each(vec![Period::ALL], product, &scope, share)?;
            }
            continue;
        }
        let granularity = match index % 8 {
            7 => continue,
            1 | 4 => Granularity::Quarter,
            3 => Granularity::Year,
            _ => Granularity::Month,
        };
        let ledger = || TargetScope::Ledger;
        writer.each(periods(calendar, granularity, days), product, &ledger, *total)?;
        writer.each(vec![Period::ALL], product, &ledger, *total)?;
    }
    for (branch, total) in force.branch_codes.iter().zip(&sold.by_branch).step_by(3) {
        let scope = || TargetScope::Branch(branch.clone());
        writer.each(periods(calendar, Granularity::Month, days), None, &scope, *total)?;
    }
    Ok(writer.targets)
}

/// The periods of a length that touch the days.
fn periods(calendar: Calendar, granularity: Granularity, days: DayRange) -> Vec<Period> {
    let mut periods = Vec::new();
    let mut rest = days;
    while let Some(day) = rest.first() {
        let period = calendar.period_of(granularity, day);
        rest = DayRange::new(period.days().end(), days.end());
        periods.push(period);
    }
    periods
}

struct Writer<'a> {
    force: &'a SalesForce,
    days: DayRange,
    chance: Chance,
    targets: Vec<NewTarget>,
}

impl Writer<'_> {
    /// A target for each period: the share of `total` (minor units over the whole plan) that is going to be sold in it, more
    /// or less.
    fn each(
        &mut self,
        periods: Vec<Period>,
        product: Option<&ProductCode>,
        scope: &dyn Fn() -> TargetScope,
        total: i128,
    ) -> Result<()> {
        let sales = i128::from(self.force.plan.sales.max(1));
        for period in periods {
            let days = period.days().intersect(self.days);
            let share = total * i128::from(self.force.season.sales_in(days)) / sales;
            // Some five in a hundred are cancelled, so the middle lies below one.
            let wanted = share * i128::from(self.chance.within(75, 117)) / 100;
            let amount = self.rounded(wanted)?;
            let key = TargetKey { product: product.cloned(), scope: scope(), period };
            self.targets.push(NewTarget { key: key.clone(), from: None, amount, expected: None });
            let middle = period.days().start().midpoint(period.days().end());
            if period.granularity() == Granularity::Year && self.days.contains(middle) {
                let from = Some(BusinessDate::from_epoch_day(middle)?);
                let amount = self.rounded(wanted * 11 / 10)?;
                self.targets.push(NewTarget { key, from, amount, expected: None });
            }
        }
        Ok(())
    }

    /// A sum as a person would set it: two digits and zeros, at least a hundred units.
    fn rounded(&self, minor: i128) -> Result<Amount> {
        let per_unit = i128::from(self.force.currency.minor_per_unit());
        let units = (minor / per_unit).max(100);
        let step = 10_i128.pow(units.checked_ilog10().unwrap_or(1).saturating_sub(1));
        let rounded = units / step * step * per_unit;
        Amount::from_minor(i64::try_from(rounded).unwrap_or(moon_core::AMOUNT_MINOR_MAX))
    }
}

/// What is going to be sold over the whole plan, in minor units, about.
struct Sold {
    by_product: Vec<i128>,
    by_branch: Vec<i128>,
}

impl Sold {
    fn estimate(force: &SalesForce) -> Result<Self> {
        let mut by_product = vec![0_i128; force.products().len()];
        let mut by_branch = vec![0_i128; force.branch_codes.len()];
        let samples = force.plan.sales.min(SAMPLES_MAX);
        let mut maker = SaleMaker::new(force)?;
        for sample in 0..samples {
            let sale = u128::from(sample) * u128::from(force.plan.sales) / u128::from(samples);
            let Some(facts) = maker.facts(u64::try_from(sale).unwrap_or(0))? else { continue };
            let minor = i128::from(facts.amount.minor());
            let (_, branch) = facts.places(force);
            let product = by_product.get_mut(facts.product);
            for sum in product.into_iter().chain(branch.and_then(|branch| by_branch.get_mut(branch))) {
                *sum += minor;
            }
        }
        for sum in by_product.iter_mut().chain(&mut by_branch) {
            *sum = *sum * i128::from(force.plan.sales) / i128::from(samples.max(1));
        }
        Ok(Self { by_product, by_branch })
    }
}
