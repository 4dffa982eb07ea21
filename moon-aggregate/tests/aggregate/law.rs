//! The law of incremental runs: after any history of writes and runs, the warehouse shows what a full run shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use moon_aggregate::{RunCommand, Silent, VerifyOptions};
use moon_core::{
    AgentCell, Amount, Cell, Clock as _, DayRange, Dimension, Figures, Granularity, KpiQuery, LifeMessage, MessageBody,
    Name, NewAssignment, NewTarget, Period, Product, ProductMetrics, Published, PutRule, TargetKey, TargetScope, Team,
    Warehouse,
};
use moon_store_memory::MemoryWarehouse;
use moon_testkit::rounds;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use crate::common::{Fixture, Way, actor, agent_figures, code, day, life, memory, sale, sqlite};

/// Days on which things happen: few, so that they meet, and in several months.
const DAYS: [&str; 9] = [
    "2025-12-31",
    "2026-01-01",
    "2026-01-15",
    "2026-01-31",
    "2026-02-01",
    "2026-02-28",
    "2026-03-01",
    "2026-03-10",
    "2026-05-31",
];
const SALES: [&str; 6] = ["S1", "S2", "S3", "S4", "S5", "S6"];
const PERIODS: [&str; 7] = ["2025-12", "2026-01", "2026-02", "2026-03", "2026-Q1", "2026", "all"];
const MONTHS: [&str; 3] = ["2025-12", "2026-01", "2026-02"];

#[derive(Debug, Clone)]
enum Step {
    /// Records a sale or corrects it: reference, agent, product, amount, day, team.
    Sale(&'static str, Option<&'static str>, &'static str, i64, &'static str, Option<&'static str>),
    Life(&'static str, LifeMessage),
    /// Agent, first day, team, branch.
    Assign(&'static str, &'static str, &'static str, &'static str),
    /// Product, branch, period, first day, amount.
    Target(&'static str, Option<&'static str>, &'static str, Option<&'static str>, i64),
    RenameProduct(&'static str, u8),
    RenameTeam(&'static str, u8),
    Consent(&'static str, Option<bool>),
    /// Switches figures of agents on, under one of two keys, or off.
    Agents(Option<u8>),
    /// Days by which the clock is moved on.
    Wait(i64),
    Run(RunCommand),
    /// A run that dies before it publishes, or after.
    Die(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let agent = || select(vec!["AGT001", "AGT002"]);
    let product = || select(vec!["Junior", "Senior"]);
    let date = || select(DAYS.to_vec());
    let place = |codes: [&'static str; 2]| proptest::option::weighted(0.3, select(codes.to_vec()));
    let minor = || prop_oneof![4 => 1_i64..500, 1 => Just(0), 1 => -200_i64..0];
    let part = proptest::option::weighted(0.5, 1_i64..200);
    let life = prop_oneof![
        4 => (date(), part).prop_map(|(date, part)| LifeMessage::Cancel {
            date: day(date),
            amount: part.map(|minor| Amount::from_minor(minor).unwrap()),
        }),
        2 => date().prop_map(|date| LifeMessage::Reinstate { date: day(date) }),
        2 => Just(LifeMessage::Void),
    ];
    prop_oneof![
        8 => (select(SALES.to_vec()), proptest::option::weighted(0.8, agent()), product(), minor(), date(), place(["Alpha", "Beta"]))
            .prop_map(|(sale, agent, product, minor, date, team)| Step::Sale(sale, agent, product, minor, date, team)),
        5 => (select(SALES.to_vec()), life).prop_map(|(sale, life)| Step::Life(sale, life)),
        2 => (agent(), date(), select(vec!["Alpha", "Beta"]), select(vec!["Colombo", "Kandy"]))
            .prop_map(|(agent, from, team, branch)| Step::Assign(agent, from, team, branch)),
        3 => (product(), place(["Colombo", "Kandy"]), select(PERIODS.to_vec()), proptest::option::of(date()), 0_i64..300)
            .prop_map(|(product, branch, period, from, minor)| Step::Target(product, branch, period, from, minor)),
        1 => (product(), 0..3_u8).prop_map(|(product, name)| Step::RenameProduct(product, name)),
        1 => (select(vec!["Alpha", "Beta"]), 0..3_u8).prop_map(|(team, name)| Step::RenameTeam(team, name)),
        2 => (agent(), any::<Option<bool>>()).prop_map(|(agent, granted)| Step::Consent(agent, granted)),
        1 => proptest::option::weighted(0.8, 1..3_u8).prop_map(Step::Agents),
        2 => (0_i64..50).prop_map(Step::Wait),
        5 => command().prop_map(Step::Run),
        1 => any::<bool>().prop_map(Step::Die),
    ]
}

fn command() -> impl Strategy<Value = RunCommand> {
    let months = || prop::collection::vec(select(MONTHS.to_vec()).prop_map(period), 0..2);
    let range = (select(DAYS.to_vec()), 1..70).prop_map(|(first, days)| {
        let start = day(first).epoch_day();
        RunCommand::range(DayRange::new(start, start + days))
    });
    let mode = prop_oneof![6 => Just(RunCommand::incremental()), 1 => Just(RunCommand::full()), 1 => range];
    (mode, months(), months(), 0..4_u8).prop_map(|(mode, close, reopen, which)| match which {
        0 => RunCommand { close, ..mode },
        1 => RunCommand { close, reopen, ..mode },
        _ => mode,
    })
}

fn period(text: &str) -> Period {
    moon_core::Calendar::default().parse(text).unwrap()
}

async fn play(fixture: &mut Fixture, steps: &[Step]) {
    let by = actor();
    for step in steps {
        let ledger = &fixture.ledger;
        match step.clone() {
            Step::Sale(reference, agent, product, minor, date, team) => {
                let mut message = sale(reference, agent, product, minor, date);
                if let MessageBody::Content(content) = &mut message.body {
                    content.team = team.map(code);
                }
                ledger.record_sales(&by, &[message]).await.unwrap();
            }
            Step::Life(reference, message) => {
                ledger.record_sales(&by, &[life(reference, message)]).await.unwrap();
            }
            Step::Assign(agent, from, team, branch) => {
                let (agent, team, branch) = (code(agent), code(team), code(branch));
                let new = NewAssignment { agent, from: day(from), to: None, team, branch, expected: None };
                // One of this day may be there already.
                let _ = ledger.assign(&by, &[new]).await;
            }
            Step::Target(product, branch, label, from, minor) => {
                let scope = branch.map_or(TargetScope::Ledger, |branch| TargetScope::Branch(code(branch)));
                let key = TargetKey { product: Some(code(product)), scope, period: period(label) };
                let amount = Amount::from_minor(minor).unwrap();
                let target = NewTarget { key, from: from.map(day), amount, expected: None };
                // It may come into force after its period, or be there already.
                let _ = ledger.set_targets(&by, &[target]).await;
            }
            Step::RenameProduct(product, name) => {
                let mut unit = ledger.snapshot().await.unwrap();
                let found: Product = unit.products().find(&[code(product)]).await.unwrap().remove(0).unwrap();
                let renamed = Product { name: Name::new("name", &format!("{product} {name}")).unwrap(), ..found };
                ledger.put_products(&by, &[renamed], PutRule::Replace).await.unwrap();
            }
            Step::RenameTeam(team, name) => {
                let name = Name::new("name", &format!("{team} {name}")).unwrap();
                let mut unit = ledger.snapshot().await.unwrap();
                let found: Team = unit.organisation().find_teams(&[code(team)]).await.unwrap().remove(0).unwrap();
                ledger.put_teams(&by, &[Team { name, ..found }], PutRule::Replace).await.unwrap();
            }
            Step::Consent(agent, granted) => fixture.consent(agent, granted).await,
            Step::Agents(key) => fixture.agents = key.map(agent_figures),
            Step::Wait(days) => fixture.clock.set(fixture.clock.now() + TimeDelta::days(days)),
            Step::Run(command) => {
                // A month that has not ended cannot be closed; few sales make great changes.
                let _ = fixture.insist(&command).await.map_err(|error| {
                    assert!(error.to_string().contains("cannot be closed"), "{error}");
                });
            }
            Step::Die(published) => fixture.die(published).await,
        }
    }
}

/// Everything that a warehouse shows, but for the run behind it.
async fn shown(warehouse: &dyn Warehouse) -> (Published, Vec<Cell>, Vec<ProductMetrics>, Vec<AgentCell>) {
    let published = warehouse.read(DayRange::ALL).await.unwrap();
    let cells = warehouse.cells(DayRange::ALL).await.unwrap();
    let metrics = warehouse.product_metrics(DayRange::ALL).await.unwrap();
    let agents = warehouse.agent_cells(DayRange::ALL).await.unwrap();
    (Published { run: None, ..published }, cells, metrics, agents)
}

/// Figures of agents add up to those of teams, month by month; where they are switched off there are none.
fn check_agents(fixture: &Fixture, cells: &[Cell], agents: &[AgentCell]) {
    let mut expected: BTreeMap<_, Figures> = BTreeMap::new();
    if fixture.agents.is_some() {
        for cell in cells.iter().filter(|cell| cell.dimension == Dimension::Team) {
            let month = moon_core::Calendar::default().period_of(Granularity::Month, cell.day).days().first().unwrap();
            let sum = expected.entry(month).or_default();
            *sum = sum.plus(cell.figures).unwrap();
        }
    }
    let mut found: BTreeMap<_, Figures> = BTreeMap::new();
    for cell in agents {
        let sum = found.entry(cell.month).or_default();
        *sum = sum.plus(cell.figures).unwrap();
    }
    assert_eq!(found, expected);
}

/// What a closing froze, and what was restated since, make up what is shown today.
async fn check_closings(warehouse: &dyn Warehouse) {
    let closings = warehouse.closings().await.unwrap();
    for closing in closings.into_iter().filter(moon_core::Closing::is_standing) {
        type Key = (Dimension, moon_core::BusinessDate, Arc<str>);
        let by_key = |cells: Vec<Cell>| -> BTreeMap<Key, Figures> {
            let cells = cells.into_iter().filter(|cell| cell.figures != Figures::default());
            cells.map(|cell| ((cell.dimension, cell.day, cell.code), cell.figures)).collect()
        };
        let mut cells = by_key(warehouse.closed_cells(closing.period, closing.closed_by.id).await.unwrap());
        let since = warehouse.restatements(closing.period.days()).await.unwrap().into_iter();
        for restated in since.filter(|restated| restated.run > closing.closed_by) {
            let key = (restated.dimension, restated.day, restated.code);
            assert_eq!(cells.remove(&key).unwrap_or_default(), restated.before, "{key:?}");
            if restated.after != Figures::default() {
                cells.insert(key, restated.after);
            }
        }
        assert_eq!(cells, by_key(warehouse.cells(closing.period.days()).await.unwrap()), "{closing:?}");
    }
}

async fn holds(mut fixture: Fixture, steps: &[Step]) {
    fixture.clock.set("2026-01-20T06:30:00Z".parse().unwrap());
    play(&mut fixture, steps).await;
    fixture.wait();
    fixture.insist(&RunCommand::incremental()).await.unwrap();
    // Marks that came after a run had died may stay open: the one that repeats it does not settle them.
    assert_eq!(fixture.marks().await.claimed, 0);
    check_closings(fixture.warehouse.as_ref()).await;
    let would_change = fixture.aggregation().preview(&RunCommand::full(), &Silent).await.unwrap();
    assert!(would_change.is_empty(), "{would_change:#?}");
    let verified = fixture.aggregation().verify(&VerifyOptions::default(), &Silent).await.unwrap();
    assert!(verified.agents_compared && verified.differences.is_empty(), "{verified:#?}");
    let incremental = shown(fixture.warehouse.as_ref()).await;
    check_agents(&fixture, &incremental.1, &incremental.3);

    let fresh = Arc::new(MemoryWarehouse::new(fixture.ledger.settings().currency));
    let again = fixture.aggregation_into(Arc::<MemoryWarehouse>::clone(&fresh));
    again.run(&RunCommand::incremental(), &Default::default(), &Silent).await.unwrap();
    let full = shown(fresh.as_ref()).await;
    assert_eq!(incremental, full);
    // And both show what the ledger itself tells.
    let query = KpiQuery { as_of: fixture.ledger.today().unwrap(), ..fixture.query("all", moon_core::Basis::Net) };
    let mut report = fixture.aggregation().report(&query).await.unwrap();
    report.run = None;
    assert_eq!(report, fixture.ledger.key_figures(&query, &Default::default()).await.unwrap());
}

fn check(cases: u32, fixture: impl AsyncFn() -> Fixture) {
    let config =
        Config { cases: rounds::cases(cases), max_shrink_iters: 2_000, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rounds::histories());
    let steps = prop::collection::vec(step(), 1..40);
    let outcome = runner.run(&steps, |steps| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { holds(fixture().await.with_masters().await, &steps).await });
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

#[test]
fn incremental_equals_full_in_memory() {
    check(250, memory);
}

#[test]
fn incremental_equals_full_on_sqlite() {
    check(10, sqlite);
}

/// The same on servers, with few histories, as each of them takes databases of its own.
fn check_on(way: Way) {
    if !way.skipped() {
        check(8, async || way.fixture().await);
    }
}

#[test]
fn incremental_equals_full_on_postgres() {
    check_on(Way::Postgres);
}

#[test]
fn incremental_equals_full_on_mysql() {
    check_on(Way::Mysql);
}

#[test]
fn incremental_equals_full_from_mysql_to_postgres() {
    check_on(Way::MysqlToPostgres);
}
