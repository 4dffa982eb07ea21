//! Short constructors, so that a test shows what it is about.

use std::sync::Arc;

use chrono::{DateTime, TimeZone as _, Utc};
use moon_core::{
    Actor, Adjustment, AdjustmentKind, Agent, AgentCode, AgentStatus, Amount, Branch, BranchCode, BusinessDate, Clock,
    Consents, Contact, Currency, DayRange, FixedClock, Ledger, LedgerOptions, LifeMessage, MessageBody, Name,
    NewAssignment, Places, Product, ProductCode, PutRule, Revision, RevisionRule, Sale, SaleContent, SaleId, SaleKey,
    SaleKind, SaleMessage, Store, SystemIdGenerator, Team, TeamCode, Text, TxMode, UnitOfWork, Version,
};
use uuid::Uuid;

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

/// A text for people.
#[must_use]
pub fn text(text: &str) -> Text {
    Text::new("text", text).unwrap()
}

fn name(code: &str) -> Name {
    text(&format!("Name of {code}"))
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

/// A unit that writes.
pub async fn writing(store: &Arc<dyn Store>) -> Box<dyn UnitOfWork> {
    store.begin(TxMode::ReadWrite).await.unwrap()
}

/// A unit that reads one snapshot.
pub async fn reading(store: &Arc<dyn Store>) -> Box<dyn UnitOfWork> {
    store.begin(TxMode::ReadOnly).await.unwrap()
}

/// Writes what [`sale`] and its like name past the ledger: teams `ALPHA` and `BETA`, branches `COLOMBO` and `KANDY`,
/// products `LIFE` and `MOTOR`, agents `AGT001` and `AGT002`.
pub async fn fill(store: &Arc<dyn Store>) {
    let mut unit = writing(store).await;
    for code in ["ALPHA", "BETA"] {
        unit.organisation().put_team(&team(code), None).await.unwrap();
    }
    for code in ["COLOMBO", "KANDY"] {
        unit.organisation().put_branch(&branch(code), None).await.unwrap();
    }
    for code in ["LIFE", "MOTOR"] {
        unit.products().put(&product(code), None).await.unwrap();
    }
    for code in ["AGT001", "AGT002"] {
        unit.agents().put(&agent(code), None).await.unwrap();
    }
    unit.commit().await.unwrap();
}

/// A sale of `LIFE` by `AGT001` in `ALPHA` and `COLOMBO`, both derived, as a store keeps it. The number is its identifier.
#[must_use]
pub fn sale(number: u32, day: &str, amount: Amount) -> Sale {
    Sale {
        id: SaleId(Uuid::from_u128(number.into())),
        key: key(&format!("S{number}")),
        content: content("AGT001", "LIFE", day, amount),
        places: Places { team: Some(team_code("ALPHA")), branch: Some(branch_code("COLOMBO")) },
        revision: Revision::FIRST,
        last_revision: Revision::FIRST,
        voided: false,
        adjustments: Vec::new(),
        recorded_at: noon("2026-06-15"),
        content_at: noon("2026-06-15"),
    }
}

/// A posting that follows a sale.
#[must_use]
pub fn adjustment(revision: u32, kind: AdjustmentKind, day: &str, amount: Amount, count: i8) -> Adjustment {
    Adjustment { kind, date: date(day), amount, count, revision: Revision(revision) }
}

/// A range of days, both included.
#[must_use]
pub fn days(first: &str, last: &str) -> DayRange {
    DayRange::inclusive(date(first), date(last))
}

/// A ledger with what [`fill`] names, in which `AGT001` belongs to `ALPHA` and `COLOMBO` from 2026-01-01 on, and `AGT002`
/// nowhere.
pub async fn opened(store: Arc<dyn Store>) -> Ledger {
    let ledger = ledger(store).await;
    enter(&ledger, &["ALPHA", "BETA"], &["COLOMBO", "KANDY"], &["LIFE", "MOTOR"], &["AGT001", "AGT002"]).await;
    ledger.assign(&actor(), &[assignment("AGT001", "2026-01-01", "ALPHA", "COLOMBO")]).await.unwrap();
    ledger
}
