//! Sums by group and day, and the law that binds them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{BusinessDate, Error, ErrorKind, Result, Sum};

/// Which postings a figure counts, and on which day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Sale postings, on the sale's date.
    Gross,
    /// All postings, on the sale's date.
    #[default]
    Net,
    /// All postings, each on its own date. Equal to net over all time.
    Activity,
}

impl Basis {
    /// Every basis.
    pub const EVERY: [Self; 3] = [Self::Gross, Self::Net, Self::Activity];

    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gross => "gross",
            Self::Net => "net",
            Self::Activity => "activity",
        }
    }

    /// The basis of a [`name`](Self::name).
    ///
    /// # Errors
    /// `InvalidInput` for any other text.
    pub fn from_name(name: &str) -> Result<Self> {
        let found = Self::EVERY.into_iter().find(|basis| basis.name() == name);
        found.ok_or_else(|| {
            Error::invalid("basis is not one of gross, net, activity").with("basis", format_args!("{name:?}"))
        })
    }
}

/// What figures are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// By team.
    Team,
    /// By branch.
    Branch,
    /// By product.
    Product,
    /// By agent.
    Agent,
}

impl Dimension {
    /// The three that the warehouse holds by day.
    pub const DAILY: [Self; 3] = [Self::Team, Self::Branch, Self::Product];

    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Branch => "branch",
            Self::Product => "product",
            Self::Agent => "agent",
        }
    }
}

/// The three bases of one group on one day (or in one period).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Figures {
    /// See [`Basis::Net`].
    pub net: Sum,
    /// See [`Basis::Gross`].
    pub gross: Sum,
    /// See [`Basis::Activity`].
    pub activity: Sum,
}

impl Figures {
    /// The sum of one basis.
    #[must_use]
    pub fn of(&self, basis: Basis) -> Sum {
        match basis {
            Basis::Net => self.net,
            Basis::Gross => self.gross,
            Basis::Activity => self.activity,
        }
    }

    /// Both added, basis by basis.
    ///
    /// # Errors
    /// `Refused` on overflow.
    pub fn plus(self, other: Self) -> Result<Self> {
        Ok(Self {
            net: self.net.plus(other.net)?,
            gross: self.gross.plus(other.gross)?,
            activity: self.activity.plus(other.activity)?,
        })
    }
}

/// The figures of one group on one day: a row of a daily warehouse table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// What kind of group.
    pub dimension: Dimension,
    /// The day (the first one of a longer bucket).
    pub day: BusinessDate,
    /// The group's code, or [`UNASSIGNED`](crate::UNASSIGNED).
    pub code: Arc<str>,
    /// Its sums.
    pub figures: Figures,
}

/// A [`Cell`] that lends its code.
#[derive(Debug, Clone, Copy)]
pub struct CellRef<'c> {
    /// What kind of group.
    pub dimension: Dimension,
    /// The day (the first one of a longer bucket).
    pub day: BusinessDate,
    /// The group's code, or [`UNASSIGNED`](crate::UNASSIGNED).
    pub code: &'c Arc<str>,
    /// Its sums.
    pub figures: Figures,
}

/// The plain sum of all postings on one day, computed without any grouping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DayControl {
    /// The day.
    pub day: BusinessDate,
    /// Its sums.
    pub figures: Figures,
}

/// The plain sums of all days that have a posting, ascending: what every grouping must add up to, day by day and so in
/// every period.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ControlTotals {
    /// Ascending by day, each day once.
    pub days: Vec<DayControl>,
}

impl ControlTotals {
    /// The sums over all days.
    ///
    /// # Errors
    /// `Refused` on overflow.
    pub fn total(&self) -> Result<Figures> {
        self.days.iter().try_fold(Figures::default(), |total, day| total.plus(day.figures))
    }

    /// The law: the groups of `dimension`, summed by day (ascending, each day once), equal the plain sums, on every
    /// basis, amount and count.
    ///
    /// # Errors
    /// `Refused`, naming the dimension, the first day that differs and both sums. Days on which all sums are zero may be
    /// absent on either side.
    pub fn check(&self, dimension: Dimension, grouped: &[DayControl]) -> Result<()> {
        let zero = |control: &&DayControl| control.figures != Figures::default();
        let mut plain = self.days.iter().filter(zero);
        let mut groups = grouped.iter().filter(zero);
        loop {
            let (expected, found) = (plain.next(), groups.next());
            if expected == found {
                if expected.is_none() {
                    return Ok(());
                }
                continue;
            }
            let day = expected.into_iter().chain(found).map(|control| control.day).min();
            let sums = |control: Option<&DayControl>| match control.filter(|control| Some(control.day) == day) {
                Some(control) => format!("{:?}", control.figures),
                None => "nothing".to_owned(),
            };
            return Err(Error::new(ErrorKind::Refused, "groups do not add up to the plain sum of the postings")
                .with("dimension", dimension.name())
                .with("day", day.map(|day| day.to_string()).unwrap_or_default())
                .with("plain", sums(expected))
                .with("grouped", sums(found)));
        }
    }
}

/// Everything one pass over postings yields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Ascending by dimension, day and code; a cell for each group with a posting on the day.
    pub cells: Vec<Cell>,
    /// The plain sums.
    pub control: ControlTotals,
}
