//! What a run shall do, and how.

use std::time::Duration;

use moon_core::{BusinessDate, DayRange, Error, Granularity, Period, Result};
use serde::{Deserialize, Serialize};

/// Which days are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The days that changed since the last run.
    #[default]
    Incremental,
    /// All days.
    Full,
    /// The days that changed since the last run, and these too, whether they changed or not.
    Range(DayRange),
}

/// What a run shall do. It is persisted with the run's key, so that a repeat under the key does the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunCommand {
    /// Which days are computed.
    pub mode: Mode,
    /// Periods to close: their cells are frozen as this run publishes them, and later runs keep beside them what they
    /// change. One that is closed already stays as it was frozen.
    pub close: Vec<Period>,
    /// Periods to open again, before any is closed. One that is open stays so.
    pub reopen: Vec<Period>,
}

impl RunCommand {
    /// Computes the days that changed.
    #[must_use]
    pub fn incremental() -> Self {
        Self::default()
    }

    /// Computes all days.
    #[must_use]
    pub fn full() -> Self {
        Self { mode: Mode::Full, ..Self::default() }
    }

    /// Computes the days that changed, and these too.
    #[must_use]
    pub fn range(days: DayRange) -> Self {
        Self { mode: Mode::Range(days), ..Self::default() }
    }

    /// Whether it can be done on a day.
    pub(crate) fn check(&self, today: BusinessDate) -> Result<()> {
        for period in &self.close {
            if matches!(period.granularity(), Granularity::Day | Granularity::Week | Granularity::All) {
                return Err(Error::invalid("only a month, a quarter or a year can be closed")
                    .with("granularity", period.granularity()));
            }
            if !period.is_complete(today) {
                let last = period.days().last().map(|last| last.to_string()).unwrap_or_default();
                return Err(Error::invalid("period has not ended yet and cannot be closed")
                    .with("last_day", last)
                    .with("today", today));
            }
        }
        match self.mode {
            Mode::Range(days) if days.is_empty() => Err(Error::invalid("range has no day")),
            Mode::Range(_) | Mode::Full | Mode::Incremental => Ok(()),
        }
    }

    /// Whether all that `other` asks for is done with this one.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let days = self.mode == Mode::Full || self.mode == other.mode || other.mode == Mode::Incremental;
        let has = |own: &[Period], others: &[Period]| others.iter().all(|period| own.contains(period));
        days && has(&self.close, &other.close) && has(&self.reopen, &other.reopen)
    }

    /// This command of a run that has broken off, repeated for a caller who asks for `other`: a full run does whatever
    /// the days of another are, and is the way out when that other one cannot be done.
    pub(crate) fn widened(self, other: &Self) -> Self {
        if other.mode == Mode::Full { Self { mode: Mode::Full, ..self } } else { self }
    }
}

/// How the days are summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Path {
    /// As is faster for this range on the store at hand, by what was measured: folded nearly always; summed by PostgreSQL for
    /// a month to a year of many sales a day.
    #[default]
    Auto,
    /// Their postings are read and folded.
    Fold,
    /// The store sums them; `Unsupported` where it does not. The record says that no posting was read.
    Sql,
}

/// What happens while another run is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Busy {
    /// The run is refused.
    #[default]
    Leave,
    /// It waits, by the ledger's pauses, until the other has ended or has not been heard of for the length of its lease.
    Wait,
    /// It waits that long at most, by the ledger's clock, and is refused then.
    WaitAtMost(Duration),
}

/// How a run is made. Nothing of it is persisted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunOptions {
    /// Publish also when the ledger has less than half of the sales that are published.
    pub allow_shrink: bool,
    /// How the days are summed.
    pub path: Path,
    /// What happens while another run is at work.
    pub busy: Busy,
    /// How long all of it may take by the ledger's clock, waiting included. It is looked at between batches, not within.
    pub deadline: Option<Duration>,
    /// For how long others believe that this run is at work after it was last heard of, and so how long the next one is
    /// kept waiting after this one was killed. It says so again after a third of it, between batches: what the store or the
    /// warehouse does in one call, publishing above all, should take less. Where it does not, another run may take this one
    /// over; no figure is wrong then, but work is done twice.
    pub lease: Duration,
}

impl Default for RunOptions {
    /// Careful, without a deadline, a lease of half a minute.
    fn default() -> Self {
        Self {
            allow_shrink: false,
            path: Path::Auto,
            busy: Busy::Leave,
            deadline: None,
            lease: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use moon_core::Calendar;

    use super::*;

    fn period(text: &str) -> Period {
        Calendar::default().parse(text).unwrap()
    }

    #[test]
    fn a_full_run_does_what_any_other_does_and_closings_are_not_forgotten() {
        let march = RunCommand { close: vec![period("2026-03")], ..RunCommand::default() };
        let range = RunCommand::range(period("2026-02").days());
        assert!(RunCommand::full().covers(&range) && range.covers(&RunCommand::incremental()));
        assert!(!RunCommand::incremental().covers(&range) && !RunCommand::full().covers(&march));
        assert_eq!(march.clone().widened(&RunCommand::full()), RunCommand { mode: Mode::Full, ..march.clone() });
        assert_eq!(march.clone().widened(&range), march);
    }

    #[test]
    fn what_has_not_ended_cannot_be_closed() {
        let close = |text: &str| RunCommand { close: vec![period(text)], ..RunCommand::default() };
        let today = "2026-04-01".parse().unwrap();
        for good in ["2026-03", "2026-Q1", "2025"] {
            close(good).check(today).unwrap();
        }
        for bad in ["2026-04", "2026", "all", "2026-03-31", "2026-W05"] {
            assert!(close(bad).check(today).is_err(), "{bad}");
        }
        assert!(RunCommand::range(DayRange::new(5, 5)).check(today).is_err());
    }
}
