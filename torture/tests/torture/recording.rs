//! A server killed while sales are recorded: what was acknowledged is there once, and no call is there in part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moon_core::{
    Actor, BusinessDate, ErrorKind, Figures, Ledger, Mark, MessageBody, PAGE_LIMIT_MAX, PageRequest, SaleKey, TxMode,
};
use moon_servers::Kind;
use moon_testkit::random::Chance;
use moon_testkit::rounds::{Rounds, chance};

use crate::arena::Arena;
use crate::expected::{Batch, batch, day, lawful_totals, prepare};

/// Who record at once.
const WRITERS: u64 = 3;

/// Each call has a day of its own: its mark is nobody else's.
const CALLS_PER_WRITER_MAX: u64 = 400;

/// The most sales of a call.
const SALES_MAX: u64 = 300;

/// The latest moment of a kill, in milliseconds.
const KILL_MAX: u64 = 400;

/// What has to happen in the rounds.
const ACKNOWLEDGED: &str = "a call was acknowledged";
const BROKEN_OFF: &str = "the kill broke a call off";

/// How often it is looked whether a call was acknowledged.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A call that was begun.
struct Call {
    actor: Actor,
    day: BusinessDate,
    batch: Batch,
    acknowledged: bool,
}

type Calls = Arc<Mutex<BTreeMap<u64, Call>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_server_killed_while_recording() {
    kill_while_recording(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mariadb_server_killed_while_recording() {
    kill_while_recording(Kind::MySql).await;
}

async fn kill_while_recording(kind: Kind) {
    let Some(mut arena) = Arena::open(kind) else { return };
    let mut rounds = Rounds::new(&[ACKNOWLEDGED, BROKEN_OFF]);
    while let Some(round) = rounds.begin() {
        let mut chance = chance(round);
        let database = arena.database("recording").await;
        let ledger = database.ledger().await;
        prepare(&ledger).await;
        settle_marks(&ledger).await;
        let calls = Calls::default();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let chance = Chance::new(chance.below(u64::MAX));
                tokio::spawn(write(ledger.clone(), Arc::clone(&calls), writer, chance))
            })
            .collect();
        if rounds.is_extra() {
            // The machine is slow: counted from its first answer.
            while acknowledged(&calls) == 0 && !writers.iter().all(tokio::task::JoinHandle::is_finished) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(5 + chance.below(KILL_MAX))).await;
        let under_way: Vec<u64> = waiting(&calls);
        arena.kill().await;
        for writer in writers {
            writer.await.unwrap();
        }
        arena.restart().await;
        let acknowledged = acknowledged(&calls);
        let unanswered = waiting(&calls);
        let broken_off = under_way.iter().filter(|number| unanswered.contains(number)).count();
        let calls = std::mem::take(&mut *calls.lock().unwrap());
        let kept = check(&ledger, &calls).await;
        eprintln!(
            "recording on {}, round {round}: {} calls, {acknowledged} acknowledged, {broken_off} broken off, {} kept",
            kind.word(),
            calls.len(),
            kept.len()
        );
        send_again(&ledger, &calls, &kept).await;
        for (thing, times) in [(ACKNOWLEDGED, acknowledged), (BROKEN_OFF, broken_off)] {
            if times > 0 {
                rounds.happened(thing);
            }
        }
    }
}

/// How many calls were acknowledged.
fn acknowledged(calls: &Calls) -> usize {
    calls.lock().unwrap().values().filter(|call| call.acknowledged).count()
}

/// The calls that were begun and not acknowledged.
fn waiting(calls: &Calls) -> Vec<u64> {
    let calls = calls.lock().unwrap();
    calls.iter().filter(|(_, call)| !call.acknowledged).map(|(number, _)| *number).collect()
}

/// What preparing has marked is of no interest.
async fn settle_marks(ledger: &Ledger) {
    let run = ledger.ids().next(ledger.clock().now()).0;
    let mut unit = ledger.store().begin(TxMode::ReadWrite).await.unwrap();
    unit.marks().claim(run).await.unwrap();
    unit.marks().settle(run).await.unwrap();
    unit.commit().await.unwrap();
}

/// Records call after call until the server is gone.
async fn write(ledger: Ledger, calls: Calls, writer: u64, mut chance: Chance) {
    for number in 0..CALLS_PER_WRITER_MAX {
        let number = number * WRITERS + writer;
        let day = day(number);
        let batch = batch(&number.to_string(), SALES_MAX, &mut chance, |_| day.to_string());
        let actor = Actor::new(&format!("call {number}")).unwrap();
        let (sent, sales) = (batch.messages.clone(), batch.sales);
        let call = Call { actor: actor.clone(), day, batch, acknowledged: false };
        calls.lock().unwrap().insert(number, call);
        match ledger.record_sales(&actor, &sent).await {
            Ok(report) => {
                let counts = report.counts();
                assert_eq!((counts.recorded, counts.life), (sales, sent.len() as u64 - sales));
                calls.lock().unwrap().get_mut(&number).unwrap().acknowledged = true;
            }
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout), "{error:?}");
                return;
            }
        }
    }
}

/// Each call is there as a whole or not at all, and those that were acknowledged are there. Returns what is there.
async fn check(ledger: &Ledger, calls: &BTreeMap<u64, Call>) -> BTreeSet<u64> {
    let mut unit = ledger.store().begin(TxMode::ReadOnly).await.unwrap();
    let totals = lawful_totals(unit.as_mut()).await;
    let days: BTreeMap<BusinessDate, Figures> =
        totals.control.days.iter().map(|control| (control.day, control.figures)).collect();
    let mut marks: BTreeSet<Mark> = unit.marks().open().await.unwrap().into_iter().collect();
    marks.retain(|mark| matches!(mark, Mark::Day(_)));
    let mut kept = BTreeSet::new();
    for (number, call) in calls {
        let keys: BTreeSet<SaleKey> = call.batch.messages.iter().map(|message| message.key.clone()).collect();
        let keys: Vec<SaleKey> = keys.into_iter().collect();
        let found = unit.sales().find(&keys).await.unwrap();
        let present = found.iter().flatten().count();
        let is_kept = present > 0;
        assert!(is_kept || !call.acknowledged, "call {number} was acknowledged and is gone");
        assert!(!is_kept || present == keys.len(), "call {number}: {present} of {} sales", keys.len());
        assert_eq!(days.get(&call.day).copied(), is_kept.then_some(call.batch.figures), "postings of call {number}");
        assert_eq!(marks.contains(&Mark::Day(call.day)), is_kept, "the mark of call {number}");
        let life = call.batch.messages.iter().filter(|message| matches!(message.body, MessageBody::Life(_))).count();
        let messages = unit.sales().messages(&keys).await.unwrap().len();
        assert_eq!(messages, if is_kept { life } else { 0 }, "the messages of call {number}");
        if is_kept {
            kept.insert(*number);
        }
    }
    assert_eq!(days.len(), kept.len(), "days on which nobody sold");
    assert_eq!(marks.len(), kept.len(), "marks of nobody");
    let actors: BTreeSet<String> = kept.iter().map(|number| calls[number].actor.0.to_string()).collect();
    let audited = audited(unit.as_mut()).await;
    assert_eq!(audited.len(), actors.len(), "one audit entry for each call");
    assert_eq!(audited.into_iter().collect::<BTreeSet<_>>(), actors);
    unit.rollback().await.unwrap();
    kept
}

/// Who recorded sales, an entry each.
async fn audited(unit: &mut dyn moon_core::UnitOfWork) -> Vec<String> {
    let mut request = PageRequest::first(PAGE_LIMIT_MAX);
    let mut actors = Vec::new();
    loop {
        let page = unit.audit().list(&request).await.unwrap();
        let following = request.following(&page);
        let recorded = page.items.into_iter().filter(|entry| entry.action == "record_sales");
        actors.extend(recorded.map(|entry| entry.actor.to_string()));
        match following {
            Some(next) => request = next,
            None => return actors,
        }
    }
}

/// Everything once more, as a client does that does not know what became of it: what is there is a duplicate, and in the
/// end all of it is there once.
async fn send_again(ledger: &Ledger, calls: &BTreeMap<u64, Call>, kept: &BTreeSet<u64>) {
    let mut total = Figures::default();
    for (number, call) in calls {
        let all = call.batch.messages.len() as u64;
        let counts = ledger.record_sales(&call.actor, &call.batch.messages).await.unwrap().counts();
        if kept.contains(number) {
            assert_eq!(counts.duplicates, all, "call {number}: {counts:?}");
        } else {
            assert_eq!(counts.recorded + counts.life, all, "call {number}: {counts:?}");
        }
        total = total.plus(call.batch.figures).unwrap();
    }
    let mut unit = ledger.store().begin(TxMode::ReadOnly).await.unwrap();
    assert_eq!(lawful_totals(unit.as_mut()).await.control.total().unwrap(), total);
    unit.rollback().await.unwrap();
}
