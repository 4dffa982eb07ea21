//! A program that is stopped by SIGSTOP, and wakes when its lease is gone.

use moon_testkit::rounds::chance;

use crate::locks::{FiguresLock, SourceLock};
use crate::servers::Server;
use crate::world::World;
use crate::writer::Writer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wakes_while_it_reads_finds_that_another_one_has_taken_over() {
    let Some(world) = World::new(Server::Mysql).await else { return };
    let mut writer = Writer::new(world.ledger(), chance(11)).await;
    writer.write(world.ledger()).await;
    for arguments in [["run"].as_slice(), &["run", "--full"]] {
        let lock = SourceLock::hold(&world).await;
        let sleeper = world.start(arguments);
        lock.until_held().await;
        sleeper.signal("STOP");
        lock.release().await;
        let claimed = world.standing().await.run.unwrap();

        // Another one waits for the end of the lease and repeats the run, with what came since.
        writer.write(world.ledger()).await;
        world.run(&["run"]).await;
        world.check("taken over").await;
        let published = world.aggregation.status(1).await.unwrap().published.unwrap().key;
        assert_eq!((published.id.to_string(), published.number), (claimed.id, claimed.number), "the same run");

        sleeper.signal("CONT");
        let woken = sleeper.end().await;
        assert_eq!(woken.code, Some(3), "{}", woken.said);
        assert!(
            woken.said.contains("another process has taken over this run; nothing was published here"),
            "{}",
            woken.said
        );
        world.check("the sleeper woke").await;
        assert_eq!(world.aggregation.status(1).await.unwrap().published.unwrap().key, published);
        // The repeat left the marks that came behind its claim.
        world.run(&["run"]).await;
        world.check("all is well").await;
        world.check_settled("all is well").await;
        writer.write(world.ledger()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wakes_while_it_publishes_publishes_once() {
    let Some(world) = World::new(Server::Mysql).await else { return };
    let mut writer = Writer::new(world.ledger(), chance(12)).await;
    writer.write(world.ledger()).await;
    world.run(&["run"]).await;
    writer.write(world.ledger()).await;

    let lock = FiguresLock::hold(&world).await;
    let sleeper = world.start(&["run"]);
    lock.until_held(1).await;
    sleeper.signal("STOP");
    let claimed = world.standing().await.run.unwrap();
    // Another one takes the lease over, and waits for whoever is publishing.
    let other = world.start(&["run", "--wait", "60s"]);
    lock.until_held(2).await;
    lock.release().await;
    sleeper.signal("CONT");
    sleeper.succeed().await;
    other.succeed().await;
    world.check("both have ended").await;
    world.check_settled("both have ended").await;
    let runs = world.aggregation.status(9).await.unwrap().runs;
    let numbers: Vec<_> = runs.iter().map(|run| (run.key.number, run.outcome.name())).collect();
    assert_eq!(numbers, [(3, "published"), (2, "published"), (1, "published")], "each once");
    assert_eq!(runs[1].key.id.to_string(), claimed.id);
}
