//! The pulse of a run: its lease is renewed and its deadline looked at while it works.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use moon_core::{Error, ErrorKind, Ledger, Result};
use uuid::Uuid;

use crate::command::RunOptions;
use crate::lease;

/// Beats between the batches of a run.
#[derive(Debug)]
pub(crate) struct Pulse<'l> {
    ledger: &'l Ledger,
    /// Who holds the lease: one call of an embedder, with all its attempts.
    pub(crate) holder: Uuid,
    pub(crate) lease: TimeDelta,
    deadline: Option<DateTime<Utc>>,
    /// When the lease is due to be renewed (microseconds since 1970, UTC).
    due: AtomicI64,
}

impl<'l> Pulse<'l> {
    pub(crate) fn new(ledger: &'l Ledger, options: &RunOptions) -> Self {
        let now = ledger.clock().now();
        let holder = ledger.ids().next(now).0;
        let delta = |length| TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
        let deadline = options.deadline.and_then(|length| now.checked_add_signed(delta(length)));
        let pulse = Self { ledger, holder, lease: delta(options.lease), deadline, due: AtomicI64::new(0) };
        pulse.renewed(now);
        pulse
    }

    /// The lease was taken or renewed just now.
    pub(crate) fn renewed(&self, now: DateTime<Utc>) {
        let due = now.checked_add_signed(self.lease / 3).unwrap_or(now);
        self.due.store(due.timestamp_micros(), Ordering::Relaxed);
    }

    /// Whether the deadline is over.
    pub(crate) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| self.ledger.clock().now() > deadline)
    }

    /// Renews the lease when a third of it is over.
    ///
    /// # Errors
    /// `Timeout` after the deadline; `Refused` when another run has the lease.
    pub(crate) async fn beat(&self) -> Result<()> {
        self.check_deadline()?;
        let now = self.ledger.clock().now();
        if now.timestamp_micros() >= self.due.load(Ordering::Relaxed) {
            lease::renew(self.ledger, self.holder, self.lease).await?;
            self.renewed(now);
        }
        Ok(())
    }

    /// # Errors
    /// `Timeout` after the deadline.
    pub(crate) fn check_deadline(&self) -> Result<()> {
        match self.deadline.filter(|_| self.is_late()) {
            None => Ok(()),
            Some(deadline) => Err(Error::new(ErrorKind::Timeout, "run did not end within its deadline")
                .with("deadline", deadline.to_rfc3339())),
        }
    }
}
