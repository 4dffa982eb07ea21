//! A unit of work within the embedder's own transaction.

use std::sync::Arc;

use moon_core::{ErrorKind, Ledger, UnitOfWork};
use moon_store_mysql::MysqlUnit;
use moon_testkit::builders::{actor, content, content_message, enter, key, ledger, rupees};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, IsolationLevel, TxOpts};

use crate::support::{Database, skipped};

async fn prepared(database: &Database) -> (Ledger, Conn) {
    let ledger = ledger(Arc::new(database.store().await)).await;
    enter(&ledger, &["ALPHA"], &["KANDY"], &["LIFE"], &["AGT001"]).await;
    let mut conn = database.conn().await;
    conn.query_drop("CREATE TABLE policies (holder VARCHAR(20))").await.unwrap();
    (ledger, conn)
}

fn read_committed() -> TxOpts {
    let mut options = TxOpts::default();
    options.with_isolation_level(IsolationLevel::ReadCommitted);
    options
}

/// Records a sale and a policy in one transaction, which the caller ends.
async fn sell(ledger: &Ledger, transaction: &mut impl Queryable, reference: &str) {
    transaction.query_drop("INSERT INTO policies (holder) VALUES ('somebody')").await.unwrap();
    let mut unit = MysqlUnit::within(transaction);
    let message = content_message(reference, None, content("AGT001", "LIFE", "2026-02-10", rupees(1)));
    let report = ledger.record_sales_in(&mut unit, &actor(), &[message]).await.unwrap();
    assert_eq!(report.counts().recorded, 1);
}

async fn count(conn: &mut Conn, from: &str) -> u64 {
    conn.query_first(format!("SELECT COUNT(*) FROM {from}")).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_the_embedder_rolls_back_never_was() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (ledger, mut conn) = prepared(&database).await;
    let mut transaction = conn.start_transaction(read_committed()).await.unwrap();
    sell(&ledger, &mut transaction, "S1").await;
    transaction.rollback().await.unwrap();
    assert_eq!(ledger.find_sale(&key("S1")).await.unwrap(), None);
    assert_eq!(count(&mut conn, "policies").await, 0);
    assert_eq!(count(&mut conn, "ledger_marks WHERE mark LIKE '%2026-02-10%'").await, 0);
}

#[tokio::test]
async fn what_the_embedder_commits_is_there_together() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (ledger, mut conn) = prepared(&database).await;
    let mut transaction = conn.start_transaction(read_committed()).await.unwrap();
    sell(&ledger, &mut transaction, "S1").await;
    assert_eq!(ledger.find_sale(&key("S1")).await.unwrap(), None, "not committed yet");
    transaction.commit().await.unwrap();
    assert!(ledger.find_sale(&key("S1")).await.unwrap().is_some());
    assert_eq!(count(&mut conn, "policies").await, 1);
}

/// A connection on which the embedder began a transaction by a statement will do as well, and its own settings hold: here it
/// is not told how many rows an UPDATE has found, but how many it has changed.
#[tokio::test]
async fn the_embedder_alone_ends_the_transaction() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (ledger, mut conn) = prepared(&database).await;
    conn.query_drop("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await.unwrap();
    conn.query_drop("START TRANSACTION").await.unwrap();
    sell(&ledger, &mut conn, "S1").await;
    let mut unit = MysqlUnit::within(&mut conn);
    let team = unit.organisation().find_teams(&[moon_testkit::builders::team_code("ALPHA")]).await.unwrap().remove(0);
    let team = team.unwrap();
    unit.organisation().put_team(&team, Some(team.version)).await.unwrap();
    let committed = Box::new(unit).commit().await;
    assert_eq!(committed.unwrap_err().kind(), ErrorKind::Unsupported);
    let rolled_back = Box::new(MysqlUnit::within(&mut conn)).rollback().await;
    assert_eq!(rolled_back.unwrap_err().kind(), ErrorKind::Unsupported);
    conn.query_drop("COMMIT").await.unwrap();
    assert!(ledger.find_sale(&key("S1")).await.unwrap().is_some(), "neither call ended it");
}
