//! A ledger on one server, its figures on another, and a folder in which the program runs over both.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use moon_aggregate::{Aggregation, Silent, VerifyOptions};
use moon_core::{Ledger, LedgerOptions, Mark, RecordKey, Warehouse};
use moon_settings::GrowingPause;
use moon_store_postgres::PostgresWarehouse;
use moon_testkit::builders::{currency, reading};

use crate::figures::{self, State};
use crate::program::Program;
use crate::servers::{Database, Server};
use crate::store::open_store;

/// A lease that a test can wait for.
pub(crate) const LEASE: &str = "1s";

/// Everything that a test works on.
pub(crate) struct World {
    pub(crate) desk: tempfile::TempDir,
    /// The ledger's tables.
    pub(crate) source: Database,
    pub(crate) figures_url: String,
    /// The library over both, in the test's own process.
    pub(crate) aggregation: Aggregation,
    // It vanishes with the world.
    _figures: Option<Database>,
}

/// The last run that the store knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastRun {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) finished: bool,
}

/// What one snapshot of the store shows about runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) run: Option<LastRun>,
    pub(crate) open: Vec<Mark>,
    /// Those of the unfinished run.
    pub(crate) claimed: Vec<Mark>,
}

impl World {
    /// An empty ledger on a server of the tests and a warehouse on theirs; `None` if tests with one of them are left out.
    pub(crate) async fn new(server: Server) -> Option<Self> {
        if Server::Postgres.skipped() {
            return None;
        }
        let figures = Database::create(Server::Postgres).await;
        let url = figures.url();
        Self::with_figures_at(server, &url, Some(figures)).await
    }

    /// The same with a warehouse on a server of the test's own.
    pub(crate) async fn with_figures_at(server: Server, url: &str, figures: Option<Database>) -> Option<Self> {
        if server.skipped() {
            return None;
        }
        let source = Database::create(server).await;
        let source_url = source.url();
        let store = open_store(server, &source_url).await;
        store.migrate().await.unwrap();
        let options = LedgerOptions { currency: Some(currency()), ..LedgerOptions::default() };
        let ledger = Ledger::open(store, &options).await.unwrap().with_pause(Arc::new(GrowingPause));
        let warehouse: Arc<dyn Warehouse> = Arc::new(PostgresWarehouse::connect(url, currency()).await.unwrap());
        warehouse.migrate().await.unwrap();
        let desk = tempfile::tempdir().unwrap();
        let settings =
            format!("currency = \"{}\"\nstore_url = {source_url:?}\nwarehouse_url = {url:?}\n", currency().code());
        fs::write(desk.path().join("moon.toml"), settings).unwrap();
        Some(Self {
            desk,
            source,
            figures_url: url.to_owned(),
            aggregation: Aggregation::new(ledger, warehouse),
            _figures: figures,
        })
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        self.aggregation.ledger()
    }

    /// Starts the program, with a short lease.
    pub(crate) fn start(&self, args: &[&str]) -> Program {
        Program::start(self.desk.path(), &[args, &["--lease", LEASE]].concat())
    }

    /// Runs the program to its good end, after whatever another one has left.
    pub(crate) async fn run(&self, args: &[&str]) -> Duration {
        let args = [args, &["--wait", "60s"]].concat();
        self.start(&args).succeed().await.took
    }

    /// The state of the ledger as it is now.
    pub(crate) async fn state(&self) -> State {
        figures::state_of(&self.source).await
    }

    /// Every cell is what the source's tables add up to, by SQL and by the library's own recomputation, closed periods too.
    pub(crate) async fn check(&self, told: &str) {
        figures::check(&self.source, &self.figures_url, told).await;
        let found = self.aggregation.verify(&VerifyOptions::default(), &Silent).await.unwrap();
        assert!(found.differences.is_empty(), "{told}: {:?}", found.differences);
    }

    /// No run is left, and no mark.
    pub(crate) async fn check_settled(&self, told: &str) {
        let standing = self.standing().await;
        assert!(standing.run.as_ref().is_some_and(|run| run.finished), "{told}: {standing:?}");
        assert_eq!((standing.open, standing.claimed), (vec![], vec![]), "{told}");
        let status = self.aggregation.status(1).await.unwrap();
        assert_eq!((status.marks.open, status.marks.claimed, status.lease), (0, 0, None), "{told}");
    }

    /// What the store shows about runs, in one snapshot.
    pub(crate) async fn standing(&self) -> Standing {
        let mut unit = reading(self.ledger().store()).await;
        let found = unit.records().get(&RecordKey::new("aggregation", "run")).await.unwrap();
        let run = found.map(|record| LastRun {
            id: record.value["key"]["id"].as_str().unwrap().to_owned(),
            number: record.value["key"]["number"].as_u64().unwrap(),
            finished: record.value["finished"].as_bool().unwrap(),
        });
        let open = unit.marks().open().await.unwrap();
        let claimed = match run.as_ref().filter(|run| !run.finished) {
            Some(run) => unit.marks().claimed(run.id.parse().unwrap()).await.unwrap(),
            None => Vec::new(),
        };
        unit.rollback().await.unwrap();
        Standing { run, open, claimed }
    }
}
