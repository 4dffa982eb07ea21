//! The warehouse as BI tools and database administrators see it, and publishers that meet or break off.

use std::collections::BTreeMap;
use std::time::Duration;

use moon_core::{
    Cell, ControlTotals, DayControl, DayRange, Dimension, ErrorKind, Figures, Opening, Receipt, Result, RunKey,
    RunKind, RunOutcome, RunRecord, Scope, StagedRows, StagedRun, Sum, TeamEntry, Warehouse,
};
use moon_store_postgres::{PostgresOptions, PostgresWarehouse};
use moon_testkit::builders::{currency, date, days, noon, team_code, text};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::{Database, connect, skipped};

pub(crate) fn run_key(number: u32) -> RunKey {
    RunKey { epoch: 1, number: number.into(), id: Uuid::from_u128(number.into()) }
}

pub(crate) fn record(number: u32) -> RunRecord {
    RunRecord {
        key: run_key(number),
        kind: RunKind::Full,
        days: days("2026-03-01", "2026-03-31"),
        started_at: noon("2026-04-01"),
        finished_at: noon("2026-04-02"),
        rows_read: 3,
        control: Figures::default(),
        last_arrivals: BTreeMap::new(),
        outcome: RunOutcome::Published,
        error: None,
        manifest: moon_core::Manifest::default(),
    }
}

pub(crate) fn figures(minor: i128) -> Figures {
    Figures { net: Sum::new(minor, 1), gross: Sum::new(minor + 1, 2), activity: Sum::new(minor - 1, 0) }
}

pub(crate) async fn staged(
    warehouse: &dyn Warehouse,
    number: u32,
    scope: &Scope,
    of_days: &[(&str, i128)],
) -> Box<dyn StagedRun> {
    let Opening::Staged(mut stage) = warehouse.open(&run_key(number), scope).await.unwrap() else {
        panic!("run {number} was published before")
    };
    let groups = [(Dimension::Team, "ALPHA"), (Dimension::Branch, "KANDY"), (Dimension::Product, "LIFE")];
    let cells = of_days.iter().flat_map(|(day, minor)| {
        groups.map(|(dimension, code)| Cell { dimension, day: date(day), code: code.into(), figures: figures(*minor) })
    });
    stage.write(StagedRows::Cells(cells.collect())).await.unwrap();
    stage.write(StagedRows::Teams(vec![TeamEntry { code: team_code("ALPHA"), name: text("Alpha") }])).await.unwrap();
    stage
}

pub(crate) fn control(of_days: &[(&str, i128)]) -> ControlTotals {
    let days = of_days.iter().map(|(day, minor)| DayControl { day: date(day), figures: figures(*minor) });
    ControlTotals { days: days.collect() }
}

/// Publishes these days and nothing beside them.
pub(crate) async fn publish(
    warehouse: &dyn Warehouse,
    number: u32,
    scope: &Scope,
    of_days: &[(&str, i128)],
) -> Result<Receipt> {
    staged(warehouse, number, scope, of_days).await.publish(&control(of_days), &record(number)).await
}

pub(crate) async fn warehouse(database: &Database) -> PostgresWarehouse {
    let warehouse = PostgresWarehouse::connect(&database.url(), currency()).await.unwrap();
    warehouse.migrate().await.unwrap();
    warehouse
}

pub(crate) async fn texts(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn bi_tools_see_exact_decimals_under_the_fixed_names() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let warehouse = warehouse(&database).await;
    let of_days = [("2026-02-28", -205), ("2026-03-01", 123_456), ("2026-03-31", 5)];
    publish(&warehouse, 1, &Scope::full(), &of_days).await.unwrap();
    let client = database.client().await;
    assert_eq!(
        texts(
            &client,
            "SELECT concat_ws(' ', day, team, net_sales, net_count, gross_sales, gross_count,
            activity_sales, activity_count) FROM team_sales_daily ORDER BY day"
        )
        .await,
        [
            "2026-02-28 ALPHA -2.0500 1 -2.0400 2 -2.0600 0",
            "2026-03-01 ALPHA 1234.5600 1 1234.5700 2 1234.5500 0",
            "2026-03-31 ALPHA 0.0500 1 0.0600 2 0.0400 0",
        ]
    );
    assert_eq!(
        texts(&client, "SELECT concat_ws(' ', team, team_name, total_sales, sale_count) FROM team_sales_metrics").await,
        ["ALPHA Alpha 1232.5600 3"]
    );
    assert_eq!(
        texts(
            &client,
            "SELECT concat_ws(' ', month, branch, branch_name, total_sales, sale_count)
            FROM branch_sales_metrics_monthly ORDER BY month"
        )
        .await,
        ["2026-02 KANDY KANDY -2.0500 1", "2026-03 KANDY KANDY 1234.6100 2"]
    );
    assert_eq!(
        texts(&client, "SELECT concat_ws(' ', run_id, kind, days, outcome) FROM kpi_runs").await,
        ["00000000-0000-0000-0000-000000000001 full 2026-03-01/2026-03-31 published"]
    );
}

#[tokio::test]
async fn identity_and_grants_survive_every_run() {
    if skipped() {
        return;
    }
    let mut database = Database::empty().await;
    let warehouse = warehouse(&database).await;
    let role = database.role("bi").await;
    let client = database.client().await;
    let tables =
        "SELECT format('%s %s', c.relname, c.oid) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
        ORDER BY 1";
    client.batch_execute(&format!("GRANT SELECT ON team_sales_daily, team_sales_metrics TO {role}")).await.unwrap();
    let before = texts(&client, tables).await;
    for number in 1..=3 {
        publish(&warehouse, number, &Scope::full(), &[("2026-03-01", number.into())]).await.unwrap();
    }
    assert_eq!(texts(&client, tables).await, before);
    let reader = connect(&database.url_of(&role)).await;
    assert_eq!(texts(&reader, "SELECT total_sales::text FROM team_sales_metrics").await, ["0.0300"]);
}

#[tokio::test]
async fn two_publishers_exclude_each_other() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    drop(warehouse(&database).await);
    let brief = PostgresOptions::default().lock_wait(Duration::from_millis(50));
    let warehouse = PostgresWarehouse::connect_with(&database.url(), currency(), &brief).await.unwrap();
    let stage = staged(&warehouse, 1, &Scope::full(), &[("2026-03-01", 1)]).await;
    let other = database.client().await;
    other.batch_execute("BEGIN; SELECT one FROM warehouse_fence FOR UPDATE").await.unwrap();
    let error = stage.publish(&control(&[("2026-03-01", 1)]), &record(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contention, "{error}");
    assert_eq!(warehouse.read(DayRange::ALL).await.unwrap().sums, [], "readers go on");
    other.batch_execute("COMMIT").await.unwrap();
    publish(&warehouse, 1, &Scope::full(), &[("2026-03-01", 1)]).await.unwrap();
}

/// A publisher that breaks off, wherever, neither doubles nor loses: the repeat under the same key heals it.
#[tokio::test]
async fn a_lost_connection_neither_doubles_nor_loses() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let warehouse = warehouse(&database).await;
    let of_days = [("2026-03-01", 100), ("2026-03-02", 200)];
    publish(&warehouse, 1, &Scope::full(), &of_days).await.unwrap();
    let before = warehouse.read(DayRange::ALL).await.unwrap();
    let client = database.client().await;
    // Each of these tables is locked in its turn, so that the publisher is cut where it waits for it.
    for table in ["branch_sales_daily", "warehouse_product_metrics", "restatements", "teams", "warehouse_runs"] {
        let changed = [("2026-03-01", 111), ("2026-03-02", 222)];
        let stage = staged(&warehouse, 2, &Scope::full(), &changed).await;
        client.batch_execute(&format!("BEGIN; LOCK TABLE {table} IN SHARE MODE")).await.unwrap();
        let cut = async {
            let wait = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'";
            // Until the publisher is met, and then until it is gone.
            for there in [true, false] {
                while client.query(wait, &[]).await.unwrap().is_empty() == there {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            client.batch_execute("COMMIT").await.unwrap();
        };
        let (control, record) = (control(&changed), record(2));
        let ((), outcome) = tokio::join!(cut, stage.publish(&control, &record));
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unavailable, "{table}");
        assert_eq!(warehouse.read(DayRange::ALL).await.unwrap(), before, "{table}");
    }
    publish(&warehouse, 2, &Scope::full(), &[("2026-03-01", 111)]).await.unwrap();
    let sums = warehouse.read(DayRange::ALL).await.unwrap().sums;
    assert_eq!(sums.iter().map(|sum| sum.figures.net.minor).collect::<Vec<_>>(), [111; 3]);
}

#[tokio::test]
async fn another_currency_is_refused() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    drop(warehouse(&database).await);
    let other = PostgresWarehouse::connect(&database.url(), "JPY".parse().unwrap()).await.unwrap();
    let error = other.migrate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}
