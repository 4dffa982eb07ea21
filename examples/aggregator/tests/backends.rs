//! The same figures on every backend, to the cent: real data imported by one program and aggregated by the other, over
//! database servers.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it cannot do")]

mod common;
mod figures;
mod servers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use common::{aggregator, json};
use figures::{
    AGENCY_PERFORMANCE, MOONINSURANCE, YEARS, check_agency_performance, check_mooninsurance, data, totals, workspace,
};
use serde_json::Value;
use servers::{Database, Server};

/// `integration-service`, built by cargo into the folder of the program under test if it is not there as it should be.
fn integration_service() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_aggregator")).parent().unwrap();
        let profile = folder.file_name().unwrap().to_str().unwrap();
        let profile = if profile == "debug" { "dev" } else { profile };
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "integration-service", "--bin", "integration-service"])
            .args(["--profile", profile, "--target-dir"])
            .arg(folder.parent().unwrap())
            .current_dir(workspace())
            .status()
            .unwrap();
        assert!(status.success(), "integration-service does not build");
        folder.join("integration-service").with_extension(std::env::consts::EXE_EXTENSION)
    })
}

/// A folder with a `moon.toml` for a store and a warehouse, in which the programs run.
struct Desk {
    folder: tempfile::TempDir,
    // Databases vanish with the desk.
    store: Option<Database>,
    warehouse: Option<Database>,
}

impl Desk {
    /// A store on a server, else in an SQLite file, and a warehouse on a server, else in the store's own database; `None` if
    /// tests with one of the servers are left out.
    async fn new(currency: &str, store: Option<Server>, warehouse: Option<Server>) -> Option<Self> {
        if [store, warehouse].into_iter().flatten().any(Server::skipped) {
            return None;
        }
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            store: match store {
                Some(server) => Some(Database::create(server).await),
                None => None,
            },
            warehouse: match warehouse {
                Some(server) => Some(Database::create(server).await),
                None => None,
            },
        };
        let store_url = desk.store.as_ref().map_or("sqlite:moon.db".to_owned(), Database::url);
        let mut settings = format!("currency = {currency:?}\nstore_url = {store_url:?}\n");
        if let Some(database) = &desk.warehouse {
            settings.push_str(&format!("warehouse_url = {:?}\n", database.url()));
        }
        fs::write(desk.folder.path().join("moon.toml"), settings).unwrap();
        Some(desk)
    }

    /// Imports files by the program; the counts of the last one.
    fn import(&self, folder: &Path, files: &[(&str, &str)]) -> Value {
        let mut counts = Value::Null;
        for (file, map) in files {
            let map = workspace().join("examples/integration-service/maps").join(map);
            let output = Command::new(integration_service())
                .arg("import")
                .arg(folder.join(file))
                .arg("--map")
                .arg(map)
                .current_dir(self.folder.path())
                .env_clear()
                .output()
                .unwrap();
            assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
            counts = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(counts["rejected"], 0, "{file}: {counts}");
        }
        counts
    }

    /// Runs the job by the program; its document.
    fn run(&self, period: &str) -> Value {
        json(&aggregator(self.folder.path(), &["run", "--format", "json", "--period", period]))
    }

    /// The database in which the figures are.
    fn figures(&self) -> Option<&Database> {
        self.warehouse.as_ref().or(self.store.as_ref())
    }

    /// What dashboards see by the views is what the program printed.
    async fn check_views(&self, report: &Value) {
        let database = self.figures().unwrap();
        for (figure, code, view) in [
            ("teams", "team", "team_sales_metrics"),
            ("branches", "branch", "branch_sales_metrics"),
            ("products", "product", "product_target_metrics"),
        ] {
            let mut printed: Vec<(String, String)> = totals(report, figure, code)
                .iter()
                .map(|(code, total)| ((*code).to_owned(), format!("{total}00")))
                .collect();
            printed.sort();
            let mut seen = database.rows(&format!("SELECT {code}, total_sales FROM {view}")).await;
            seen.sort();
            // A product without a sale is in the report for its target's sake, and in the view for the same.
            assert_eq!(seen, printed, "{view}");
        }
    }
}

async fn mooninsurance(store: Option<Server>, warehouse: Option<Server>) {
    let Some(folder) = data("mooninsurance") else { return };
    let Some(desk) = Desk::new("LKR", store, warehouse).await else { return };
    assert_eq!(desk.import(&folder, &MOONINSURANCE)["recorded"], 6);
    let report = desk.run("all");
    check_mooninsurance(&report);
    desk.check_views(&report).await;
    // An all-time target serves all time only.
    let march = desk.run("2024-03");
    assert_eq!(totals(&march, "teams", "team")[0], ("Alpha", "270000.00"));
    assert!(march["products"].as_array().unwrap().iter().all(|row| row["status"] == "no_target"));
}

async fn agency_performance(store: Option<Server>, warehouse: Option<Server>) {
    let Some(folder) = data("agency-performance") else { return };
    let Some(desk) = Desk::new("USD", store, warehouse).await else { return };
    assert_eq!(desk.import(&folder, &AGENCY_PERFORMANCE)["recorded"], 5_679);
    let first = desk.run("all");
    check_agency_performance(&first);
    desk.check_views(&first).await;
    for (year, total) in YEARS {
        assert_eq!(desk.run(year)["control"]["total_sales"], total, "{year}");
    }
    // The same file again: known, every row of it, and no figure moves.
    assert_eq!(desk.import(&folder, &AGENCY_PERFORMANCE)["duplicates"], 5_679);
    let again = desk.run("all");
    for figure in ["teams", "branches", "products", "control"] {
        assert_eq!(again[figure], first[figure], "{figure}");
    }
}

#[tokio::test]
async fn mooninsurance_from_sqlite_to_postgres() {
    mooninsurance(None, Some(Server::Postgres)).await;
}

#[tokio::test]
async fn agency_performance_from_sqlite_to_postgres() {
    agency_performance(None, Some(Server::Postgres)).await;
}

#[tokio::test]
async fn mooninsurance_within_postgres() {
    mooninsurance(Some(Server::Postgres), None).await;
}

#[tokio::test]
async fn agency_performance_within_postgres() {
    agency_performance(Some(Server::Postgres), None).await;
}

#[tokio::test]
async fn mooninsurance_from_postgres_to_postgres() {
    mooninsurance(Some(Server::Postgres), Some(Server::Postgres)).await;
}

#[tokio::test]
async fn mooninsurance_from_mysql_to_postgres() {
    mooninsurance(Some(Server::Mysql), Some(Server::Postgres)).await;
}

#[tokio::test]
async fn agency_performance_from_mysql_to_postgres() {
    agency_performance(Some(Server::Mysql), Some(Server::Postgres)).await;
}

#[tokio::test]
async fn mooninsurance_within_mysql() {
    mooninsurance(Some(Server::Mysql), None).await;
}

#[tokio::test]
async fn agency_performance_within_mysql() {
    agency_performance(Some(Server::Mysql), None).await;
}
