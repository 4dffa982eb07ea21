//! Two programs at once, and more.

use moon_testkit::rounds::chance;

use crate::locks::FiguresLock;
use crate::servers::Server;
use crate::world::World;
use crate::writer::Writer;

/// How many start at the same moment.
const CROWD: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_works_and_the_others_leave_or_wait() {
    let Some(world) = World::new(Server::Mysql).await else { return };
    let mut writer = Writer::new(world.ledger(), chance(21)).await;
    writer.write(world.ledger()).await;
    let lock = FiguresLock::hold(&world).await;
    // Its lease lasts for as long as it is held.
    let long = |args: &[&str]| crate::program::Program::start(world.desk.path(), args);
    let first = long(&["run", "--lease", "10m"]);
    lock.until_held(1).await;
    let leaves = long(&["run", "--full"]).end().await;
    assert_eq!(leaves.code, Some(3), "{}", leaves.said);
    assert!(leaves.said.contains("another aggregation run is at work"), "{}", leaves.said);
    let gives_up = long(&["run", "--wait", "50ms"]).end().await;
    assert_eq!(gives_up.code, Some(3), "{}", gives_up.said);
    let waits = long(&["run", "--wait", "60s"]);
    writer.write(world.ledger()).await;
    lock.release().await;
    first.succeed().await;
    waits.succeed().await;
    world.check("one after the other").await;
    world.check_settled("one after the other").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_leave_the_right_figures() {
    let Some(world) = World::new(Server::Postgres).await else { return };
    let mut writer = Writer::new(world.ledger(), chance(22)).await;
    for arguments in [["run"].as_slice(), &["run", "--full"], &["run", "--wait", "60s"]] {
        writer.write(world.ledger()).await;
        let programs: Vec<_> = (0..CROWD).map(|_| world.start(arguments)).collect();
        let mut published = 0;
        for program in programs {
            let ended = program.end().await;
            match ended.code {
                Some(0) => published += 1,
                // Whoever is not the first leaves, unless it was told to wait.
                Some(3) if arguments.len() < 3 => {
                    assert!(ended.said.contains("another aggregation run is at work"), "{}", ended.said);
                }
                code => panic!("{code:?}: {}", ended.said),
            }
        }
        assert!(published > 0);
        world.check("a crowd").await;
        world.check_settled("a crowd").await;
    }
}
