//! Time and identifiers as arguments.

use std::fmt;
use std::sync::Mutex;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::SaleId;

/// Tells the time. Nothing in Moon reads the machine's clock but through this.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present instant (UTC), in whole microseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// Makes identifiers.
pub trait IdGenerator: fmt::Debug + Send + Sync + 'static {
    /// A new identifier, unique everywhere, that sorts behind those made at earlier instants.
    fn next(&self, now: DateTime<Utc>) -> SaleId;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that stands until it is set: for tests, replays and demonstrations.
#[derive(Debug)]
pub struct FixedClock(Mutex<DateTime<Utc>>);

impl FixedClock {
    /// A clock that shows this instant.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now.trunc_subsecs(6)))
    }

    /// Sets it.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now.trunc_subsecs(6);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// UUIDs of version 7 with a counter within the millisecond, so that identifiers made in one process only rise.
#[derive(Default)]
pub struct SystemIdGenerator(Mutex<ContextV7>);

impl fmt::Debug for SystemIdGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemIdGenerator")
    }
}

impl IdGenerator for SystemIdGenerator {
    fn next(&self, now: DateTime<Utc>) -> SaleId {
        let context = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        SaleId(Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos())))
    }
}
