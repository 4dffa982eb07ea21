//! Dates as files write them.

use chrono::DateTime;
use moon_core::{BusinessDate, Error, LedgerSettings, Result};

use super::{Cell, Fault, Slots};
use crate::map::DateField;
use crate::read::Row;

/// How a file writes dates. Years have four digits; days and months two, or one where a mark sets them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DateForm {
    /// `2026-03-14`, strictly.
    Iso,
    /// `20260314`.
    Compact,
    /// `14-03-2026`, `14/03/2026` or `14.03.2026`: the mark.
    DayMonthYear(char),
    /// `03/14/2026` or `03-14-2026`: the mark.
    MonthDayYear(char),
    /// `2026`, standing for this month and day of it.
    Year {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
    /// `2026-03-14T20:15:00+02:00`: an instant with its offset, which gets its date in the ledger's time zone.
    Instant,
}

impl DateForm {
    /// The names by which maps call the forms.
    pub const NAMES: [&'static str; 10] = [
        "iso",
        "yyyy-mm-dd",
        "yyyymmdd",
        "dd-mm-yyyy",
        "dd/mm/yyyy",
        "dd.mm.yyyy",
        "mm/dd/yyyy",
        "mm-dd-yyyy",
        "year",
        "instant",
    ];

    /// The form that a map names, ISO when it names none. `month_day` is what a year stands for: `12-31` by default.
    ///
    /// # Errors
    /// What is wrong with the names, as a message.
    pub fn from_names(form: Option<&str>, month_day: Option<&str>) -> Result<Self, String> {
        let named = match form.unwrap_or("iso") {
            "iso" | "yyyy-mm-dd" => Self::Iso,
            "yyyymmdd" => Self::Compact,
            "dd-mm-yyyy" => Self::DayMonthYear('-'),
            "dd/mm/yyyy" => Self::DayMonthYear('/'),
            "dd.mm.yyyy" => Self::DayMonthYear('.'),
            "mm/dd/yyyy" => Self::MonthDayYear('/'),
            "mm-dd-yyyy" => Self::MonthDayYear('-'),
            "year" => Self::Year { month: 12, day: 31 },
            "instant" => Self::Instant,
            other => return Err(format!("unknown date form `{other}`, expected one of {}", Self::NAMES.join(", "))),
        };
        match (named, month_day) {
            (_, None) => Ok(named),
            (Self::Year { .. }, Some(text)) => {
                // A leap year, so that only what is never a date is refused here.
                let date: BusinessDate = format!("2024-{text}")
                    .parse()
                    .map_err(|_| format!("`month_day` is not a month and a day such as 12-31: `{text}`"))?;
                let date = date.to_naive_date();
                Ok(Self::Year { month: chrono::Datelike::month(&date), day: chrono::Datelike::day(&date) })
            }
            (_, Some(_)) => Err("`month_day` needs `form = \"year\"`".to_owned()),
        }
    }

    /// Reads a date.
    ///
    /// # Errors
    /// `InvalidInput` when the text has another form, or names no date that a ledger can hold.
    pub fn date(self, text: &str, settings: &LedgerSettings) -> Result<BusinessDate> {
        let fail = |expected: &str| {
            Error::invalid("date has not the form that the map declares")
                .with("date", format_args!("{text:?}"))
                .with("form", expected)
        };
        match self {
            Self::Iso => text.parse(),
            Self::Compact => {
                let part =
                    |from: usize, to: usize| text.get(from..to).and_then(|part| number(part, to - from, to - from));
                let parts = part(0, 4).zip(part(4, 6)).zip(part(6, 8)).filter(|_| text.len() == 8);
                let ((year, month), day) = parts.ok_or_else(|| fail("yyyymmdd"))?;
                date(year, month, day)
            }
            Self::DayMonthYear(mark) => {
                let (day, month, year) = three(text, mark).ok_or_else(|| fail("day, month, year"))?;
                date(year, month, day)
            }
            Self::MonthDayYear(mark) => {
                let (month, day, year) = three(text, mark).ok_or_else(|| fail("month, day, year"))?;
                date(year, month, day)
            }
            Self::Year { month, day } => date(number(text, 4, 4).ok_or_else(|| fail("year"))?, month, day),
            Self::Instant => {
                let instant = DateTime::parse_from_rfc3339(text).map_err(|cause| {
                    fail("an instant with its offset, such as 2026-03-14T20:15:00+02:00").caused_by(cause)
                })?;
                settings.business_date(instant.to_utc())
            }
        }
    }
}

fn date(year: u32, month: u32, day: u32) -> Result<BusinessDate> {
    BusinessDate::new(i32::try_from(year).unwrap_or(i32::MAX), month, day)
}

/// A number of as many digits, and nothing else.
fn number(text: &str, digits_min: usize, digits_max: usize) -> Option<u32> {
    let plain = (digits_min..=digits_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Two short numbers and a year.
fn three(text: &str, mark: char) -> Option<(u32, u32, u32)> {
    let mut parts = text.split(mark);
    let first = number(parts.next()?, 1, 2)?;
    let second = number(parts.next()?, 1, 2)?;
    let year = number(parts.next()?, 4, 4)?;
    parts.next().is_none().then_some((first, second, year))
}

/// Reads the dates of one column; the last one is remembered, since rows often lie by date.
#[derive(Debug)]
pub(crate) struct DateCell {
    cell: Cell,
    form: DateForm,
    last: Option<(String, BusinessDate)>,
}

impl DateCell {
    pub(crate) fn new(field: &DateField, slots: &mut Slots) -> Self {
        Self { cell: Cell::new(&field.field, slots), form: field.form, last: None }
    }

    pub(crate) fn read(&mut self, row: &Row<'_>, settings: &LedgerSettings) -> Result<Option<BusinessDate>, Fault> {
        let Some(text) = self.cell.read(row)? else { return Ok(None) };
        if let Some((_, date)) = self.last.as_ref().filter(|(last, _)| *last == *text) {
            return Ok(Some(*date));
        }
        let date = self.form.date(&text, settings).map_err(|error| self.cell.fault(&error))?;
        self.last = Some((text.into_owned(), date));
        Ok(Some(date))
    }

    pub(crate) fn require(&mut self, row: &Row<'_>, settings: &LedgerSettings) -> Result<BusinessDate, Fault> {
        self.read(row, settings)?.ok_or_else(|| self.cell.missing())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings() -> LedgerSettings {
        LedgerSettings {
            currency: "LKR".parse().unwrap(),
            time_zone: chrono_tz::Asia::Colombo,
            calendar: moon_core::Calendar::default(),
        }
    }

    fn read(form: &str, text: &str) -> Result<String, String> {
        let form = DateForm::from_names(Some(form), None)?;
        form.date(text, &settings()).map(|date| date.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_form_reads_its_own_dates_only() {
        let good = [
            ("iso", "2026-03-14", "2026-03-14"),
            ("yyyymmdd", "20260314", "2026-03-14"),
            ("dd-mm-yyyy", "14-03-2026", "2026-03-14"),
            ("dd/mm/yyyy", "1/2/2026", "2026-02-01"),
            ("dd.mm.yyyy", "14.3.2026", "2026-03-14"),
            ("mm/dd/yyyy", "03/14/2026", "2026-03-14"),
            ("year", "2015", "2015-12-31"),
            // 20:15 at Greenwich is past midnight in Colombo.
            ("instant", "2026-03-14T20:15:00Z", "2026-03-15"),
            ("instant", "2026-03-14 20:15:00+05:30", "2026-03-14"),
        ];
        for (form, text, expected) in good {
            assert_eq!(read(form, text).as_deref(), Ok(expected), "{form} {text}");
        }
        let bad = [
            ("iso", "14-03-2026"),
            ("iso", "2026-02-31"),
            ("dd-mm-yyyy", "31-02-2026"),
            ("dd-mm-yyyy", "2026-03-14"),
            ("dd-mm-yyyy", "14/03/2026"),
            ("dd/mm/yyyy", "14/03/26"),
            ("mm/dd/yyyy", "14/03/2026"),
            ("year", "15"),
            ("year", "0015"),
            ("year", "2015.0"),
            ("instant", "2026-03-14T20:15:00"),
            ("instant", "2026-03-14"),
            ("yyyymmdd", "2026314"),
            ("dd-mm-yyyy", "1-2-2026-3"),
            ("dd-mm-yyyy", "+1-02-2026"),
            ("iso", ""),
        ];
        for (form, text) in bad {
            assert!(read(form, text).is_err(), "{form} {text}");
        }
    }

    #[test]
    fn a_year_stands_for_the_day_that_the_map_chooses() {
        let form = DateForm::from_names(Some("year"), Some("06-30")).unwrap();
        assert_eq!(form.date("2015", &settings()).unwrap().to_string(), "2015-06-30");
        assert!(DateForm::from_names(Some("year"), Some("02-30")).is_err());
        assert!(DateForm::from_names(Some("iso"), Some("06-30")).is_err());
        assert!(DateForm::from_names(Some("ISO8601"), None).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_in_a_form_parses_back(day in -354_285..=2_932_896_i32) {
            let date = BusinessDate::from_epoch_day(day).unwrap();
            let civil = date.to_naive_date();
            let forms = [("iso", "%Y-%m-%d"), ("yyyymmdd", "%Y%m%d"), ("dd-mm-yyyy", "%d-%m-%Y"), ("dd/mm/yyyy", "%-d/%-m/%Y"), ("mm/dd/yyyy", "%m/%d/%Y")];
            for (form, pattern) in forms {
                prop_assert_eq!(read(form, &civil.format(pattern).to_string()), Ok(date.to_string()));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,12}", form in prop::sample::select(DateForm::NAMES.to_vec())) {
            let _ = read(form, &text);
        }
    }
}
