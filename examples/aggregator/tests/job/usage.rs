//! Wrong usage of each command.

use std::fs;

use crate::common::aggregator;

#[test]
fn wrong_usage_ends_with_2_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    for (args, said) in [
        ("close", "PERIOD"),
        ("close 2026-13", "period is not of the form"),
        ("reopen march", "period is not of the form"),
        ("compare 2026-05 --limit many", "many"),
        ("verify --format xml", "xml"),
        ("status --runs -1", "-1"),
        ("explain agent AGT001 2026", "agent"),
        ("explain team Alpha", "PERIOD"),
        ("explain team Alpha 2026-Q7", "period is not of the form"),
        ("run --from 2026-05-02 --to 2026-05-01", "range ends before it begins"),
        ("run --wait soon", "500ms, 90s, 10m"),
        ("run --push-gateway gateway:9091", "http://HOST:9091"),
        ("new-epoch --actor ", "--actor"),
        ("schedule", "there is no schedule"),
        ("schedule --cron daily", "not a cron expression"),
        ("schedule --cron @daily --verify-cron never", "--verify-cron"),
        ("schedule --cron @daily --zone Colombo", "Colombo"),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let run = aggregator(folder.path(), &args);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}: {}", run.err);
        assert!(run.err.contains(said), "{args:?}: {}", run.err);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
