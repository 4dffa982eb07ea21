//! Scans and sums of more than one batch.

use futures_util::{StreamExt as _, TryStreamExt as _};
use moon_core::{DaySet, Dimension, Fold, FoldPlan, PostingBatch, PostingFilter, Pushdown, Store, TotalsPlan, TxMode};
use moon_testkit::builders::{days, fill};
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use crate::support::{Database, skipped};

/// Fills the table of numbers by doubling it.
async fn number(conn: &mut Conn, most: u32) {
    conn.query_drop("CREATE TEMPORARY TABLE numbers (i INT NOT NULL PRIMARY KEY)").await.unwrap();
    conn.query_drop("CREATE TEMPORARY TABLE more (i INT NOT NULL PRIMARY KEY)").await.unwrap();
    conn.query_drop("INSERT INTO numbers VALUES (1)").await.unwrap();
    let mut count = 1;
    while count < most {
        conn.query_drop("DELETE FROM more").await.unwrap();
        conn.query_drop(format!("INSERT INTO more SELECT i + {count} FROM numbers WHERE i + {count} <= {most}"))
            .await
            .unwrap();
        conn.query_drop("INSERT INTO numbers SELECT i FROM more").await.unwrap();
        count *= 2;
    }
}

/// Sales, more than two batches of them and most on one day, and a cancellation of many.
async fn many(conn: &mut Conn) {
    number(conn, 140_000).await;
    for sql in [
        "INSERT INTO ledger_sources (name) VALUES ('core')",
        "INSERT INTO ledger_sales (id, amount, recorded_at, content_at, revision, last_revision, sale_date, source_id,
             product_id, agent_id, team_id, branch_id, kind, given, state, reference)
         SELECT UNHEX(LPAD(HEX(i), 32, '0')), i * 37 % 100000 - 5000, 0, 0, 0, 1,
             IF(i % 4 = 0, DATE_ADD('2026-01-01', INTERVAL (i * 7) % 365 DAY), '2026-02-15'), s.id,
             1 + i % 2, 1 + i % 2, NULLIF(i % 3, 0), NULLIF(i % 3, 0), i % 5, 0, IF(i % 1000 = 0, 1, 0), CONCAT('S', i)
         FROM numbers CROSS JOIN ledger_sources s",
        "INSERT INTO ledger_adjustments (sale_id, revision, amount, sale_date, own_date, kind, count)
         SELECT id, 1, -amount, sale_date, DATE_ADD(sale_date, INTERVAL 20 DAY), 1, -1
         FROM ledger_sales WHERE state = 0 AND (reference LIKE '%5' OR kind IN (0, 1, 2))",
    ] {
        conn.query_drop(sql).await.unwrap();
    }
}

#[tokio::test]
async fn a_scan_of_many_batches_equals_the_sums_of_the_server() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let store: std::sync::Arc<dyn Store> = std::sync::Arc::new(database.store().await);
    fill(&store).await;
    many(&mut database.conn().await).await;
    let mut unit = store.begin(TxMode::ReadOnly).await.unwrap();
    let some: DaySet = [days("2026-02-03", "2026-02-20"), days("2026-11-01", "2027-01-05")].into_iter().collect();
    let agentless = |filter| PostingFilter { without_agents: true, ..filter };
    let places = [Dimension::Team, Dimension::Branch, Dimension::Product];
    let every = [Dimension::Team, Dimension::Branch, Dimension::Product, Dimension::Agent];
    for (filter, least, dimensions) in [
        (PostingFilter::default(), 5, &every[..]),
        (PostingFilter::days(some.clone()), 3, &every),
        (agentless(PostingFilter::default()), 35, &places),
        (agentless(PostingFilter::days(some)), 30, &places),
    ] {
        // One that is given up half way, where rows may still be arriving, leaves nothing to the next one.
        let given_up = unit.postings().scan(&filter).take(2).count().await;
        assert_eq!(given_up, 2);
        let batches: Vec<PostingBatch> = unit.postings().scan(&filter).try_collect().await.unwrap();
        assert!(batches.len() >= least, "{} batches", batches.len());
        assert!(batches.iter().all(|batch| batch.len() <= 65_536));
        let days: Vec<i32> = batches.iter().flat_map(|batch| batch.sales.day.iter().copied()).collect();
        assert!(days.is_sorted());
        let mut fold = Fold::new(FoldPlan::daily(dimensions, filter.days.clone()));
        for batch in &batches {
            fold.push(batch).unwrap();
        }
        let plan = TotalsPlan { filter, dimensions: dimensions.to_vec() };
        let summed = unit.postings().totals(&plan).await.unwrap();
        assert_eq!(summed, Pushdown::Answered(fold.finish().unwrap()));
    }
}

/// Voided sales and keys that are only awaited show nowhere: neither to the engine nor to people.
#[tokio::test]
async fn readable_views_show_exact_decimals_and_no_awaited_keys() {
    use moon_testkit::builders::{actor, cancel, content, content_message, enter, ledger, life_message, rupees};
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let ledger = ledger(std::sync::Arc::new(database.store().await)).await;
    enter(&ledger, &["ALPHA"], &["KANDY"], &["LIFE"], &["AGT001"]).await;
    let messages = [
        content_message("S1", Some(0), content("AGT001", "LIFE", "2026-02-10", rupees(-7))),
        life_message("S1", Some(1), cancel("2026-03-01")),
        life_message("AWAITED", Some(1), cancel("2026-03-01")),
    ];
    ledger.record_sales(&actor(), &messages).await.unwrap();
    let mut conn = database.conn().await;
    let sql =
        "SELECT CONCAT_WS(' ', s.reference, s.date, s.amount, s.currency, s.agent, s.team, s.voided, j.date, j.amount)
        FROM ledger_sales_readable s LEFT JOIN ledger_adjustments_readable j ON j.sale = s.id";
    let rows: Vec<String> = conn.query(sql).await.unwrap();
    assert_eq!(rows, ["S1 2026-02-10 -7.0000 LKR AGT001 unassigned 0 2026-03-01 7.0000"]);
    let amount = "SELECT DATA_TYPE FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'ledger_sales_readable' AND column_name = 'amount'";
    assert_eq!(conn.query::<String, _>(amount).await.unwrap(), ["decimal"]);
}
