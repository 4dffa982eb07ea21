//! What aggregation runs cost by how much has changed, for `cargo xtask measure-incremental`:
//! `incremental_yardsticks SERVER_URL SALES` puts a generated history of so many sales through a ledger, with its warehouse
//! beside it in the same database, and prints one line of microseconds, each the median of some runs: a full run, a run after
//! 1,000 new sales on three days, and a run with nothing to do.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement for people at a terminal"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use moon_aggregate::{Aggregation, RunCommand, RunOptions, Silent};
use moon_benches::history;
use moon_core::{
    Actor, AgentCode, Amount, BusinessDate, Ledger, LedgerOptions, MessageBody, PAGE_LIMIT_MAX, PageRequest,
    ProductCode, RevisionRule, RunKind, SaleContent, SaleKey, SaleKind, SaleMessage, Store, Warehouse,
};
use moon_datagen::populate;
use moon_settings::GrowingPause;
use moon_store_mysql::{MysqlOptions, MysqlStore, MysqlWarehouse};
use moon_store_postgres::{PostgresStore, PostgresWarehouse};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder};
use tokio_postgres::NoTls;

/// How often filling tells where it stands, in sales.
const TELL_EVERY: u64 = 500_000;

const NEW_SALES: u64 = 1_000;

/// The days of the new sales, counted back from the end of the history: in three months.
const DAYS_BACK: [i32; 3] = [1, 40, 400];

const FULL_RUNS: usize = 3;
const INCREMENTAL_RUNS: u64 = 5;
const IDLE_RUNS: usize = 11;

const DATABASE: &str = "moon_measure";

/// Makes a database and opens store and warehouse in it.
async fn open(server: &str) -> (Arc<dyn Store>, Arc<dyn Warehouse>) {
    let currency = LedgerOptions::default().currency.unwrap_or("LKR".parse().unwrap());
    if server.starts_with("mysql") {
        let url = format!("{server}{DATABASE}");
        statement(server, &format!("CREATE DATABASE {DATABASE}")).await;
        let options = MysqlOptions::default().statement_timeout(Duration::from_secs(600));
        let store = MysqlStore::connect_with(&url, &options).await.unwrap();
        return (Arc::new(store), Arc::new(MysqlWarehouse::connect(&url, currency).await.unwrap()));
    }
    let store = PostgresStore::connect(server).await.unwrap();
    (Arc::new(store), Arc::new(PostgresWarehouse::connect(server, currency).await.unwrap()))
}

/// Runs a statement on the server.
async fn statement(url: &str, sql: &str) {
    if url.starts_with("mysql") {
        let options = OptsBuilder::from_opts(Opts::from_url(url).unwrap()).prefer_socket(false);
        let mut conn = Conn::new(options).await.unwrap();
        conn.query_drop(sql).await.unwrap();
        conn.disconnect().await.unwrap();
    } else {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
    }
}

async fn fill(ledger: &Ledger, server: &str, sales: u64) {
    let began = Instant::now();
    let mut next = TELL_EVERY;
    let plan = history(sales);
    let filled = populate(ledger, &plan, |progress| {
        if progress.sales >= next {
            next += TELL_EVERY;
            eprintln!("  {} of {sales} sales after {} s", progress.sales, began.elapsed().as_secs());
        }
    });
    filled.await.unwrap();
    // As the server does by itself after a while.
    if server.starts_with("mysql") {
        let url = format!("{server}{DATABASE}");
        statement(&url, "ANALYZE TABLE ledger_sales, ledger_adjustments").await;
    } else {
        statement(server, "VACUUM ANALYZE").await;
    }
}

/// New sales of all agents and products.
struct Seller {
    agents: Vec<AgentCode>,
    products: Vec<ProductCode>,
    days: Vec<BusinessDate>,
}

impl Seller {
    async fn new(ledger: &Ledger, sales: u64) -> Self {
        let mut unit = ledger.snapshot().await.unwrap();
        let page = PageRequest::first(PAGE_LIMIT_MAX);
        let agents = unit.agents().list(&page).await.unwrap().items.into_iter().map(|agent| agent.code).collect();
        let products = unit.products().list(&page).await.unwrap().items.into_iter().map(|found| found.code).collect();
        let plan = history(sales);
        let end = plan.first_day.epoch_day() + i32::try_from(plan.days).unwrap();
        let days = DAYS_BACK.into_iter().map(|back| BusinessDate::from_epoch_day(end - back).unwrap()).collect();
        Self { agents, products, days }
    }

    async fn sell(&self, ledger: &Ledger, round: u64) {
        let messages: Vec<_> = (0..NEW_SALES).map(|number| self.message(round, number)).collect();
        let report = ledger.record_sales(&Actor::new("measure").unwrap(), &messages).await.unwrap();
        assert_eq!(report.counts().rejected, 0, "new sales are taken");
    }

    fn message(&self, round: u64, number: u64) -> SaleMessage {
        let place = |length: usize, step: u64| usize::try_from(number * step).unwrap() % length;
        let content = SaleContent {
            agent: self.agents.get(place(self.agents.len(), 7)).cloned(),
            product: self.products.get(place(self.products.len(), 3)).cloned().unwrap(),
            amount: Amount::from_minor(i64::try_from(number * 131 % 90_000).unwrap()).unwrap(),
            date: self.days.get(place(self.days.len(), 1)).copied().unwrap(),
            kind: SaleKind::NewBusiness,
            policy_number: None,
            team: None,
            branch: None,
        };
        let key = SaleKey::new("measure", &format!("{round}-{number}")).unwrap();
        SaleMessage { key, revision: RevisionRule::Next, body: MessageBody::Content(content), entry: None }
    }
}

/// One run, and how long it took.
async fn timed(aggregation: &Aggregation, command: &RunCommand, kind: RunKind) -> Duration {
    let began = Instant::now();
    let report = aggregation.run(command, &RunOptions::default(), &Silent).await.unwrap();
    let took = began.elapsed();
    assert_eq!(report.record.kind, kind);
    eprintln!("  {} run, {} rows read: {} us", kind.name(), report.record.rows_read, took.as_micros());
    took
}

fn median(mut times: Vec<Duration>) -> u128 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default().as_micros()
}

async fn measure(server: &str, sales: u64) {
    let (store, warehouse) = open(server).await;
    store.migrate().await.unwrap();
    warehouse.migrate().await.unwrap();
    let ledger = Ledger::open(store, &LedgerOptions::default()).await.unwrap().with_pause(Arc::new(GrowingPause));
    fill(&ledger, server, sales).await;
    let aggregation = Aggregation::new(ledger.clone(), warehouse);
    // The first one finds an empty warehouse and cold caches.
    timed(&aggregation, &RunCommand::full(), RunKind::Full).await;
    let mut full = Vec::new();
    for _ in 0..FULL_RUNS {
        full.push(timed(&aggregation, &RunCommand::full(), RunKind::Full).await);
    }
    let seller = Seller::new(&ledger, sales).await;
    let mut incremental = Vec::new();
    for round in 0..INCREMENTAL_RUNS {
        seller.sell(&ledger, round).await;
        incremental.push(timed(&aggregation, &RunCommand::incremental(), RunKind::Incremental).await);
    }
    let mut idle = Vec::new();
    for _ in 0..IDLE_RUNS {
        idle.push(timed(&aggregation, &RunCommand::incremental(), RunKind::Incremental).await);
    }
    println!("{} {} {}", median(full), median(incremental), median(idle));
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [server, sales] => measure(server, sales.parse().unwrap()).await,
        _ => panic!("usage: incremental_yardsticks SERVER_URL SALES"),
    }
}
