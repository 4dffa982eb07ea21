//! Candidates that say themselves how long they took, so that what they need beforehand does not count, and that may
//! fail.

use std::io::Write;
use std::time::{Duration, Instant};

use moon_core::{Error, Result};

use crate::Medians;

/// Runs a future to its end.
pub type Runtime = tokio::runtime::Runtime;

/// The kind of runtime that the programs use.
///
/// # Errors
/// `Unavailable` when the machine gives no threads.
pub fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|cause| {
        Error::new(moon_core::ErrorKind::Unavailable, "the runtime cannot be started").caused_by(cause)
    })
}

/// How long the future took.
///
/// # Errors
/// Those of the future.
pub async fn timed<T>(work: impl Future<Output = Result<T>>) -> Result<Duration> {
    let start = Instant::now();
    work.await?;
    Ok(start.elapsed())
}

/// The median of each of the candidates, which take turns as in [`medians`](crate::medians).
///
/// # Errors
/// The first of a candidate.
pub fn timed_medians<const N: usize>(
    rounds: usize,
    mut candidates: [&mut dyn FnMut() -> Result<Duration>; N],
) -> Result<Medians<N>> {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds.max(1) {
        for (candidate, times) in candidates.iter_mut().zip(&mut times) {
            times.push(candidate()?);
        }
    }
    Ok(times.map(|mut times| {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }))
}

/// As many times as criterion wants. A benchmark cannot go on after an error, and criterion takes none: so it ends the
/// program.
pub fn repeat(times: u64, candidate: &mut dyn FnMut() -> Result<Duration>) -> Duration {
    (0..times)
        .map(|_| {
            candidate().unwrap_or_else(|error| {
                // Nobody is left to tell when standard error is closed too.
                let _ = writeln!(std::io::stderr(), "failed to measure: {error:?}");
                std::process::exit(1)
            })
        })
        .sum()
}

/// Rows in a second.
#[must_use]
pub fn rows_per_second(time: Duration, rows: usize) -> u128 {
    u128::try_from(rows).unwrap_or(0).saturating_mul(1_000_000_000).checked_div(time.as_nanos()).unwrap_or_default()
}
