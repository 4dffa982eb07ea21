//! Ledgers to aggregate, and warehouses that misbehave.

mod faulty;
mod server;
mod warehouse;

use std::sync::Arc;

use chrono::{DateTime, Utc};
pub(crate) use faulty::FaultyWarehouse;
use moon_aggregate::{AgentFigures, Aggregation, PseudonymKey, RunCommand, RunOptions, RunReport, Silent};
use moon_core::{
    Actor, Agent, AgentStatus, Amount, Basis, Branch, BusinessDate, Clock as _, Code, CodeKind, Consent, Consents,
    Contact, DayRange, FixedClock, KpiQuery, Ledger, LedgerOptions, LifeMessage, Lock, MarkCounts, MessageBody, Name,
    NewAssignment, NewTarget, Product, Published, PutRule, Result, RevisionRule, SaleContent, SaleKey, SaleKind,
    SaleMessage, Store, SystemIdGenerator, TargetKey, TargetScope, Team, Text, Version, Warehouse,
};
use moon_store_memory::{MemoryStore, MemoryWarehouse};
use moon_store_sqlite::{SqliteStore, SqliteWarehouse};
pub(crate) use server::{Way, everywhere};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
pub(crate) use warehouse::{Trick, Tricky};

use crate::servers::Database;

/// A ledger with its warehouse on some backend.
pub(crate) struct Fixture {
    pub(crate) backend: &'static str,
    pub(crate) ledger: Ledger,
    pub(crate) warehouse: Arc<dyn Warehouse>,
    pub(crate) clock: Arc<FixedClock>,
    /// Whether runs publish figures of agents, and how.
    pub(crate) agents: Option<AgentFigures>,
    /// Where the SQLite file `moon.db` is.
    pub(crate) folder: Option<tempfile::TempDir>,
    // Those on servers, which vanish with it.
    _databases: Vec<Database>,
}

pub(crate) fn day(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

pub(crate) fn code<K: CodeKind>(text: &str) -> Code<K> {
    Code::new(text).unwrap()
}

/// Figures of agents under one of many keys.
pub(crate) fn agent_figures(key: u8) -> AgentFigures {
    AgentFigures { key: PseudonymKey::new(&[key; 32]).unwrap() }
}

pub(crate) fn actor() -> Actor {
    Actor::new("test").unwrap()
}

/// Every backend, each empty, at noon of 2026-06-15 in Colombo.
pub(crate) async fn fixtures() -> Vec<Fixture> {
    vec![memory().await, sqlite().await]
}

pub(crate) async fn memory() -> Fixture {
    fixture("memory", Arc::new(MemoryStore::new()), Arc::new(MemoryWarehouse::new("LKR".parse().unwrap())), None).await
}

pub(crate) async fn sqlite() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("moon.db").display());
    let store = SqliteStore::connect(&url).await.unwrap();
    let warehouse = SqliteWarehouse::connect(&url, "LKR".parse().unwrap()).await.unwrap();
    fixture("sqlite", Arc::new(store), Arc::new(warehouse), Some(folder)).await
}

async fn fixture(
    backend: &'static str,
    store: Arc<dyn Store>,
    warehouse: Arc<dyn Warehouse>,
    folder: Option<tempfile::TempDir>,
) -> Fixture {
    let noon: DateTime<Utc> = "2026-06-15T06:30:00Z".parse().unwrap();
    store.migrate().await.unwrap();
    warehouse.migrate().await.unwrap();
    let ids = Arc::new(SystemIdGenerator::default());
    let clock = Arc::new(FixedClock::new(noon));
    let ledger =
        Ledger::open_with(store, &LedgerOptions::default(), Arc::<FixedClock>::clone(&clock), ids).await.unwrap();
    Fixture { backend, ledger, warehouse, clock, agents: None, folder, _databases: Vec::new() }
}

impl Fixture {
    pub(crate) fn aggregation(&self) -> Aggregation {
        self.aggregation_into(Arc::clone(&self.warehouse))
    }

    /// The same job into another warehouse.
    pub(crate) fn aggregation_into(&self, warehouse: Arc<dyn Warehouse>) -> Aggregation {
        let aggregation = Aggregation::new(self.ledger.clone(), warehouse);
        match self.agents.clone() {
            Some(figures) => aggregation.with_agent_figures(figures),
            None => aggregation,
        }
    }

    /// An agent says whether its figures may appear in statistics, or that it was never asked.
    pub(crate) async fn consent(&self, agent: &str, granted: Option<bool>) {
        let mut unit = self.ledger.snapshot().await.unwrap();
        let found = unit.agents().find(&[code(agent)], Lock::None).await.unwrap().remove(0).unwrap();
        drop(unit);
        let consent = |granted| Consent { granted, at: self.clock.now(), how: Text::new("how", "portal").unwrap() };
        let consents = Consents { performance_analytics: granted.map(consent), ..found.consents.clone() };
        self.ledger.put_agents(&actor(), &[Agent { consents, ..found }], PutRule::Replace).await.unwrap();
    }

    /// A run over what changed.
    pub(crate) async fn run(&self) -> Result<RunReport> {
        self.run_as(&RunCommand::incremental()).await
    }

    pub(crate) async fn run_as(&self, command: &RunCommand) -> Result<RunReport> {
        self.aggregation().run(command, &RunOptions::default(), &Silent).await
    }

    /// A run of a caller who insists.
    pub(crate) async fn insist(&self, command: &RunCommand) -> Result<RunReport> {
        let options = RunOptions { allow_shrink: true, ..RunOptions::default() };
        self.aggregation().run(command, &options, &Silent).await
    }

    /// A run whose process dies before it publishes or right after.
    pub(crate) async fn die(&self, published: bool) {
        let trick = if published { Trick::DieAfterPublishing } else { Trick::DieBeforePublishing };
        let tricky = Tricky::new(Arc::clone(&self.warehouse), [trick]);
        let options = RunOptions { allow_shrink: true, ..RunOptions::default() };
        let aggregation = self.aggregation_into(Arc::<Tricky>::clone(&tricky));
        let died = aggregation.run(&RunCommand::incremental(), &options, &Silent).await.unwrap_err();
        assert_eq!(died.kind(), moon_core::ErrorKind::Backend, "{died}");
    }

    /// Lets the lease of whoever died expire.
    pub(crate) fn wait(&self) {
        self.clock.set(self.clock.now() + RunOptions::default().lease);
    }

    /// The same ledger over another store.
    pub(crate) async fn over(&self, store: Arc<dyn Store>) -> Ledger {
        let ids = Arc::new(SystemIdGenerator::default());
        Ledger::open_with(store, &LedgerOptions::default(), Arc::<FixedClock>::clone(&self.clock), ids).await.unwrap()
    }

    /// Two agents, two teams, two branches, and two products.
    pub(crate) async fn with_masters(self) -> Self {
        let by = actor();
        let name = |text: &str| Name::new("name", text).unwrap();
        let team = |text: &str| Team { code: code(text), name: name(text), version: Version::FIRST };
        let branch = |text: &str, region: &str| Branch {
            code: code(text),
            name: name(text),
            region: Some(Text::new("region", region).unwrap()),
            version: Version::FIRST,
        };
        let product = |text: &str| Product {
            code: code(text),
            name: name(text),
            line: None,
            free_look_days: None,
            version: Version::FIRST,
        };
        let agent = |text: &str| Agent {
            code: code(text),
            name: name(text),
            contact: Contact::default(),
            time_zone: None,
            status: AgentStatus::Active,
            consents: Consents::default(),
            version: Version::FIRST,
        };
        let place = |agent: &str, from: &str, team: &str, branch: &str| NewAssignment {
            agent: code(agent),
            from: day(from),
            to: None,
            team: code(team),
            branch: code(branch),
            expected: None,
        };
        let ledger = &self.ledger;
        ledger.put_teams(&by, &[team("Alpha"), team("Beta")], PutRule::Create).await.unwrap();
        let branches = [branch("Colombo", "West"), branch("Kandy", "Centre")];
        ledger.put_branches(&by, &branches, PutRule::Create).await.unwrap();
        ledger.put_products(&by, &[product("Junior"), product("Senior")], PutRule::Create).await.unwrap();
        ledger.put_agents(&by, &[agent("AGT001"), agent("AGT002")], PutRule::Create).await.unwrap();
        let places =
            [place("AGT001", "2025-01-01", "Alpha", "Colombo"), place("AGT002", "2025-01-01", "Beta", "Kandy")];
        ledger.assign(&by, &places).await.unwrap();
        self
    }

    /// The SQLite file behind it, past the library.
    pub(crate) async fn pool(&self) -> SqlitePool {
        let file = self.folder.as_ref().unwrap().path().join("moon.db");
        SqlitePool::connect_with(SqliteConnectOptions::new().filename(file).foreign_keys(false)).await.unwrap()
    }

    /// All of that, a target for March for each product, and six sales.
    pub(crate) async fn filled(self) -> Self {
        let filled = self.with_masters().await;
        let target = |product: &str, amount: i64| NewTarget {
            key: TargetKey {
                product: Some(code(product)),
                scope: TargetScope::Ledger,
                period: filled.ledger.settings().calendar.parse("2026-03").unwrap(),
            },
            from: None,
            amount: Amount::from_minor(amount).unwrap(),
            expected: None,
        };
        filled.ledger.set_targets(&actor(), &[target("Junior", 10_000), target("Senior", 5000)]).await.unwrap();
        filled
            .record(&[
                sale("1", Some("AGT001"), "Junior", 10_000, "2026-03-01"),
                sale("2", Some("AGT002"), "Junior", 4000, "2026-03-31"),
                sale("3", Some("AGT002"), "Senior", -750, "2026-02-10"),
                sale("4", None, "Senior", 1234, "2025-03-20"),
                sale("5", Some("AGT001"), "Senior", 0, "2026-04-05"),
                sale("6", Some("AGT001"), "Junior", 6000, "2026-04-05"),
                life(
                    "6",
                    LifeMessage::Cancel { date: day("2026-05-02"), amount: Some(Amount::from_minor(2000).unwrap()) },
                ),
            ])
            .await;
        filled
    }

    pub(crate) async fn record(&self, messages: &[SaleMessage]) {
        let report = self.ledger.record_sales(&actor(), messages).await.unwrap();
        let counts = report.counts();
        assert_eq!((counts.rejected, counts.conflicts), (0, 0), "{:?}", report.outcomes);
    }

    /// Everything that readers see but for the run.
    pub(crate) async fn seen(&self) -> Published {
        Published { run: None, ..self.warehouse.read(DayRange::ALL).await.unwrap() }
    }

    pub(crate) async fn marks(&self) -> MarkCounts {
        let mut unit = self.ledger.snapshot().await.unwrap();
        unit.marks().counts().await.unwrap()
    }

    pub(crate) fn query(&self, period: &str, basis: Basis) -> KpiQuery {
        let period = self.ledger.settings().calendar.parse(period).unwrap();
        KpiQuery { period, basis, as_of: day("2026-06-15"), to_date: false, with_year_before: false }
    }

    /// The codes with their total and count, of teams, branches and products.
    pub(crate) async fn totals(&self, period: &str, basis: Basis) -> [Vec<(String, i128, i64)>; 3] {
        let report = self.aggregation().report(&self.query(period, basis)).await.unwrap();
        let row = |code: &Arc<str>, total: moon_core::Sum| (code.to_string(), total.minor, total.count);
        [
            report.teams.iter().map(|team| row(&team.team, team.total)).collect(),
            report.branches.iter().map(|branch| row(&branch.branch, branch.total)).collect(),
            report.products.iter().map(|product| row(&product.product, product.total)).collect(),
        ]
    }
}

pub(crate) fn sale(reference: &str, agent: Option<&str>, product: &str, minor: i64, date: &str) -> SaleMessage {
    message(
        reference,
        MessageBody::Content(SaleContent {
            agent: agent.map(code),
            product: code(product),
            amount: Amount::from_minor(minor).unwrap(),
            date: day(date),
            kind: SaleKind::NewBusiness,
            policy_number: None,
            team: None,
            branch: None,
        }),
    )
}

pub(crate) fn life(reference: &str, message_: LifeMessage) -> SaleMessage {
    message(reference, MessageBody::Life(message_))
}

fn message(reference: &str, body: MessageBody) -> SaleMessage {
    SaleMessage { key: SaleKey::new("test", reference).unwrap(), revision: RevisionRule::Next, body, entry: None }
}

/// Rows as [`Fixture::totals`] gives them.
pub(crate) fn rows(rows: &[(&str, i128, i64)]) -> Vec<(String, i128, i64)> {
    rows.iter().map(|(code, minor, count)| ((*code).to_owned(), *minor, *count)).collect()
}
