//! Time, waiting and identifiers as arguments.

use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
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

/// How a unit of work that another one stood in the way of is repeated. Waiting needs a timer, which belongs to the
/// program's runtime.
#[async_trait]
pub trait Pause: fmt::Debug + Send + Sync + 'static {
    /// How often a unit of work is attempted in all before its contention is reported; 0 counts as 1.
    fn attempts_max(&self) -> u32;

    /// Waits after the attempt of that number, which counts from 1, and before the next one. Pauses grow, and those of two
    /// units that met differ, so that they do not meet again.
    async fn pause(&self, attempt: u32);
}

/// Repeats at once, a few times: enough where the store itself makes writers wait for one another.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPause;

impl NoPause {
    /// How often a unit of work is attempted in all. Few, as repeats without a pause only meet the same obstacle again.
    pub const ATTEMPTS_MAX: u32 = 5;
}

#[async_trait]
impl Pause for NoPause {
    fn attempts_max(&self) -> u32 {
        Self::ATTEMPTS_MAX
    }

    async fn pause(&self, _attempt: u32) {}
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
