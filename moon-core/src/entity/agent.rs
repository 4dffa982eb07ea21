//! Agents and where they belong.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AgentCode, BranchCode, BusinessDate, DayRange, Name, TeamCode, Text, Version};

/// Who sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The key.
    pub code: AgentCode,
    /// Name for people.
    pub name: Name,
    /// How to reach them.
    pub contact: Contact,
    /// Their own time zone, for quiet hours; the ledger's when absent.
    pub time_zone: Option<chrono_tz::Tz>,
    /// Whether they work at present.
    pub status: AgentStatus,
    /// What they agreed to.
    pub consents: Consents,
    /// Rises with every change.
    pub version: Version,
}

/// Whether an agent works at present. It never changes a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Sells.
    #[default]
    Active,
    /// Must not sell for the time being.
    Suspended,
    /// Has left.
    Left,
}

impl AgentStatus {
    /// The stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Left => "left",
        }
    }
}

/// How an agent can be reached. It never leaves the operational store, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contact {
    /// E-mail address.
    pub email: Option<Text>,
    /// Telephone number.
    pub phone: Option<Text>,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Text>| value.as_ref().map(|_| "withheld");
        f.debug_struct("Contact").field("email", &shown(&self.email)).field("phone", &shown(&self.phone)).finish()
    }
}

/// What an agent agreed to, or refused. Absent: never asked, which counts as no.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Consents {
    /// Their figures may appear in statistics among peers.
    pub performance_analytics: Option<Consent>,
    /// They may be sent messages.
    pub notifications: Option<Consent>,
}

impl Consents {
    /// Whether their figures may appear in statistics among peers: they said so, and did not take it back.
    #[must_use]
    pub fn allows_analytics(&self) -> bool {
        self.performance_analytics.as_ref().is_some_and(|consent| consent.granted)
    }
}

/// One answer: yes or no, when, and how it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Yes or no.
    pub granted: bool,
    /// When (UTC).
    pub at: DateTime<Utc>,
    /// How, such as `portal` or `signed form`.
    pub how: Text,
}

/// Places an agent in a team and a home branch from a date on, until the next assignment of the agent starts or, if
/// earlier, until its own end. The key is (agent, from).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Whom.
    pub agent: AgentCode,
    /// The first day.
    pub from: BusinessDate,
    /// The day behind the last one; `None`: open.
    pub to: Option<BusinessDate>,
    /// The team.
    pub team: TeamCode,
    /// The home branch.
    pub branch: BranchCode,
    /// Rises with every correction of this key.
    pub version: Version,
    /// When this version was entered (UTC, microseconds).
    pub entered_at: DateTime<Utc>,
    /// Who entered it.
    pub entered_by: Text,
}

impl Assignment {
    /// The days on which it is in force, given the start of the agent's next assignment.
    #[must_use]
    pub fn days(&self, next_start: Option<BusinessDate>) -> DayRange {
        let end = [self.to, next_start].into_iter().flatten().map(BusinessDate::epoch_day).min();
        DayRange::new(self.from.epoch_day(), end.unwrap_or(DayRange::ALL.end()))
    }
}
