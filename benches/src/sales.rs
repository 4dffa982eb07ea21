//! A sales force, its sales as messages, and ledgers to put them into.

use std::path::Path;
use std::sync::Arc;

use moon_core::{Actor, Calendar, Currency, Ledger, LedgerOptions, PutRule, Result, SaleMessage, Store};
use moon_datagen::{Event, Plan, Rates, SalesForce};
use moon_store_sqlite::SqliteStore;

/// Messages of one call, as an importer makes them.
pub const UNIT_MESSAGES: usize = 5_000;

/// Sales of the default force (24 months, 2,000 agents) as they are first entered, on time. Nothing becomes of them, so
/// that each is one row.
#[must_use]
pub fn plain_plan(sales: u64) -> Plan {
    let usual = Rates::default();
    let rates = Rates {
        without_agent: usual.without_agent,
        branch_given: usual.branch_given,
        team_given: usual.team_given,
        reversals: usual.reversals,
        ..Rates::calm()
    };
    Plan { sales, rates, ..Plan::default() }
}

/// The currency of the generated sales.
///
/// # Errors
/// None.
pub fn currency() -> Result<Currency> {
    "LKR".parse()
}

/// The force of a plan.
///
/// # Errors
/// `InvalidInput` when the plan cannot be carried out.
pub fn force(plan: &Plan) -> Result<SalesForce> {
    SalesForce::new(plan, currency()?, Calendar::default())
}

/// The sales of a force, in the order of their arrival.
///
/// # Errors
/// `InvalidInput` when the plan cannot be carried out.
pub fn messages(force: &SalesForce) -> Result<Vec<SaleMessage>> {
    let mut all = Vec::new();
    for event in force.history() {
        if let Event::Sales { messages, .. } = event? {
            all.extend(messages);
        }
    }
    Ok(all)
}

/// Whoever stands in the audit trail.
///
/// # Errors
/// None.
pub fn actor() -> Result<Actor> {
    Actor::new("benchmark")
}

/// A ledger in a migrated store, with the force and its assignments in it.
///
/// # Errors
/// Those of the store.
pub async fn ledger_with(store: Arc<dyn Store>, force: &SalesForce) -> Result<Ledger> {
    store.migrate().await?;
    let options = LedgerOptions { currency: Some(currency()?), ..LedgerOptions::default() };
    let ledger = Ledger::open(store, &options).await?;
    let actor = actor()?;
    ledger.put_teams(&actor, force.teams(), PutRule::Ensure).await?;
    ledger.put_branches(&actor, force.branches(), PutRule::Ensure).await?;
    ledger.put_products(&actor, force.products(), PutRule::Ensure).await?;
    ledger.put_agents(&actor, force.agents(), PutRule::Ensure).await?;
    ledger.assign(&actor, &force.first_assignments()?).await?;
    Ok(ledger)
}

/// [`ledger_with`] in a new SQLite file.
///
/// # Errors
/// Those of the store.
pub async fn sqlite_ledger(file: &Path, force: &SalesForce) -> Result<Ledger> {
    let store = SqliteStore::connect(&format!("sqlite:{}", file.display())).await?;
    ledger_with(Arc::new(store), force).await
}

/// Records all messages, so many in a call.
///
/// # Errors
/// Those of the store; those of the first message that was not recorded.
pub async fn record(ledger: &Ledger, messages: &[SaleMessage]) -> Result<()> {
    let actor = actor()?;
    for messages in messages.chunks(UNIT_MESSAGES) {
        let report = ledger.record_sales(&actor, messages).await?;
        for outcome in report.outcomes {
            if let moon_core::SaleOutcome::Rejected(error) | moon_core::SaleOutcome::Conflict(error) = outcome {
                return Err(error);
            }
        }
    }
    Ok(())
}
