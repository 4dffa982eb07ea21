//! Rows written past the library, on real servers: each is found, and a full run heals them.

use std::fs;

use crate::common::{Run, aggregator, json};
use crate::ledger::{cancel, fill, folder, now, over, record, sale};
use crate::servers::{Database, Server};
use crate::store::open_store;

#[test]
fn a_right_ledger_in_each_format() {
    let folder = folder();
    let run = |args: &[&str]| aggregator(folder.path(), args);
    let before = json(&run(&["verify", "--format", "json"]));
    assert_eq!((&before["wrong"], &before["run"]), (&0.into(), &serde_json::Value::Null));
    assert!(before["pending"].as_u64().unwrap() > 0);
    run(&["run"]);
    let right = run(&["verify"]);
    assert_eq!(right.code, 0, "{}", right.err);
    assert!(right.out.ends_with("Every figure, name and target is as the source has it\n"), "{}", right.out);
    assert!(right.err.contains("4 postings read, 12 daily figures compared"), "{}", right.err);
    let csv = run(&["verify", "--format", "csv"]).out;
    assert_eq!(csv, "what,when,code,warehouse,source,pending\n");
}

async fn dirty(server: Server) {
    let source = Database::create(server).await;
    let figures = Database::create(Server::Postgres).await;
    fill(&over(open_store(server, &source.url()).await).await).await;
    let desk = tempfile::tempdir().unwrap();
    let settings = format!("store_url = {:?}\nwarehouse_url = {:?}\n", source.url(), figures.url());
    fs::write(desk.path().join("moon.toml"), settings).unwrap();
    let run = |args: &[&str]| -> Run { aggregator(desk.path(), args) };
    assert_eq!(run(&["run"]).code, 0);
    assert_eq!(json(&run(&["verify", "--format", "json"]))["wrong"], 0);

    // An amount, a missing row, and a figure in the warehouse.
    source.rows("UPDATE ledger_sales SET amount = amount + 100 WHERE reference = '1'").await;
    source.rows("DELETE FROM ledger_sales WHERE reference = '4'").await;
    figures.rows("UPDATE team_sales_daily SET net_sales = net_sales + 1 WHERE day = '2026-05-18'").await;
    let wrong = run(&["verify", "--format", "json"]);
    assert_eq!(wrong.code, 1, "{}", wrong.err);
    assert!(wrong.err.contains("no change explains it"), "{}", wrong.err);
    let found: serde_json::Value = serde_json::from_str(&wrong.out).unwrap();
    let cells: Vec<String> = found["differences"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|difference| difference["kind"] == "cell")
        .map(|cell| {
            let text = |field: &str| cell[field].as_str().unwrap().to_owned();
            let net = |side: &str| cell[side]["net_sales"].as_str().unwrap().to_owned();
            format!("{} {} {}: {} {}", text("dimension"), text("day"), text("code"), net("warehouse"), net("source"))
        })
        .collect();
    assert_eq!(
        cells,
        [
            "team 2026-05-04 Alpha: 500.00 501.00",
            "team 2026-05-18 Alpha: 401.00 400.00",
            "team 2026-05-31 unassigned: 80.00 0.00",
            "branch 2026-05-04 Colombo: 500.00 501.00",
            "branch 2026-05-31 unassigned: 80.00 0.00",
            "product 2026-05-04 Junior: 500.00 501.00",
            "product 2026-05-31 Junior: 80.00 0.00",
        ]
    );
    let kinds = |kind: &str| {
        let differences = found["differences"].as_array().unwrap();
        differences.iter().filter(|difference| difference["kind"] == kind).count()
    };
    assert_eq!((kinds("product_metrics"), kinds("manifest")), (2, 1), "{found}");
    assert_eq!((&found["wrong"], &found["pending"]), (&10.into(), &0.into()));
    let table = run(&["verify"]);
    assert_eq!(table.code, 1);
    assert!(table.out.contains("10 wrong; 0 wait for the next run\n"), "{}", table.out);

    assert_eq!(run(&["run", "--full"]).code, 0);
    assert_eq!(json(&run(&["verify", "--format", "json"]))["wrong"], 0);

    // What else is asked of a server: a closed month against what came later, and the postings behind it.
    assert_eq!(run(&["close", "2026-05"]).code, 0);
    let ledger = over(open_store(server, &source.url()).await).await;
    record(&ledger, &[cancel("3", "2026-06-02", 10_000), sale("5", None, "Junior", 5, "2026-05-31")]).await;
    let behind = run(&["explain", "team", "Alpha", "2026-06", "--basis", "activity", "--format", "csv"]);
    assert_eq!(behind.code, 0, "{}", behind.err);
    assert!(behind.out.contains("core,3,1,cancellation,2026-05-18,2026-06-02,AGT001,Alpha,"), "{}", behind.out);
    assert_eq!(run(&["run"]).code, 0);
    for (group, code, period, basis, published) in [
        ("team", "Alpha", "2026-05", "net", "681.00 (3)"),
        ("team", "Alpha", "2026-05", "gross", "781.00 (3)"),
        ("branch", "Colombo", "2026-06", "activity", "-100.00 (0)"),
        ("branch", "unassigned", "all", "net", "0.05 (1)"),
        ("product", "Junior", "2026", "net", "681.05 (4)"),
    ] {
        let explained = run(&["explain", group, code, period, "--basis", basis]);
        let expected = format!("Published: {published}: exactly that\n");
        assert!(explained.out.ends_with(&expected), "{group} {code} {period}: {} {}", explained.out, explained.err);
    }
    let compared = json(&run(&["compare", "2026-05", "--format", "json"]));
    let late: Vec<_> = compared["sales"].as_array().unwrap().iter().map(|sale| &sale["reference"]).collect();
    assert_eq!(late, ["3", "5"]);
    assert_eq!(compared["cells"].as_array().unwrap().len(), 6);
    assert_eq!(json(&run(&["status", "--format", "json"]))["behind_seconds"], 0);
}

#[test]
fn a_dirty_postgres() {
    if !Server::Postgres.skipped() {
        now(dirty(Server::Postgres));
    }
}

#[test]
fn a_dirty_mysql() {
    if !Server::Postgres.skipped() && !Server::Mysql.skipped() {
        now(dirty(Server::Mysql));
    }
}
