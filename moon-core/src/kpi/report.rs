//! Reports: the three key figures of a period.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Basis;
use crate::{BusinessDate, Currency, Error, ErrorKind, Period, Result, Sum, Text};

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KpiQuery {
    /// Over which period.
    pub period: Period,
    /// On which basis.
    pub basis: Basis,
    /// The day of asking: decides which periods are complete and which version of a target is in force.
    pub as_of: BusinessDate,
    /// Stop at `as_of` instead of the period's end.
    pub to_date: bool,
    /// Put the same period a year before beside each total.
    pub with_year_before: bool,
}

/// Whether a target was reached, on exact amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetStatus {
    /// The total is at least the target.
    Achieved,
    /// The total is below the target.
    NotAchieved,
    /// There is no target for the whole period.
    NoTarget,
    /// The target is zero.
    ZeroTarget,
}

impl TargetStatus {
    /// The status of a total against a target, both in minor units.
    #[must_use]
    pub fn of(total_minor: i128, target_minor: Option<i128>) -> Self {
        match target_minor {
            None => Self::NoTarget,
            Some(0) => Self::ZeroTarget,
            Some(target) if total_minor >= target => Self::Achieved,
            Some(_) => Self::NotAchieved,
        }
    }

    /// The stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Achieved => "achieved",
            Self::NotAchieved => "not_achieved",
            Self::NoTarget => "no_target",
            Self::ZeroTarget => "zero_target",
        }
    }

    /// The status of a [`name`](Self::name).
    ///
    /// # Errors
    /// `Corrupt` for any other text.
    pub fn from_name(name: &str) -> Result<Self> {
        [Self::Achieved, Self::NotAchieved, Self::NoTarget, Self::ZeroTarget]
            .into_iter()
            .find(|status| status.name() == name)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "metric has an unknown status").with("status", name))
    }
}

/// How much of a period its targets cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// All of it, by one target or by finer ones without a gap.
    Full,
    /// Only a part, so that there is no target for the whole.
    Partial,
    /// Nothing.
    None,
}

impl Coverage {
    /// The stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::None => "none",
        }
    }

    /// The coverage of a [`name`](Self::name).
    ///
    /// # Errors
    /// `Corrupt` for any other text.
    pub fn from_name(name: &str) -> Result<Self> {
        [Self::Full, Self::Partial, Self::None]
            .into_iter()
            .find(|coverage| coverage.name() == name)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "metric has an unknown coverage").with("coverage", name))
    }
}

/// Total by target, as a fraction with six decimals. Below one it is cut, so that 99.999 96 % never shows as 100 %; from
/// one on it is rounded half to even.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attainment {
    /// Millionths.
    pub millionths: i128,
}

impl Attainment {
    /// The attainment of a target; `None` for a target of zero, or when the fraction leaves 128 bits.
    #[must_use]
    pub fn of(total_minor: i128, target_minor: i128) -> Option<Self> {
        let scaled = total_minor.checked_mul(1_000_000)?;
        let cut = scaled.checked_div(target_minor)?;
        let rest = scaled.checked_rem(target_minor)?;
        let round = if total_minor < target_minor {
            0
        } else {
            match rest.checked_mul(2)?.cmp(&target_minor) {
                std::cmp::Ordering::Less => 0,
                std::cmp::Ordering::Equal => cut % 2,
                std::cmp::Ordering::Greater => 1,
            }
        };
        Some(Self { millionths: cut + round })
    }
}

impl fmt::Display for Attainment {
    /// Such as `0.875000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.millionths.unsigned_abs();
        f.pad_integral(self.millionths >= 0, "", &format!("{}.{:06}", magnitude / 1_000_000, magnitude % 1_000_000))
    }
}

impl FromStr for Attainment {
    type Err = Error;

    /// From what [`Display`](fmt::Display) writes; `Corrupt` for anything that has not six decimals.
    fn from_str(text: &str) -> Result<Self> {
        let corrupt = || Error::new(ErrorKind::Corrupt, "metric has an attainment of another form").with("text", text);
        let (whole, decimals) = text.split_once('.').filter(|(_, decimals)| decimals.len() == 6).ok_or_else(corrupt)?;
        format!("{whole}{decimals}").parse().map(|millionths| Self { millionths }).map_err(|_| corrupt())
    }
}

/// Total sales of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamRow {
    /// The code, or [`UNASSIGNED`](crate::UNASSIGNED).
    pub team: Arc<str>,
    /// Its name; the code where there is none.
    pub team_name: Arc<str>,
    /// Amount and count.
    pub total: Sum,
    /// The same a year before, where asked.
    pub year_before: Option<Sum>,
}

/// Total sales of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchRow {
    /// The code, or [`UNASSIGNED`](crate::UNASSIGNED).
    pub branch: Arc<str>,
    /// Its name; the code where there is none.
    pub branch_name: Arc<str>,
    /// Where it lies.
    pub region: Option<Text>,
    /// Amount and count.
    pub total: Sum,
    /// The same a year before, where asked.
    pub year_before: Option<Sum>,
}

/// Target against total sales of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// The code.
    pub product: Arc<str>,
    /// Its name; the code where there is none.
    pub product_name: Arc<str>,
    /// Minor units; `None` without a target for the whole period.
    pub target_minor: Option<i128>,
    /// Amount and count.
    pub total: Sum,
    /// Total less target, minor units; `None` without a target.
    pub variance_minor: Option<i128>,
    /// `None` without a target or with one of zero.
    pub attainment: Option<Attainment>,
    /// On exact amounts.
    pub status: TargetStatus,
    /// Whether the period has ended.
    pub complete: bool,
    /// How much of the period is covered by targets.
    pub coverage: Coverage,
    /// The same a year before, where asked.
    pub year_before: Option<Sum>,
}

/// The run from which a report was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportRun {
    /// Which run.
    pub run_id: Uuid,
    /// Postings it read.
    pub rows_read: u64,
}

/// The three key figures of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KpiReport {
    /// The period's label, such as `2026-03` or `all`.
    pub period: String,
    /// Which postings count.
    pub basis: Basis,
    /// Of all amounts.
    pub currency: Currency,
    /// Ascending by code; a row for each team with a posting, also with one a year before where that was asked.
    pub teams: Vec<TeamRow>,
    /// Ascending by code; a row for each branch with a posting, also with one a year before where that was asked.
    pub branches: Vec<BranchRow>,
    /// Ascending by code; a row for each product with a target for a part of the period or a posting, also with one a
    /// year before where that was asked.
    pub products: Vec<ProductRow>,
    /// What each of the three lists adds up to.
    pub control: Sum,
    /// The run behind the figures; `None` when they were computed on reading.
    pub run: Option<ReportRun>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attainment_comes_back_from_its_text() {
        for millionths in [0, 1, -1, 33, -33, 999_999, -1_000_000, 1_234_567_890, i128::MAX, i128::MIN + 1] {
            let attainment = Attainment { millionths };
            assert_eq!(attainment.to_string().parse::<Attainment>().unwrap(), attainment);
        }
        for text in ["", "1", "0.5", "0.8750000", ".", "1.00000x", "x.000000", "1.2.000000", "NaN"] {
            assert_eq!(text.parse::<Attainment>().unwrap_err().kind(), ErrorKind::Corrupt, "{text:?}");
        }
    }
}
