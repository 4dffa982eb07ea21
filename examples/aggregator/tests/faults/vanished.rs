//! A warehouse that disappears in the middle of a run, and connections that break.

use moon_servers::{Kind, Purpose};
use moon_testkit::rounds::chance;

use crate::locks::{FiguresLock, SourceLock};
use crate::servers::Server;
use crate::watch::Watch;
use crate::world::World;
use crate::writer::Writer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warehouse_that_is_gone_while_figures_are_published_is_told_and_the_next_run_publishes() {
    if Server::Postgres.skipped() {
        return;
    }
    let mut server = moon_servers::Server::start(Kind::Postgres, Purpose::Kills, &std::env::temp_dir()).unwrap();
    let Some(world) = World::with_figures_at(Server::Mysql, &server.url(), None).await else { return };
    let mut writer = Writer::new(world.ledger(), chance(31)).await;
    writer.write(world.ledger()).await;
    world.run(&["run"]).await;
    let before = world.state().await;
    writer.write(world.ledger()).await;
    let marks = world.standing().await.open;

    let lock = FiguresLock::hold(&world).await;
    let program = world.start(&["run"]);
    lock.until_held(1).await;
    let mut server = tokio::task::spawn_blocking(move || server.kill().map(|()| server)).await.unwrap().unwrap();
    let ended = program.end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(ended.said.contains("no connection to the server"), "{}", ended.said);
    assert!(ended.said.contains("database: 127.0.0.1"), "which one: {}", ended.said);
    // The run and its marks wait for the next one, which need not wait: the lease was given back.
    let standing = world.standing().await;
    assert!(standing.run.as_ref().is_some_and(|run| !run.finished), "{standing:?}");
    assert_eq!((standing.open, standing.claimed), (vec![], marks));

    let _server = tokio::task::spawn_blocking(move || server.restart().map(|()| server)).await.unwrap().unwrap();
    let watch = Watch::new(std::sync::Arc::clone(world.aggregation.warehouse()), before).await;
    watch.expect(world.state().await);
    world.start(&["run"]).succeed().await;
    watch.end().await;
    world.check("the warehouse is back").await;
    world.check_settled("the warehouse is back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_are_made_anew() {
    let Some(world) = World::new(Server::Mysql).await else { return };
    let mut writer = Writer::new(world.ledger(), chance(32)).await;
    writer.write(world.ledger()).await;
    world.run(&["run"]).await;

    writer.write(world.ledger()).await;
    let lock = FiguresLock::hold(&world).await;
    let program = world.start(&["run"]);
    for session in lock.until_held(1).await {
        let end = format!("SELECT CAST(pg_terminate_backend({session}) AS TEXT), ''");
        Server::Postgres.query(&world.figures_url, &[end]).await;
    }
    lock.release().await;
    program.succeed().await;
    world.check("the warehouse broke off").await;
    world.check_settled("the warehouse broke off").await;

    writer.write(world.ledger()).await;
    let lock = SourceLock::hold(&world).await;
    let program = world.start(&["run", "--full"]);
    for session in lock.until_held().await {
        Server::Mysql.query(&world.source.url(), &[format!("KILL CONNECTION {session}")]).await;
    }
    lock.release().await;
    program.succeed().await;
    world.check("the source broke off").await;
    world.check_settled("the source broke off").await;
}
