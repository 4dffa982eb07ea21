//! The ledger: what embedders call. Each rule of the domain stands here once, over the ports; a store only keeps and
//! finds.
//!
//! Every call that changes something exists in two forms: one that opens its own unit of work, and one ending in `_in`
//! over a unit that the caller lends and commits. All that one call changes, marks and audit entry included, commits
//! together.

mod assigning;
mod attribution;
mod figures;
mod lifecycle;
mod masters;
mod message;
mod reading;
mod recording;
mod retry;
mod sale_state;
mod settings;
mod targets;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

pub use assigning::{AssignOutcome, NewAssignment};
pub use figures::{AgentRow, FigureFilter, View};
pub use masters::{PutOutcome, PutRule};
pub use message::{RecordCounts, RecordReport, RevisionRule, SaleMessage, SaleOutcome};
pub use reading::SaleHistory;
pub use retry::{retry_contention, retry_transient};
pub use settings::{LedgerOptions, LedgerSettings};
pub use targets::{NewTarget, TargetOutcome};

use crate::{
    Actor, AuditEntry, BusinessDate, Clock, IdGenerator, Mark, NoPause, Pause, Result, Store, SystemClock,
    SystemIdGenerator, TxMode, UnitOfWork,
};

/// A sales ledger over a store. Cheap to clone; clones share the store.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    settings: LedgerSettings,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    pause: Arc<dyn Pause>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("store", &self.store).field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens the ledger in a migrated store on the machine's clock; see [`open_with`](Self::open_with).
    ///
    /// # Errors
    /// As of [`open_with`](Self::open_with).
    pub async fn open(store: Arc<dyn Store>, options: &LedgerOptions) -> Result<Self> {
        Self::open_with(store, options, Arc::new(SystemClock), Arc::new(SystemIdGenerator::default())).await
    }

    /// Opens the ledger in a migrated store. The first opening fixes its settings; later ones take them from the store,
    /// and an option that is given must be equal to what is fixed.
    ///
    /// # Errors
    /// `Refused` when an option differs from what the ledger was created with.
    pub async fn open_with(
        store: Arc<dyn Store>,
        options: &LedgerOptions,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self> {
        let settings = settings::open(store.as_ref(), options).await?;
        Ok(Self { store, settings, clock, ids, pause: Arc::new(NoPause) })
    }

    /// The same ledger, whose calls repeat a unit of work that another one stood in the way of as `pause` says. Without
    /// this they repeat at once ([`NoPause`]). Calls ending in `_in` never repeat: their unit is the caller's.
    #[must_use]
    pub fn with_pause(self, pause: Arc<dyn Pause>) -> Self {
        Self { pause, ..self }
    }

    /// Currency, time zone and calendar.
    #[must_use]
    pub fn settings(&self) -> &LedgerSettings {
        &self.settings
    }

    /// The store beneath.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The ledger's clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What makes the ledger's identifiers.
    #[must_use]
    pub fn ids(&self) -> &Arc<dyn IdGenerator> {
        &self.ids
    }

    /// How the ledger repeats units of work; give it to [`retry_contention`] for units of one's own.
    #[must_use]
    pub fn pause(&self) -> &dyn Pause {
        self.pause.as_ref()
    }

    /// The business date of the present instant.
    ///
    /// # Errors
    /// `InvalidInput` when the clock shows a date that no ledger can hold.
    pub fn today(&self) -> Result<BusinessDate> {
        self.settings.business_date(self.clock.now())
    }

    async fn begin(&self) -> Result<Box<dyn UnitOfWork>> {
        self.store.begin(TxMode::ReadWrite).await
    }

    async fn append_marks(&self, unit: &mut dyn UnitOfWork, mut marks: Vec<Mark>, at: DateTime<Utc>) -> Result<()> {
        marks.sort_unstable();
        marks.dedup();
        if marks.is_empty() { Ok(()) } else { unit.marks().append(&marks, at).await }
    }

    async fn append_audit(
        &self,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        action: &str,
        subject: String,
        details: Value,
        at: DateTime<Utc>,
    ) -> Result<()> {
        let entry = AuditEntry { at, actor: actor.0.clone(), action: action.to_owned(), subject, details };
        unit.audit().append(&entry).await
    }
}

/// What an audit entry calls the rows of a call: the one row by its name, several by their number.
fn subject<T>(rows: &[T], noun: &str, name: impl Fn(&T) -> String) -> String {
    match rows {
        [row] => name(row),
        rows => format!("{} {noun}", rows.len()),
    }
}
