//! How things stand, in each format.

use crate::common::{aggregator, json};
use crate::ledger::{cancel, folder, tell};

#[test]
fn what_ran_and_what_waits() {
    let folder = folder();
    let run = |args: &[&str]| aggregator(folder.path(), args);
    let before = json(&run(&["status", "--format", "json"]));
    assert!(before["published"].is_null() && before["age_seconds"].is_null());
    assert_eq!(before["runs"], serde_json::json!([]));
    run(&["run"]);
    let table = run(&["status"]).out;
    assert!(table.contains("Waiting: nothing; the published figures are up to date\n"), "{table}");
    assert!(table.contains("2026-05-04 to 2026-05-31"), "{table}");
    assert!(table.contains("Last arrivals: core 2"), "{table}");

    tell(folder.path(), &[cancel("1", "2026-06-02", 20_000)]);
    let table = run(&["status"]).out;
    assert!(table.contains("Waiting: changes of 2 days"), "{table}");
    let status = json(&run(&["status", "--format", "json"]));
    assert_eq!(status["days"][1], serde_json::json!({ "first": "2026-06-02", "last": "2026-06-02" }));
    let published = &status["published"];
    let arrived = |of: &serde_json::Value| of["last_arrivals"]["core"].as_str().unwrap().to_owned();
    assert_eq!(arrived(&before), arrived(published), "before the first run, and in the record of it");
    assert!(arrived(&status) >= arrived(published));
    assert_eq!((&published["control"]["net_sales"], &published["rows_read"]), (&"860.00".into(), &4.into()));
    assert_eq!((&published["outcome"], published["cells_hash"].as_str().unwrap().len()), (&"published".into(), 64));
    let csv = run(&["status", "--format", "csv"]).out;
    assert!(csv.starts_with("run_id,number,epoch,kind,outcome,first_day,last_day,"), "{csv}");
    assert!(csv.contains(",1,1,full,published,2026-05-04,2026-05-31,"), "{csv}");
}
