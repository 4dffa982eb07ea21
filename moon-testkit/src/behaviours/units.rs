//! Units of work: all or nothing, and snapshots.

use std::sync::Arc;

use futures_util::FutureExt as _;
use moon_core::{
    Assignment, AuditEntry, ErrorKind, Expected, LifeMessage, Mark, MessageBody, Period, Places, Record, RecordKey,
    Result, Revision, Sale, SaleChange, SaleContent, Store, StoredMessage, Target, TargetKey, TargetScope, TxMode,
    UnitOfWork, Version,
};
use uuid::Uuid;

use crate::builders::{
    agent, agent_code, branch, branch_code, date, fill, noon, product, product_code, reading, rupees, sale, team,
    team_code, text, writing,
};

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

/// Every way of writing, by a number; `None` behind the last one. None of them can fail in a filled store.
async fn write(unit: &mut dyn UnitOfWork, way: u32) -> Option<(&'static str, Result<()>)> {
    let now = noon("2026-06-15");
    let new_sale = || sale(2, "2026-02-10", rupees(2));
    let record = || Record {
        key: RecordKey::new("test", "new"),
        value: serde_json::Value::Null,
        expires_at: None,
        version: Version::FIRST,
    };
    Some(match way {
        0 => ("put_team", unit.organisation().put_team(&team("GAMMA"), None).await),
        1 => ("put_branch", unit.organisation().put_branch(&branch("GALLE"), None).await),
        2 => ("agents put", unit.agents().put(&agent("AGT003"), None).await),
        3 => {
            let assignment = Assignment {
                agent: agent_code("AGT001"),
                from: date("2026-01-01"),
                to: None,
                team: team_code("ALPHA"),
                branch: branch_code("KANDY"),
                version: Version::FIRST,
                entered_at: now,
                entered_by: text("tests"),
            };
            ("add_assignment", unit.agents().add_assignment(&assignment).await)
        }
        4 => ("products put", unit.products().put(&product("HEALTH"), None).await),
        5 => {
            let target = Target {
                key: TargetKey { product: None, scope: TargetScope::Ledger, period: Period::ALL },
                from: date("2026-01-01"),
                amount: rupees(1),
                version: Version::FIRST,
                entered_at: now,
                entered_by: text("tests"),
            };
            ("add_target", unit.products().add_target(&target).await)
        }
        6 => ("insert_absent", unit.sales().insert_absent(&[new_sale()]).await.map(drop)),
        7 => {
            let before = Some(sale(1, "2026-02-10", rupees(1)));
            let change = SaleChange { before, after: sale(1, "2026-02-11", rupees(1)) };
            ("sales write", unit.sales().write(&[change]).await)
        }
        8 => {
            let body = MessageBody::Life(LifeMessage::Void);
            let message =
                StoredMessage { key: new_sale().key, revision: Revision(1), body, entry: None, received_at: now };
            ("add_messages", unit.sales().add_messages(&[message]).await)
        }
        9 => ("marks append", unit.marks().append(&[Mark::Dimensions], now).await),
        10 => ("claim", unit.marks().claim(Uuid::from_u128(1)).await),
        11 => ("settle", unit.marks().settle(Uuid::from_u128(1)).await),
        12 => {
            let (action, subject) = ("test".to_owned(), "all".to_owned());
            let entry = AuditEntry { at: now, actor: text("tests"), action, subject, details: serde_json::Value::Null };
            ("audit append", unit.audit().append(&entry).await)
        }
        13 => ("records put", unit.records().put(&record(), Expected::Absent).await),
        14 => {
            let key = RecordKey::new("test", "old");
            ("records delete", unit.records().delete(&key, Version::FIRST).await)
        }
        _ => return None,
    })
}

/// A filled store with a sale and a record, which every way of writing can change.
async fn fill_for_writes(store: &Arc<dyn Store>) {
    fill(store).await;
    let mut unit = writing(store).await;
    unit.sales().insert_absent(&[sale(1, "2026-02-10", rupees(1))]).await.unwrap();
    let (key, value) = (RecordKey::new("test", "old"), serde_json::Value::Null);
    let record = Record { key, value, expires_at: None, version: Version::FIRST };
    unit.records().put(&record, Expected::Absent).await.unwrap();
    unit.commit().await.unwrap();
}

/// Writing in a read-only unit says that it cannot be done, whichever way, and leaves nothing.
pub async fn a_read_only_unit_cannot_write(store: Arc<dyn Store>) {
    fill_for_writes(&store).await;
    for way in 0.. {
        let mut unit = reading(&store).await;
        let Some((what, outcome)) = write(unit.as_mut(), way).await else { break };
        let error = outcome.expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{what}: {error}");
    }
    // Each of them would now find something there already if it had left it.
    let mut unit = writing(&store).await;
    for way in 0.. {
        let Some((what, outcome)) = write(unit.as_mut(), way).await else { break };
        assert!(outcome.is_ok(), "{what}: {outcome:?}");
    }
    unit.commit().await.unwrap();
}

/// After a call that failed, the unit can be rolled back, and with it everything that succeeded before.
pub async fn a_failed_call_leaves_a_unit_that_rolls_back(store: Arc<dyn Store>) {
    fill(&store).await;
    for way in 0..3 {
        let mut unit = writing(&store).await;
        put_team(unit.as_mut(), "GAMMA").await;
        let outcome = match way {
            0 => unit.organisation().put_team(&team("ALPHA"), None).await,
            1 => unit.organisation().put_team(&team("ALPHA"), Some(Version(7))).await,
            _ => {
                let unknown = Sale { places: Places::default(), ..sale(1, "2026-02-10", rupees(1)) };
                let content = SaleContent { product: product_code("HEALTH"), ..unknown.content };
                unit.sales().insert_absent(&[Sale { content, ..unknown }]).await.map(drop)
            }
        };
        assert!(outcome.is_err(), "{way}");
        unit.rollback().await.unwrap();
        assert!(!is_committed(store.as_ref(), "GAMMA").await, "{way}");
    }
    let mut unit = writing(&store).await;
    put_team(unit.as_mut(), "GAMMA").await;
    unit.commit().await.unwrap();
    assert!(is_committed(store.as_ref(), "GAMMA").await);
}

/// A call that is given up before it has answered, and its unit with it, leaves nothing, and does not block the next.
pub async fn a_call_given_up_half_way_leaves_nothing(store: Arc<dyn Store>) {
    fill(&store).await;
    let sales: Vec<_> = (1..200).map(|number| sale(number, "2026-02-10", rupees(1))).collect();
    for _ in 0..3 {
        let mut unit = writing(&store).await;
        put_team(unit.as_mut(), "GAMMA").await;
        // Polled once; a store that answers at once is merely rolled back.
        let _ = unit.sales().insert_absent(&sales).now_or_never();
        drop(unit);
        assert!(!is_committed(store.as_ref(), "GAMMA").await);
    }
    let mut unit = writing(&store).await;
    assert_eq!(unit.sales().insert_absent(&sales).await.unwrap(), [0; 0]);
    unit.commit().await.unwrap();
}

/// A writer that waits for another one sees what that one has committed.
pub async fn a_writer_sees_what_the_one_before_committed(store: Arc<dyn Store>) {
    let mut first = writing(&store).await;
    put_team(first.as_mut(), "ALPHA").await;
    let second = async {
        let mut unit = writing(&store).await;
        put_team(unit.as_mut(), "BETA").await;
        unit.commit().await.unwrap();
    };
    let ((), outcome) = tokio::join!(second, async {
        tokio::task::yield_now().await;
        first.commit().await
    });
    outcome.unwrap();
    assert!(is_committed(store.as_ref(), "ALPHA").await && is_committed(store.as_ref(), "BETA").await);
    let mut third = writing(&store).await;
    assert!(knows_team(third.as_mut(), "ALPHA").await && knows_team(third.as_mut(), "BETA").await);
}

/// Migrating what is migrated changes nothing, also from several sides at once; the store answers and names itself.
pub async fn migrating_again_changes_nothing(store: Arc<dyn Store>) {
    fill(&store).await;
    let (first, second) = tokio::join!(store.migrate(), store.migrate());
    first.unwrap();
    second.unwrap();
    store.ping().await.unwrap();
    assert!(is_committed(store.as_ref(), "ALPHA").await);
    let info = store.info();
    assert!(!info.backend.is_empty() && !info.version.is_empty(), "{info:?}");
}
