//! Periods and the fiscal calendar that cuts time into them.

use std::fmt;

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use super::{BusinessDate, DayRange};
use crate::{Error, Result};

/// The lengths a period can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// One business date.
    Day,
    /// An ISO week, Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// Three months, counted from the start of the fiscal year.
    Quarter,
    /// The fiscal year.
    Year,
    /// All time.
    All,
}

impl Granularity {
    /// The stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
            Self::All => "all",
        }
    }

    /// The granularity of a [`name`](Self::name).
    ///
    /// # Errors
    /// `InvalidInput` for any other text.
    pub fn from_name(name: &str) -> Result<Self> {
        [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year, Self::All]
            .into_iter()
            .find(|granularity| granularity.name() == name)
            .ok_or_else(|| {
                Error::invalid("granularity is not one of day, week, month, quarter, year, all")
                    .with("granularity", name)
            })
    }
}

/// A period of the ledger's calendar: a granularity and the half-open range of its days. Made by a [`Calendar`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    granularity: Granularity,
    days: DayRange,
}

impl Period {
    /// All time.
    pub const ALL: Self = Self { granularity: Granularity::All, days: DayRange::ALL };

    /// A period as a store keeps it. A store gives back what a [`Calendar`] made.
    #[must_use]
    pub fn from_parts(granularity: Granularity, days: DayRange) -> Self {
        Self { granularity, days }
    }

    /// How long it is.
    #[must_use]
    pub fn granularity(self) -> Granularity {
        self.granularity
    }

    /// The days in it.
    #[must_use]
    pub fn days(self) -> DayRange {
        self.days
    }

    /// Whether its last day lies before `as_of`. All time never ends.
    #[must_use]
    pub fn is_complete(self, as_of: BusinessDate) -> bool {
        self.granularity != Granularity::All && self.days.end() <= as_of.epoch_day()
    }
}

/// The ledger's calendar. Weeks and months are those of the civil calendar; quarters and years are fiscal: the year
/// starts in a month of choice and is named by the calendar year in which it ends, its quarters are counted from there.
/// With a start in January both are those of the civil calendar.
///
/// ```
/// use moon_core::Calendar;
///
/// let calendar = Calendar::new(4)?;
/// let quarter = calendar.parse("2026-Q1")?;
/// assert_eq!(quarter.days().first().map(|day| day.to_string()).as_deref(), Some("2025-04-01"));
/// assert_eq!(calendar.label(quarter), "2026-Q1");
/// # Ok::<(), moon_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Calendar {
    fiscal_year_start: u8,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { fiscal_year_start: 1 }
    }
}

impl Calendar {
    /// A calendar whose fiscal year starts in this month, 1 to 12.
    ///
    /// # Errors
    /// `InvalidInput` for any other month.
    pub fn new(fiscal_year_start: u8) -> Result<Self> {
        if !(1..=12).contains(&fiscal_year_start) {
            return Err(
                Error::invalid("fiscal year must start in a month from 1 to 12").with("month", fiscal_year_start)
            );
        }
        Ok(Self { fiscal_year_start })
    }

    /// The month in which the fiscal year starts, 1 to 12.
    #[must_use]
    pub fn fiscal_year_start(self) -> u8 {
        self.fiscal_year_start
    }

    /// The period of that length in which the date lies.
    #[must_use]
    pub fn period_of(self, granularity: Granularity, date: BusinessDate) -> Period {
        let civil = date.to_naive_date();
        let months = MonthCount::of(civil);
        let days = match granularity {
            Granularity::Day => date.range(),
            Granularity::Week => {
                let monday = date.epoch_day() - days_since_monday(civil.weekday());
                DayRange::new(monday, monday + 7)
            }
            Granularity::Month => months.range(1),
            Granularity::Quarter => months.back_to(3, self.offset()).range(3),
            Granularity::Year => months.back_to(12, self.offset()).range(12),
            Granularity::All => DayRange::ALL,
        };
        Period { granularity, days }
    }

    /// Reads `2026-03-14`, `2026-W11`, `2026-03`, `2026-Q1`, `2026` or `all`.
    ///
    /// # Errors
    /// `InvalidInput` when it has none of these forms or names no such period.
    pub fn parse(self, text: &str) -> Result<Period> {
        let fail = || {
            Error::invalid("period is not of the form 2026-03-14, 2026-W11, 2026-03, 2026-Q1, 2026 or all")
                .with("period", format_args!("{text:?}"))
        };
        if text == "all" {
            return Ok(Period::ALL);
        }
        if text.len() == 10 {
            return Ok(self.period_of(Granularity::Day, text.parse()?));
        }
        let number = |part: &str, digits: usize| {
            let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse::<i32>().ok()).flatten().ok_or_else(fail)
        };
        let (year, rest) = text.split_once('-').map_or((text, None), |(year, rest)| (year, Some(rest)));
        let year = number(year, 4)?;
        let date = |civil: Option<NaiveDate>| BusinessDate::try_from(civil.ok_or_else(fail)?);
        match rest {
            None => Ok(self.period_of(Granularity::Year, date(self.fiscal_months(year, 0).first_day())?)),
            Some(rest) => match rest.as_bytes().first() {
                Some(b'Q') => {
                    let quarter = number(rest.get(1..).unwrap_or_default(), 1)?;
                    if !(1..=4).contains(&quarter) {
                        return Err(fail());
                    }
                    let months = self.fiscal_months(year, (quarter - 1) * 3);
                    Ok(self.period_of(Granularity::Quarter, date(months.first_day())?))
                }
                Some(b'W') => {
                    let week = u32::try_from(number(rest.get(1..).unwrap_or_default(), 2)?).map_err(|_| fail())?;
                    let monday = date(NaiveDate::from_isoywd_opt(year, week, Weekday::Mon))?;
                    Ok(self.period_of(Granularity::Week, monday))
                }
                _ => {
                    let month = u32::try_from(number(rest, 2)?).map_err(|_| fail())?;
                    Ok(self.period_of(Granularity::Month, date(NaiveDate::from_ymd_opt(year, month, 1))?))
                }
            },
        }
    }

    /// The name of a period, in the form that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn label(self, period: Period) -> String {
        let Some(first) = period.days.first() else { return String::new() };
        let civil = first.to_naive_date();
        let months = MonthCount::of(civil);
        match period.granularity {
            Granularity::Day => first.to_string(),
            Granularity::Week => format!("{:04}-W{:02}", civil.iso_week().year(), civil.iso_week().week()),
            Granularity::Month => format!("{:04}-{:02}", civil.year(), civil.month()),
            Granularity::Quarter => {
                let (year, month) = self.fiscal(months);
                format!("{year:04}-Q{}", month / 3 + 1)
            }
            Granularity::Year => format!("{:04}", self.fiscal(months).0),
            Granularity::All => "all".to_owned(),
        }
    }

    /// The same period a year before: the same date (28 February for the 29th), the ISO week of the same number (the last
    /// one for week 53), the same month, quarter or year. `None` for all time and before the first year.
    #[must_use]
    pub fn year_before(self, period: Period) -> Option<Period> {
        let civil = period.days.first()?.to_naive_date();
        let before = match period.granularity {
            Granularity::All => return None,
            Granularity::Day => {
                civil.with_year(civil.year() - 1).or_else(|| civil.pred_opt()?.with_year(civil.year() - 1))
            }
            Granularity::Week => {
                let (year, week) = (civil.iso_week().year() - 1, civil.iso_week().week());
                NaiveDate::from_isoywd_opt(year, week, Weekday::Mon)
                    .or_else(|| NaiveDate::from_isoywd_opt(year, week.saturating_sub(1), Weekday::Mon))
            }
            Granularity::Month | Granularity::Quarter | Granularity::Year => civil.with_year(civil.year() - 1),
        };
        let before = BusinessDate::try_from(before?).ok()?;
        Some(self.period_of(period.granularity, before))
    }

    /// The next finer periods that tile this one without a gap, in order: quarters of a year, months of a quarter.
    /// Empty for what targets cannot be split into.
    #[must_use]
    pub fn tiles(self, period: Period) -> Vec<Period> {
        let finer = match period.granularity {
            Granularity::Year => Granularity::Quarter,
            Granularity::Quarter => Granularity::Month,
            Granularity::Day | Granularity::Week | Granularity::Month | Granularity::All => return Vec::new(),
        };
        let mut tiles = Vec::with_capacity(4);
        let mut day = period.days.first();
        while let Some(date) = day {
            let tile = self.period_of(finer, date);
            tiles.push(tile);
            day = DayRange::new(tile.days.end(), period.days.end()).first();
        }
        tiles
    }

    /// Months between January and the start of the fiscal year.
    fn offset(self) -> i32 {
        i32::from(self.fiscal_year_start) - 1
    }

    /// The month that lies `months` behind the start of the fiscal year of that name.
    fn fiscal_months(self, year: i32, months: i32) -> MonthCount {
        let starts_in = if self.fiscal_year_start == 1 { year } else { year - 1 };
        MonthCount(starts_in * 12 + self.offset() + months)
    }

    /// The name of the fiscal year in which a month lies, and its place in it, 0 to 11.
    fn fiscal(self, month: MonthCount) -> (i32, i32) {
        let shifted = month.0 - self.offset();
        let year = shifted.div_euclid(12) + i32::from(self.fiscal_year_start != 1);
        (year, shifted.rem_euclid(12))
    }
}

impl fmt::Display for Granularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Months since January of the year 0.
#[derive(Clone, Copy)]
struct MonthCount(i32);

impl MonthCount {
    fn of(date: NaiveDate) -> Self {
        Self(date.year() * 12 + date.month0().try_into().unwrap_or(0))
    }

    /// The last month at or before this one that starts a group of `length` months counted from `offset`.
    fn back_to(self, length: i32, offset: i32) -> Self {
        Self(self.0 - (self.0 - offset).rem_euclid(length))
    }

    fn first_day(self) -> Option<NaiveDate> {
        let month = u32::try_from(self.0.rem_euclid(12)).ok()?;
        NaiveDate::from_ymd_opt(self.0.div_euclid(12), month + 1, 1)
    }

    fn range(self, months: i32) -> DayRange {
        let day = |month: Self| month.first_day().map_or(0, |date| date.num_days_from_ce() - 719_163);
        DayRange::new(day(self), day(Self(self.0 + months)))
    }
}

fn days_since_monday(weekday: Weekday) -> i32 {
    weekday.num_days_from_monday().try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(calendar: Calendar, label: &str) -> (String, String) {
        let days = calendar.parse(label).unwrap().days();
        (days.first().unwrap().to_string(), days.last().unwrap().to_string())
    }

    #[test]
    fn fiscal_years_are_named_by_the_year_in_which_they_end() {
        let april = Calendar::new(4).unwrap();
        assert_eq!(span(april, "2026"), ("2025-04-01".into(), "2026-03-31".into()));
        assert_eq!(span(april, "2026-Q4"), ("2026-01-01".into(), "2026-03-31".into()));
        assert_eq!(span(april, "2026-03"), ("2026-03-01".into(), "2026-03-31".into()));
        assert_eq!(span(Calendar::default(), "2026-Q1"), ("2026-01-01".into(), "2026-03-31".into()));
        assert_eq!(span(Calendar::default(), "2026"), ("2026-01-01".into(), "2026-12-31".into()));
        assert_eq!(span(Calendar::default(), "2026-W53"), ("2026-12-28".into(), "2027-01-03".into()));
    }

    #[test]
    fn what_names_no_period_is_refused() {
        for bad in [
            "",
            "2026-13",
            "2026-Q5",
            "2026-Q0",
            "2026-W54",
            "2025-W53",
            "26",
            "2026-3",
            "2026-02-30",
            "ALL",
            "0500",
            "2026-Q10",
        ] {
            assert!(Calendar::default().parse(bad).is_err(), "{bad:?}");
        }
        assert!(Calendar::new(0).is_err() && Calendar::new(13).is_err());
    }

    #[test]
    fn a_year_before_of_odd_days() {
        let calendar = Calendar::default();
        let before =
            |label: &str| calendar.year_before(calendar.parse(label).unwrap()).map(|period| calendar.label(period));
        assert_eq!(before("2024-02-29").as_deref(), Some("2023-02-28"));
        assert_eq!(before("2026-W53").as_deref(), Some("2025-W52"));
        assert_eq!(before("2026-Q2").as_deref(), Some("2025-Q2"));
        assert_eq!(before("all"), None);
        assert_eq!(before("1000"), None);
    }

    proptest! {
        #[test]
        fn every_date_lies_in_its_period_and_labels_parse_back(
            day in -354_285..=2_932_896_i32, start in 1_u8..=12,
            granularity in prop::sample::select(vec![Granularity::Day, Granularity::Week, Granularity::Month, Granularity::Quarter, Granularity::Year, Granularity::All]),
        ) {
            let calendar = Calendar::new(start).unwrap();
            let date = BusinessDate::from_epoch_day(day).unwrap();
            let period = calendar.period_of(granularity, date);
            prop_assert!(period.days().contains(day));
            // Cut periods at the ends of time start outside of what a date can be.
            if period.days().start() > DayRange::ALL.start() && period.days().end() < DayRange::ALL.end() {
                prop_assert_eq!(calendar.parse(&calendar.label(period)).unwrap(), period);
            }
        }

        #[test]
        fn tiles_cover_without_a_gap(day in -300_000..=2_900_000_i32, start in 1_u8..=12, year in any::<bool>()) {
            let calendar = Calendar::new(start).unwrap();
            let granularity = if year { Granularity::Year } else { Granularity::Quarter };
            let period = calendar.period_of(granularity, BusinessDate::from_epoch_day(day).unwrap());
            let tiles = calendar.tiles(period);
            prop_assert_eq!(tiles.len(), if year { 4 } else { 3 });
            let mut next = period.days().start();
            for tile in tiles {
                prop_assert_eq!(tile.days().start(), next);
                next = tile.days().end();
            }
            prop_assert_eq!(next, period.days().end());
        }
    }
}
