//! Several units of work, stores and processes over one file.

use std::time::Duration;

use moon_core::{ErrorKind, PageRequest, SaleQuery, Store, TxMode};
use moon_store_sqlite::{SqliteOptions, SqliteStore};

use crate::common::{Database, read, sale, write};

async fn count(store: &SqliteStore) -> usize {
    read(store).await.sales().list(&SaleQuery::default(), &PageRequest::first(1_000)).await.unwrap().items.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_that_start_at_once_create_one_database() {
    let database = Database::new();
    let url = database.url();
    let starts: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move {
                let store = SqliteStore::connect(&url).await?;
                store.migrate().await?;
                store.ping().await
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_reading_unit_keeps_its_snapshot_while_others_write() {
    let database = Database::new();
    let store = database.filled().await;
    let other = SqliteStore::connect(&database.url()).await.unwrap();
    let mut snapshot = read(&store).await;
    let mut unit = write(&other).await;
    unit.sales().insert_absent(&[sale("R1", 1, "2026-01-01", 1)]).await.unwrap();
    assert_eq!(count(&store).await, 0, "nobody sees what is not committed");
    unit.commit().await.unwrap();
    assert_eq!(count(&store).await, 1);
    let seen = snapshot.sales().list(&SaleQuery::default(), &PageRequest::first(9)).await.unwrap();
    assert!(seen.items.is_empty());
}

#[tokio::test]
async fn a_second_writer_waits_and_then_gives_up_with_contention() {
    let database = Database::new();
    let first = database.filled().await;
    let brief = SqliteOptions::default().wait(Duration::from_millis(60));
    let elsewhere = SqliteStore::connect_with(&database.url(), &brief).await.unwrap();
    let unit = write(&first).await;
    let error = elsewhere.begin(TxMode::ReadWrite).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contention, "{error}");
    assert!(error.to_string().contains("moon.db"), "{error}");
    drop(unit);
    let held = write(&elsewhere).await;
    let error = elsewhere.begin(TxMode::ReadWrite).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contention, "{error}");
    held.rollback().await.unwrap();
    write(&elsewhere).await.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_several_stores_all_get_their_turn() {
    let database = Database::new();
    let store = database.filled().await;
    let other = SqliteStore::connect(&database.url()).await.unwrap();
    let writers: Vec<_> = (0_u128..40)
        .map(|n| {
            let store = if n % 2 == 0 { store.clone() } else { other.clone() };
            tokio::spawn(async move {
                let mut unit = write(&store).await;
                let sales = [sale(&format!("R{n}"), n, "2026-01-01", 1), sale("shared", 1_000 + n, "2026-01-01", 1)];
                let collisions = unit.sales().insert_absent(&sales).await.unwrap();
                unit.commit().await.unwrap();
                collisions.len()
            })
        })
        .collect();
    let mut collisions = 0;
    for writer in writers {
        collisions += writer.await.unwrap();
    }
    assert_eq!(collisions, 39, "the shared sale is recorded once");
    assert_eq!(count(&store).await, 41);
}

#[tokio::test]
async fn an_embedders_pool_will_do() {
    let database = Database::new();
    drop(database.filled().await);
    let pool = sqlx::SqlitePool::connect(&database.url()).await.unwrap();
    let store = SqliteStore::from_pool(pool.clone()).await.unwrap();
    let mut unit = write(&store).await;
    unit.sales().insert_absent(&[sale("R1", 1, "2026-01-01", 1)]).await.unwrap();
    unit.commit().await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger_sales").fetch_one(&pool).await.unwrap();
    assert_eq!(rows, 1);
}
