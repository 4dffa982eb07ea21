//! How the programs wait before they repeat a unit of work that another one stood in the way of.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use async_trait::async_trait;
use moon_core::Pause;

/// The longest pause after the first attempt; each further one may be twice as long.
const FIRST_MAX: Duration = Duration::from_millis(5);

/// No pause is longer.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// Pauses of at most 5 ms, 10 ms, 20 ms and so on to 500 ms, each shortened by chance to no less than half: units that
/// met once do not meet again. All of them together take at most 1.7 seconds. Needs a tokio runtime with its timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct GrowingPause;

impl GrowingPause {
    /// How often a unit of work is attempted in all.
    pub const ATTEMPTS_MAX: u32 = 10;
}

#[async_trait]
impl Pause for GrowingPause {
    fn attempts_max(&self) -> u32 {
        Self::ATTEMPTS_MAX
    }

    async fn pause(&self, attempt: u32) {
        // A new state hashes with new random keys: chance enough for a pause.
        tokio::time::sleep(length(attempt, RandomState::new().hash_one(attempt))).await;
    }
}

/// The pause after the attempt of that number, which counts from 1, by a random number.
fn length(attempt: u32, random: u64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let longest = FIRST_MAX.saturating_mul(1 << doublings).min(PAUSE_MAX);
    let half = longest / 2;
    let micros_max = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
    half + Duration::from_micros(random % micros_max.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest pause after each attempt.
    fn longest() -> Vec<Duration> {
        (1..GrowingPause::ATTEMPTS_MAX).map(|attempt| length(attempt, longest_draw(attempt))).collect()
    }

    /// A random number that draws the longest pause.
    fn longest_draw(attempt: u32) -> u64 {
        u64::try_from(length(attempt, 0).as_micros()).unwrap()
    }

    #[test]
    fn pauses_double_up_to_the_limit() {
        let millis: Vec<u128> = longest().iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [5, 10, 20, 40, 80, 160, 320, 500, 500]);
        assert!(longest().iter().sum::<Duration>() <= Duration::from_millis(1_700));
    }

    #[test]
    fn chance_takes_away_half_at_most() {
        for attempt in [0, 1, 2, 9, 40, u32::MAX] {
            let (least, most) = (length(attempt, 0), length(attempt, longest_draw(attempt)));
            assert_eq!(most, least * 2, "{attempt}");
            for random in [1, 77, u64::MAX] {
                assert!((least..=most).contains(&length(attempt, random)), "{attempt}, {random}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_that_long() {
        let begun = tokio::time::Instant::now();
        GrowingPause.pause(9).await;
        assert!((250..=501).contains(&begun.elapsed().as_millis()));
    }
}
