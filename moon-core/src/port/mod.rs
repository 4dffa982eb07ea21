//! Ports: what a backend provides. See `docs/adding-a-backend.md`.
//!
//! Every trait is object-safe and has no default methods: a wrapper that forgets a method does not compile.

mod agents;
mod audit;
mod clock;
mod marks;
mod organisation;
mod page;
mod postings;
mod products;
mod records;
mod sales;
mod store;
mod warehouse;

pub use agents::{AgentRepository, Lock};
pub use audit::AuditRepository;
pub use clock::{Clock, FixedClock, IdGenerator, NoPause, Pause, SystemClock, SystemIdGenerator};
pub use marks::{MarkCounts, MarkRepository};
pub use organisation::OrganisationRepository;
pub use page::{Cursor, PAGE_LIMIT_MAX, Page, PageRequest};
pub use postings::{PostingFilter, PostingSource, Pushdown, TotalsPlan};
pub use products::ProductRepository;
pub use records::{Expected, RecordRepository};
pub use sales::{SaleChange, SaleQuery, SaleRepository};
pub use store::{Store, StoreInfo, TxMode, UnitOfWork};
pub use warehouse::{
    AgentCell, BranchEntry, Closing, GroupSum, Manifest, Opening, ProductEntry, ProductMetrics, Published,
    PublishedTarget, Receipt, Restatement, RunKey, RunKind, RunOutcome, RunRecord, Scope, StagedRows, StagedRun,
    TeamEntry, Warehouse,
};
