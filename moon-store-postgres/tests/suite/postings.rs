//! Scans and sums of more than one batch.

use futures_util::TryStreamExt as _;
use moon_core::{
    DayRange, DaySet, Dimension, Fold, FoldPlan, PostingBatch, PostingFilter, Pushdown, Store, TotalsPlan, TxMode,
};
use moon_testkit::builders::{days, fill};

use crate::support::{Database, skipped};

/// Sales and a cancellation of every fifth, made by the server itself, without looking at the foreign keys.
const MANY: &str = "SET session_replication_role = replica;
    INSERT INTO ledger_sources (name) VALUES ('core');
    INSERT INTO ledger_sales (id, amount, recorded_at, content_at, revision, last_revision, sale_date, source_id,
        product_id, agent_id, team_id, branch_id, kind, given, state, reference)
    SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(i), 12, '0'))::uuid, i * 37 % 100000 - 5000, 'epoch', 'epoch', 0, 1,
        DATE '2026-01-01' + (i * 7919) % 365, 1, 1 + i % 2, 1 + i % 2, nullif(i % 3, 0), nullif(i % 3, 0), i % 5, 0,
        CASE WHEN i % 1000 = 0 THEN 1 ELSE 0 END, 'S' || i
    FROM generate_series(1, 140000) i;
    INSERT INTO ledger_adjustments (sale_id, revision, amount, sale_date, own_date, kind, count)
    SELECT id, 1, -amount, sale_date, sale_date + 20, 1, -1 FROM ledger_sales WHERE reference LIKE '%5' OR kind = 0;
    ANALYZE";

#[tokio::test]
async fn a_scan_of_many_batches_equals_the_sums_of_the_server() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let store: std::sync::Arc<dyn Store> = std::sync::Arc::new(database.store().await);
    fill(&store).await;
    database.client().await.batch_execute(MANY).await.unwrap();
    let mut unit = store.begin(TxMode::ReadOnly).await.unwrap();
    let some: DaySet = [days("2026-02-03", "2026-02-20"), days("2026-11-01", "2027-01-05")].into_iter().collect();
    // More pieces than are looked up one by one.
    let (first, last) = (days("2026-01-01", "2026-01-01").start(), days("2026-12-31", "2026-12-31").start());
    let pieces: DaySet = (first..=last).step_by(2).map(|day| DayRange::new(day, day + 1)).collect();
    assert_eq!(pieces.ranges().len(), 183);
    for (filter, least) in
        [(PostingFilter::default(), 4), (PostingFilter::days(some), 1), (PostingFilter::days(pieces), 2)]
    {
        let batches: Vec<PostingBatch> = unit.postings().scan(&filter).try_collect().await.unwrap();
        assert!(batches.len() >= least, "{} batches", batches.len());
        assert!(batches.iter().all(|batch| batch.len() <= 65_536));
        let days: Vec<i32> = batches.iter().flat_map(|batch| batch.sales.day.iter().copied()).collect();
        assert!(days.is_sorted());
        let every = [Dimension::Team, Dimension::Branch, Dimension::Product, Dimension::Agent];
        let mut fold = Fold::new(FoldPlan::daily(&every, filter.days.clone()));
        for batch in &batches {
            fold.push(batch).unwrap();
        }
        let plan = TotalsPlan { filter, dimensions: every.to_vec() };
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
    let client = database.client().await;
    let sql =
        "SELECT concat_ws(' ', s.reference, s.date, s.amount, s.currency, s.agent, s.team, s.voided, j.date, j.amount)
        FROM ledger_sales_readable s LEFT JOIN ledger_adjustments_readable j ON j.sale = s.id";
    let rows: Vec<String> = client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, ["S1 2026-02-10 -7.00 LKR AGT001 unassigned f 2026-03-01 7.00"]);
}
