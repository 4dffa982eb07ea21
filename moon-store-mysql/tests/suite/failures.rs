//! What goes wrong is told clearly, ends in time, and leaves nothing half done.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use moon_core::{ErrorKind, Store, TxMode};
use moon_store_mysql::{MysqlOptions, MysqlStore};
use moon_testkit::builders::{fill, key, reading, rupees, sale, team, team_code, writing};
use tokio::net::TcpListener;

use crate::support::{Database, skipped};

#[tokio::test]
async fn a_lost_connection_is_unavailable_and_the_next_unit_works() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let store = database.store().await;
    let mut unit = store.begin(TxMode::ReadWrite).await.unwrap();
    unit.organisation().put_team(&team("ALPHA"), None).await.unwrap();
    database.cut().await;
    let error = unit.organisation().put_team(&team("BETA"), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    let error = unit.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Backend, "{error:?}");
    let mut unit = store.begin(TxMode::ReadWrite).await.unwrap();
    assert_eq!(unit.organisation().find_teams(&[team_code("ALPHA")]).await.unwrap(), [None]);
    unit.organisation().put_team(&team("ALPHA"), None).await.unwrap();
    unit.commit().await.unwrap();
}

#[tokio::test]
async fn connections_that_died_in_the_pool_are_replaced() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let store = database.store().await;
    let units = futures_util::future::join_all((0..4).map(|_| store.begin(TxMode::ReadOnly))).await;
    for unit in units {
        unit.unwrap().rollback().await.unwrap();
    }
    database.cut().await;
    for _ in 0..4 {
        store.begin(TxMode::ReadOnly).await.unwrap().rollback().await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_lost_before_the_commit_commits_nothing() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let store: Arc<dyn Store> = Arc::new(database.store().await);
    fill(&store).await;
    let mut unit = writing(&store).await;
    unit.sales().insert_absent(&[sale(1, "2026-02-10", rupees(1))]).await.unwrap();
    database.cut().await;
    assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(reading(&store).await.sales().find(&[key("S1")]).await.unwrap(), [None]);
}

#[tokio::test]
async fn a_full_pool_is_a_timeout() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let options = MysqlOptions::default().connections(1).pool_wait(Duration::from_millis(50));
    let store = MysqlStore::connect_with(&database.url(), &options).await.unwrap();
    let unit = store.begin(TxMode::ReadWrite).await.unwrap();
    let error = store.begin(TxMode::ReadWrite).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("connection"), "{error}");
    unit.rollback().await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn dropped_units_give_their_connection_back() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let options = MysqlOptions::default().connections(1);
    let store: Arc<dyn Store> = Arc::new(MysqlStore::connect_with(&database.url(), &options).await.unwrap());
    fill(&store).await;
    let sales: Vec<_> = (0..50).map(|number| sale(number, "2026-02-10", rupees(1))).collect();
    for round in 0..6 {
        let mut unit = writing(&store).await;
        if round % 2 == 0 {
            unit.sales().insert_absent(&sales).await.unwrap();
        } else {
            // Given up on its way: the connection is closed rather than reused.
            assert!(unit.sales().insert_absent(&sales).now_or_never().is_none());
        }
        drop(unit);
    }
    let mut unit = writing(&store).await;
    assert_eq!(unit.sales().insert_absent(&sales).await.unwrap(), [0; 0], "every round was undone");
    unit.commit().await.unwrap();
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let silent = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            open.push(socket);
        }
    });
    let options = MysqlOptions::default().pool_wait(Duration::from_millis(100));
    let error = MysqlStore::connect_with(&format!("mysql://moon:hunter2@{address}/moon"), &options).await;
    let error = error.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    silent.abort();
}

/// A server that greets and then falls silent: here a relay that stops passing on.
#[tokio::test]
async fn a_server_that_falls_silent_is_a_timeout() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let relay = crate::support::Relay::to(&database.url()).await;
    let options = MysqlOptions::default().statement_timeout(Duration::from_millis(50));
    let store = MysqlStore::connect_with(&relay.url, &options).await.unwrap();
    let mut unit = store.begin(TxMode::ReadWrite).await.unwrap();
    relay.stop();
    tokio::time::pause();
    let error = unit.organisation().put_team(&team("ALPHA"), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = MysqlStore::connect(&format!("mysql://moon:hunter2@{address}/moon")).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn what_the_server_refuses_by_name_is_invalid_and_tells_no_password() {
    if skipped() {
        return;
    }
    let mut database = Database::empty().await;
    let user = database.user("refused").await;
    let url = database.url_of(&user);
    let wrong = url.replacen(":test@", ":hunter2@", 1);
    let nobody = url.replacen(&user, "moon_nobody", 1);
    for url in [&url, &wrong, &nobody] {
        let error = MysqlStore::connect(url).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert!(!format!("{error} {error:?}").contains(":test"), "{error:?}");
    }
    let missing = database.url().replacen(database.name(), "moon_test_no_such_database", 1);
    let error = MysqlStore::connect(&missing).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error:?}");
    let store = database.store().await;
    assert!(!format!("{store:?}").contains("root"), "{store:?}");
    let error = store.begin(TxMode::ReadOnly).await.unwrap().sales().find(&[key("S1")]).await.unwrap_err();
    assert!(error.to_string().contains("migration"), "{error}");
}

/// The contract forbids it; should it happen, nothing of the unit is kept.
#[tokio::test]
async fn an_identifier_that_is_taken_undoes_the_unit() {
    if skipped() {
        return;
    }
    let database = Database::migrated().await;
    let store: Arc<dyn Store> = Arc::new(database.store().await);
    fill(&store).await;
    let mut unit = writing(&store).await;
    let again = moon_core::Sale { id: sale(1, "2026-02-10", rupees(1)).id, ..sale(2, "2026-02-10", rupees(1)) };
    let sales = [sale(1, "2026-02-10", rupees(1)), again];
    assert_eq!(unit.sales().insert_absent(&sales).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Backend);
    assert_eq!(reading(&store).await.sales().find(&[key("S1"), key("S2")]).await.unwrap(), [None, None]);
}
