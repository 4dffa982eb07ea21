//! What a run would change.

use std::fs;

use crate::common::{aggregator, json, sums};
use crate::ledger::{cancel, fill, folder, now, over, tell};
use crate::servers::{Database, Server};
use crate::store::open_store;

#[test]
fn what_would_change_is_shown_and_nothing_written() {
    let folder = folder();
    let run = |args: &[&str]| aggregator(folder.path(), args);
    let first = json(&run(&["run", "--dry-run", "--format", "json"]));
    assert_eq!((&first["kind"], &first["days"]), (&"full".into(), &"all".into()));
    assert_eq!(first["cells"].as_array().unwrap().len(), 4 * 3);
    assert!(run(&["status"]).out.starts_with("Published: nothing yet\n"));

    run(&["run"]);
    tell(folder.path(), &[cancel("1", "2026-06-02", 20_000)]);
    let table = run(&["run", "--dry-run"]);
    assert_eq!(table.code, 0, "{}", table.err);
    assert!(table.err.contains("nothing was written"), "{}", table.err);
    for part in ["incremental: 2 days, 2 postings", "2026-05-04", "500.00", "300.00", "-200.00"] {
        assert!(table.out.contains(part), "{part}: {}", table.out);
    }
    let csv = run(&["run", "--dry-run", "--format", "csv"]).out;
    assert!(csv.contains("\nteam,2026-05-04,Alpha,500.00,1,500.00,1,500.00,1,300.00,1,500.00,1,500.00,1\n"), "{csv}");
    assert!(csv.contains("\nteam,2026-06-02,Alpha,0.00,0,0.00,0,0.00,0,0.00,0,0.00,0,-200.00,0\n"), "{csv}");
    let range = json(&run(&["run", "--dry-run", "--from", "2026-05-01", "--to", "2026-05-31", "--format", "json"]));
    assert_eq!((&range["kind"], &range["days"][0]["first"]), (&"backfill".into(), &"2026-05-01".into()));

    let published = json(&run(&["run", "--format", "json"]));
    assert_eq!(sums(&published["control"]), (66_000, 4));
    assert!(run(&["run", "--dry-run", "--full"]).out.contains("No figure would change"));
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name.to_str().unwrap().starts_with("moon.db")), "{names:?}");
}

#[test]
fn a_range_is_computed_anew() {
    let folder = folder();
    let run = |args: &[&str]| aggregator(folder.path(), args);
    run(&["run"]);
    let backfill = run(&["run", "--from", "2026-05-01", "--to", "2026-05-15", "--path", "fold", "--deadline", "10m"]);
    assert_eq!(backfill.code, 0, "{}", backfill.err);
    assert!(backfill.err.contains("2 postings from 2026-05-01 to 2026-05-15"), "{}", backfill.err);
    let status = json(&run(&["status", "--format", "json", "--runs", "1"]));
    assert_eq!(status["runs"][0]["kind"], "backfill");
    let summed = run(&["run", "--full", "--path", "sql"]);
    assert_eq!(summed.code, 0, "{}", summed.err);
}

/// The commands that only read.
const READING: [&[&str]; 5] = [
    &["run", "--dry-run"],
    &["status"],
    &["verify"],
    &["explain", "team", "Alpha", "2026-05"],
    &["compare", "2026-05"],
];

#[test]
fn what_only_reads_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    for args in READING {
        let run = aggregator(folder.path(), args);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{args:?}: {}", run.err);
        assert!(run.err.contains("there is no ledger yet") && run.err.contains("hint: "), "{args:?}: {}", run.err);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{args:?}");
    }
    // A warehouse in a file of its own that is missing shows nothing, and stays missing.
    let folder = crate::ledger::folder();
    let figures = ["--warehouse-url", "sqlite:figures.db"];
    let before = aggregator(folder.path(), &[&["run", "--dry-run", "--format", "json"][..], &figures].concat());
    assert_eq!(json(&before)["cells"].as_array().unwrap().len(), 4 * 3);
    assert!(!folder.path().join("figures.db").exists());
}

/// On a server no table is made, neither in an empty database nor beside those that are there.
async fn makes_no_table(server: Server) {
    let (source, figures) = (Database::create(server).await, Database::create(server).await);
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("store_url = {:?}\nwarehouse_url = {:?}\n", source.url(), figures.url());
    fs::write(folder.path().join("moon.toml"), settings).unwrap();
    let schema = if server == Server::Mysql { "DATABASE()" } else { "'public'" };
    let tables = format!(
        "SELECT CAST(table_name AS CHAR(64)), CAST(table_type AS CHAR(64)) FROM information_schema.tables
         WHERE table_schema = {schema}"
    );
    for args in READING {
        let run = aggregator(folder.path(), args);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{args:?}: {}", run.err);
        assert!(run.err.contains("there is no ledger yet") && run.err.contains("hint: "), "{args:?}: {}", run.err);
        assert_eq!(source.rows(&tables).await, [], "{args:?}");
    }
    fill(&over(open_store(server, &source.url()).await).await).await;
    let before = source.rows(&tables).await;
    for args in [READING[0], READING[1], READING[2], READING[3]] {
        let run = aggregator(folder.path(), args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.err);
    }
    assert_eq!((source.rows(&tables).await, figures.rows(&tables).await), (before, vec![]));
}

#[test]
fn what_only_reads_makes_no_table_in_postgres() {
    if !Server::Postgres.skipped() {
        now(makes_no_table(Server::Postgres));
    }
}

#[test]
fn what_only_reads_makes_no_table_in_mysql() {
    if !Server::Mysql.skipped() {
        now(makes_no_table(Server::Mysql));
    }
}
