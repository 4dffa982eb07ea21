//! Targets.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AgentCode, Amount, BranchCode, BusinessDate, Period, ProductCode, TeamCode, Text, Version};

/// Whose sales a target is set against. Scopes never add into one another, save that a product without a target for the
/// ledger takes the sum of its branch targets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetScope {
    /// The whole ledger.
    Ledger,
    /// One branch.
    Branch(BranchCode),
    /// One team.
    Team(TeamCode),
    /// One agent.
    Agent(AgentCode),
}

impl fmt::Display for TargetScope {
    /// `ledger`, or `branch:CODE`, `team:CODE`, `agent:CODE`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger => f.write_str("ledger"),
            Self::Branch(code) => write!(f, "branch:{code}"),
            Self::Team(code) => write!(f, "team:{code}"),
            Self::Agent(code) => write!(f, "agent:{code}"),
        }
    }
}

/// What a target is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetKey {
    /// One product, or all of them together.
    pub product: Option<ProductCode>,
    /// Whose sales.
    pub scope: TargetScope,
    /// A month, a quarter, a fiscal year or all time.
    pub period: Period,
}

/// One version of a target, in force from a date until the next version. The key is (key, from).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What it is for.
    pub key: TargetKey,
    /// The first day on which this amount holds.
    pub from: BusinessDate,
    /// What is to be reached, not negative.
    pub amount: Amount,
    /// Rises when the amount of this very (key, from) is corrected.
    pub version: Version,
    /// When it was entered (UTC, microseconds).
    pub entered_at: DateTime<Utc>,
    /// Who entered it.
    pub entered_by: Text,
}
