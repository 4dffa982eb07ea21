//! Teams, and branches in regions.

use serde::{Deserialize, Serialize};

use crate::{BranchCode, Name, TeamCode, Text, Version};

/// A group of agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// The key.
    pub code: TeamCode,
    /// Name for people.
    pub name: Name,
    /// Rises with every change.
    pub version: Version,
}

/// A place where business is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// The key.
    pub code: BranchCode,
    /// Name for people.
    pub name: Name,
    /// The region in which it lies now.
    pub region: Option<Text>,
    /// Rises with every change.
    pub version: Version,
}
