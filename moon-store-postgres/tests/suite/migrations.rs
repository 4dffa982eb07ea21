//! Migrations.

use moon_core::{ErrorKind, Store, Warehouse};
use moon_store_postgres::{PostgresOptions, PostgresStore, PostgresWarehouse};
use moon_testkit::builders::currency;

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
                let store = PostgresStore::connect(&url).await?;
                store.migrate().await?;
                PostgresWarehouse::beside(&store, currency()).migrate().await
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
    let client = database.client().await;
    let rows = client.query("SELECT component, version FROM moon_schema ORDER BY component", &[]).await.unwrap();
    let versions: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(versions, [("ledger".to_owned(), 1), ("warehouse".to_owned(), 4)]);
}

#[tokio::test]
async fn a_migration_waits_for_another_one_and_then_gives_up() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let other = database.client().await;
    other.batch_execute("SELECT pg_advisory_lock(1299148654, 1)").await.unwrap();
    let brief = PostgresOptions::default().lock_wait(std::time::Duration::from_millis(50));
    let store = PostgresStore::connect_with(&database.url(), &brief).await.unwrap();
    let error = store.migrate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contention, "{error}");
    other.batch_execute("SELECT pg_advisory_unlock(1299148654, 1)").await.unwrap();
    store.migrate().await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    database.client().await.batch_execute("UPDATE moon_schema SET version = 99").await.unwrap();
    let error = database.store().await.migrate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("newer version"), "{error}");
}

/// What fails half way leaves nothing: here a table of the embedder is in the way.
#[tokio::test]
async fn a_failed_migration_leaves_nothing_and_can_be_repeated() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let client = database.client().await;
    client.batch_execute("CREATE TABLE ledger_audit (mine INTEGER)").await.unwrap();
    let store = database.store().await;
    let error = store.migrate().await.unwrap_err();
    assert!(format!("{error:?}").contains("ledger_audit"), "{error:?}");
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'ledger_%'";
    assert_eq!(client.query_one(tables, &[]).await.unwrap().get::<_, i64>(0), 1);
    client.batch_execute("DROP TABLE ledger_audit").await.unwrap();
    store.migrate().await.unwrap();
}

#[tokio::test]
async fn a_schema_of_choice_is_made_and_used() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let options = PostgresOptions::default().schema("Moon's \"own\"");
    let store = PostgresStore::connect_with(&database.url(), &options).await.unwrap();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    let warehouse = PostgresWarehouse::connect_with(&database.url(), currency(), &options).await.unwrap();
    warehouse.migrate().await.unwrap();
    let client = database.client().await;
    let sql = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'ledger_%' OR tablename = 'teams'";
    let schemas: Vec<String> = client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(schemas, ["Moon's \"own\""]);
    let dynamic: std::sync::Arc<dyn Store> = std::sync::Arc::new(store);
    moon_testkit::behaviours::units::a_commit_is_visible_to_later_units(dynamic).await;
}
