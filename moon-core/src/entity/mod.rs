//! What the ledger holds.

mod agent;
mod audit;
mod mark;
mod organisation;
mod product;
mod record;
mod sale;
mod target;

pub use agent::{Agent, AgentStatus, Assignment, Consent, Consents, Contact};
pub use audit::{Actor, AuditEntry};
pub use mark::Mark;
pub use organisation::{Branch, Team};
pub use product::Product;
pub use record::{Record, RecordKey};
pub use sale::{
    Adjustment, AdjustmentKind, LifeMessage, MessageBody, Places, Sale, SaleContent, SaleKind, StoredMessage,
};
pub use target::{Target, TargetKey, TargetScope};
