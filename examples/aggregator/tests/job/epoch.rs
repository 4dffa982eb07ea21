//! A ledger that was restored from a backup, and its warehouse was not.

use std::fs;
use std::path::Path;

use moon_core::PageRequest;

use crate::common::{aggregator, json, sums};
use crate::ledger::{cancel, folder, now, open, tell};

/// Copies the database `moon.db`, which nobody has open, with what belongs to it.
fn copy(from: &Path, to: &Path) {
    for file in ["moon.db", "moon.db-wal", "moon.db-shm"] {
        // What an earlier state left must not mix with another one.
        let _ = fs::remove_file(to.join(file));
        if from.join(file).exists() {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }
}

#[test]
fn a_restored_ledger_is_refused_until_a_new_epoch_begins() {
    let folder = folder();
    fs::write(folder.path().join("moon.toml"), "warehouse_url = \"sqlite:figures.db\"\n").unwrap();
    let run = |args: &[&str]| aggregator(folder.path(), args);
    assert_eq!(run(&["run"]).code, 0);
    let backup = tempfile::tempdir().unwrap();
    copy(folder.path(), backup.path());
    tell(folder.path(), &[cancel("1", "2026-06-02", 20_000)]);
    for _ in 0..2 {
        assert_eq!(sums(&json(&run(&["run", "--format", "json"]))["control"]), (66_000, 4));
    }

    copy(backup.path(), folder.path());
    let refused = run(&["run"]);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{}", refused.err);
    assert!(refused.err.contains("a later run was published already"), "{}", refused.err);
    assert!(refused.err.contains("hint: ") && refused.err.contains("new-epoch"), "{}", refused.err);

    let begun = run(&["new-epoch", "--actor", "operator", "--format", "json"]);
    assert_eq!(json(&begun), serde_json::json!({ "epoch": 2 }));
    let published = json(&run(&["run", "--format", "json"]));
    assert_eq!(sums(&published["control"]), (86_000, 4), "as the backup has it");
    let status = json(&run(&["status", "--format", "json"]));
    let key = &status["published"];
    assert_eq!((&key["epoch"], &key["number"], &status["marks"]["open"]), (&2.into(), &1.into(), &0.into()));
    assert_eq!(run(&["verify"]).code, 0);

    let table = run(&["new-epoch"]);
    assert_eq!(table.out, "Epoch 3 has begun; the next run computes everything and publishes it\n", "{}", table.err);
    assert_eq!(run(&["new-epoch", "--format", "csv"]).out, "epoch\n4\n");
    let noted = now(async {
        let mut unit = open(folder.path()).await.snapshot().await.unwrap();
        unit.audit().list(&PageRequest::first(100)).await.unwrap().items
    });
    let noted = noted.iter().filter(|entry| entry.action == "start_epoch");
    let noted: Vec<_> = noted.map(|entry| (entry.actor.to_string(), entry.subject.as_str())).collect();
    let by = |actor: &str, epoch| (actor.to_owned(), epoch);
    assert_eq!(noted, [by("operator", "epoch 2"), by("aggregator", "epoch 3"), by("aggregator", "epoch 4")]);
}
