//! Texts of a row turned into the ledger's values.

mod amount;
mod cell;
mod codes;
mod date;
mod reference;

pub use amount::NumberForm;
pub(crate) use cell::{Cell, Fault, Slots};
pub(crate) use codes::{AgentCell, BranchCell, ProductCell, TeamCell, read_optional};
pub(crate) use date::DateCell;
pub use date::DateForm;
pub(crate) use reference::ReferenceCell;
