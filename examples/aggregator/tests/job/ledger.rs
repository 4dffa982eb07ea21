//! A small ledger in an SQLite file, or on a server.

use std::path::Path;
use std::sync::Arc;

use moon_core::{
    Actor, Agent, AgentCode, AgentStatus, Amount, Branch, BranchCode, Code, CodeKind, Consents, Contact, Ledger,
    LedgerOptions, LifeMessage, MessageBody, Name, NewAssignment, Product, ProductCode, PutRule, RevisionRule,
    SaleContent, SaleKey, SaleKind, SaleMessage, Store, Team, TeamCode, Version,
};
use moon_store_sqlite::SqliteStore;

fn code<K: CodeKind>(text: &str) -> Code<K> {
    Code::new(text).unwrap()
}

pub(crate) fn actor() -> Actor {
    Actor::new("test").unwrap()
}

/// Runs something to its end.
pub(crate) fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// The ledger in `moon.db` of a folder: the programs' default.
pub(crate) async fn open(folder: &Path) -> Ledger {
    let url = format!("sqlite:{}", folder.join("moon.db").display());
    over(Arc::new(SqliteStore::connect(&url).await.unwrap())).await
}

/// The ledger of a store.
pub(crate) async fn over(store: Arc<dyn Store>) -> Ledger {
    store.migrate().await.unwrap();
    Ledger::open(store, &LedgerOptions::default()).await.unwrap()
}

pub(crate) fn sale(reference: &str, agent: Option<&str>, product: &str, minor: i64, date: &str) -> SaleMessage {
    let content = SaleContent {
        agent: agent.map(code),
        product: code(product),
        amount: Amount::from_minor(minor).unwrap(),
        date: date.parse().unwrap(),
        kind: SaleKind::NewBusiness,
        policy_number: None,
        team: None,
        branch: None,
    };
    message(reference, MessageBody::Content(content))
}

pub(crate) fn cancel(reference: &str, date: &str, minor: i64) -> SaleMessage {
    let amount = Some(Amount::from_minor(minor).unwrap());
    message(reference, MessageBody::Life(LifeMessage::Cancel { date: date.parse().unwrap(), amount }))
}

fn message(reference: &str, body: MessageBody) -> SaleMessage {
    SaleMessage { key: SaleKey::new("core", reference).unwrap(), revision: RevisionRule::Next, body, entry: None }
}

pub(crate) async fn record(ledger: &Ledger, messages: &[SaleMessage]) {
    let counts = ledger.record_sales(&actor(), messages).await.unwrap().counts();
    assert_eq!((counts.rejected, counts.conflicts), (0, 0));
}

/// One agent in team Alpha and branch Colombo, and the closed month of the worked examples but for its given team: 500,
/// −120 on its own, 400, and 80 without an agent.
pub(crate) async fn fill(ledger: &Ledger) {
    let name = |text: &str| Name::new("name", text).unwrap();
    let by = actor();
    let (team, branch): (TeamCode, BranchCode) = (code("Alpha"), code("Colombo"));
    let (agent, product): (AgentCode, ProductCode) = (code("AGT001"), code("Junior"));
    let row = Team { code: team.clone(), name: name("Alpha"), version: Version::FIRST };
    ledger.put_teams(&by, &[row], PutRule::Create).await.unwrap();
    let row = Branch { code: branch.clone(), name: name("Colombo"), region: None, version: Version::FIRST };
    ledger.put_branches(&by, &[row], PutRule::Create).await.unwrap();
    let row =
        Product { code: product, name: name("Junior"), line: None, free_look_days: None, version: Version::FIRST };
    ledger.put_products(&by, &[row], PutRule::Create).await.unwrap();
    let row = Agent {
        code: agent.clone(),
        name: name("A"),
        contact: Contact::default(),
        time_zone: None,
        status: AgentStatus::Active,
        consents: Consents::default(),
        version: Version::FIRST,
    };
    ledger.put_agents(&by, &[row], PutRule::Create).await.unwrap();
    let from = "2026-01-01".parse().unwrap();
    let assignment = NewAssignment { agent, from, to: None, team, branch, expected: None };
    ledger.assign(&by, &[assignment]).await.unwrap();
    record(
        ledger,
        &[
            sale("1", Some("AGT001"), "Junior", 50_000, "2026-05-04"),
            sale("2", Some("AGT001"), "Junior", -12_000, "2026-05-11"),
            sale("3", Some("AGT001"), "Junior", 40_000, "2026-05-18"),
            sale("4", None, "Junior", 8_000, "2026-05-31"),
        ],
    )
    .await;
}

/// A folder with that ledger.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    now(async { fill(&open(folder.path()).await).await });
    folder
}

/// Says something about a sale of that ledger.
pub(crate) fn tell(folder: &Path, messages: &[SaleMessage]) {
    now(async { record(&open(folder).await, messages).await });
}
