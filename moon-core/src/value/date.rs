//! Business dates, and ranges and sets of days.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// Days from 0001-01-01 (day 1 of chrono's count) to 1970-01-01.
const EPOCH_FROM_CE: i32 = 719_163;

/// A date without a zone, from 1000-01-01 to 9999-12-31, on which a sale or a posting lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusinessDate(i32);

impl BusinessDate {
    /// 1000-01-01.
    pub const MIN: Self = Self(-354_285);
    /// 9999-12-31.
    pub const MAX: Self = Self(2_932_896);

    /// The date of a year (1000 to 9999), a month and a day of the month.
    ///
    /// # Errors
    /// `InvalidInput` when there is no such date.
    pub fn new(year: i32, month: u32, day: u32) -> Result<Self> {
        let date = NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| {
            Error::invalid("there is no such date").with("date", format_args!("{year}-{month:02}-{day:02}"))
        })?;
        Self::try_from(date)
    }

    /// The date of a count of days since 1970-01-01.
    ///
    /// # Errors
    /// `InvalidInput` outside of [`MIN`](Self::MIN) to [`MAX`](Self::MAX).
    pub fn from_epoch_day(day: i32) -> Result<Self> {
        if (Self::MIN.0..=Self::MAX.0).contains(&day) {
            Ok(Self(day))
        } else {
            Err(Error::invalid("date is not between 1000-01-01 and 9999-12-31").with("epoch_day", day))
        }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn epoch_day(self) -> i32 {
        self.0
    }

    /// The same date in chrono's type.
    #[must_use]
    pub fn to_naive_date(self) -> NaiveDate {
        // In range by construction; the fallback cannot be reached and is cheaper to read than a panic.
        NaiveDate::from_num_days_from_ce_opt(self.0 + EPOCH_FROM_CE).unwrap_or(NaiveDate::MAX)
    }

    /// The range of this one day.
    #[must_use]
    pub fn range(self) -> DayRange {
        DayRange { start: self.0, end: self.0 + 1 }
    }
}

impl TryFrom<NaiveDate> for BusinessDate {
    type Error = Error;

    fn try_from(date: NaiveDate) -> Result<Self> {
        Self::from_epoch_day(date.num_days_from_ce() - EPOCH_FROM_CE)
            .map_err(|_| Error::invalid("date is not between 1000-01-01 and 9999-12-31").with("date", date))
    }
}

impl FromStr for BusinessDate {
    type Err = Error;

    /// Reads `YYYY-MM-DD`, exactly ten characters.
    fn from_str(text: &str) -> Result<Self> {
        let fail = || Error::invalid("date is not of the form YYYY-MM-DD").with("date", format_args!("{text:?}"));
        let shape =
            |(index, byte): (usize, u8)| if matches!(index, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
        if text.len() != 10 || !text.bytes().enumerate().all(shape) {
            return Err(fail());
        }
        let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok());
        let (year, month, day) = (number(0..4), number(5..7), number(8..10));
        let year = year.and_then(|year| i32::try_from(year).ok());
        let (year, month, day) =
            year.zip(month).zip(day).map(|((year, month), day)| (year, month, day)).ok_or_else(fail)?;
        Self::new(year, month, day)
    }
}

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_naive_date(), f)
    }
}

impl fmt::Debug for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for BusinessDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BusinessDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A half-open range of days, `[start, end)`, in days since 1970-01-01. Never reversed; empty when both are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DayRange {
    start: i32,
    end: i32,
}

impl DayRange {
    /// Every business date.
    pub const ALL: Self = Self { start: BusinessDate::MIN.0, end: BusinessDate::MAX.0 + 1 };

    /// From `start` up to but without `end`, in days since 1970-01-01, clamped to what a [`BusinessDate`] can be;
    /// empty when `end` is not after `start`.
    #[must_use]
    pub fn new(start: i32, end: i32) -> Self {
        let start = start.clamp(Self::ALL.start, Self::ALL.end);
        Self { start, end: end.clamp(start, Self::ALL.end) }
    }

    /// From `first` to `last`, both included.
    #[must_use]
    pub fn inclusive(first: BusinessDate, last: BusinessDate) -> Self {
        Self::new(first.0, last.0 + 1)
    }

    /// The first day, in days since 1970-01-01.
    #[must_use]
    pub fn start(self) -> i32 {
        self.start
    }

    /// The day behind the last one, in days since 1970-01-01.
    #[must_use]
    pub fn end(self) -> i32 {
        self.end
    }

    /// The first date; `None` when empty.
    #[must_use]
    pub fn first(self) -> Option<BusinessDate> {
        (!self.is_empty()).then_some(BusinessDate(self.start))
    }

    /// The last date; `None` when empty.
    #[must_use]
    pub fn last(self) -> Option<BusinessDate> {
        (!self.is_empty()).then_some(BusinessDate(self.end - 1))
    }

    /// Whether no day lies in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// How many days lie in it.
    #[must_use]
    pub fn len(self) -> usize {
        usize::try_from(self.end - self.start).unwrap_or(0)
    }

    /// Whether the day, in days since 1970-01-01, lies in it.
    #[must_use]
    pub fn contains(self, day: i32) -> bool {
        self.start <= day && day < self.end
    }

    /// The days that lie in both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

/// A set of days as ascending ranges that neither touch nor overlap.
///
/// ```
/// use moon_core::{BusinessDate, DaySet};
///
/// let days: DaySet = ["2026-03-02", "2026-03-01", "2026-03-09"].map(|day| day.parse::<BusinessDate>().unwrap()).into_iter().collect();
/// assert_eq!(days.ranges().len(), 2);
/// assert_eq!(days.len(), 3);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DaySet(Vec<DayRange>);

impl DaySet {
    /// Every business date.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![DayRange::ALL])
    }

    /// The ranges, ascending.
    #[must_use]
    pub fn ranges(&self) -> &[DayRange] {
        &self.0
    }

    /// Whether the day, in days since 1970-01-01, lies in it.
    #[must_use]
    pub fn contains(&self, day: i32) -> bool {
        let behind = self.0.partition_point(|range| range.start <= day);
        behind.checked_sub(1).and_then(|index| self.0.get(index)).is_some_and(|range| range.contains(day))
    }

    /// Whether no day lies in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many days lie in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|range| range.len()).sum()
    }

    /// The smallest range that covers it.
    #[must_use]
    pub fn hull(&self) -> DayRange {
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) => DayRange::new(first.start, last.end),
            _ => DayRange::new(0, 0),
        }
    }
}

impl FromIterator<DayRange> for DaySet {
    fn from_iter<I: IntoIterator<Item = DayRange>>(ranges: I) -> Self {
        let mut ranges: Vec<_> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable();
        let mut merged: Vec<DayRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        Self(merged)
    }
}

impl FromIterator<BusinessDate> for DaySet {
    fn from_iter<I: IntoIterator<Item = BusinessDate>>(days: I) -> Self {
        days.into_iter().map(BusinessDate::range).collect()
    }
}

impl From<DayRange> for DaySet {
    fn from(range: DayRange) -> Self {
        std::iter::once(range).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_at_both_ends_and_beyond() {
        assert_eq!("1000-01-01".parse::<BusinessDate>().unwrap(), BusinessDate::MIN);
        assert_eq!("9999-12-31".parse::<BusinessDate>().unwrap(), BusinessDate::MAX);
        assert_eq!(BusinessDate::MAX.to_string(), "9999-12-31");
        assert_eq!("1970-01-01".parse::<BusinessDate>().unwrap().epoch_day(), 0);
        assert_eq!("2026-02-31".parse::<BusinessDate>().unwrap_err().message(), "there is no such date");
        for bad in ["0999-12-31", "2026-2-1", "2026/02/01", "", "2026-02-01 ", "+026-02-01", "2026-02-3\u{665}"] {
            assert!(bad.parse::<BusinessDate>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn day_sets_merge_what_touches() {
        let set: DaySet =
            [DayRange::new(5, 7), DayRange::new(1, 3), DayRange::new(3, 4), DayRange::new(9, 9)].into_iter().collect();
        assert_eq!(set.ranges(), [DayRange::new(1, 4), DayRange::new(5, 7)]);
        assert!(set.contains(3) && !set.contains(4) && set.contains(6) && !set.contains(7) && !set.contains(0));
        assert_eq!(set.len(), 5);
        assert_eq!(set.hull(), DayRange::new(1, 7));
    }
}
