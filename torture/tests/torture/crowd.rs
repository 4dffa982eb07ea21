//! Many writers and some readers at once: the law holds in every snapshot, and in the end every sale is there once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use moon_core::{AssignOutcome, Dimension, Figures, Ledger, PostingFilter, Pushdown, Sum, TotalsPlan, TxMode};
use moon_servers::Kind;
use moon_testkit::builders::{actor, assignment, cancel, content, content_message, life_message, rupees};
use moon_testkit::random::Chance;
use moon_testkit::rounds::{chance, rounds};

use crate::arena::Arena;
use crate::expected::{AGENTS, BRANCHES, PRODUCTS, TEAMS, day, lawful_totals, prepare};

const WRITERS: u64 = 32;
const READERS: u64 = 4;

/// The most sales of a call.
const SALES_MAX: u64 = 20;

/// Days on which something is sold.
const DAYS: u64 = 40;

/// Writers who have met no reader and no late assignment yet go on for so many times the waves that are wished. They come in
/// waves because PostgreSQL lets those who share a row pass whoever waits to have it alone: where some always record sales
/// of an agent, a late assignment waits until none does.
const MORE: u64 = 20;

/// What happened while all were at work.
#[derive(Debug, Default)]
struct Meetings {
    /// Looks of the readers, before the writers had ended.
    looks: AtomicU64,
    /// Late assignments that were entered.
    assignments: AtomicU64,
    /// Sales that went with an agent.
    moved: AtomicU64,
}

impl Meetings {
    fn counts(&self) -> [u64; 3] {
        [&self.looks, &self.assignments, &self.moved].map(|count| count.load(Ordering::SeqCst))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_postgres() {
    crowd(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_mariadb() {
    crowd(Kind::MySql).await;
}

async fn crowd(kind: Kind) {
    let Some(arena) = Arena::open(kind) else { return };
    let database = arena.database("crowd").await;
    let ledger = database.ledger().await;
    prepare(&ledger).await;
    let mut chance = chance(0);
    let over = Arc::new(AtomicBool::new(false));
    let meetings = Arc::new(Meetings::default());
    let mut others: Vec<_> =
        (0..READERS).map(|_| tokio::spawn(read(ledger.clone(), Arc::clone(&meetings), Arc::clone(&over)))).collect();
    let mover = Chance::new(chance.below(u64::MAX));
    others.push(tokio::spawn(move_agents(ledger.clone(), mover, Arc::clone(&meetings), Arc::clone(&over))));
    let mut total = Figures::default();
    let wished = u64::from(rounds());
    for wave in 0..wished * MORE {
        if wave >= wished && meetings.counts().iter().all(|count| *count > 0) {
            break;
        }
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let chance = Chance::new(chance.below(u64::MAX));
                tokio::spawn(write(ledger.clone(), format!("{writer}-{wave}"), chance))
            })
            .collect();
        for writer in writers {
            total = total.plus(writer.await.unwrap()).unwrap();
        }
    }
    let [looks, assignments, moved] = meetings.counts();
    over.store(true, Ordering::Release);
    for other in others {
        other.await.unwrap();
    }
    assert!(looks > 0, "no reader looked while others wrote");
    assert!(assignments > 0 && moved > 0, "{assignments} late assignments moved {moved} sales");
    let mut unit = ledger.store().begin(TxMode::ReadOnly).await.unwrap();
    assert_eq!(lawful_totals(unit.as_mut()).await.control.total().unwrap(), total);
    unit.rollback().await.unwrap();
    eprintln!(
        "crowd on {}: {total:?}, {looks} looks, {assignments} late assignments that moved {moved} sales",
        kind.word()
    );
}

/// Records sales, corrects or cancels some of them with the next call, and returns what they add up to. As a correction
/// changes an amount and no date, what counts is the last amount of each.
async fn write(ledger: Ledger, name: String, mut chance: Chance) -> Figures {
    let mut total = Figures::default();
    let day = day(chance.below(DAYS)).to_string();
    let mut changes = Vec::new();
    let mut sales = Vec::new();
    for number in 0..=chance.below(SALES_MAX) {
        let reference = format!("{name}-{number}");
        let (agent, product) = (chance.pick(&AGENTS), chance.pick(&PRODUCTS));
        let mut amount = rupees(i64::try_from(chance.below(50_000)).unwrap());
        sales.push(content_message(&reference, Some(0), content(agent, product, &day, amount)));
        let mut remains = true;
        match chance.below(4) {
            0 => {
                amount = rupees(i64::try_from(chance.below(50_000)).unwrap());
                let (agent, product) = (chance.pick(&AGENTS), chance.pick(&PRODUCTS));
                changes.push(content_message(&reference, Some(1), content(agent, product, &day, amount)));
            }
            1 => {
                remains = false;
                changes.push(life_message(&reference, Some(1), cancel(&day)));
            }
            _ => {}
        }
        let gross = Sum { minor: amount.minor().into(), count: 1 };
        let net = if remains { gross } else { Sum::ZERO };
        total = total.plus(Figures { net, gross, activity: net }).unwrap();
    }
    // Those that collide are repeated after pauses; with so many it may take longer than one call has patience.
    for messages in [sales, changes] {
        record(&ledger, &messages).await;
    }
    total
}

async fn record(ledger: &Ledger, messages: &[moon_core::SaleMessage]) {
    loop {
        match ledger.record_sales(&actor(), messages).await {
            Ok(report) => {
                let counts = report.counts();
                assert_eq!((counts.rejected, counts.conflicts, counts.stale), (0, 0, 0), "{counts:?}");
                return;
            }
            Err(error) => assert!(error.is_retryable(), "{error:?}"),
        }
    }
}

/// Enters late that agents have moved: their sales go with them.
async fn move_agents(ledger: Ledger, mut chance: Chance, meetings: Arc<Meetings>, over: Arc<AtomicBool>) {
    let mut moves = 0;
    while !over.load(Ordering::Acquire) {
        let from = day(moves % DAYS).to_string();
        let (agent, team, branch) = (chance.pick(&AGENTS), chance.pick(&TEAMS), chance.pick(&BRANCHES));
        match ledger.assign(&actor(), &[assignment(agent, &from, team, branch)]).await {
            Ok(outcomes) => {
                moves += 1;
                for outcome in outcomes {
                    if let AssignOutcome::Entered { moved } | AssignOutcome::Corrected { moved } = outcome {
                        meetings.assignments.fetch_add(1, Ordering::SeqCst);
                        meetings.moved.fetch_add(moved, Ordering::SeqCst);
                    }
                }
            }
            // The same day was entered before, with another place.
            Err(error) if !error.is_retryable() => {
                assert_eq!(error.kind(), moon_core::ErrorKind::AlreadyExists, "{error:?}");
                moves += 1;
            }
            Err(_) => {}
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Reads everything again and again, and checks the law; sums made by the server in the same snapshot are the same.
async fn read(ledger: Ledger, meetings: Arc<Meetings>, over: Arc<AtomicBool>) {
    let plan = TotalsPlan { filter: PostingFilter::default(), dimensions: Dimension::DAILY.to_vec() };
    while !over.load(Ordering::Acquire) {
        let mut unit = ledger.store().begin(TxMode::ReadOnly).await.unwrap();
        let folded = lawful_totals(unit.as_mut()).await;
        assert_eq!(unit.postings().totals(&plan).await.unwrap(), Pushdown::Answered(folded));
        unit.rollback().await.unwrap();
        meetings.looks.fetch_add(1, Ordering::SeqCst);
    }
}
