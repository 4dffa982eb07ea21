//! Snapshots, rollback and writers that wait for one another.

use futures_util::FutureExt;
use moon_core::{ErrorKind, Expected, Record, RecordKey, SaleChange, Store, TxMode, UnitOfWork, Version};

use super::{begin, commit, day, insert, ready, sale, store};

#[test]
fn a_reader_never_sees_what_is_committed_after_it_began() {
    let store = store();
    let mut reader = begin(&store, TxMode::ReadOnly);
    insert(&store, &[sale(1, day("2026-03-01"))]);
    let key = sale(1, day("2026-03-01")).key;
    assert_eq!(ready(reader.sales().find(std::slice::from_ref(&key))).unwrap(), [None]);
    let mut later = begin(&store, TxMode::ReadOnly);
    assert!(ready(later.sales().find(&[key])).unwrap().into_iter().all(|found| found.is_some()));
}

#[test]
fn beginning_copies_nothing_and_a_change_copies_what_it_touches() {
    let store = store();
    let date = |number: u32| moon_core::BusinessDate::from_epoch_day(20_000 + i32::try_from(number / 100).unwrap());
    let sales: Vec<_> = (0..20_000).map(|number| sale(number, date(number).unwrap())).collect();
    insert(&store, &sales);
    let before = store.published();
    let chunks = before.sales.chunks().count();
    assert!(chunks >= 19, "{chunks}");

    let mut unit = begin(&store, TxMode::ReadWrite);
    assert_eq!(unit.state().sales.shared_chunks(&before.sales), chunks);
    assert!(unit.state().marks.ptr_eq(&before.marks) && unit.state().audit.ptr_eq(&before.audit));

    let mut changed = sales[10_000].clone();
    changed.content.amount = moon_core::Amount::from_minor(7).unwrap();
    let change = SaleChange { before: Some(sales[10_000].clone()), after: changed };
    ready(unit.sales().write(&[change])).unwrap();
    assert_eq!(unit.state().sales.shared_chunks(&before.sales), chunks - 1);
    assert!(unit.state().messages.ptr_eq(&before.messages));
    commit(unit);
    assert_eq!(store.published().sales.shared_chunks(&before.sales), chunks - 1);
}

#[test]
fn what_is_dropped_or_rolled_back_never_was() {
    let store = store();
    let before = store.published();
    let one = [sale(1, day("2026-03-01"))];
    let mut dropped = begin(&store, TxMode::ReadWrite);
    ready(dropped.sales().insert_absent(&one)).unwrap();
    drop(dropped);
    let mut rolled_back = begin(&store, TxMode::ReadWrite);
    ready(rolled_back.sales().insert_absent(&one)).unwrap();
    ready(rolled_back.rollback()).unwrap();
    assert!(std::sync::Arc::ptr_eq(&store.published(), &before));
    insert(&store, &one);
    assert_eq!(store.published().sales.len(), 1);
}

#[test]
fn one_writer_at_a_time_and_readers_wait_for_nobody() {
    let store = store();
    let mut first = begin(&store, TxMode::ReadWrite);
    ready(first.sales().insert_absent(&[sale(1, day("2026-03-01"))])).unwrap();
    let mut second = store.begin(TxMode::ReadWrite);
    assert!((&mut second).now_or_never().is_none(), "it waits");
    assert!(store.begin(TxMode::ReadOnly).now_or_never().is_some());
    // One that gives up waiting stands in nobody's way.
    drop(store.begin(TxMode::ReadWrite));
    commit(first);
    let mut second = ready(second).unwrap();
    let found = ready(second.sales().find(&[sale(1, day("2026-03-01")).key])).unwrap();
    assert!(found.into_iter().all(|found| found.is_some()), "it sees what the first has committed");
    drop(second);
    assert!(store.begin(TxMode::ReadWrite).now_or_never().is_some(), "dropping passes the turn on");
}

#[test]
fn threads_that_count_up_a_record_lose_no_step() {
    let store = store();
    let key = RecordKey::new("test", "counter");
    let count = |unit: &mut dyn UnitOfWork| ready(unit.records().get(&key)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let mut unit = block_on(store.begin(TxMode::ReadWrite)).unwrap();
                    let known = count(&mut *unit);
                    let (version, expected) = known.map_or((Version::FIRST, Expected::Absent), |known| {
                        (known.version.next(), Expected::Version(known.version))
                    });
                    let record = Record { key: key.clone(), value: true.into(), expires_at: None, version };
                    ready(unit.records().put(&record, expected)).unwrap();
                    ready(unit.commit()).unwrap();
                }
            });
        }
    });
    let mut unit = begin(&store, TxMode::ReadOnly);
    assert_eq!(count(&mut *unit).map(|record| record.version), Some(Version(200)));
}

#[test]
fn writing_in_a_reading_unit_is_unsupported() {
    let store = store();
    let mut unit = begin(&store, TxMode::ReadOnly);
    let kinds = [
        ready(unit.sales().insert_absent(&[])).map(drop),
        ready(unit.sales().write(&[])),
        ready(unit.sales().add_messages(&[])),
        ready(unit.marks().append(&[], super::instant())),
        ready(unit.marks().claim(uuid::Uuid::nil())),
        ready(unit.marks().settle(uuid::Uuid::nil())),
        ready(unit.records().delete(&RecordKey::new("a", "b"), Version::FIRST)),
        ready(unit.agents().put(&super::agent("A9"), None)),
        ready(unit.products().put(&super::product("P9"), None)),
    ]
    .map(|result| result.unwrap_err().kind());
    assert_eq!(kinds, [ErrorKind::Unsupported; 9]);
}

/// Waits for a future on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::park();
    }
}
