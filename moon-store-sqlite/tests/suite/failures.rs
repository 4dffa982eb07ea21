//! What goes wrong is told clearly, and leaves nothing half done.

use moon_core::{ErrorKind, PageRequest, SaleQuery, Store, TxMode};
use moon_store_sqlite::{SqliteOptions, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;

use crate::common::{Database, read, sale, write};

#[tokio::test]
async fn urls_without_a_usable_file_are_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let missing = format!("sqlite:{}", folder.path().join("no-such-folder").join("moon.db").display());
    let not_there = format!("sqlite:{}?mode=rw", folder.path().join("moon.db").display());
    for url in [&missing, &not_there] {
        let error = SqliteStore::connect(url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("moon.db"), "{error}");
    }
    for url in ["sqlite::memory:", "sqlite://", "postgres://host/db", "moon.db?mode=memory"] {
        assert_eq!(SqliteStore::connect(url).await.unwrap_err().kind(), ErrorKind::InvalidInput, "{url}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let database = Database::new();
    std::fs::write(database.file(), "agent,amount\nAGT001,100\n".repeat(200)).unwrap();
    let error = SqliteStore::connect(&database.url()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("not a database"), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_a_repeat_changes_nothing() {
    let database = Database::new();
    let store = database.filled().await;
    store.migrate().await.unwrap();
    let pool = sqlx::SqlitePool::connect(&database.url()).await.unwrap();
    sqlx::query("UPDATE moon_schema SET version = 99").execute(&pool).await.unwrap();
    let error = store.migrate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[tokio::test]
async fn a_read_only_file_can_be_read_and_says_what_stops_a_write() {
    let database = Database::new();
    let store = database.filled().await;
    let reader = SqliteStore::connect(&format!("{}?mode=ro", database.url())).await.unwrap();
    reader.migrate().await.unwrap();
    assert!(read(&reader).await.sales().list(&SaleQuery::default(), &PageRequest::first(1)).await.is_ok());
    let outcome = async {
        let mut unit = reader.begin(TxMode::ReadWrite).await?;
        unit.sales().insert_absent(&[sale("R1", 1, "2026-01-01", 1)]).await?;
        unit.commit().await
    }
    .await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Backend);
    assert!(error.to_string().contains("read-only") && error.to_string().contains("moon.db"), "{error}");
    drop(store);
}

#[tokio::test]
async fn a_full_disk_undoes_the_whole_unit_and_the_store_goes_on() {
    let database = Database::new();
    drop(database.filled().await);
    // The limit of pages belongs to a connection, so that the pool has only one.
    let options: SqliteConnectOptions = database.url().parse().unwrap();
    let pool = sqlx::pool::PoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&pool).await.unwrap();
    let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 20));
    sqlx::query(limit).execute(&pool).await.unwrap();
    let store = SqliteStore::from_pool(pool.clone()).await.unwrap();
    let sales =
        |start: u128| -> Vec<_> { (start..start + 300).map(|n| sale(&format!("R{n}"), n, "2026-01-01", 1)).collect() };
    let mut unit = write(&store).await;
    let mut start = 0;
    let error = loop {
        match unit.sales().insert_absent(&sales(start)).await {
            Ok(_) => start += 300,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Backend);
    assert!(error.to_string().contains("full") && error.to_string().contains("moon.db"), "{error}");
    // Whatever follows in the unit fails too, rather than being committed on its own.
    assert_eq!(unit.sales().insert_absent(&sales(90_000)).await.unwrap_err().kind(), ErrorKind::Backend);
    assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Backend);
    let other = SqliteStore::connect_with(&database.url(), &SqliteOptions::default()).await.unwrap();
    let listed = read(&other).await.sales().list(&SaleQuery::default(), &PageRequest::first(1)).await.unwrap();
    assert!(listed.items.is_empty(), "nothing is half done");
    let mut unit = write(&other).await;
    unit.sales().insert_absent(&sales(0)).await.unwrap();
    unit.commit().await.unwrap();
}

#[tokio::test]
async fn a_dropped_unit_is_rolled_back_and_frees_the_writer() {
    let database = Database::new();
    let store = database.filled().await;
    for n in 0..3 {
        let mut unit = write(&store).await;
        unit.sales().insert_absent(&[sale("R1", n, "2026-01-01", 1)]).await.unwrap();
        drop(unit);
    }
    let mut unit = write(&store).await;
    assert!(unit.sales().insert_absent(&[sale("R1", 9, "2026-01-01", 1)]).await.unwrap().is_empty());
    unit.commit().await.unwrap();
}

/// The contract forbids it; should it happen, nothing of the unit is kept.
#[tokio::test]
async fn an_identifier_that_is_taken_undoes_the_unit() {
    let database = Database::new();
    let store = database.filled().await;
    let mut unit = write(&store).await;
    let sales = [sale("R1", 1, "2026-01-01", 1), sale("R2", 2, "2026-01-01", 1), sale("R3", 1, "2026-01-01", 1)];
    assert_eq!(unit.sales().insert_absent(&sales).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Backend);
    let listed = read(&store).await.sales().list(&SaleQuery::default(), &PageRequest::first(9)).await.unwrap();
    assert!(listed.items.is_empty());
}
