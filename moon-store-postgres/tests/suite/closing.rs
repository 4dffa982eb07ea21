//! Closed periods and figures of agents as BI tools see them, and warehouses of an older version.

use std::sync::Arc;

use moon_core::{
    AgentCell, Calendar, Cell, DayRange, Dimension, Manifest, Opening, Period, Restatement, RunRecord, Scope,
    StagedRows, Warehouse,
};
use moon_store_postgres::{PostgresWarehouse, RedshiftWarehouse};
use moon_testkit::builders::{currency, date};

use crate::publishing::{control, figures, publish, record, run_key, staged, texts, warehouse};
use crate::support::{Database, connect, skipped};

fn march() -> Period {
    Calendar::default().parse("2026-03").unwrap()
}

#[tokio::test]
async fn bi_tools_see_what_was_reported() {
    if skipped() {
        return;
    }
    let database = Database::empty().await;
    let warehouse = warehouse(&database).await;
    let reported = [("2026-03-31", 100)];
    let mut stage = staged(&warehouse, 1, &Scope::full(), &reported).await;
    stage.write(StagedRows::Close(march())).await.unwrap();
    let agent = AgentCell { month: date("2026-03-01"), agent: "withheld".to_owned(), figures: figures(-5) };
    stage.write(StagedRows::AgentCells(vec![agent])).await.unwrap();
    let manifest = Manifest {
        cells: 3,
        cells_hash: "ab".to_owned(),
        closed: vec![march()],
        reopened: Vec::new(),
        agent_key: None,
        days: None,
    };
    stage.publish(&control(&reported), &RunRecord { manifest, ..record(1) }).await.unwrap();
    let restated = [("2026-03-31", -7)];
    let scope = Scope { agents: false, ..Scope::full() };
    let mut stage = staged(&warehouse, 2, &scope, &restated).await;
    let (dimension, day) = (Dimension::Branch, date("2026-03-31"));
    let (before, after) = (figures(100), figures(-7));
    let row = Restatement { run: run_key(2), dimension, day, code: "KANDY".into(), before, after };
    stage.write(StagedRows::Restatements(vec![row])).await.unwrap();
    stage.write(StagedRows::Reopen(march())).await.unwrap();
    stage.publish(&control(&restated), &record(2)).await.unwrap();

    let client = database.client().await;
    let read = async |sql: &str| texts(&client, sql).await;
    assert_eq!(
        read("SELECT concat_ws(' ', month, agent, net_sales, net_count) FROM agent_sales_monthly").await,
        ["2026-03 withheld -0.0500 1"]
    );
    assert_eq!(
        read(
            "SELECT concat_ws(' ', granularity, period_start, period_end, number, epoch, closed_at AT TIME ZONE 'UTC',
            reopened_number, reopened_epoch, reopened_at = closed_at) FROM closings"
        )
        .await,
        ["month 2026-03-01 2026-03-31 1 1 2026-04-02 12:00:00 2 1 t"]
    );
    assert_eq!(
        read(
            "SELECT concat_ws(' ', f.granularity, f.period_start, f.dimension, f.day, f.code, f.net_sales, f.net_count,
            f.gross_sales, f.activity_sales) FROM closed_figures f JOIN closings c USING (closed_by, granularity,
            period_start) WHERE c.number = 1 ORDER BY f.dimension"
        )
        .await,
        [
            "month 2026-03-01 branch 2026-03-31 KANDY 1.0000 1 1.0100 0.9900",
            "month 2026-03-01 product 2026-03-31 LIFE 1.0000 1 1.0100 0.9900",
            "month 2026-03-01 team 2026-03-31 ALPHA 1.0000 1 1.0100 0.9900",
        ]
    );
    assert_eq!(
        read(
            "SELECT concat_ws(' ', number, epoch, dimension, day, code, before_net_sales, after_net_sales,
            after_net_sales - before_net_sales, after_gross_count) FROM restatements"
        )
        .await,
        ["2 1 branch 2026-03-31 KANDY 1.0000 -0.0700 -1.0700 2"]
    );
    let manifests = read("SELECT manifest::json ->> 'cells_hash' FROM kpi_runs ORDER BY number").await;
    assert_eq!(manifests, ["ab", ""]);
}

/// Figures as a released version left them: one of each, and the record of its run, which had no manifest.
fn figures_of_version_1() -> String {
    let mut old = serde_json::to_value(record(1)).unwrap();
    old.as_object_mut().unwrap().remove("manifest");
    let id = run_key(1).id;
    format!(
        "INSERT INTO team_sales_daily VALUES ('2026-03-31', 'ALPHA', 1, 1, 1.01, 2, 0.99, 0);
        INSERT INTO branch_sales_daily VALUES ('2026-03-31', 'KANDY', 1, 1, 1.01, 2, 0.99, 0);
        INSERT INTO product_sales_daily VALUES ('2026-03-31', 'LIFE', 1, 1, 1.01, 2, 0.99, 0);
        INSERT INTO teams VALUES ('ALPHA', 'Alpha');
        INSERT INTO warehouse_product_metrics VALUES (NULL, 'LIFE', 'Life', 4, 1, 1, -3, 0.25, 'not_achieved', TRUE, 'full');
        INSERT INTO warehouse_runs VALUES ('{id}', 1, 1, 'full', '', now(), now(), 3, 1, 1, 1, 1, 1, 1, '{{}}', 'published',
            NULL, '{old}');"
    )
}

/// Upgrades a warehouse of version 1, and tries that its figures, its tables and their grants are as they were.
async fn upgrade(redshift: bool) {
    let mut database = Database::empty().await;
    let client = database.client().await;
    let role = database.role("bi").await;
    let (script, component, key, one) = if redshift {
        (include_str!("../../src/schema/redshift_1.sql"), "redshift_warehouse", "", "")
    } else {
        (include_str!("../../src/schema/warehouse_1.sql"), "warehouse", "PRIMARY KEY", "1, ")
    };
    client.batch_execute(script).await.unwrap();
    client
        .batch_execute(&format!(
            "CREATE TABLE moon_schema (component TEXT {key}, version BIGINT NOT NULL);
            INSERT INTO moon_schema VALUES ('{component}', 1);
            INSERT INTO warehouse_currency VALUES ({one}'LKR', 2);
            {}
            GRANT SELECT ON team_sales_daily, team_sales_metrics, kpi_runs TO {role}",
            figures_of_version_1()
        ))
        .await
        .unwrap();
    let old = "SELECT format('%s %s %s', relname, oid, relacl) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1";
    let before = texts(&client, old).await;

    let warehouse: Arc<dyn Warehouse> = if redshift {
        let url = database.url().replacen("postgres", "redshift", 1);
        Arc::new(RedshiftWarehouse::connect(&url, currency()).await.unwrap())
    } else {
        Arc::new(PostgresWarehouse::connect(&database.url(), currency()).await.unwrap())
    };
    warehouse.migrate().await.unwrap();
    warehouse.migrate().await.unwrap();
    let after = texts(&client, old).await;
    assert!(before.iter().all(|table| after.contains(table)), "{before:?}\n{after:?}");
    let reader = connect(&database.url_of(&role)).await;
    assert_eq!(texts(&reader, "SELECT total_sales::text FROM team_sales_metrics").await, ["1.0000"]);
    if !redshift {
        let manifests = texts(&reader, "SELECT coalesce(manifest, 'none') FROM kpi_runs").await;
        assert_eq!(manifests, ["none"]);
    }
    let groups = [(Dimension::Team, "ALPHA"), (Dimension::Branch, "KANDY"), (Dimension::Product, "LIFE")];
    let cells = groups.map(|(dimension, code)| Cell {
        dimension,
        day: date("2026-03-31"),
        code: code.into(),
        figures: figures(100),
    });
    assert_eq!(warehouse.cells(DayRange::ALL).await.unwrap(), cells);
    let metrics = warehouse.product_metrics(DayRange::ALL).await.unwrap();
    assert_eq!(metrics.iter().map(|metrics| (metrics.month, metrics.rows.len())).collect::<Vec<_>>(), [(None, 1)]);
    assert_eq!(warehouse.runs(9).await.unwrap(), [record(1)]);
    let opening = warehouse.open(&run_key(1), &Scope::full()).await.unwrap();
    assert!(matches!(opening, Opening::AlreadyPublished(_)), "{opening:?}");

    // What is new works on what is old.
    let mut stage =
        staged(warehouse.as_ref(), 2, &Scope { days: DayRange::new(0, 0).into(), ..Scope::full() }, &[]).await;
    stage.write(StagedRows::Close(march())).await.unwrap();
    stage.publish(&control(&[]), &record(2)).await.unwrap();
    assert_eq!(warehouse.closed_cells(march(), run_key(2).id).await.unwrap(), cells);
    publish(warehouse.as_ref(), 3, &Scope::full(), &[]).await.unwrap();
    assert_eq!(warehouse.closed_cells(march(), run_key(2).id).await.unwrap(), cells);
}

#[tokio::test]
async fn an_older_warehouse_keeps_its_figures_and_grants() {
    if skipped() {
        return;
    }
    upgrade(false).await;
}

#[tokio::test]
async fn an_older_warehouse_of_redshifts_dialect_keeps_its_figures_and_grants() {
    if skipped() {
        return;
    }
    upgrade(true).await;
}
