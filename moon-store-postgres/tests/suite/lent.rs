//! A unit of work within the embedder's own transaction.

use std::sync::Arc;

use moon_core::{ErrorKind, Ledger, UnitOfWork};
use moon_store_postgres::PostgresUnit;
use moon_testkit::builders::{actor, content, content_message, enter, key, ledger, rupees};
use tokio_postgres::Client;

use crate::support::{Database, skipped};

async fn prepared(database: &Database) -> (Ledger, Client) {
    let ledger = ledger(Arc::new(database.store().await)).await;
    enter(&ledger, &["ALPHA"], &["KANDY"], &["LIFE"], &["AGT001"]).await;
    let client = database.client().await;
    client.batch_execute("CREATE TABLE policies (holder TEXT)").await.unwrap();
    (ledger, client)
}

/// Records a sale and a policy in one transaction, which the caller ends.
async fn sell<'t>(ledger: &Ledger, transaction: &tokio_postgres::Transaction<'t>, reference: &str) {
    transaction.execute("INSERT INTO policies (holder) VALUES ('somebody')", &[]).await.unwrap();
    let mut unit = PostgresUnit::within(transaction);
    let message = content_message(reference, None, content("AGT001", "LIFE", "2026-02-10", rupees(1)));
    let report = ledger.record_sales_in(&mut unit, &actor(), &[message]).await.unwrap();
    assert_eq!(report.counts().recorded, 1);
}

async fn policies(client: &Client) -> i64 {
    client.query_one("SELECT count(*) FROM policies", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn what_the_embedder_rolls_back_never_was() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (ledger, mut client) = prepared(&database).await;
    let transaction = client.transaction().await.unwrap();
    sell(&ledger, &transaction, "S1").await;
    transaction.rollback().await.unwrap();
    assert_eq!(ledger.find_sale(&key("S1")).await.unwrap(), None);
    assert_eq!(policies(&client).await, 0);
    let marks =
        client.query_one("SELECT count(*) FROM ledger_marks WHERE mark LIKE '%2026-02-10%'", &[]).await.unwrap();
    assert_eq!(marks.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn what_the_embedder_commits_is_there_together() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (ledger, mut client) = prepared(&database).await;
    let transaction = client.transaction().await.unwrap();
    sell(&ledger, &transaction, "S1").await;
    assert_eq!(ledger.find_sale(&key("S1")).await.unwrap(), None, "not committed yet");
    transaction.commit().await.unwrap();
    assert!(ledger.find_sale(&key("S1")).await.unwrap().is_some());
    assert_eq!(policies(&client).await, 1);
}

#[tokio::test]
async fn the_embedder_alone_ends_the_transaction() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (ledger, mut client) = prepared(&database).await;
    let transaction = client.transaction().await.unwrap();
    sell(&ledger, &transaction, "S1").await;
    let committed = Box::new(PostgresUnit::within(&transaction)).commit().await;
    assert_eq!(committed.unwrap_err().kind(), ErrorKind::Unsupported);
    let rolled_back = Box::new(PostgresUnit::within(&transaction)).rollback().await;
    assert_eq!(rolled_back.unwrap_err().kind(), ErrorKind::Unsupported);
    transaction.commit().await.unwrap();
    assert!(ledger.find_sale(&key("S1")).await.unwrap().is_some(), "neither call ended it");
}
