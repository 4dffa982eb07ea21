//! A ledger that is corrected, and the program that publishes its figures.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use moon_core::{
    Actor, Amount, AssignOutcome, LifeMessage, MessageBody, NewAssignment, NewTarget, PutRule, RevisionRule,
    SaleContent, SaleKey, SaleMessage, Store, TargetKey, TargetOutcome, TargetScope, TxMode, Version,
};
use moon_store_mysql::MysqlStore;
use moon_store_sqlite::SqliteStore;
use serde_json::Value;

use crate::common::{aggregator, json, sums};
use crate::import::{import, ledger};
use crate::servers::{Database, Server};

/// Where ledger and figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Both in one file.
    Sqlite,
    /// From MariaDB to PostgreSQL.
    Servers,
}

/// A folder in which the program runs, and the ledger that it reads.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    ledger: moon_core::Ledger,
    source: &'static str,
    // They vanish with the desk.
    figures: Option<Database>,
    _store: Option<Database>,
}

pub(crate) fn actor() -> Actor {
    Actor::new("test").unwrap()
}

/// An amount of the smaller unit.
pub(crate) fn minor(minor: i64) -> Amount {
    Amount::from_minor(minor).unwrap()
}

/// A cancellation; without an amount, of all that remains.
pub(crate) fn cancel(date: &str, amount: Option<i64>) -> LifeMessage {
    LifeMessage::Cancel { date: date.parse().unwrap(), amount: amount.map(minor) }
}

pub(crate) fn reinstate(date: &str) -> LifeMessage {
    LifeMessage::Reinstate { date: date.parse().unwrap() }
}

impl Desk {
    /// A ledger with these files; `None` if tests with a server are left out.
    pub(crate) async fn new(
        way: Way,
        source: &'static str,
        currency: &str,
        data: &Path,
        files: &[(&str, &str)],
    ) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (mut figures, mut database) = (None, None);
        let mut settings = format!("currency = {currency:?}\n");
        let store: Arc<dyn Store> = match way {
            Way::Sqlite => {
                let file = folder.path().join("moon.db");
                Arc::new(SqliteStore::connect(&format!("sqlite:{}", file.display())).await.unwrap())
            }
            Way::Servers => {
                if Server::Mysql.skipped() || Server::Postgres.skipped() {
                    return None;
                }
                let ledger = database.insert(Database::create(Server::Mysql).await);
                let warehouse = figures.insert(Database::create(Server::Postgres).await);
                let (store_url, warehouse_url) = (ledger.url(), warehouse.url());
                settings.push_str(&format!("store_url = {store_url:?}\nwarehouse_url = {warehouse_url:?}\n"));
                Arc::new(MysqlStore::connect(&store_url).await.unwrap())
            }
        };
        fs::write(folder.path().join("moon.toml"), settings).unwrap();
        let ledger = ledger(store, currency).await;
        import(&ledger, data, files).await;
        Some(Self { folder, ledger, source, figures, _store: database })
    }

    fn program(&self, args: &[&str]) -> Value {
        json(&aggregator(self.folder.path(), &[args, &["--format", "json"]].concat()))
    }

    /// Runs the job; the key figures of a period.
    pub(crate) fn run(&self, period: &str, basis: &str) -> Value {
        self.program(&["run", "--period", period, "--basis", basis])
    }

    /// After the corrections: an incremental run, which is checked to be one, and to publish what a full one does.
    pub(crate) async fn run_after(&self) -> Value {
        let after = self.run("all", "net");
        let status = self.program(&["status", "--runs", "1"]);
        assert_eq!(status["runs"][0]["kind"], "incremental", "{status}");
        assert_eq!(status["runs"][0]["run_id"], after["run"]["run_id"]);
        check_law(&after);
        let verified = self.program(&["verify"]);
        assert_eq!((&verified["wrong"], &verified["pending"]), (&0.into(), &0.into()), "{verified}");
        let full = self.program(&["run", "--full"]);
        for figure in ["teams", "branches", "products", "control"] {
            assert_eq!(full[figure], after[figure], "{figure}");
        }
        after
    }

    /// What dashboards see by a view of a server.
    pub(crate) async fn check_view(&self, view: &str, code: &str, expected: &[(&str, &str)]) {
        let Some(database) = &self.figures else { return };
        let mut seen = database.rows(&format!("SELECT {code}, CAST(total_sales AS NUMERIC(38, 2)) FROM {view}")).await;
        seen.sort();
        let expected: Vec<_> = expected.iter().map(|(code, total)| ((*code).to_owned(), (*total).to_owned())).collect();
        assert_eq!(seen, expected, "{view}");
    }

    fn key(&self, reference: &str) -> SaleKey {
        SaleKey::new(self.source, reference).unwrap()
    }

    /// Says something about a sale.
    pub(crate) async fn tell(&self, reference: &str, body: MessageBody) {
        let message = SaleMessage { key: self.key(reference), revision: RevisionRule::Next, body, entry: None };
        let counts = self.ledger.record_sales(&actor(), &[message]).await.unwrap().counts();
        assert_eq!(counts.recorded + counts.corrections + counts.life, 1, "{reference}: {counts:?}");
    }

    /// Cancels, reinstates or voids a sale.
    pub(crate) async fn live(&self, reference: &str, life: LifeMessage) {
        self.tell(reference, MessageBody::Life(life)).await;
    }

    /// Corrects what a sale says.
    pub(crate) async fn correct(&self, reference: &str, change: impl FnOnce(&mut SaleContent)) {
        let mut unit = self.ledger.store().begin(TxMode::ReadOnly).await.unwrap();
        let mut found = unit.sales().find(&[self.key(reference)]).await.unwrap();
        unit.rollback().await.unwrap();
        let mut content = found.remove(0).unwrap_or_else(|| panic!("no sale {reference}")).content;
        change(&mut content);
        self.tell(reference, MessageBody::Content(content)).await;
    }

    /// Enters that an agent has moved long ago; how many sales go with it.
    pub(crate) async fn assign(&self, agent: &str, from: &str, team: &str, branch: &str) -> u64 {
        let (agent, from) = (agent.parse().unwrap(), from.parse().unwrap());
        let (team, branch) = (team.parse().unwrap(), branch.parse().unwrap());
        let late = NewAssignment { agent, from, to: None, team, branch, expected: None };
        let outcomes: Vec<AssignOutcome> = self.ledger.assign(&actor(), &[late]).await.unwrap();
        outcomes[0].moved()
    }

    /// Sets a target of a product, or corrects its first version.
    pub(crate) async fn target(&self, product: &str, period: &str, amount: i64, expected: Option<Version>) {
        let period = self.ledger.settings().calendar.parse(period).unwrap();
        let key = TargetKey { product: Some(product.parse().unwrap()), scope: TargetScope::Ledger, period };
        let target = NewTarget { key, from: None, amount: minor(amount), expected };
        let outcome = self.ledger.set_targets(&actor(), &[target]).await.unwrap();
        let wanted = if expected.is_some() { TargetOutcome::Corrected } else { TargetOutcome::Set };
        assert_eq!(outcome, [wanted]);
    }

    /// Gives a product another name.
    pub(crate) async fn rename(&self, product: &str, name: &str) {
        let mut unit = self.ledger.store().begin(TxMode::ReadOnly).await.unwrap();
        let mut found = unit.products().find(&[product.parse().unwrap()]).await.unwrap();
        unit.rollback().await.unwrap();
        let mut row = found.remove(0).unwrap();
        row.name = moon_core::Name::new("name", name).unwrap();
        self.ledger.put_products(&actor(), &[row], PutRule::Replace).await.unwrap();
    }
}

/// By team, by branch and by product the same amount and count as in all.
pub(crate) fn check_law(report: &Value) {
    let control = sums(&report["control"]);
    for figure in ["teams", "branches", "products"] {
        let rows = report[figure].as_array().unwrap();
        let sum = rows.iter().map(sums).fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        assert_eq!(sum, control, "{figure}");
    }
}
