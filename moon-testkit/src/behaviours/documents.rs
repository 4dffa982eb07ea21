//! Small documents by key and version.

use std::sync::Arc;

use moon_core::{ErrorKind, Expected, Record, RecordKey, Store, Version};
use serde_json::{Value, json};

use crate::builders::{noon, reading, writing};

fn record(namespace: &str, key: &str, version: u32, value: Value) -> Record {
    Record { key: RecordKey::new(namespace, key), value, expires_at: None, version: Version(version) }
}

/// A document comes back as it was written, whatever JSON it is, with the instant at which it expires.
pub async fn a_record_is_kept_in_full(store: Arc<dyn Store>) {
    let value = json!({
        "text": "'); DROP TABLE ledger_records;-- \u{0} 😀 é e\u{301}", "null": null, "flag": true, "empty": {}, "list": [1, [], "2"],
        "most": u64::MAX, "least": i64::MIN, "exact": "0.10", "Key": 1, "key": 2,
    });
    let full = Record { expires_at: Some(noon("2026-06-15")), ..record("settings", "ledger", 7, value) };
    let others =
        [record("a", "null", 1, Value::Null), record("a", "text", 1, json!("")), record("a", "7", 1, json!(7))];
    let mut unit = writing(&store).await;
    for record in others.iter().chain([&full]) {
        unit.records().put(record, Expected::Absent).await.unwrap();
    }
    assert_eq!(unit.records().get(&full.key).await.unwrap(), Some(full.clone()));
    unit.commit().await.unwrap();
    let mut unit = reading(&store).await;
    for record in others.iter().chain([&full]) {
        assert_eq!(unit.records().get(&record.key).await.unwrap().as_ref(), Some(record));
    }
    assert_eq!(unit.records().get(&RecordKey::new("settings", "Ledger")).await.unwrap(), None);
}

/// A write says what it expects to find, and is a conflict where that is not so.
pub async fn a_record_is_written_over_what_was_seen(store: Arc<dyn Store>) {
    let of = |version| record("lease", "run", version, json!({ "version": version }));
    let mut unit = writing(&store).await;
    let error = unit.records().put(&of(2), Expected::Version(Version(1))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::VersionConflict, "nothing there: {error}");
    unit.rollback().await.unwrap();
    let mut unit = writing(&store).await;
    unit.records().put(&of(1), Expected::Absent).await.unwrap();
    unit.records().put(&of(2), Expected::Version(Version(1))).await.unwrap();
    unit.commit().await.unwrap();
    for expected in [Expected::Absent, Expected::Version(Version(1)), Expected::Version(Version(3))] {
        let mut unit = writing(&store).await;
        let error = unit.records().put(&of(9), expected).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VersionConflict, "{expected:?}: {error}");
        unit.rollback().await.unwrap();
    }
    assert_eq!(reading(&store).await.records().get(&of(1).key).await.unwrap(), Some(of(2)));
}

/// A document is removed in the version that was seen, and can then be written anew.
pub async fn a_record_is_removed_in_the_version_that_was_seen(store: Arc<dyn Store>) {
    let of = |version| record("lease", "run", version, json!(version));
    let mut unit = writing(&store).await;
    unit.records().put(&of(5), Expected::Absent).await.unwrap();
    unit.commit().await.unwrap();
    let mut unit = writing(&store).await;
    for (key, version) in [(of(1).key, 4), (RecordKey::new("lease", "other"), 5)] {
        let error = unit.records().delete(&key, Version(version)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::VersionConflict, "{error}");
    }
    unit.records().delete(&of(1).key, Version(5)).await.unwrap();
    assert_eq!(unit.records().get(&of(1).key).await.unwrap(), None);
    unit.records().put(&of(1), Expected::Absent).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(reading(&store).await.records().get(&of(1).key).await.unwrap(), Some(of(1)));
}

/// A namespace lists its own documents, ascending by key byte by byte.
pub async fn a_namespace_lists_its_own_records(store: Arc<dyn Store>) {
    let mut keys = ["b", "B", "a", "ab", "", "é", "e\u{301}", "10", "9"];
    let mut unit = writing(&store).await;
    for key in keys {
        unit.records().put(&record("run", key, 1, json!(key)), Expected::Absent).await.unwrap();
    }
    for namespace in ["Run", "run ", "runs", "ru"] {
        unit.records().put(&record(namespace, "x", 1, json!(0)), Expected::Absent).await.unwrap();
    }
    unit.commit().await.unwrap();
    keys.sort_unstable();
    let mut unit = reading(&store).await;
    let listed = unit.records().list("run").await.unwrap();
    assert_eq!(listed.iter().map(|record| record.key.key.as_str()).collect::<Vec<_>>(), keys);
    assert_eq!(unit.records().list("nothing").await.unwrap(), []);
}
