//! Writers whose transactions begin early and commit late, during runs.

use std::time::Duration;

use moon_core::{Ledger, SaleMessage, UnitOfWork};
use moon_testkit::builders::{actor, writing};
use moon_testkit::random::Chance;
use moon_testkit::rounds::chance;

use crate::locks::FiguresLock;
use crate::servers::Server;
use crate::world::World;
use crate::writer::Writer;

/// Who write at once, and how often each of them.
const WRITERS: u64 = 4;
const UNITS: u64 = 5;

/// The longest that a unit is held open, in milliseconds.
const OPEN_MAX: u64 = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commits_late_on_mariadb_is_not_missed() {
    commit_late(Server::Mysql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commits_late_on_postgres_is_not_missed() {
    commit_late(Server::Postgres).await;
}

async fn commit_late(server: Server) {
    let Some(world) = World::new(server).await else { return };
    let ledger = world.ledger();
    let mut writer = Writer::new(ledger, chance(1)).await;
    // MariaDB keeps the gaps beside a corrected sale's key locked until its unit commits: the other's keys have a gap of
    // their own, before one that nobody corrects.
    let mut other = Writer::named("A", chance(2));
    ledger.record_sales(&actor(), &Writer::named("B", chance(2)).sales()).await.unwrap();
    writer.write(ledger).await;
    world.run(&["run"]).await;

    // It begins before, and commits after, what another one does and two runs.
    let early = begun(ledger, &[writer.changes(), writer.sales()].concat()).await;
    ledger.record_sales(&actor(), &other.sales()).await.unwrap();
    for arguments in [["run"].as_slice(), &["run", "--full"]] {
        world.run(arguments).await;
        world.check("what is not committed does not count").await;
    }
    let before = world.state().await;
    early.commit().await.unwrap();
    assert_ne!(world.state().await, before);
    world.run(&["run"]).await;
    world.check("committed behind two runs").await;
    world.check_settled("committed behind two runs").await;

    // It commits in the middle of a run, when that has read its snapshot.
    let late = begun(ledger, &[writer.changes(), writer.sales()].concat()).await;
    ledger.record_sales(&actor(), &other.sales()).await.unwrap();
    let lock = FiguresLock::hold(&world).await;
    let program = world.start(&["run"]);
    lock.until_held(1).await;
    late.commit().await.unwrap();
    lock.release().await;
    program.succeed().await;
    assert_ne!(world.standing().await.open, [], "marks that the run could not have seen are still there");
    world.run(&["run"]).await;
    world.check("committed during a run").await;
    world.check_settled("committed during a run").await;

    // Many at once, in no order.
    let writers: Vec<_> = (0..WRITERS).map(|number| tokio::spawn(write(ledger.clone(), number))).collect();
    for arguments in [["run"].as_slice(), &["run", "--full"], &["run"]] {
        world.run(arguments).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    world.run(&["run"]).await;
    world.check("a crowd").await;
    world.check_settled("a crowd").await;
}

/// A unit that holds these messages and is not committed.
async fn begun(ledger: &Ledger, messages: &[SaleMessage]) -> Box<dyn UnitOfWork> {
    let mut unit = writing(ledger.store()).await;
    ledger.record_sales_in(unit.as_mut(), &actor(), messages).await.unwrap();
    unit
}

/// Records again and again, and leaves each unit open for a while.
async fn write(ledger: Ledger, number: u64) {
    let mut chance = chance(u32::try_from(3 + number).unwrap());
    let mut writer = Writer::named(&format!("crowd {number} "), Chance::new(chance.below(u64::MAX)));
    for _ in 0..UNITS {
        let messages = [writer.changes(), writer.sales()].concat();
        // Units that collide are repeated, as the ledger's own calls do.
        while let Err(error) = try_write(&ledger, &messages, chance.below(OPEN_MAX)).await {
            assert!(error.is_retryable(), "{error:?}");
        }
    }
}

async fn try_write(ledger: &Ledger, messages: &[SaleMessage], millis: u64) -> moon_core::Result<()> {
    let mut unit = writing(ledger.store()).await;
    ledger.record_sales_in(unit.as_mut(), &actor(), messages).await?;
    tokio::time::sleep(Duration::from_millis(millis)).await;
    unit.commit().await
}
