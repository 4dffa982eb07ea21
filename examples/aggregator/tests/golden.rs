//! Real data, to the cent: imported by the project's own maps, aggregated in memory by the library and on SQLite by the
//! program. Skips with a printed line where the data is not beside the workspace.
#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot read")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{aggregator, json, sums};
use moon_aggregate::{Aggregation, RunOptions, Silent};
use moon_core::{Actor, Basis, KpiQuery, Ledger, LedgerOptions, Store, Warehouse};
use moon_import::{ImportMap, ImportOptions, ImportSummary, import_file};
use moon_store_memory::{MemoryStore, MemoryWarehouse};
use moon_store_sqlite::SqliteStore;
use serde_json::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The folder of the real data, if it is there.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn data(set: &str) -> Option<PathBuf> {
    let folder = workspace().join("../shared/data").join(set);
    if !folder.is_dir() {
        println!("skipped: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

async fn ledger(store: impl Store, currency: &str) -> Ledger {
    store.migrate().await.unwrap();
    let options = LedgerOptions { currency: Some(currency.parse().unwrap()), ..LedgerOptions::default() };
    Ledger::open(Arc::new(store), &options).await.unwrap()
}

/// Imports files by the maps of these names.
async fn import(ledger: &Ledger, folder: &Path, files: &[(&str, &str)]) -> ImportSummary {
    let scratch = tempfile::tempdir().unwrap();
    let mut summary = ImportSummary::default();
    for (file, map) in files {
        let map = ImportMap::load(&workspace().join("examples/integration-service/maps").join(map)).unwrap();
        let rejects = scratch.path().join("rejects.csv");
        let options = ImportOptions { actor: Actor::new("test").unwrap(), rejects };
        let report = import_file(ledger, &map, &folder.join(file), &options, &mut |_| {}).await.unwrap();
        assert_eq!(report.rejects, None, "{file}: {:?}", report.first_rejects);
        summary = report.summary;
    }
    summary
}

/// Runs the job in memory; the report comes as the document that the program prints.
async fn in_memory(ledger: &Ledger, period: &str) -> Value {
    let warehouse: Arc<dyn Warehouse> = Arc::new(MemoryWarehouse::new(ledger.settings().currency));
    let aggregation = Aggregation::new(ledger.clone(), warehouse);
    aggregation.run_full(&RunOptions::default(), &Silent).await.unwrap();
    let query = KpiQuery {
        period: ledger.settings().calendar.parse(period).unwrap(),
        basis: Basis::Net,
        as_of: ledger.today().unwrap(),
        to_date: false,
        with_year_before: false,
    };
    aggregation.report(&query).await.unwrap().to_json()
}

/// Code and total of each row.
fn totals<'r>(report: &'r Value, figure: &str, code: &str) -> Vec<(&'r str, &'r str)> {
    let rows = report[figure].as_array().unwrap();
    rows.iter().map(|row| (row[code].as_str().unwrap(), row["total_sales"].as_str().unwrap())).collect()
}

/// Every golden total of the first version's own data.
fn check_mooninsurance(report: &Value) {
    assert_eq!(
        totals(report, "teams", "team"),
        [("Alpha", "270000.00"), ("Beta", "143000.00"), ("Delta", "89000.00"), ("Gamma", "104000.00")]
    );
    assert_eq!(
        totals(report, "branches", "branch"),
        [
            ("Badulla", "58000.00"),
            ("Colombo", "150000.00"),
            ("Kandy", "85000.00"),
            ("Matara", "120000.00"),
            ("Ratnapura", "89000.00"),
            ("Trincomalee", "104000.00"),
        ]
    );
    let products: Vec<_> = report["products"].as_array().unwrap().iter().collect();
    let seen: Vec<[&str; 6]> = products
        .iter()
        .map(|row| {
            ["product_name", "total_sales", "target_amount", "variance", "attainment", "status"]
                .map(|field| row[field].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        seen,
        [
            ["Life Insurance - Premium Plan", "150000.00", "150000.00", "0.00", "1.000000", "achieved"],
            ["Vehicle Insurance - Full Coverage", "174000.00", "85000.00", "89000.00", "2.047059", "achieved"],
            ["Health Insurance - Family", "224000.00", "120000.00", "104000.00", "1.866667", "achieved"],
            ["Life Insurance - Term Plan", "58000.00", "100000.00", "-42000.00", "0.580000", "not_achieved"],
            ["Health Insurance - Senior", "0.00", "90000.00", "-90000.00", "0.000000", "not_achieved"],
        ]
    );
    assert!(products.iter().all(|row| row["coverage"] == "full"));
    assert_eq!(sums(&report["control"]), (60_600_000, 6));
    assert_eq!(report["run"]["rows_read"], 6);
}

const MOONINSURANCE: [(&str, &str); 3] = [
    ("agents.csv", "mooninsurance-agents.toml"),
    ("products.csv", "mooninsurance-products.toml"),
    ("sales.csv", "mooninsurance-sales.toml"),
];

#[tokio::test]
async fn mooninsurance_in_memory() {
    let Some(folder) = data("mooninsurance") else { return };
    let ledger = ledger(MemoryStore::new(), "LKR").await;
    assert_eq!(import(&ledger, &folder, &MOONINSURANCE).await.recorded, 6);
    check_mooninsurance(&in_memory(&ledger, "all").await);
}

#[tokio::test]
async fn mooninsurance_on_sqlite() {
    let Some(folder) = data("mooninsurance") else { return };
    let home = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", home.path().join("moon.db").display());
    let ledger = ledger(SqliteStore::connect(&url).await.unwrap(), "LKR").await;
    assert_eq!(import(&ledger, &folder, &MOONINSURANCE).await.recorded, 6);
    check_mooninsurance(&json(&aggregator(home.path(), &["run", "--format", "json"])));
    // An all-time target serves all time only.
    let march = json(&aggregator(home.path(), &["run", "--format", "json", "--period", "2024-03"]));
    assert_eq!(totals(&march, "teams", "team")[0], ("Alpha", "270000.00"));
    assert!(march["products"].as_array().unwrap().iter().all(|row| row["status"] == "no_target"));
}

/// The golden totals of the real sales over all years.
fn check_agency_performance(report: &Value) {
    let teams = totals(report, "teams", "team");
    assert_eq!(teams.len(), 26);
    assert!(teams.contains(&("unassigned", "6655458.58")), "{teams:?}");
    assert_eq!(
        totals(report, "branches", "branch"),
        [
            ("IN", "26507809.66"),
            ("KY", "7846092.98"),
            ("MI", "2599.36"),
            ("OH", "48309973.64"),
            ("PA", "10095381.95"),
            ("WV", "412920.05"),
        ]
    );
    let products = totals(report, "products", "product");
    assert_eq!(products.len(), 27);
    let largest = products.iter().max_by_key(|(_, total)| total.replace('.', "").parse::<i64>().unwrap());
    assert_eq!(largest, Some(&("ANNIV", "31340714.80")));
    assert_eq!(report["control"], serde_json::json!({ "total_sales": "93174777.64", "sale_count": 5_679 }));
    for figure in ["teams", "branches", "products"] {
        let rows = report[figure].as_array().unwrap();
        let sum = rows.iter().map(sums).fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        assert_eq!(sum, (9_317_477_764, 5_679), "{figure}");
    }
}

const AGENCY_PERFORMANCE: [(&str, &str); 1] = [("sales.csv", "agency-performance.toml")];

const YEARS: [(&str, &str); 4] =
    [("2005", "7665081.99"), ("2010", "8275460.48"), ("2014", "8416731.95"), ("2015", "3419300.71")];

#[tokio::test]
async fn agency_performance_in_memory() {
    let Some(folder) = data("agency-performance") else { return };
    let ledger = ledger(MemoryStore::new(), "USD").await;
    assert_eq!(import(&ledger, &folder, &AGENCY_PERFORMANCE).await.recorded, 5_679);
    check_agency_performance(&in_memory(&ledger, "all").await);
    for (year, total) in YEARS {
        assert_eq!(in_memory(&ledger, year).await["control"]["total_sales"], total, "{year}");
    }
}

#[tokio::test]
async fn agency_performance_on_sqlite() {
    let Some(folder) = data("agency-performance") else { return };
    let home = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", home.path().join("moon.db").display());
    let ledger = ledger(SqliteStore::connect(&url).await.unwrap(), "USD").await;
    assert_eq!(import(&ledger, &folder, &AGENCY_PERFORMANCE).await.recorded, 5_679);
    let first = json(&aggregator(home.path(), &["run", "--format", "json"]));
    check_agency_performance(&first);
    assert_eq!(first["currency"], "USD");
    for (year, total) in YEARS {
        let report = json(&aggregator(home.path(), &["run", "--format", "json", "--period", year]));
        assert_eq!(report["control"]["total_sales"], total, "{year}");
    }

    // The same file again: known, every row of it, and no figure moves.
    assert_eq!(import(&ledger, &folder, &AGENCY_PERFORMANCE).await.duplicates, 5_679);
    let again = json(&aggregator(home.path(), &["run", "--format", "json"]));
    assert_eq!((&again["teams"], &again["products"]), (&first["teams"], &first["products"]));
}
