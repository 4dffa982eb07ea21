//! Figures of agents by month, under pseudonyms, where they are switched on.
//!
//! An agent who allows performance analytics has rows of its own under a keyed pseudonym; all others share one row,
//! [`WITHHELD`]; sales without an agent lie under [`UNASSIGNED`](moon_core::UNASSIGNED). The rows of a month add up to its
//! plain sums. Neither a name nor a code of an agent reaches the warehouse.

mod figures;
mod key;

pub(crate) use self::figures::{AgentTotals, changed_months, kept};
pub use self::key::PseudonymKey;

/// The row of all agents who do not allow performance analytics. What is withheld is not zero.
pub const WITHHELD: &str = "withheld";

/// Switches the monthly figures of agents on; see [`Aggregation::with_agent_figures`](crate::Aggregation::with_agent_figures).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFigures {
    /// What pseudonyms are made with.
    pub key: PseudonymKey,
}
