//! The history that measurements of aggregation runs fill a ledger with.

use moon_datagen::{Plan, Rates};

/// So many sales as they come, a few of them cancelled later. Corrections and late transfers would change no row's form, and
/// make filling take many times as long.
#[must_use]
pub fn history(sales: u64) -> Plan {
    let Rates { without_agent, branch_given, team_given, reversals, .. } = Rates::default();
    let rates = Rates { without_agent, branch_given, team_given, reversals, cancellations: 100, ..Rates::calm() };
    Plan { sales, rates, ..Plan::default() }
}
