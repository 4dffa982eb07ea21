//! Medians of several candidates that take turns.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The median time of each candidate, in their order.
pub type Medians<const N: usize> = [Duration; N];

/// Times candidates in turns, so that whatever slows the machine down for a while slows all of them, and takes the median
/// of each.
pub fn medians<const N: usize>(rounds: usize, mut candidates: [&mut dyn FnMut() -> u64; N]) -> Medians<N> {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds.max(1) {
        for (candidate, times) in candidates.iter_mut().zip(&mut times) {
            let start = Instant::now();
            black_box(candidate());
            times.push(start.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    })
}

/// The time of one row, in picoseconds.
#[must_use]
pub fn picoseconds_per_row(time: Duration, rows: usize) -> u128 {
    (time.as_nanos() * 1_000).checked_div(u128::try_from(rows).unwrap_or(u128::MAX)).unwrap_or_default()
}

/// `left / right` with two decimals.
#[must_use]
pub fn times(left: u128, right: u128) -> String {
    let hundredths = (left * 100).checked_div(right).unwrap_or_default();
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
