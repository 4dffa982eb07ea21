//! Texts that databases like to change, in what is kept beside sales and masters: who entered a target, audit entries and
//! records.

use std::collections::BTreeSet;
use std::sync::Arc;

use moon_core::{
    AuditEntry, Calendar, Expected, PAGE_LIMIT_MAX, PageRequest, Record, RecordKey, Store, Target, TargetKey,
    TargetScope, Version,
};
use serde_json::{Map, Value};

use super::texts::{codes, free, names};
use crate::builders::{date, fill, noon, product_code, reading, rupees, text, writing};

/// Who entered a target is kept as it is.
pub async fn who_entered_a_target_is_kept(store: Arc<dyn Store>) {
    fill(&store).await;
    let period = Calendar::default().parse("2026-03").unwrap();
    let key = TargetKey { product: Some(product_code("LIFE")), scope: TargetScope::Ledger, period };
    let mut unit = writing(&store).await;
    let mut entered = Vec::new();
    for content in names() {
        // The last version is the current one.
        let version = Version(u32::try_from(entered.len()).unwrap() + 1);
        let target = Target {
            key: key.clone(),
            from: date("2026-03-01"),
            amount: rupees(1),
            version,
            entered_at: noon("2026-06-15"),
            entered_by: text(&content),
        };
        unit.products().add_target(&target).await.unwrap();
        let found = unit.products().find_targets(std::slice::from_ref(&key)).await.unwrap();
        assert_eq!(found, std::slice::from_ref(&target), "{content:?}");
        entered.push(target);
    }
    unit.commit().await.unwrap();
    assert_eq!(reading(&store).await.products().targets().await.unwrap(), entered[entered.len() - 1..]);
}

/// An audit entry keeps its actor, its action, its subject and its details as they are, however long.
pub async fn audit_entries_keep_any_text(store: Arc<dyn Store>) {
    let mut texts = free();
    texts.push("'; DROP TABLE ledger_audit; -- 😀\n".repeat(1_000));
    let mut unit = writing(&store).await;
    let mut appended = Vec::new();
    for (number, content) in texts.iter().enumerate() {
        let details = Map::from_iter([
            (content.clone(), Value::Null),
            ("text".to_owned(), content.as_str().into()),
            ("list".to_owned(), Value::from_iter([content.as_str()])),
        ]);
        let names = names();
        let entry = AuditEntry {
            at: noon("2026-06-15"),
            actor: text(&names[number % names.len()]),
            action: content.clone(),
            subject: content.clone(),
            details: details.into(),
        };
        unit.audit().append(&entry).await.unwrap();
        appended.push(entry);
    }
    unit.commit().await.unwrap();
    let page = reading(&store).await.audit().list(&PageRequest::first(PAGE_LIMIT_MAX)).await.unwrap();
    assert_eq!(page.items, appended);
}

/// Records are told apart by namespaces and keys byte by byte, and keep any document.
pub async fn records_keep_any_text(store: Arc<dyn Store>) {
    let mut keys = free();
    let mut namespaces = codes();
    namespaces.extend(["a ", " a", "a\t", "a\nb"].map(str::to_owned));
    let mut unit = writing(&store).await;
    let mut written = Vec::new();
    let all = keys.iter().map(|key| ("run", key.as_str()));
    for (namespace, key) in all.chain(namespaces.iter().map(|namespace| (namespace.as_str(), "x"))) {
        let value: Map<String, Value> =
            [(key.to_owned(), namespace.into()), (namespace.to_owned(), key.into())].into_iter().collect();
        let record =
            Record { key: RecordKey::new(namespace, key), value: value.into(), expires_at: None, version: Version(1) };
        unit.records().put(&record, Expected::Absent).await.unwrap();
        written.push(record);
    }
    unit.commit().await.unwrap();
    let mut unit = reading(&store).await;
    for record in &written {
        assert_eq!(unit.records().get(&record.key).await.unwrap().as_ref(), Some(record));
    }
    keys.sort_unstable();
    let listed = unit.records().list("run").await.unwrap();
    assert_eq!(listed.iter().map(|record| record.key.key.as_str()).collect::<Vec<_>>(), keys);
    let different: BTreeSet<&String> = namespaces.iter().collect();
    for namespace in different {
        assert_eq!(unit.records().list(namespace).await.unwrap().len(), 1, "{namespace:?}");
    }
}
