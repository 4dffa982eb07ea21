//! The roles of `roles.sql`: each can do its work, and nothing else.

use std::sync::Arc;

use moon_core::{
    DayRange, Dimension, ErrorKind, Opening, PostingFilter, Scope, StagedRows, Store, TotalsPlan, TxMode, Warehouse,
};
use moon_store_mysql::{MysqlStore, MysqlWarehouse};
use moon_testkit::builders::{
    actor, assignment, cancel, content, content_message, currency, enter, key, ledger, life_message, rupees,
};

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use crate::publishing::publish;
use crate::support::{Database, connect, skipped};

const ROLES: &str = include_str!("../../roles.sql");

/// Carries out `roles.sql` with user names of the database's own, and migrates in between.
async fn with_roles(database: &mut Database) {
    let mut script = ROLES.to_owned();
    for role in ["migrate", "write", "read", "publish", "dashboard"] {
        let own = database.user(role).await;
        script = script.replace(&format!("'moon_{role}'"), &format!("'{own}'"));
    }
    script = script.replace("ON moon.", &format!("ON {}.", database.name()));
    let (before, after) = script.split_once("-- 2.").unwrap();
    let mut conn = database.conn().await;
    run(&mut conn, before).await;
    let store = MysqlStore::connect(&database.url_of(&database.user_name("migrate"))).await.unwrap();
    store.migrate().await.unwrap();
    MysqlWarehouse::beside(&store, currency()).migrate().await.unwrap();
    run(&mut conn, &format!("-- 2.{after}")).await;
}

/// Carries out the grants of a script; the users are there already.
async fn run(conn: &mut Conn, script: &str) {
    for statement in script.split(";\n").filter(|statement| statement.contains("GRANT ")) {
        conn.query_drop(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

#[tokio::test]
async fn each_role_can_do_its_work_and_no_more() {
    if skipped() {
        return;
    }
    let mut database = Database::empty().await;
    with_roles(&mut database).await;
    let url = |role: &str| database.url_of(&database.user_name(role));

    // Writing: masters, sales, corrections, early and late life messages, assignments, records.
    let writer = MysqlStore::connect(&url("write")).await.unwrap();
    writer.migrate().await.unwrap();
    let writing = ledger(Arc::new(writer.clone())).await;
    enter(&writing, &["ALPHA"], &["KANDY"], &["LIFE"], &["AGT001"]).await;
    let sale = |revision: u32, units: i64| {
        content_message("S1", Some(revision), content("AGT001", "LIFE", "2026-02-10", rupees(units)))
    };
    for message in [
        life_message("S1", Some(3), cancel("2026-03-01")),
        sale(0, 1),
        sale(1, 2),
        life_message("S1", Some(4), moon_testkit::builders::reinstate("2026-03-02")),
    ] {
        assert_eq!(writing.record_sales(&actor(), &[message]).await.unwrap().counts().rejected, 0);
    }
    let late = [assignment("AGT001", "2026-01-01", "ALPHA", "KANDY")];
    assert_eq!(writing.assign(&actor(), &late).await.unwrap()[0].moved(), 1);
    let mut unit = writer.begin(TxMode::ReadWrite).await.unwrap();
    unit.marks().claim(uuid::Uuid::from_u128(1)).await.unwrap();
    unit.marks().settle(uuid::Uuid::from_u128(1)).await.unwrap();
    unit.commit().await.unwrap();
    let mut conn = connect(&url("write")).await;
    for forbidden in
        ["DELETE FROM ledger_audit", "UPDATE ledger_sale_messages SET revision = 9", "DELETE FROM ledger_sales"]
    {
        assert!(conn.query_drop(forbidden).await.is_err(), "{forbidden}");
    }

    // Reading: lookups, scans and sums, and no writing.
    let reader = MysqlStore::connect(&url("read")).await.unwrap();
    reader.migrate().await.unwrap();
    let mut unit = reader.begin(TxMode::ReadOnly).await.unwrap();
    assert!(unit.sales().find(&[key("S1")]).await.unwrap()[0].is_some());
    let plan = TotalsPlan { filter: PostingFilter::default(), dimensions: Dimension::DAILY.to_vec() };
    unit.postings().totals(&plan).await.unwrap();
    unit.rollback().await.unwrap();
    let mut unit = reader.begin(TxMode::ReadWrite).await.unwrap();
    let error = unit.organisation().put_team(&moon_testkit::builders::team("BETA"), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Backend);
    assert!(error.to_string().contains("privilege"), "{error}");
    unit.rollback().await.unwrap();

    // Publishing, twice, and the dashboard's view of it.
    let publisher = MysqlWarehouse::connect(&url("publish"), currency()).await.unwrap();
    publisher.migrate().await.unwrap();
    for number in [1, 2] {
        publish(&publisher, number, &Scope::full(), &[("2026-02-10", 7)]).await.unwrap();
    }
    close_and_restate(&publisher).await;
    let dashboard = MysqlWarehouse::connect(&url("dashboard"), currency()).await.unwrap();
    assert_eq!(dashboard.read(DayRange::ALL).await.unwrap().sums.len(), 3);
    let opening = dashboard.open(&crate::publishing::run_key(5), &Scope::full()).await;
    assert!(!matches!(opening, Ok(Opening::Staged(_))), "a dashboard publishes nothing");
    let mut conn = connect(&url("dashboard")).await;
    for seen in ["team_sales_metrics_monthly", "closings", "closed_figures", "restatements", "kpi_runs"] {
        conn.query_drop(format!("SELECT * FROM {seen}")).await.unwrap();
    }
    assert!(conn.query_drop("SELECT * FROM agent_sales_monthly").await.is_err());
    assert!(conn.query_drop("SELECT * FROM ledger_agents").await.is_err());
}

/// Publishes what a run may bring beside its cells: closings, restatements, figures of agents.
async fn close_and_restate(warehouse: &dyn Warehouse) {
    use crate::publishing::{control, figures, record, run_key, staged};
    let of_days = [("2026-02-10", 7)];
    let february = moon_core::Calendar::default().parse("2026-02").unwrap();
    let (month, day) = (moon_testkit::builders::date("2026-02-01"), moon_testkit::builders::date("2026-02-10"));
    let agents = vec![moon_core::AgentCell { month, agent: "withheld".to_owned(), figures: figures(7) }];
    let (dimension, code, before, after) = (Dimension::Team, "ALPHA".into(), figures(6), figures(7));
    let restated = moon_core::Restatement { run: run_key(4), dimension, day, code, before, after };
    let rows = [
        vec![StagedRows::Close(february), StagedRows::AgentCells(agents)],
        vec![StagedRows::Restatements(vec![restated]), StagedRows::Reopen(february)],
    ];
    for (number, rows) in (3..).zip(rows) {
        let mut stage = staged(warehouse, number, &Scope::full(), &of_days).await;
        for rows in rows {
            stage.write(rows).await.unwrap();
        }
        stage.publish(&control(&of_days), &record(number)).await.unwrap();
    }
    assert_eq!(warehouse.closings().await.unwrap().len(), 1);
    assert_eq!(warehouse.restatements(DayRange::ALL).await.unwrap().len(), 1);
}
