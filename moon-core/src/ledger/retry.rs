//! Repeating units of work that another one stood in the way of.

use std::future::Future;

use crate::{ErrorKind, Result};

/// How often a unit of work is attempted before its contention is reported.
pub const ATTEMPTS_MAX: u32 = 5;

/// Runs `work` again as long as it fails with [`ErrorKind::Contention`], at most [`ATTEMPTS_MAX`] times in all. `work`
/// begins its own unit, so that each attempt starts from nothing.
///
/// Other retryable kinds are left to the caller: after `Unavailable` or `Timeout` nobody can tell whether the unit was
/// committed, and only the caller knows whether a repeat is harmless.
///
/// # Errors
/// The last error of `work`.
pub async fn retry_contention<T, F, Fut>(mut work: F) -> Result<T>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<T>> + Send,
{
    let mut attempt = 1;
    loop {
        match work().await {
            Err(error) if error.kind() == ErrorKind::Contention && attempt < ATTEMPTS_MAX => attempt += 1,
            outcome => return outcome,
        }
    }
}
