//! The postings behind a figure, in each format.

use serde_json::Value;

use crate::common::{aggregator, json};
use crate::ledger::{cancel, folder, tell};

#[test]
fn postings_add_up_in_each_format() {
    let folder = folder();
    let run = |args: &[&str]| aggregator(folder.path(), args);
    tell(folder.path(), &[cancel("1", "2026-06-02", 20_000)]);
    run(&["run"]);
    let table = run(&["explain", "team", "Alpha", "2026-05"]);
    assert_eq!(table.code, 0, "{}", table.err);
    for part in ["team Alpha, 2026-05, net (LKR)", "core/1", "cancellation", "AGT001 was assigned from 2026-01-01"] {
        assert!(table.out.contains(part), "{part}: {}", table.out);
    }
    assert!(table.out.ends_with("Published: 580.00 (3): exactly that\n"), "{}", table.out);
    let few = run(&["explain", "team", "Alpha", "2026-05", "--limit", "1"]).out;
    assert!(few.contains("and 3 more postings"), "{few}");

    let lines = run(&["explain", "team", "Alpha", "2026-06", "--basis", "activity", "--format", "json"]).out;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [posting, summary] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&posting["reference"], &posting["amount"]), (&"1".into(), &"-200.00".into()));
    assert_eq!((&posting["origin"], &posting["assignment"]["from"]), (&"derived".into(), &"2026-01-01".into()));
    assert_eq!((&summary["explained_sales"], &summary["exact"]), (&"-200.00".into(), &true.into()));

    let csv = run(&["explain", "branch", "unassigned", "all", "--format", "csv"]).out;
    assert_eq!(
        csv,
        "source,reference,revision,kind,sale_date,date,agent,team,branch,product,amount,count,origin,assigned_from\n\
         core,4,0,sale,2026-05-31,2026-05-31,,,,Junior,80.00,1,unassigned,\n"
    );
}

#[test]
fn a_figure_that_waits_for_a_run_is_said_to() {
    let folder = folder();
    let run = |args: &[&str]| aggregator(folder.path(), args);
    let before = run(&["explain", "product", "Junior", "2026-05"]);
    assert_eq!(before.code, 0, "{}", before.err);
    assert!(before.out.ends_with("Published: 0.00 (0): not that\n"), "{}", before.out);
    run(&["run"]);
    tell(folder.path(), &[cancel("3", "2026-06-02", 1)]);
    let behind = run(&["explain", "product", "Junior", "2026-05"]);
    assert_eq!(behind.code, 0, "{}", behind.err);
    assert!(behind.err.contains("the next run brings it up to date"), "{}", behind.err);
    let unknown = run(&["explain", "team", "Gamma", "all"]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("there is no such group"), "{}", unknown.err);
    let status = json(&run(&["status", "--format", "json"]));
    assert_eq!(status["marks"]["open"], 3, "two days and a source");
}
