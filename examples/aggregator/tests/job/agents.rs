//! Figures of agents, switched on by a key that never shows.

use std::fs;
use std::path::Path;

use moon_core::{DayRange, Sum, Warehouse as _};
use moon_store_sqlite::SqliteWarehouse;

use crate::common::aggregator;
use crate::ledger::{folder, now};

/// Whose figures are published, with their net sums.
fn published(folder: &Path) -> Vec<(String, Sum)> {
    let url = format!("sqlite:{}", folder.join("moon.db").display());
    let cells = now(async {
        let warehouse = SqliteWarehouse::connect(&url, "LKR".parse().unwrap()).await.unwrap();
        warehouse.agent_cells(DayRange::ALL).await.unwrap()
    });
    cells.into_iter().map(|cell| (cell.agent, cell.figures.net)).collect()
}

#[test]
fn a_key_in_a_file_switches_them_on() {
    let folder = folder();
    let run = |args: &[&str]| aggregator(folder.path(), args);
    fs::write(folder.path().join("key"), "0123456789abcdef0123456789abcdef\n").unwrap();
    fs::write(folder.path().join("moon.toml"), "pseudonym_key = \"file:key\"\n").unwrap();
    let first = run(&["run", "--log", "debug"]);
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(!first.err.contains("0123456789abcdef"), "{}", first.err);
    // The agent gave no consent.
    let expected = [("unassigned".to_owned(), Sum::new(8_000, 1)), ("withheld".to_owned(), Sum::new(78_000, 3))];
    assert_eq!(published(folder.path()), expected);
    let incremental = run(&["run"]);
    assert!(incremental.err.contains("no day had changed"), "{}", incremental.err);
    assert_eq!(run(&["verify"]).code, 0);

    fs::remove_file(folder.path().join("moon.toml")).unwrap();
    let off = run(&["run"]);
    assert!(off.err.contains("4 postings"), "all is computed anew: {}", off.err);
    assert_eq!(published(folder.path()), []);
}

#[test]
fn a_key_that_is_too_short_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("moon.toml"), "pseudonym_key = \"geheim\"\n").unwrap();
    let short = aggregator(folder.path(), &["run"]);
    assert_eq!((short.code, short.out.as_str()), (2, ""), "{}", short.err);
    assert!(short.err.contains("pseudonym key is too short") && !short.err.contains("geheim"), "{}", short.err);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no database was made");
}
