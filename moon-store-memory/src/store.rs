//! The store and its units of work.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use moon_core::{
    AgentRepository, AuditRepository, Error, ErrorKind, MarkRepository, OrganisationRepository, PostingSource,
    ProductRepository, RecordRepository, Result, SaleRepository, Store, StoreInfo, TxMode, UnitOfWork,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::state::State;

/// A ledger in memory, gone with its last handle. Cheap to clone: clones are handles of one ledger.
///
/// A reading unit holds the state that was published last when it began, and sees it until it ends, whatever is
/// committed meanwhile. A writing unit works on a copy that shares all it does not change, and commits by publishing the
/// copy; there is one at a time, and the next one waits in `begin`, in order of arrival. Nothing is copied by `begin`.
///
/// ```
/// use moon_core::{Store, TxMode};
/// use moon_store_memory::MemoryStore;
///
/// # let work = async {
/// let store = MemoryStore::new();
/// let unit = store.begin(TxMode::ReadWrite).await?;
/// unit.commit().await?;
/// # Ok::<(), moon_core::Error>(())
/// # };
/// # futures_util::FutureExt::now_or_never(work).expect("nothing to wait for").unwrap();
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    published: RwLock<Arc<State>>,
    writer: Arc<Mutex<()>>,
}

impl Shared {
    fn published(&self) -> Arc<State> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn publish(&self, state: State) {
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }
}

impl MemoryStore {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The state that a unit which begins now would see.
    #[cfg(test)]
    pub(crate) fn published(&self) -> Arc<State> {
        self.shared.published()
    }

    /// Begins a unit of work of the concrete type.
    pub(crate) async fn unit(&self, mode: TxMode) -> MemoryUnit {
        let held = match mode {
            TxMode::ReadOnly => Held::Snapshot(self.shared.published()),
            TxMode::ReadWrite => {
                let turn = Arc::clone(&self.shared.writer).lock_owned().await;
                // Only now: what the writer before has committed belongs to it.
                Held::Work { state: Box::new(State::clone(&self.shared.published())), turn }
            }
        };
        MemoryUnit { shared: Arc::clone(&self.shared), held }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("sales", &self.shared.published().sales.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn info(&self) -> StoreInfo {
        StoreInfo { backend: "memory", version: env!("CARGO_PKG_VERSION").to_owned(), sums: true }
    }

    async fn begin(&self, mode: TxMode) -> Result<Box<dyn UnitOfWork>> {
        Ok(Box::new(self.unit(mode).await))
    }

    async fn migrate(&self) -> Result<()> {
        Ok(())
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

/// What a unit reads, and where it writes.
enum Held {
    Snapshot(Arc<State>),
    /// The turn passes to the next writer when it is dropped, and the work with it unless it was published.
    Work {
        state: Box<State>,
        turn: OwnedMutexGuard<()>,
    },
}

/// A unit of work. The repositories are implemented on it, each in a file of its own.
pub(crate) struct MemoryUnit {
    shared: Arc<Shared>,
    held: Held,
}

impl MemoryUnit {
    /// What the unit sees.
    pub(crate) fn state(&self) -> &State {
        match &self.held {
            Held::Snapshot(state) => state,
            Held::Work { state, .. } => state,
        }
    }

    /// What the unit changes.
    ///
    /// # Errors
    /// `Unsupported` in a unit that only reads.
    pub(crate) fn state_mut(&mut self) -> Result<&mut State> {
        match &mut self.held {
            Held::Snapshot(_) => Err(Error::new(ErrorKind::Unsupported, "write in a unit of work that only reads")),
            Held::Work { state, .. } => Ok(state),
        }
    }
}

#[async_trait]
impl UnitOfWork for MemoryUnit {
    fn organisation(&mut self) -> &mut dyn OrganisationRepository {
        self
    }

    fn agents(&mut self) -> &mut dyn AgentRepository {
        self
    }

    fn products(&mut self) -> &mut dyn ProductRepository {
        self
    }

    fn sales(&mut self) -> &mut dyn SaleRepository {
        self
    }

    fn postings(&mut self) -> &mut dyn PostingSource {
        self
    }

    fn marks(&mut self) -> &mut dyn MarkRepository {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditRepository {
        self
    }

    fn records(&mut self) -> &mut dyn RecordRepository {
        self
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        let Self { shared, held } = *self;
        if let Held::Work { state, turn } = held {
            shared.publish(*state);
            drop(turn);
        }
        Ok(())
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
