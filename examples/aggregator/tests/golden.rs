//! Real data, to the cent: imported by the project's own maps, aggregated in memory by the library and on SQLite by the
//! program. Skips with a printed line where the data is not beside the workspace.
#![expect(clippy::unwrap_used, reason = "a test stops at what it cannot read")]

mod common;
mod figures;
mod import;

use std::sync::Arc;

use common::{aggregator, json};
use figures::{AGENCY_PERFORMANCE, MOONINSURANCE, YEARS, check_agency_performance, check_mooninsurance, data, totals};
use import::{import, ledger};
use moon_aggregate::{Aggregation, RunCommand, RunOptions, Silent};
use moon_core::{Basis, KpiQuery, Ledger, Warehouse};
use moon_store_memory::{MemoryStore, MemoryWarehouse};
use moon_store_sqlite::SqliteStore;
use serde_json::Value;

/// Runs the job in memory; the report comes as the document that the program prints.
async fn in_memory(ledger: &Ledger, period: &str) -> Value {
    let warehouse: Arc<dyn Warehouse> = Arc::new(MemoryWarehouse::new(ledger.settings().currency));
    let aggregation = Aggregation::new(ledger.clone(), warehouse);
    aggregation.run(&RunCommand::full(), &RunOptions::default(), &Silent).await.unwrap();
    let query = KpiQuery {
        period: ledger.settings().calendar.parse(period).unwrap(),
        basis: Basis::Net,
        as_of: ledger.today().unwrap(),
        to_date: false,
        with_year_before: false,
    };
    aggregation.report(&query).await.unwrap().to_json()
}

#[tokio::test]
async fn mooninsurance_in_memory() {
    let Some(folder) = data("mooninsurance") else { return };
    let ledger = ledger(Arc::new(MemoryStore::new()), "LKR").await;
    assert_eq!(import(&ledger, &folder, &MOONINSURANCE).await.recorded, 6);
    check_mooninsurance(&in_memory(&ledger, "all").await);
}

#[tokio::test]
async fn mooninsurance_on_sqlite() {
    let Some(folder) = data("mooninsurance") else { return };
    let home = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", home.path().join("moon.db").display());
    let ledger = ledger(Arc::new(SqliteStore::connect(&url).await.unwrap()), "LKR").await;
    assert_eq!(import(&ledger, &folder, &MOONINSURANCE).await.recorded, 6);
    check_mooninsurance(&json(&aggregator(home.path(), &["run", "--format", "json"])));
    // An all-time target serves all time only.
    let march = json(&aggregator(home.path(), &["run", "--format", "json", "--period", "2024-03"]));
    assert_eq!(totals(&march, "teams", "team")[0], ("Alpha", "270000.00"));
    assert!(march["products"].as_array().unwrap().iter().all(|row| row["status"] == "no_target"));
}

#[tokio::test]
async fn agency_performance_in_memory() {
    let Some(folder) = data("agency-performance") else { return };
    let ledger = ledger(Arc::new(MemoryStore::new()), "USD").await;
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
    let ledger = ledger(Arc::new(SqliteStore::connect(&url).await.unwrap()), "USD").await;
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
