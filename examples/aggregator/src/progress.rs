//! Progress on standard error: a moving bar on a terminal, plain lines every few seconds elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use moon_aggregate::{Aggregation, Mode, Progress, RunCommand, Step};
use moon_core::BusinessDate;

use crate::duration::show;
use crate::output::number;

/// How long nothing is said between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// In how many steps the bar moves.
const BAR_STEPS: u64 = 1_000;

/// Writes a line to standard error. If that is closed, nobody wants to know.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Standard error, as a place where something moves.
pub(crate) struct Console {
    bar: Option<ProgressBar>,
    said: Mutex<Instant>,
    reading: Mutex<Reading>,
}

/// How far the reading of postings is.
#[derive(Debug, Clone, Copy)]
struct Reading {
    begun: Option<Instant>,
    /// The first day, if it is known or met.
    first: Option<BusinessDate>,
    /// The last day, where one can be expected.
    last: Option<BusinessDate>,
}

impl Reading {
    /// Thousandths of the days that are read up to `day`: postings come ascending by day.
    fn share(&self, day: BusinessDate) -> Option<u64> {
        let (first, last) = self.first.zip(self.last).filter(|(first, last)| first < last)?;
        let days = |from: BusinessDate, to: BusinessDate| u64::try_from(to.epoch_day() - from.epoch_day()).unwrap_or(0);
        Some((days(first, day) * BAR_STEPS / days(first, last)).min(BAR_STEPS))
    }

    /// What a person wants to know.
    fn told(&mut self, rows: u64, day: BusinessDate, now: Instant) -> (String, Option<u64>) {
        let begun = *self.begun.get_or_insert(now);
        self.first.get_or_insert(day);
        let elapsed = now.saturating_duration_since(begun);
        let mut text = format!("reading: {} postings, up to {day}", number(rows));
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if let Some(rate) = rows.saturating_mul(1_000).checked_div(millis) {
            text.push_str(&format!(", {} a second", number(rate)));
        }
        let share = self.share(day);
        if let Some(share) = share.filter(|share| *share > 0) {
            let left = millis.saturating_mul(BAR_STEPS - share) / share;
            text.push_str(&format!(", {} left", show(Duration::from_millis(left))));
        }
        (text, share)
    }
}

impl Console {
    pub(crate) fn new() -> Self {
        Self::over(None, None)
    }

    /// For a run: how long it takes is estimated where the days are known in advance. A full run is expected to end with
    /// today.
    pub(crate) async fn of_run(aggregation: &Aggregation, command: &RunCommand) -> Self {
        match command.mode {
            Mode::Full => Self::over(None, aggregation.ledger().today().ok()),
            Mode::Range(days) => Self::over(days.first(), days.last()),
            // The first run computes all days in any mode.
            Mode::Incremental => match aggregation.warehouse().runs(1).await {
                Ok(runs) if runs.is_empty() => Self::over(None, aggregation.ledger().today().ok()),
                _ => Self::new(),
            },
        }
    }

    fn over(first: Option<BusinessDate>, last: Option<BusinessDate>) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = if last.is_some() { ProgressBar::new(BAR_STEPS) } else { ProgressBar::new_spinner() };
            let template =
                if last.is_some() { "{spinner} {elapsed} [{bar:20}] {msg}" } else { "{spinner} {elapsed} {msg}" };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        let reading = Reading { begun: None, first, last };
        Self { bar, said: Mutex::new(Instant::now()), reading: Mutex::new(reading) }
    }

    /// Shows how things stand.
    pub(crate) fn show(&self, state: impl FnOnce() -> String) {
        match &self.bar {
            Some(bar) => bar.set_message(state()),
            None => {
                let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                if said.elapsed() >= PLAIN_EVERY {
                    *said = Instant::now();
                    say(&state());
                }
            }
        }
    }

    /// Takes the moving line away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Console {
    fn step(&self, step: Step) {
        self.show(|| step.name().to_owned());
    }

    fn read(&self, rows: u64, day: BusinessDate) {
        let (text, share) = self.reading.lock().unwrap_or_else(PoisonError::into_inner).told(rows, day, Instant::now());
        if let Some((bar, share)) = self.bar.as_ref().zip(share) {
            bar.set_position(share);
        }
        self.show(|| text);
    }

    fn staged(&self, cells: usize, of: usize) {
        self.show(|| format!("staging: {} of {} cells", number(cells), number(of)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_day_rate_and_the_time_that_is_left() {
        let day = |text: &str| text.parse::<BusinessDate>().unwrap();
        let begun = Instant::now();
        let mut reading = Reading { begun: None, first: None, last: Some(day("2026-03-11")) };
        assert_eq!(
            reading.told(0, day("2026-03-01"), begun),
            ("reading: 0 postings, up to 2026-03-01".to_owned(), Some(0))
        );
        assert_eq!(
            reading.told(20_000, day("2026-03-03"), begun + Duration::from_secs(4)),
            ("reading: 20,000 postings, up to 2026-03-03, 5,000 a second, 16.0 s left".to_owned(), Some(200))
        );
        assert_eq!(
            reading.told(1, day("2026-04-01"), begun + Duration::from_secs(4)).1,
            Some(1_000),
            "later than expected"
        );
        let mut unknown = Reading { begun: None, first: None, last: None };
        unknown.told(0, day("2026-03-01"), begun);
        let (text, share) = unknown.told(9, day("2026-03-02"), begun + Duration::from_secs(3));
        assert_eq!((text.as_str(), share), ("reading: 9 postings, up to 2026-03-02, 3 a second", None));
    }
}
