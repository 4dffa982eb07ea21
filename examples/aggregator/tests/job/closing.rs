//! Worked example E by the program, in each format.

use crate::common::{aggregator, json};
use crate::ledger::{cancel, folder, tell};

#[test]
fn a_closed_month_as_reported_and_as_it_is() {
    let folder = folder();
    let run = |args: &[&str]| aggregator(folder.path(), args);
    let closed = run(&["close", "2026-05"]);
    assert_eq!(closed.code, 0, "{}", closed.err);
    assert!(closed.out.starts_with("2026-05 is closed, by run "), "{}", closed.out);
    let same = run(&["compare", "2026-05"]);
    assert!(same.out.contains("Nothing has changed since it was reported"), "{}", same.out);
    let again = run(&["close", "2026-05"]);
    assert!(again.out.contains("had been closed already"), "{}", again.out);

    tell(folder.path(), &[cancel("1", "2026-06-02", 20_000)]);
    let restated = run(&["run"]);
    assert!(restated.err.contains("3 figures of closed periods changed"), "{}", restated.err);

    let document = json(&run(&["compare", "2026-05", "--format", "json"]));
    let group = |dimension: &str, code: &str| {
        let groups = document["groups"].as_array().unwrap();
        groups.iter().find(|group| group["dimension"] == dimension && group["code"] == code).unwrap().clone()
    };
    let alpha = group("team", "Alpha");
    assert_eq!((&alpha["reported"]["net_sales"], &alpha["current"]["net_sales"]), (&"780.00".into(), &"580.00".into()));
    assert_eq!((&alpha["reported"]["net_count"], &alpha["current"]["net_count"]), (&3.into(), &3.into()));
    assert_eq!(alpha["reported"]["gross_sales"], alpha["current"]["gross_sales"]);
    let unassigned = group("team", "unassigned");
    assert_eq!(unassigned["reported"], unassigned["current"]);
    let cells = document["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 3, "one of each dimension");
    assert_eq!((&cells[0]["day"], &cells[0]["code"]), (&"2026-05-04".into(), &"Alpha".into()));
    assert_eq!(cells[0]["restated_by"][0]["number"], 3);
    let sales = document["sales"].as_array().unwrap();
    assert_eq!(sales.len(), 1);
    assert_eq!((&sales[0]["reference"], &sales[0]["reasons"][0]["what"]), (&"1".into(), &"cancel".into()));

    let table = run(&["compare", "2026-05"]).out;
    for part in ["780.00", "580.00", "-200.00", "core/1", "cancel of revision 1 at "] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let csv = run(&["compare", "2026-05", "--format", "csv"]).out;
    assert!(csv.starts_with("dimension,code,reported_net_sales,reported_net_count,"), "{csv}");
    assert!(csv.contains("team,Alpha,780.00,3,780.00,3,780.00,3,580.00,3,780.00,3,780.00,3\n"), "{csv}");
}

#[test]
fn opening_again_and_closing_anew() {
    let folder = folder();
    let run = |args: &[&str]| aggregator(folder.path(), args);
    let open = run(&["reopen", "2026-05"]);
    assert_eq!((open.code, open.out.as_str()), (1, ""), "{}", open.err);
    assert!(open.err.contains("period is not closed"), "{}", open.err);
    let never = run(&["compare", "2026-05"]);
    assert_eq!(never.code, 1, "{}", never.err);
    assert!(never.err.contains("never closed"), "{}", never.err);

    let closed = json(&run(&["close", "2026-05", "--format", "json"]));
    assert_eq!((&closed["closed"], &closed["run"]["kind"]), (&true.into(), &"full".into()));
    assert_eq!(closed["closing"]["closed_by"]["run_id"], closed["run"]["run_id"]);
    let reopened = json(&run(&["reopen", "2026-05", "--format", "json"]));
    assert_eq!((&reopened["closed"], &reopened["closing"]), (&false.into(), &serde_json::Value::Null));
    let csv = run(&["close", "2026-05", "--format", "csv"]).out;
    assert!(csv.starts_with("period,closed,closed_by,closed_at,run_id\n2026-05,true,"), "{csv}");
    let status = json(&run(&["status", "--format", "json"]));
    let closings = status["closings"].as_array().unwrap();
    assert_eq!(closings.len(), 2);
    assert!(closings[0]["reopened_at"].is_string() && closings[1]["reopened_at"].is_null());

    // What has not ended cannot be closed, nor can what is no month, quarter or year.
    for (period, code) in [("2026-05-04", 1), ("9999-01", 1), ("May", 2), ("all", 1)] {
        let refused = run(&["close", period]);
        assert_eq!((refused.code, refused.out.as_str()), (code, ""), "{period}: {}", refused.err);
    }
}
