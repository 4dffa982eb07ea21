//! Migrations.

use moon_core::{ErrorKind, Store, Warehouse};
use moon_store_mysql::{MysqlOptions, MysqlStore, MysqlWarehouse};
use moon_testkit::builders::currency;
use mysql_async::prelude::Queryable as _;

use crate::support::{Database, skipped};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_and_warehouses_that_start_at_once_make_one_schema() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let url = database.url();
            tokio::spawn(async move {
                let store = MysqlStore::connect(&url).await?;
                store.migrate().await?;
                MysqlWarehouse::beside(&store, currency()).migrate().await
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
    let sql = "SELECT CONVERT(component USING utf8mb4), version, step, begun FROM moon_schema ORDER BY component";
    let versions: Vec<(String, i64, i64, i64)> = database.conn().await.query(sql).await.unwrap();
    assert_eq!(versions, [("ledger".to_owned(), 1, 0, 0), ("warehouse".to_owned(), 2, 0, 0)]);
}

/// A migration that another one keeps waiting says so and makes nothing.
#[tokio::test]
async fn a_migration_waits_for_another_one_and_then_gives_up() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let mut other = database.conn().await;
    let lock = "SELECT GET_LOCK(CONCAT('moon-', SHA1(DATABASE())), 0)";
    assert_eq!(other.query_first::<i64, _>(lock).await.unwrap(), Some(1));
    let brief = MysqlOptions::default().lock_wait(std::time::Duration::from_millis(50));
    let store = MysqlStore::connect_with(&database.url(), &brief).await.unwrap();
    let migrations: [moon_core::Result<()>; 2] =
        [store.migrate().await, MysqlWarehouse::beside(&store, currency()).migrate().await];
    for migrated in migrations {
        let error = migrated.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contention, "{error}");
        assert!(error.to_string().contains("another migration took too long"), "{error}");
    }
    let tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()";
    assert_eq!(other.query_first::<i64, _>(tables).await.unwrap(), Some(0), "nothing was made");
    let free = "SELECT RELEASE_LOCK(CONCAT('moon-', SHA1(DATABASE())))";
    assert_eq!(other.query_first::<i64, _>(free).await.unwrap(), Some(1));
    store.migrate().await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    database.conn().await.query_drop("UPDATE moon_schema SET version = 99").await.unwrap();
    let error = database.store().await.migrate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("newer version"), "{error}");
}

/// What is in the way is told, with the statement that met it; what was done stays, is known, and is gone on with.
#[tokio::test]
async fn a_migration_that_failed_half_way_is_gone_on_with() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let mut conn = database.conn().await;
    conn.query_drop("CREATE TABLE ledger_audit (mine INT)").await.unwrap();
    let store = database.store().await;
    for _ in 0..2 {
        let error = store.migrate().await.unwrap_err();
        assert!(format!("{error:?}").contains("ledger_audit"), "{error:?}");
        assert!(error.to_string().contains("statement: 12"), "{error}");
    }
    let mine: Vec<String> = conn
        .query(
            "SELECT column_name FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'ledger_audit'",
        )
        .await
        .unwrap();
    assert_eq!(mine, ["mine"], "the embedder's own table is left alone");
    conn.query_drop("DROP TABLE ledger_audit").await.unwrap();
    store.migrate().await.unwrap();
    let dynamic: std::sync::Arc<dyn Store> = std::sync::Arc::new(store);
    moon_testkit::behaviours::units::a_commit_is_visible_to_later_units(dynamic).await;
}

/// A server that went down between a statement and the note that it is done.
#[tokio::test]
async fn a_statement_that_was_done_and_not_noted_is_not_in_the_way() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let mut conn = database.conn().await;
    let views = ["ledger_sales_readable", "ledger_adjustments_readable", "ledger_targets_readable"];
    for view in &views[1..] {
        conn.query_drop(format!("DROP VIEW {view}")).await.unwrap();
    }
    // Fourteen statements make the tables; the first view was made.
    conn.query_drop("UPDATE moon_schema SET version = 0, step = 14, begun = 1").await.unwrap();
    database.store().await.migrate().await.unwrap();
    for view in views {
        conn.query_drop(format!("SELECT * FROM {view}")).await.unwrap();
    }
}
