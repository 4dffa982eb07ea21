//! Being told to stop: once, after the work at hand; twice, at once.

use moon_core::{Error, ErrorKind, Result};
use tokio::sync::watch;

use crate::progress::say;

/// How often the program was told to stop.
#[derive(Debug, Clone)]
pub(super) struct Stop(watch::Receiver<u32>);

impl Stop {
    /// Listens for SIGTERM and ctrl-c from here on.
    ///
    /// # Errors
    /// `Backend` when the system does not let it.
    pub(super) fn listen() -> Result<Self> {
        let (told, receiver) = watch::channel(0);
        let mut signals = Signals::new()?;
        tokio::spawn(async move {
            loop {
                signals.next().await;
                let times = *told.borrow() + 1;
                if times == 1 {
                    say("told to stop: what is at work ends first; once more stops at once");
                }
                if told.send(times).is_err() {
                    return;
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Ends when the program was told to stop that often.
    pub(super) async fn told(&mut self, times: u32) {
        if self.0.wait_for(|told| *told >= times).await.is_err() {
            // Whoever listens is gone: nobody will tell.
            std::future::pending::<()>().await;
        }
    }

    /// Whether it was told so.
    pub(super) fn is_told(&self) -> bool {
        *self.0.borrow() > 0
    }
}

fn fail(cause: std::io::Error) -> Error {
    Error::new(ErrorKind::Backend, "cannot listen for signals").caused_by(cause)
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(fail)?,
            interrupt: signal(SignalKind::interrupt()).map_err(fail)?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "it may fail elsewhere")]
    fn new() -> Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if let Err(cause) = tokio::signal::ctrl_c().await {
            tracing::error!(error = %fail(cause), "ctrl-c is not heard");
            std::future::pending::<()>().await;
        }
    }
}
