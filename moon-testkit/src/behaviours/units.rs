//! Units of work: all or nothing, and snapshots.

use std::sync::Arc;

use moon_core::{ErrorKind, Store, TxMode, UnitOfWork};

use crate::builders::{team, team_code};

async fn put_team(unit: &mut dyn UnitOfWork, code: &str) {
    unit.organisation().put_team(&team(code), None).await.unwrap();
}

async fn knows_team(unit: &mut dyn UnitOfWork, code: &str) -> bool {
    unit.organisation().find_teams(&[team_code(code)]).await.unwrap().iter().any(Option::is_some)
}

async fn is_committed(store: &dyn Store, code: &str) -> bool {
    let mut unit = store.begin(TxMode::ReadOnly).await.unwrap();
    knows_team(unit.as_mut(), code).await
}

/// What is committed is there for whoever comes later; within the unit it was there before.
pub async fn a_commit_is_visible_to_later_units(store: Arc<dyn Store>) {
    let mut unit = store.begin(TxMode::ReadWrite).await.unwrap();
    put_team(unit.as_mut(), "ALPHA").await;
    assert!(knows_team(unit.as_mut(), "ALPHA").await, "a unit sees its own writes");
    unit.commit().await.unwrap();
    assert!(is_committed(store.as_ref(), "ALPHA").await);
}

/// A rollback undoes everything, and the store can be written again.
pub async fn a_rollback_leaves_nothing(store: Arc<dyn Store>) {
    let mut unit = store.begin(TxMode::ReadWrite).await.unwrap();
    put_team(unit.as_mut(), "ALPHA").await;
    unit.rollback().await.unwrap();
    assert!(!is_committed(store.as_ref(), "ALPHA").await);
    a_commit_is_visible_to_later_units(store).await;
}

/// Dropping is rolling back.
pub async fn a_dropped_unit_leaves_nothing(store: Arc<dyn Store>) {
    let mut unit = store.begin(TxMode::ReadWrite).await.unwrap();
    put_team(unit.as_mut(), "ALPHA").await;
    drop(unit);
    assert!(!is_committed(store.as_ref(), "ALPHA").await);
    a_commit_is_visible_to_later_units(store).await;
}

/// A read-only unit never sees what is committed after it began.
pub async fn a_read_only_unit_sees_one_snapshot(store: Arc<dyn Store>) {
    let mut reader = store.begin(TxMode::ReadOnly).await.unwrap();
    assert!(!knows_team(reader.as_mut(), "ALPHA").await);
    let mut writer = store.begin(TxMode::ReadWrite).await.unwrap();
    put_team(writer.as_mut(), "ALPHA").await;
    assert!(!knows_team(reader.as_mut(), "ALPHA").await, "uncommitted");
    writer.commit().await.unwrap();
    assert!(!knows_team(reader.as_mut(), "ALPHA").await, "committed later");
    reader.rollback().await.unwrap();
    assert!(is_committed(store.as_ref(), "ALPHA").await);
}

/// Writing in a read-only unit says that it cannot be done, and leaves nothing.
pub async fn a_read_only_unit_cannot_write(store: Arc<dyn Store>) {
    let mut unit = store.begin(TxMode::ReadOnly).await.unwrap();
    let error = unit.organisation().put_team(&team("ALPHA"), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    drop(unit);
    assert!(!is_committed(store.as_ref(), "ALPHA").await);
}
