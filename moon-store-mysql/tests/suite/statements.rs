//! How many statements a call takes.

use std::sync::Arc;

use moon_core::SaleMessage;
use moon_store_mysql::MysqlUnit;
use moon_testkit::builders::{actor, content, content_message, ledger, opened, rupees};
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use crate::support::{Database, skipped};

/// Sales with keys from `first` on, on many days.
fn sales(first: u32, count: u32, amount: i64) -> Vec<SaleMessage> {
    let sale = |number: u32| {
        let day = format!("2026-{:02}-{:02}", 1 + number % 12, 1 + number % 28);
        content_message(&format!("S{number}"), None, content("AGT001", "LIFE", &day, rupees(amount)))
    };
    (first..first + count).map(sale).collect()
}

/// Statements that this connection has sent, this one included.
async fn sent(conn: &mut Conn) -> u64 {
    let (_, value): (String, u64) = conn.query_first("SHOW SESSION STATUS LIKE 'Questions'").await.unwrap().unwrap();
    value
}

/// Recording thousands of sales in one call takes a handful of statements: hardly more than recording ten of them. So does
/// correcting them, but for the statement that writes.
#[tokio::test]
async fn one_call_takes_a_handful_of_statements() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    opened(Arc::new(database.store().await)).await;
    let ledger = ledger(Arc::new(database.store().await)).await;
    // The statements of a transaction that is lent are those of its connection.
    let mut conn = database.conn().await;
    let mut taken = Vec::new();
    for (first, count, amount) in [(0, 10, 1), (100, 5_000, 1), (100, 10, 2), (100, 5_000, 3)] {
        conn.query_drop("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await.unwrap();
        conn.query_drop("START TRANSACTION").await.unwrap();
        let before = sent(&mut conn).await;
        let mut unit = MysqlUnit::within(&mut conn);
        let messages = sales(first, count, amount);
        let counts = ledger.record_sales_in(&mut unit, &actor(), &messages).await.unwrap().counts();
        assert_eq!(counts.recorded + counts.corrections, u64::from(count), "{counts:?}");
        drop(unit);
        taken.push(sent(&mut conn).await - before - 1);
        conn.query_drop("COMMIT").await.unwrap();
    }
    eprintln!("statements to record 10 and 5,000 sales, and to correct as many: {taken:?}");
    assert!(taken[0] <= 40 && taken[1] <= taken[0] + 40, "recording: {taken:?}");
    // Each sale is compared with what it was, some dozens in a statement.
    assert!(taken[2] <= 75 && taken[3] <= taken[2] + 200, "correcting: {taken:?}");
}
