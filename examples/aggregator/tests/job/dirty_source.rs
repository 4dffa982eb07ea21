//! Each kind of row that somebody may write past the library into the tables of a server: a sale that is changed, moved,
//! added or removed, a cancellation, a name. No mark tells of it, so that only a full run brings it to light.

use std::fs;

use serde_json::Value;

use crate::common::{aggregator, json};
use crate::ledger::{fill, now, over};
use crate::servers::{Database, Server};
use crate::store::open_store;

/// The columns of a sale but its key, its day and its reference.
const COLUMNS: &str = "source_id, product_id, agent_id, team_id, branch_id, given, kind, state, amount, revision, \
     last_revision, recorded_at, content_at, policy_number";

/// By group: day, and net sums as published and as the source has them. The cancellation is on another day than its sale,
/// whose net it changes; on its own there is activity only.
const DAYS: [(&str, &str, &str); 6] = [
    ("2026-05-04", "500.00", "501.00"),
    ("2026-05-11", "-120.00", "0.00"),
    ("2026-05-12", "0.00", "-120.00"),
    ("2026-05-18", "400.00", "390.00"),
    ("2026-05-20", "0.00", "0.00"),
    ("2026-05-25", "0.00", "400.00"),
];

async fn dirty(server: Server) {
    let source = Database::create(server).await;
    let figures = Database::create(Server::Postgres).await;
    fill(&over(open_store(server, &source.url()).await).await).await;
    let desk = tempfile::tempdir().unwrap();
    let settings = format!("store_url = {:?}\nwarehouse_url = {:?}\n", source.url(), figures.url());
    fs::write(desk.path().join("moon.toml"), settings).unwrap();
    let run = |args: &[&str]| aggregator(desk.path(), args);
    let right = json(&run(&["run", "--format", "json"]));
    assert_eq!(right["control"]["total_sales"], "860.00");

    let id = if server == Server::Mysql { "UNHEX(REPLACE(UUID(), '-', ''))" } else { "gen_random_uuid()" };
    for statement in [
        "UPDATE ledger_sales SET amount = amount + 100 WHERE reference = '1'",
        "UPDATE ledger_sales SET sale_date = '2026-05-12' WHERE reference = '2'",
        &format!(
            "INSERT INTO ledger_sales (id, sale_date, reference, {COLUMNS})
             SELECT {id}, '2026-05-25', 'copy of 3', {COLUMNS} FROM ledger_sales WHERE reference = '3'"
        ),
        "INSERT INTO ledger_adjustments (sale_id, sale_date, own_date, revision, kind, count, amount)
         SELECT id, sale_date, '2026-05-20', 1, 1, 0, -1000 FROM ledger_sales WHERE reference = '3'",
        "DELETE FROM ledger_sales WHERE reference = '4'",
        "UPDATE ledger_branches SET name = 'Fort' WHERE code = 'Colombo'",
    ] {
        source.rows(statement).await;
    }
    let wrong = run(&["verify", "--format", "json"]);
    assert_eq!(wrong.code, 1, "{}", wrong.err);
    let found: Value = serde_json::from_str(&wrong.out).unwrap();
    let mut expected = Vec::new();
    for (dimension, code) in [("team", "Alpha"), ("branch", "Colombo"), ("product", "Junior")] {
        expected.extend(DAYS.map(|(day, warehouse, source)| format!("{dimension} {day} {code}: {warehouse} {source}")));
        let code = if dimension == "product" { code } else { "unassigned" };
        expected.push(format!("{dimension} 2026-05-31 {code}: 80.00 0.00"));
    }
    assert_eq!(cells(&found), expected);
    // And product metrics of the month and of all time, and a name.
    assert_eq!((&found["wrong"], &found["pending"]), (&(expected.len() + 3).into(), &0.into()), "{found}");

    // What is incremental compares names, and knows nothing of the rest.
    assert_eq!(json(&run(&["run", "--format", "json"]))["control"]["total_sales"], "860.00");
    let found: Value = serde_json::from_str(&run(&["verify", "--format", "json"]).out).unwrap();
    assert_eq!(found["wrong"], expected.len() + 2, "{found}");
    let healed = json(&run(&["run", "--full", "--format", "json"]));
    assert_eq!(healed["control"], serde_json::json!({ "total_sales": "1171.00", "sale_count": 4 }));
    assert_eq!(healed["branches"][0]["branch_name"], "Fort");
    assert_eq!(json(&run(&["verify", "--format", "json"]))["wrong"], 0);
}

/// The cells that differ, in the order in which they are listed.
fn cells(found: &Value) -> Vec<String> {
    let cell = |cell: &Value| {
        let text = |field: &str| cell[field].as_str().unwrap().to_owned();
        let net = |side: &str| cell[side]["net_sales"].as_str().unwrap().to_owned();
        format!("{} {} {}: {} {}", text("dimension"), text("day"), text("code"), net("warehouse"), net("source"))
    };
    let differences = found["differences"].as_array().unwrap().iter();
    differences.filter(|difference| difference["kind"] == "cell").map(cell).collect()
}

#[test]
fn rows_past_the_library_in_postgres() {
    if !Server::Postgres.skipped() {
        now(dirty(Server::Postgres));
    }
}

#[test]
fn rows_past_the_library_in_mysql() {
    if !Server::Postgres.skipped() && !Server::Mysql.skipped() {
        now(dirty(Server::Mysql));
    }
}
