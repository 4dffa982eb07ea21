//! Units of work that meet: the locks of the ledger's rules, deadlocks, and messages that race with their sale.

use std::sync::Arc;
use std::time::Duration;

use moon_core::{
    ErrorKind, Expected, Ledger, Mark, NoPause, Record, RecordKey, SaleOutcome, Store, UnitOfWork, Version,
    retry_contention,
};
use moon_store_mysql::{MysqlOptions, MysqlStore};
use moon_testkit::builders::{
    actor, agent_code, assignment, cancel, content, content_message, date, enter, key, ledger, life_message, noon,
    rupees, writing,
};

use mysql_async::prelude::Queryable as _;
use uuid::Uuid;

use crate::support::{Database, skipped};

async fn opened(database: &Database) -> (Arc<dyn Store>, Ledger) {
    let store: Arc<dyn Store> = Arc::new(database.store().await);
    let ledger = ledger(Arc::clone(&store)).await;
    enter(&ledger, &["ALPHA"], &["KANDY"], &["LIFE"], &["AGT001", "AGT002"]).await;
    (store, ledger)
}

async fn commit_once_one_waits(database: &Database, unit: Box<dyn UnitOfWork>) {
    database.until_one_waits().await;
    unit.commit().await.unwrap();
}

/// A sale and its cancellation, sent at once by two units: whichever is first, the sale ends up cancelled.
#[tokio::test]
async fn a_cancellation_that_races_with_its_sale_is_not_lost() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (store, ledger) = opened(&database).await;
    for (reference, content_first) in [("S1", true), ("S2", false)] {
        let sale = content_message(reference, Some(0), content("AGT001", "LIFE", "2026-02-10", rupees(1)));
        let life = life_message(reference, Some(1), cancel("2026-03-01"));
        let (first, second) = if content_first { ([sale], [life]) } else { ([life], [sale]) };
        let mut unit = writing(&store).await;
        ledger.record_sales_in(unit.as_mut(), &actor(), &first).await.unwrap();
        let actor = actor();
        let ((), report) = tokio::join!(commit_once_one_waits(&database, unit), ledger.record_sales(&actor, &second));
        let outcome = report.unwrap().outcomes.remove(0);
        assert!(matches!(outcome, SaleOutcome::Applied(..) | SaleOutcome::Recorded(..)), "{outcome:?}");
        let sale = ledger.find_sale(&key(reference)).await.unwrap().unwrap();
        assert_eq!(sale.adjustments.len(), 1, "{reference}");
    }
}

/// The port says so: a unit that found nothing and keeps an early message is told that the sale came in the meantime.
#[tokio::test]
async fn an_early_message_is_told_that_its_sale_came() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (store, ledger) = opened(&database).await;
    let mut early = writing(&store).await;
    assert_eq!(early.sales().find(&[key("S1")]).await.unwrap(), [None]);
    let message = content_message("S1", None, content("AGT001", "LIFE", "2026-02-10", rupees(1)));
    ledger.record_sales(&actor(), &[message]).await.unwrap();
    let life = moon_core::StoredMessage {
        key: key("S1"),
        revision: moon_core::Revision(1),
        body: moon_core::MessageBody::Life(cancel("2026-03-01")),
        entry: None,
        received_at: noon("2026-06-15"),
    };
    let error = early.sales().add_messages(&[life]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contention, "{error}");
    assert_eq!(early.commit().await.unwrap_err().kind(), ErrorKind::Backend, "it can only be rolled back");
}

/// Recorders of one agent do not wait for one another; who assigns waits for them.
#[tokio::test]
async fn recording_shares_its_agents_and_assigning_does_not() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (store, ledger) = opened(&database).await;
    let sale = |reference: &str| content_message(reference, None, content("AGT001", "LIFE", "2026-02-10", rupees(1)));
    // A source that nobody named before comes into being with its first unit, for which the others wait.
    ledger.record_sales(&actor(), &[sale("S0")]).await.unwrap();
    let mut first = writing(&store).await;
    ledger.record_sales_in(first.as_mut(), &actor(), &[sale("S1")]).await.unwrap();
    ledger.record_sales(&actor(), &[sale("S2")]).await.unwrap();
    let (actor, late) = (actor(), [assignment("AGT001", "2026-01-01", "ALPHA", "KANDY")]);
    let ((), outcomes) = tokio::join!(commit_once_one_waits(&database, first), ledger.assign(&actor, &late));
    assert_eq!(outcomes.unwrap()[0].moved(), 3, "all sales are seen");
}

async fn put_records(store: &Arc<dyn Store>) {
    let mut unit = writing(store).await;
    for key in ["a", "b"] {
        let key = RecordKey::new("test", key);
        let record = Record { key, value: serde_json::json!(0), expires_at: None, version: Version::FIRST };
        unit.records().put(&record, Expected::Absent).await.unwrap();
    }
    unit.commit().await.unwrap();
}

/// Two units that lock two records in opposite orders: the server breaks the deadlock, and the one that it stopped succeeds
/// when it is repeated.
#[tokio::test]
async fn a_deadlock_is_contention_and_its_repeat_succeeds() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let store: Arc<dyn Store> = Arc::new(database.store().await);
    put_records(&store).await;
    let barrier = tokio::sync::Barrier::new(2);
    let contentions = std::sync::atomic::AtomicU32::new(0);
    let lock_both = async |first: &str, second: &str| {
        let attempt = std::sync::atomic::AtomicU32::new(0);
        retry_contention(&NoPause, || async {
            let again = attempt.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0;
            let mut unit = writing(&store).await;
            unit.records().get(&RecordKey::new("test", first)).await?;
            if !again {
                barrier.wait().await;
            }
            match unit.records().get(&RecordKey::new("test", second)).await {
                Ok(_) => unit.commit().await,
                Err(error) => {
                    contentions.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    unit.rollback().await?;
                    Err(error)
                }
            }
        })
        .await
    };
    let (first, second) = tokio::join!(lock_both("a", "b"), lock_both("b", "a"));
    first.unwrap();
    second.unwrap();
    assert!(contentions.load(std::sync::atomic::Ordering::SeqCst) >= 1);
}

/// A call of the ledger that the server stops for a deadlock is repeated by the ledger itself.
#[tokio::test]
async fn the_ledger_repeats_a_call_that_met_a_deadlock() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (_, ledger) = opened(&database).await;
    let mut conn = database.conn().await;
    conn.query_drop("START TRANSACTION").await.unwrap();
    // The server stops the transaction that has changed less: the ledger's.
    for _ in 0..100 {
        conn.query_drop("INSERT INTO ledger_marks (mark, appended_at) VALUES ('\"dimensions\"', 0)").await.unwrap();
    }
    let lock = |code: &str| format!("SELECT id FROM ledger_agents WHERE code = '{code}' FOR UPDATE");
    conn.query_drop(lock("AGT002")).await.unwrap();
    let actor = actor();
    let both = ["AGT001", "AGT002"].map(|agent| assignment(agent, "2026-01-01", "ALPHA", "KANDY"));
    let other = async {
        database.until_one_waits().await;
        conn.query_drop(lock("AGT001")).await.unwrap();
        conn.query_drop("COMMIT").await.unwrap();
    };
    let ((), outcome) = tokio::join!(other, ledger.assign(&actor, &both));
    assert_eq!(outcome.unwrap().len(), 2);
}

/// Waiting for a lock ends: in contention by the lock's limit, in a timeout by the statement's.
#[tokio::test]
async fn waiting_for_a_lock_ends() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (store, _) = opened(&database).await;
    let mut holder = writing(&store).await;
    holder.agents().find(&[agent_code("AGT001")], moon_core::Lock::Exclusive).await.unwrap();
    for (options, kind) in [
        (MysqlOptions::default().lock_wait(Duration::from_millis(60)), ErrorKind::Contention),
        (MysqlOptions::default().statement_timeout(Duration::from_millis(60)), ErrorKind::Timeout),
    ] {
        let store = MysqlStore::connect_with(&database.url(), &options).await.unwrap();
        let mut unit = store.begin(moon_core::TxMode::ReadWrite).await.unwrap();
        let error = unit.agents().find(&[agent_code("AGT001")], moon_core::Lock::Share).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let error = unit.agents().find(&[agent_code("AGT002")], moon_core::Lock::Share).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Backend, "nothing more goes");
        unit.rollback().await.unwrap();
    }
}

/// Four workers bring the messages of sixty sales, each message by itself and all in a mixed order. Whatever meets whatever,
/// every sale ends in the state that any order of arrival leads to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_from_all_sides_end_in_one_state() {
    const SALES: u32 = 60;
    const WORKERS: u32 = 4;
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let (store, ledger) = opened(&database).await;
    let mut messages = Vec::new();
    for number in 0..SALES {
        let reference = format!("S{number}");
        let sale = |units: i64, day: &str| content("AGT001", "LIFE", day, rupees(units));
        messages.extend([
            content_message(&reference, Some(0), sale(100, "2026-01-30")),
            life_message(&reference, Some(1), cancel("2026-03-20")),
            content_message(&reference, Some(2), sale(120, "2026-02-02")),
            life_message(&reference, Some(3), moon_testkit::builders::reinstate("2026-04-01")),
            life_message(&reference, Some(4), moon_testkit::builders::cancel_part("2026-05-01", rupees(20))),
        ]);
    }
    // Mixed, but always in the same way; neighbours stay close enough to meet.
    messages.sort_by_key(|message| {
        let number: u32 = message.key.reference.as_str()[1..].parse().unwrap();
        let moon_core::RevisionRule::Given(revision) = message.revision else { unreachable!() };
        (number / 4, (number * 5 + revision.0).wrapping_mul(2_654_435_761))
    });
    let messages = Arc::new(messages);
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (ledger, messages) = (ledger.clone(), Arc::clone(&messages));
            tokio::spawn(async move {
                for message in messages.iter().skip(usize::try_from(worker).unwrap()).step_by(4) {
                    let report = ledger.record_sales(&actor(), std::slice::from_ref(message)).await.unwrap();
                    assert_eq!((report.counts().rejected, report.counts().conflicts), (0, 0), "{report:?}");
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    for number in 0..SALES {
        let sale = ledger.find_sale(&key(&format!("S{number}"))).await.unwrap().unwrap();
        assert_eq!(sale.content.amount, rupees(120), "{number}");
        let amounts: Vec<_> = sale.adjustments.iter().map(|adjustment| adjustment.amount).collect();
        assert_eq!(amounts, [rupees(-120), rupees(120), rupees(-20)], "{number}");
    }
    drop(store);
}

/// A run claims and settles beside units that have appended marks and stay open, whatever the server thinks of reading a
/// small table as a whole.
#[tokio::test]
async fn a_run_does_not_wait_for_marks_that_are_not_committed() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let options = MysqlOptions::default().lock_wait(Duration::from_secs(1));
    let store: Arc<dyn Store> = Arc::new(MysqlStore::connect_with(&database.url(), &options).await.unwrap());
    let day = |number: u32| Mark::Day(date(&format!("2026-02-{number:02}")));
    let append = async |numbers: std::ops::RangeInclusive<u32>| {
        let mut unit = writing(&store).await;
        unit.marks().append(&numbers.map(day).collect::<Vec<_>>(), noon("2026-06-15")).await.unwrap();
        unit
    };
    for (number, run) in [(1, Uuid::from_u128(1)), (11, Uuid::from_u128(2))] {
        let before = append(number..=number).await;
        append(number + 1..=number + 5).await.commit().await.unwrap();
        let behind = append(number + 6..=number + 9).await;
        for settles in [false, true] {
            let mut unit = writing(&store).await;
            if settles {
                unit.marks().settle(run).await.unwrap()
            } else {
                unit.marks().claim(run).await.unwrap()
            }
            unit.commit().await.unwrap();
        }
        let mut unit = writing(&store).await;
        assert_eq!(unit.marks().claimed(run).await.unwrap(), []);
        unit.rollback().await.unwrap();
        before.commit().await.unwrap();
        behind.commit().await.unwrap();
    }
    let mut unit = writing(&store).await;
    let open = [11, 17, 18, 19, 20].map(day);
    assert_eq!(unit.marks().open().await.unwrap(), open);
    unit.rollback().await.unwrap();
}
