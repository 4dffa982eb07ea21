//! A schedule that is told to stop while a run is at work.

use moon_testkit::rounds::chance;

use crate::locks::FiguresLock;
use crate::servers::Server;
use crate::world::World;
use crate::writer::Writer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_at_work_ends_before_the_schedule_does() {
    let Some(world) = World::new(Server::Postgres).await else { return };
    Writer::new(world.ledger(), chance(61)).await.write(world.ledger()).await;
    let lock = FiguresLock::hold(&world).await;
    // Nothing was ever published, so that it runs at once; the next time is far away.
    let schedule = world.start(&["schedule", "--cron", "0 0 1 1 *"]);
    lock.until_held(1).await;
    schedule.signal("TERM");
    lock.release().await;
    let ended = schedule.succeed().await;
    assert!(ended.said.contains(" published: ") && !ended.said.contains("next: "), "{}", ended.said);
    world.check("told to stop").await;
    world.check_settled("told to stop").await;
    assert_eq!(world.aggregation.status(9).await.unwrap().runs.len(), 1);
}
