//! Which values the rows of each kind of file have.

use serde::Deserialize;

use super::{DateField, Field};

/// The values of a row of sales.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SalesColumns {
    /// Who is credited.
    pub agent: Option<Field>,
    /// Name of an agent that is created.
    pub agent_name: Option<Field>,
    /// What was sold.
    pub product: Field,
    /// Name of a product that is created.
    pub product_name: Option<Field>,
    /// Line of a product that is created.
    pub product_line: Option<Field>,
    /// How much.
    pub amount: Field,
    /// When.
    pub date: DateField,
    /// The team, where the source gives it.
    pub team: Option<Field>,
    /// The branch, where the source gives it.
    pub branch: Option<Field>,
    /// The kind of business, by its name.
    pub kind: Option<Field>,
    /// The policy.
    pub policy_number: Option<Field>,
}

/// The values of a row of agents. With `from`, the row also places the agent in `team` and `branch`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentColumns {
    /// The key.
    pub code: Field,
    /// Name for people; the code of a new agent without one.
    pub name: Option<Field>,
    /// E-mail address.
    pub email: Option<Field>,
    /// Telephone number.
    pub phone: Option<Field>,
    /// Time zone by its name in the tz database.
    pub time_zone: Option<Field>,
    /// `active`, `suspended` or `left`.
    pub status: Option<Field>,
    /// The team to which the agent is assigned.
    pub team: Option<Field>,
    /// The home branch.
    pub branch: Option<Field>,
    /// The first day of the assignment.
    pub from: Option<DateField>,
}

/// The values of a row of products.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductColumns {
    /// The key.
    pub code: Field,
    /// Name for people; the code of a new product without one.
    pub name: Option<Field>,
    /// Line of business.
    pub line: Option<Field>,
    /// Days within which a customer may withdraw.
    pub free_look_days: Option<Field>,
    /// What is to be reached with the product in `target_period`, by the whole ledger.
    pub target: Option<Field>,
    /// The period of the target: `2026-03`, `2026-Q1`, `2026` or `all`.
    pub target_period: Option<Field>,
}

/// The values of a row of targets. At most one of branch, team and agent has a value; without one the target is for the
/// whole ledger.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetColumns {
    /// The product; without one, all of them together.
    pub product: Option<Field>,
    /// Whose target it is, if a branch's.
    pub branch: Option<Field>,
    /// Whose target it is, if a team's.
    pub team: Option<Field>,
    /// Whose target it is, if an agent's.
    pub agent: Option<Field>,
    /// The period: `2026-03`, `2026-Q1`, `2026` or `all`.
    pub period: Field,
    /// What is to be reached.
    pub amount: Field,
    /// From when on this amount is in force; the first day of the period by default.
    pub from: Option<DateField>,
}

/// The values of a row of assignments.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignmentColumns {
    /// Whom.
    pub agent: Field,
    /// The team.
    pub team: Field,
    /// The home branch.
    pub branch: Field,
    /// The first day.
    pub from: DateField,
    /// The day behind the last one; until the next assignment by default.
    pub to: Option<DateField>,
}

/// The values of a row of teams.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamColumns {
    /// The key.
    pub code: Field,
    /// Name for people; the code of a new team without one.
    pub name: Option<Field>,
}

/// The values of a row of branches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BranchColumns {
    /// The key.
    pub code: Field,
    /// Name for people; the code of a new branch without one.
    pub name: Option<Field>,
    /// The region.
    pub region: Option<Field>,
}
