//! When the job is due: cron in a named zone. Nothing here reads a clock.

use std::str::FromStr as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use moon_core::{Error, ErrorKind, Result};
use moon_settings::HINT;

/// The pause after the first failure; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_secs(30);
/// No pause after a failure is longer.
const RETRY_MAX: Duration = Duration::from_secs(1_800);

/// The times of a cron expression in a zone.
///
/// Where the clocks are put forward, a time that does not exist that day is the first one behind the gap. Where they are
/// put back, a time of day that comes twice counts once, the first time; an expression with a star or a step for the hour
/// goes on through both.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    cron: Cron,
    zone: Tz,
}

impl Times {
    /// Reads an expression: minute, hour, day, month and weekday, seconds in front if wanted.
    ///
    /// # Errors
    /// `InvalidInput` for anything else, and for one that never comes.
    pub(crate) fn new(text: &str, zone: Tz) -> Result<Self> {
        let cron = Cron::from_str(text).map_err(|cause| {
            Error::invalid("schedule is not a cron expression")
                .with("cron", format_args!("{text:?}"))
                .with(HINT, "half past six in the evening, every day, is \"30 18 * * *\"")
                .caused_by(cause)
        })?;
        Ok(Self { cron, zone })
    }

    /// The first time behind an instant.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub(crate) fn next_after(&self, instant: DateTime<Utc>) -> Result<DateTime<Utc>> {
        let next = self.cron.find_next_occurrence(&instant.with_timezone(&self.zone), false);
        next.map(|time| time.with_timezone(&Utc)).map_err(|cause| {
            Error::new(ErrorKind::NotFound, "schedule has no further time").with("after", instant).caused_by(cause)
        })
    }

    /// When the first run of a program that starts now is due: at once when nothing was ever published, or when a time has
    /// passed since the last published run began, however many they were; else at the next time.
    ///
    /// # Errors
    /// As of [`next_after`](Self::next_after).
    pub(crate) fn first_due(&self, published: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
        match published {
            Some(published) if self.next_after(published)? > now => self.next_after(now),
            _ => Ok(now),
        }
    }
}

/// How long to wait after that many failures in a row before the job is tried again.
pub(crate) fn retry_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    RETRY_FIRST.saturating_mul(1 << doublings).min(RETRY_MAX)
}

/// A part of the jitter by a random number.
pub(crate) fn delay(jitter: Duration, random: u64) -> Duration {
    let millis_max = u64::try_from(jitter.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis_max.checked_add(1).map_or(random, |values| random % values))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn next(cron: &str, zone: Tz, after: &str) -> String {
        let next = Times::new(cron, zone).unwrap().next_after(at(after)).unwrap();
        next.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S %z").to_string()
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let colombo = chrono_tz::Asia::Colombo;
        assert_eq!(next("30 18 * * *", colombo, "2026-03-01T12:59:59Z"), "2026-03-01 18:30:00 +0530");
        assert_eq!(
            next("30 18 * * *", colombo, "2026-03-01T13:00:00Z"),
            "2026-03-02 18:30:00 +0530",
            "not the same again"
        );
        assert_eq!(next("0 2 1 * *", colombo, "2026-03-01T00:00:00Z"), "2026-04-01 02:00:00 +0530");
        assert_eq!(next("*/10 * * * * *", colombo, "2026-03-01T00:00:05Z"), "2026-03-01 05:30:10 +0530", "seconds");
    }

    #[test]
    fn a_time_in_the_gap_is_the_first_one_behind_it() {
        let berlin = chrono_tz::Europe::Berlin;
        // On 2026-03-29 the clocks go from 02:00 to 03:00.
        assert_eq!(next("30 2 * * *", berlin, "2026-03-28T12:00:00Z"), "2026-03-29 03:00:00 +0200");
        assert_eq!(next("30 2 * * *", berlin, "2026-03-29T01:00:00Z"), "2026-03-30 02:30:00 +0200", "once that day");
        assert_eq!(next("0 * * * *", berlin, "2026-03-29T00:30:00Z"), "2026-03-29 03:00:00 +0200");
    }

    #[test]
    fn a_time_that_comes_twice_counts_once() {
        let berlin = chrono_tz::Europe::Berlin;
        // On 2026-10-25 the clocks go from 03:00 back to 02:00.
        assert_eq!(next("30 2 * * *", berlin, "2026-10-24T12:00:00Z"), "2026-10-25 02:30:00 +0200");
        assert_eq!(next("30 2 * * *", berlin, "2026-10-25T00:30:00Z"), "2026-10-26 02:30:00 +0100");
        // Every hour is every hour.
        assert_eq!(next("0 * * * *", berlin, "2026-10-25T00:00:00Z"), "2026-10-25 02:00:00 +0100");
    }

    #[test]
    fn what_was_missed_is_caught_up_once() {
        let daily = Times::new("30 18 * * *", chrono_tz::UTC).unwrap();
        let due = |published: Option<&str>, now: &str| daily.first_due(published.map(at), at(now)).unwrap();
        let now = "2026-03-05T12:00:00Z";
        assert_eq!(due(None, now), at(now), "never published");
        assert_eq!(due(Some("2026-03-01T18:30:10Z"), now), at(now), "three were missed");
        assert_eq!(due(Some("2026-03-04T18:30:00Z"), now), at("2026-03-05T18:30:00Z"), "none was missed");
        assert_eq!(due(Some("2026-03-05T11:00:00Z"), now), at("2026-03-05T18:30:00Z"), "by hand, today");
        assert_eq!(daily.next_after(at(now)).unwrap(), at("2026-03-05T18:30:00Z"), "and then as ever");
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for bad in ["", "30 18 * *", "61 * * * *", "every day", "30 25 * * *"] {
            assert!(Times::new(bad, chrono_tz::UTC).is_err(), "{bad:?}");
        }
        let never = Times::new("0 0 31 2 *", chrono_tz::UTC);
        assert!(never.is_err() || never.unwrap().next_after(at("2026-01-01T00:00:00Z")).is_err());
    }

    #[test]
    fn failures_are_tried_again_ever_later_and_starts_are_spread() {
        let seconds: Vec<u64> = (1..9).map(|failures| retry_after(failures).as_secs()).collect();
        assert_eq!(seconds, [30, 60, 120, 240, 480, 960, 1_800, 1_800]);
        assert_eq!(retry_after(u32::MAX), RETRY_MAX);
        assert_eq!(delay(Duration::ZERO, u64::MAX), Duration::ZERO);
        for random in [0, 7, 60_000, u64::MAX] {
            assert!(delay(Duration::from_secs(60), random) <= Duration::from_secs(60));
        }
        assert_eq!(delay(Duration::from_secs(60), 60_000), Duration::from_secs(60));
    }
}
