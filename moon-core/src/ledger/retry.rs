//! Repeating units of work that another one stood in the way of.

use std::future::Future;

use crate::{Error, ErrorKind, Pause, Result};

/// Runs `work` again as long as it fails with [`ErrorKind::Contention`], as often and after such pauses as `pause` says.
/// `work` begins its own unit, so that each attempt starts from nothing.
///
/// Other retryable kinds are left to the caller: after `Unavailable` or `Timeout` nobody can tell whether the unit was
/// committed, and only the caller knows whether a repeat is harmless. [`retry_transient`] is for those who know.
///
/// # Errors
/// The last error of `work`.
pub async fn retry_contention<T, F, Fut>(pause: &dyn Pause, work: F) -> Result<T>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<T>> + Send,
{
    retry_if(pause, |error| error.kind() == ErrorKind::Contention, work).await
}

/// Like [`retry_contention`], for work that does no harm when it is done twice: runs it again after every
/// [retryable](Error::is_retryable) error, a lost connection and an answer that did not come in time among them.
///
/// # Errors
/// The last error of `work`.
pub async fn retry_transient<T, F, Fut>(pause: &dyn Pause, work: F) -> Result<T>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<T>> + Send,
{
    retry_if(pause, Error::is_retryable, work).await
}

async fn retry_if<T, F, Fut>(pause: &dyn Pause, may_repeat: impl Fn(&Error) -> bool + Send, mut work: F) -> Result<T>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<T>> + Send,
{
    let mut attempt = 1;
    loop {
        match work().await {
            Err(error) if may_repeat(&error) && attempt < pause.attempts_max() => {
                pause.pause(attempt).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::{Error, NoPause};

    /// Notes the attempts after which it was asked to wait, and does not wait.
    #[derive(Debug, Default)]
    struct Noting(Mutex<Vec<u32>>);

    #[async_trait]
    impl Pause for Noting {
        fn attempts_max(&self) -> u32 {
            4
        }

        async fn pause(&self, attempt: u32) {
            self.0.lock().unwrap().push(attempt);
        }
    }

    /// What comes of work that fails `failures` times, and how often it was attempted.
    fn outcome(pause: &dyn Pause, failures: u32, kind: ErrorKind) -> (Option<ErrorKind>, u32) {
        let mut attempts = 0;
        let work = || {
            attempts += 1;
            ready(if attempts <= failures { Err(Error::new(kind, "in the way")) } else { Ok(()) })
        };
        let outcome = retry_contention(pause, work).now_or_never().unwrap();
        (outcome.err().map(|error| error.kind()), attempts)
    }

    #[test]
    fn contention_is_repeated_with_a_pause_after_each_failure() {
        let pause = Noting::default();
        assert_eq!(outcome(&pause, 3, ErrorKind::Contention), (None, 4));
        assert_eq!(*pause.0.lock().unwrap(), [1, 2, 3]);
    }

    #[test]
    fn the_last_failure_is_reported_without_another_pause() {
        let pause = Noting::default();
        assert_eq!(outcome(&pause, 9, ErrorKind::Contention), (Some(ErrorKind::Contention), 4));
        assert_eq!(*pause.0.lock().unwrap(), [1, 2, 3]);
    }

    #[test]
    fn nothing_else_is_repeated() {
        for kind in [ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::VersionConflict, ErrorKind::Refused] {
            assert_eq!(outcome(&Noting::default(), 1, kind), (Some(kind), 1));
        }
    }

    #[test]
    fn what_passes_is_repeated_where_a_repeat_is_harmless() {
        for (kind, attempts) in
            [(ErrorKind::Contention, 2), (ErrorKind::Unavailable, 2), (ErrorKind::Timeout, 2), (ErrorKind::Refused, 1)]
        {
            let mut made = 0;
            let work = || {
                made += 1;
                ready(if made == 1 { Err(Error::new(kind, "in the way")) } else { Ok(()) })
            };
            let outcome = retry_transient(&Noting::default(), work).now_or_never().unwrap();
            assert_eq!((outcome.is_ok(), made), (attempts == 2, attempts), "{kind:?}");
        }
    }

    #[test]
    fn without_a_pause_there_are_a_few_attempts() {
        assert_eq!(outcome(&NoPause, 4, ErrorKind::Contention), (None, 5));
        assert_eq!(outcome(&NoPause, 5, ErrorKind::Contention), (Some(ErrorKind::Contention), 5));
    }
}
