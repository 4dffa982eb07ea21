//! Putting a history through a ledger.

use moon_core::{
    Actor, BusinessDate, Error, ErrorKind, Ledger, PutRule, RecordCounts, Result, SaleMessage, SaleOutcome,
};

use crate::history::Arrived;
use crate::{Event, Plan, SalesForce};

/// The least number of messages in a unit of work, as long as more are to come and no assignment comes between.
const UNIT_MESSAGES: usize = 4_000;
/// Rows of master data in a unit of work.
const UNIT_ROWS: usize = 1_000;

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The day of arrival that was reached.
    pub day: BusinessDate,
    /// Messages taken in so far.
    pub messages: u64,
    /// Sales among them.
    pub sales: u64,
    /// Sales of the plan. Those that would arrive behind the last day never come.
    pub sales_planned: u64,
}

/// What was put through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Teams.
    pub teams: u64,
    /// Branches.
    pub branches: u64,
    /// Products.
    pub products: u64,
    /// Agents.
    pub agents: u64,
    /// Targets.
    pub targets: u64,
    /// Assignments in force on the first day.
    pub first_assignments: u64,
    /// What was generated behind these, and what it adds up to. A ledger without other sales has these totals.
    pub arrived: Arrived,
    /// What became of the messages: each was recorded the first time, and is a duplicate when repeated.
    pub outcomes: RecordCounts,
    /// Sales that count elsewhere since an assignment was entered late.
    pub moved: u64,
}

/// Generates the sales force and the history of a plan, in the ledger's currency and calendar, and puts all of it through
/// the ledger in units of some thousand messages. `progress` is called after each unit with messages.
///
/// A repeat with the same plan changes nothing; after an interruption it completes what is missing.
///
/// # Errors
/// `InvalidInput` when the plan cannot be carried out; `AlreadyExists` or `Refused` when the ledger holds another history
/// of this source, so that a target or a message is in conflict: what came before it stays; those of the ledger.
pub async fn populate(ledger: &Ledger, plan: &Plan, mut progress: impl FnMut(&Progress) + Send) -> Result<Summary> {
    let settings = ledger.settings();
    let force = SalesForce::new(plan, settings.currency, settings.calendar)?;
    let actor = Actor::new("datagen")?;
    let mut summary = put_force(ledger, &actor, &force).await?;
    let mut history = force.history();
    let mut waiting: Vec<SaleMessage> = Vec::new();
    let mut reached = plan.first_day;
    let mut messages = 0;
    loop {
        let event = history.next().transpose()?;
        let sales = history.arrived().sales;
        let full = waiting.len() >= UNIT_MESSAGES;
        if !waiting.is_empty() && (full || !matches!(event, Some(Event::Sales { .. }))) {
            record(ledger, &actor, &waiting, &mut summary.outcomes).await?;
            messages += u64::try_from(waiting.len()).unwrap_or(0);
            waiting.clear();
            progress(&Progress { day: reached, messages, sales, sales_planned: plan.sales });
        }
        match event {
            Some(Event::Sales { arrived, messages }) => {
                reached = arrived;
                waiting.extend(messages);
            }
            Some(Event::Assignments { arrived, assignments }) => {
                reached = arrived;
                let outcomes = ledger.assign(&actor, &assignments).await?;
                summary.moved += outcomes.iter().map(moon_core::AssignOutcome::moved).sum::<u64>();
            }
            None => break,
        }
    }
    summary.arrived = *history.arrived();
    Ok(summary)
}

/// Master data, the first assignments and targets. What is there already is left as it is.
async fn put_force(ledger: &Ledger, actor: &Actor, force: &SalesForce) -> Result<Summary> {
    for teams in force.teams().chunks(UNIT_ROWS) {
        ledger.put_teams(actor, teams, PutRule::Ensure).await?;
    }
    for branches in force.branches().chunks(UNIT_ROWS) {
        ledger.put_branches(actor, branches, PutRule::Ensure).await?;
    }
    for products in force.products().chunks(UNIT_ROWS) {
        ledger.put_products(actor, products, PutRule::Ensure).await?;
    }
    for agents in force.agents().chunks(UNIT_ROWS) {
        ledger.put_agents(actor, agents, PutRule::Ensure).await?;
    }
    // Targets before assignments: they refuse another history before it has corrected anything.
    for targets in force.targets().chunks(UNIT_ROWS) {
        ledger.set_targets(actor, targets).await?;
    }
    let assignments = force.first_assignments()?;
    for assignments in assignments.chunks(UNIT_ROWS) {
        ledger.assign(actor, assignments).await?;
    }
    let count = |length: usize| u64::try_from(length).unwrap_or(0);
    Ok(Summary {
        teams: count(force.teams().len()),
        branches: count(force.branches().len()),
        products: count(force.products().len()),
        agents: count(force.agents().len()),
        targets: count(force.targets().len()),
        first_assignments: count(assignments.len()),
        ..Summary::default()
    })
}

async fn record(ledger: &Ledger, actor: &Actor, messages: &[SaleMessage], counts: &mut RecordCounts) -> Result<()> {
    let report = ledger.record_sales(actor, messages).await?;
    for outcome in report.outcomes {
        counts.add(&outcome);
        if let SaleOutcome::Conflict(cause) | SaleOutcome::Rejected(cause) = outcome {
            return Err(Error::new(ErrorKind::Refused, "ledger holds another generated history").caused_by(cause));
        }
    }
    Ok(())
}
