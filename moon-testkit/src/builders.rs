//! Short constructors, so that a test shows what it is about.

use std::sync::Arc;

use chrono::{DateTime, TimeZone as _, Utc};
use moon_core::{
    Actor, Agent, AgentCode, AgentStatus, Amount, Branch, BranchCode, BusinessDate, Clock, Consents, Contact, Currency,
    FixedClock, Ledger, LedgerOptions, LifeMessage, MessageBody, Name, NewAssignment, Product, ProductCode, PutRule,
    Revision, RevisionRule, SaleContent, SaleKey, SaleKind, SaleMessage, Store, SystemIdGenerator, Team, TeamCode,
    Version,
};

/// The currency of all tests: rupees, two digits.
#[must_use]
pub fn currency() -> Currency {
    "LKR".parse().unwrap()
}

/// A business date of `YYYY-MM-DD`.
#[must_use]
pub fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

/// Noon (UTC) of a date.
#[must_use]
pub fn noon(text: &str) -> DateTime<Utc> {
    Utc.from_utc_datetime(&date(text).to_naive_date().and_hms_opt(12, 0, 0).unwrap())
}

/// An amount of whole rupees.
#[must_use]
pub fn rupees(units: i64) -> Amount {
    Amount::from_minor(units * currency().minor_per_unit()).unwrap()
}

/// Who acts in tests.
#[must_use]
pub fn actor() -> Actor {
    Actor::new("tests").unwrap()
}

/// A code of a team.
#[must_use]
pub fn team_code(code: &str) -> TeamCode {
    TeamCode::new(code).unwrap()
}

/// A code of a branch.
#[must_use]
pub fn branch_code(code: &str) -> BranchCode {
    BranchCode::new(code).unwrap()
}

/// A code of a product.
#[must_use]
pub fn product_code(code: &str) -> ProductCode {
    ProductCode::new(code).unwrap()
}

/// A code of an agent.
#[must_use]
pub fn agent_code(code: &str) -> AgentCode {
    AgentCode::new(code).unwrap()
}

fn name(code: &str) -> Name {
    Name::new("name", &format!("Name of {code}")).unwrap()
}

/// A new team.
#[must_use]
pub fn team(code: &str) -> Team {
    Team { code: team_code(code), name: name(code), version: Version::FIRST }
}

/// A new branch without a region.
#[must_use]
pub fn branch(code: &str) -> Branch {
    Branch { code: branch_code(code), name: name(code), region: None, version: Version::FIRST }
}

/// A new product.
#[must_use]
pub fn product(code: &str) -> Product {
    Product { code: product_code(code), name: name(code), line: None, free_look_days: None, version: Version::FIRST }
}

/// A new, active agent.
#[must_use]
pub fn agent(code: &str) -> Agent {
    Agent {
        code: agent_code(code),
        name: name(code),
        contact: Contact::default(),
        time_zone: None,
        status: AgentStatus::Active,
        consents: Consents::default(),
        version: Version::FIRST,
    }
}

/// An assignment that is open at its end.
#[must_use]
pub fn assignment(agent: &str, from: &str, team: &str, branch: &str) -> NewAssignment {
    let (team, branch) = (team_code(team), branch_code(branch));
    NewAssignment { agent: agent_code(agent), from: date(from), to: None, team, branch, expected: None }
}

/// The key of a sale of the source `core`.
#[must_use]
pub fn key(reference: &str) -> SaleKey {
    SaleKey::new("core", reference).unwrap()
}

/// New business of an agent, places not given.
#[must_use]
pub fn content(agent: &str, product: &str, day: &str, amount: Amount) -> SaleContent {
    SaleContent {
        agent: Some(agent_code(agent)),
        product: product_code(product),
        amount,
        date: date(day),
        kind: SaleKind::NewBusiness,
        policy_number: None,
        team: None,
        branch: None,
    }
}

/// A message with a content, numbered or (`None`) behind all that is known.
#[must_use]
pub fn content_message(reference: &str, revision: Option<u32>, content: SaleContent) -> SaleMessage {
    message(reference, revision, MessageBody::Content(content))
}

/// A message about the life of a sale, numbered or (`None`) a command.
#[must_use]
pub fn life_message(reference: &str, revision: Option<u32>, life: LifeMessage) -> SaleMessage {
    message(reference, revision, MessageBody::Life(life))
}

fn message(reference: &str, revision: Option<u32>, body: MessageBody) -> SaleMessage {
    let revision = revision.map_or(RevisionRule::Next, |revision| RevisionRule::Given(Revision(revision)));
    SaleMessage { key: key(reference), revision, body, entry: None }
}

/// A cancellation of all that remains.
#[must_use]
pub fn cancel(day: &str) -> LifeMessage {
    LifeMessage::Cancel { date: date(day), amount: None }
}

/// A cancellation of a part.
#[must_use]
pub fn cancel_part(day: &str, amount: Amount) -> LifeMessage {
    LifeMessage::Cancel { date: date(day), amount: Some(amount) }
}

/// A reinstatement.
#[must_use]
pub fn reinstate(day: &str) -> LifeMessage {
    LifeMessage::Reinstate { date: date(day) }
}

/// A ledger in rupees on a clock that stands at noon of 2026-06-15.
pub async fn ledger(store: Arc<dyn Store>) -> Ledger {
    ledger_at(store, Arc::new(FixedClock::new(noon("2026-06-15")))).await
}

/// A ledger in rupees on a clock of choice.
pub async fn ledger_at(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Ledger {
    let options = LedgerOptions { currency: Some(currency()), ..LedgerOptions::default() };
    Ledger::open_with(store, &options, clock, Arc::new(SystemIdGenerator::default())).await.unwrap()
}

/// Enters master data by their codes.
pub async fn enter(ledger: &Ledger, teams: &[&str], branches: &[&str], products: &[&str], agents: &[&str]) {
    let teams: Vec<_> = teams.iter().map(|code| team(code)).collect();
    let branches: Vec<_> = branches.iter().map(|code| branch(code)).collect();
    let products: Vec<_> = products.iter().map(|code| product(code)).collect();
    let agents: Vec<_> = agents.iter().map(|code| agent(code)).collect();
    ledger.put_teams(&actor(), &teams, PutRule::Create).await.unwrap();
    ledger.put_branches(&actor(), &branches, PutRule::Create).await.unwrap();
    ledger.put_products(&actor(), &products, PutRule::Create).await.unwrap();
    ledger.put_agents(&actor(), &agents, PutRule::Create).await.unwrap();
}
