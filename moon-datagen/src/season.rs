//! How sales spread over the days: few on Sundays, many towards the end of a month, more in some months than in others,
//! a little more every year, and no two days alike.

use chrono::{Datelike, NaiveDate};
use moon_core::{BusinessDate, DayRange, Result};

use crate::Plan;
use crate::chance::{Chance, Stream};

/// Against one another, from Monday on.
const WEEKDAYS: [u64; 7] = [110, 105, 100, 100, 105, 45, 8];
/// Against one another, from January on: the new year of April, and the ends of quarters and of the year.
const MONTHS: [u64; 12] = [92, 96, 118, 78, 95, 108, 98, 100, 110, 97, 104, 126];

/// How many sales lie before each day. Exact: the days add up to the sales of the plan.
#[derive(Debug, Clone)]
pub(crate) struct Season {
    first_day: i32,
    /// For each day how many sales lie up to its end, ascending.
    ends: Vec<u64>,
}

impl Season {
    pub(crate) fn new(plan: &Plan) -> Result<Self> {
        let first_day = plan.first_day.epoch_day();
        let last_day = plan.last_day()?.epoch_day();
        let mut chance = Chance::new(plan.seed, Stream::Season);
        let mut weights = Vec::new();
        if plan.days > 0 {
            for day in first_day..=last_day {
                let years = u64::try_from((day - first_day) / 365).unwrap_or(0);
                let noise = chance.within(75, 125);
                weights.push(weight(BusinessDate::from_epoch_day(day)?.to_naive_date()) * (100 + 8 * years) * noise);
            }
        }
        let total: u128 = weights.iter().copied().map(u128::from).sum();
        let mut sum = 0_u128;
        let ends = weights.into_iter().map(|weight| {
            sum += u128::from(weight);
            // At most the sales of the plan, so it fits.
            u64::try_from(u128::from(plan.sales) * sum / total.max(1)).unwrap_or(plan.sales)
        });
        Ok(Self { first_day, ends: ends.collect() })
    }

    /// The last day, in days since 1970-01-01; the one before the first when there are none.
    pub(crate) fn last_day(&self) -> i32 {
        let days = i32::try_from(self.ends.len()).unwrap_or(i32::MAX);
        self.first_day.saturating_add(days).saturating_sub(1)
    }

    /// How many sales lie before the day, in days since 1970-01-01.
    pub(crate) fn sales_before(&self, day: i32) -> u64 {
        let past = usize::try_from(i64::from(day) - i64::from(self.first_day)).unwrap_or(0).min(self.ends.len());
        past.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0)
    }

    /// How many sales lie in the days.
    pub(crate) fn sales_in(&self, days: DayRange) -> u64 {
        self.sales_before(days.end()) - self.sales_before(days.start())
    }

    /// The day of a sale, in days since 1970-01-01. Sales are numbered in the order of their days.
    pub(crate) fn day_of(&self, sale: u64) -> i32 {
        let past = self.ends.partition_point(|end| *end <= sale);
        self.first_day.saturating_add(i32::try_from(past).unwrap_or(i32::MAX))
    }
}

fn weight(date: NaiveDate) -> u64 {
    let of = |weights: &[u64], index: u32| {
        usize::try_from(index).ok().and_then(|index| weights.get(index)).copied().unwrap_or(100)
    };
    let last_days = (1..=4)
        .filter_map(|ahead| date.checked_add_days(chrono::Days::new(ahead)))
        .any(|later| later.month() != date.month());
    let push = if last_days { 150 } else { 100 };
    of(&WEEKDAYS, date.weekday().num_days_from_monday()) * of(&MONTHS, date.month0()) * push
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_add_up_and_sundays_are_quiet() {
        let plan = Plan::demo();
        let season = Season::new(&plan).unwrap();
        let first = plan.first_day.epoch_day();
        let last = plan.last_day().unwrap().epoch_day();
        assert_eq!((season.sales_before(first), season.sales_before(last + 1)), (0, plan.sales));
        assert_eq!((season.sales_before(i32::MIN), season.sales_before(i32::MAX)), (0, plan.sales));
        assert_eq!((season.day_of(0), season.day_of(plan.sales - 1)), (first, last));
        let sales_on = |weekday: i32| -> u64 {
            // 1970-01-01 was a Thursday.
            (first..=last)
                .filter(|day| (day + 3).rem_euclid(7) == weekday)
                .map(|day| season.sales_in(DayRange::new(day, day + 1)))
                .sum()
        };
        let (monday, saturday, sunday) = (sales_on(0), sales_on(5), sales_on(6));
        assert!(sunday * 4 < saturday && saturday * 3 < monday * 2, "{monday} {saturday} {sunday}");
        let december = DayRange::new(first + 334, first + 365);
        let april = DayRange::new(first + 90, first + 120);
        assert!(season.sales_in(april) * 5 < season.sales_in(december) * 4);
    }

    #[test]
    fn every_sale_lies_on_its_day() {
        let season = Season::new(&Plan { sales: 500, days: 40, ..Plan::demo() }).unwrap();
        for sale in 0..500 {
            let day = season.day_of(sale);
            assert!((season.sales_before(day)..season.sales_before(day + 1)).contains(&sale));
        }
    }
}
